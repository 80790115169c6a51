//! Laws that every feature keeps: what looks different has another version, after every verb and for every region.

use crate::house::{House, On, at, on, on_both};
use portico::domain::id::{ClientId, PersonId, ServiceId, StaffId};
use portico::domain::invoice::Filter;
use portico::domain::message::Body;
use portico::domain::service::Service;
use portico::domain::slot::Window;
use portico::domain::viewer::{Role, Viewer};
use portico::domain::week::Week;
use portico::live::Region;
use portico::realtime::Region as _;
use portico::secret;
use portico::store::booking::{Cancel, Move};
use portico::store::business::NewBusiness;
use portico::store::client::Invite;
use portico::store::notification::See;
use portico::store::person::NewPerson;
use portico::store::thread::{NewMessage, Read};
use portico::store::token::{Issue, Kind, Redeem};
use portico::store::{self, Tx, Work};
use std::sync::Arc;

/// Every kind of region, for the people of the house.
fn regions(house: &House) -> Vec<Region> {
    let week = Week::parse("2026-W48").unwrap();
    let everyone: Arc<[StaffId]> = [house.naledi.staff, house.sipho.staff].into();
    let (client, staff) = (house.thandi.client, house.naledi.staff);
    vec![
        Region::Slots { staff, week },
        Region::OwnSlots {
            client,
            staff,
            week,
        },
        Region::Next { client },
        Region::Sessions {
            client,
            for_staff: false,
        },
        Region::Sessions {
            client,
            for_staff: true,
        },
        Region::Numbers {
            everyone: Arc::clone(&everyone),
        },
        Region::Agenda {
            everyone: Arc::clone(&everyone),
        },
        Region::Timetable {
            everyone: Arc::clone(&everyone),
            staff: None,
            week,
        },
        Region::Timetable {
            everyone: Arc::clone(&everyone),
            staff: Some(staff),
            week,
        },
        Region::Activity {
            everyone: Arc::clone(&everyone),
        },
        Region::Clients {
            everyone: Arc::clone(&everyone),
            quiet: false,
        },
        Region::Clients {
            everyone,
            quiet: true,
        },
        Region::Thread {
            client,
            for_staff: false,
        },
        Region::Thread {
            client,
            for_staff: true,
        },
        Region::Threads { waiting: false },
        Region::Threads { waiting: true },
        Region::Todo { client },
        Region::Invoices { client },
        Region::Ledger {
            filter: Filter::All,
        },
        Region::Outbox,
        Region::Notifications {
            person: house.thandi.person,
            for_staff: false,
        },
        Region::Notifications {
            person: house.naledi.person,
            for_staff: true,
        },
        Region::Badges {
            person: house.thandi.person,
            client: Some(client),
        },
        Region::Badges {
            person: house.naledi.person,
            client: None,
        },
    ]
}

/// A verb that changes nothing on any page would pass unseen.
fn assert_has(changed: &[String], names: &[&str]) {
    for name in names {
        assert!(
            changed.iter().any(|one| one == name),
            "{name} is not among {changed:?}"
        );
    }
}

/// Does one verb, and compares every region before and after it. Tells which looked different.
async fn check<T: Send + 'static>(
    house: &House,
    verb: &str,
    work: impl for<'t> Fn(&'t mut Tx, &'t ()) -> Work<'t, T> + Send + Sync + 'static,
) -> (T, Vec<String>) {
    let mut before = Vec::new();
    for region in regions(house) {
        before.push(region.load(&house.app.source).await.unwrap());
    }
    let done = house.app.transact((), work).await.unwrap();
    let mut changed = Vec::new();
    for (region, before) in regions(house).into_iter().zip(before) {
        let after = region.load(&house.app.source).await.unwrap();
        assert!(
            after.version >= before.version,
            "{verb}: the version of {region:?} went back"
        );
        if after.whole.digest != before.whole.digest {
            let name = format!("{region:?}")
                .split([' ', '{'])
                .next()
                .unwrap()
                .to_owned();
            assert_ne!(
                after.version, before.version,
                "{verb} changed {name} and not its version"
            );
            changed.push(name);
        }
    }
    (done, changed)
}

on_both!(
    what_looks_different_has_another_version,
    |house: House| async move {
        let now = house.clock().now();
        let (owner, client) = (
            Viewer::Staff(house.naledi.clone()),
            Viewer::Client(house.thandi.clone()),
        );
        let staff = house.naledi.staff;

        let wish = house.wish(
            &house.thandi,
            staff,
            house.follow_up.id,
            at("2026-11-25T06:00:00Z"),
        );
        let (booking, changed) = check(&house, "book", move |tx, ()| {
            let wish = wish.clone();
            Box::pin(async move { store::booking::book(tx, &wish).await })
        })
        .await;
        for region in [
            "Slots",
            "OwnSlots",
            "Next",
            "Sessions",
            "Numbers",
            "Agenda",
            "Timetable",
            "Activity",
            "Outbox",
            "Notifications",
            "Badges",
        ] {
            assert!(
                changed.contains(&region.to_owned()),
                "a booking does not show in {region}: {changed:?}"
            );
        }

        let start = at("2026-11-26T06:00:00Z");
        let to = Move {
            viewer: client.clone(),
            booking,
            version: 1,
            staff,
            start,
            now,
        };
        let ((), changed) = check(&house, "reschedule", move |tx, ()| {
            let to = to.clone();
            Box::pin(async move { store::booking::reschedule(tx, &to).await })
        })
        .await;
        assert!(changed.contains(&"Slots".to_owned()) && changed.contains(&"OwnSlots".to_owned()));

        let to_sipho = Move {
            viewer: owner.clone(),
            booking,
            version: 2,
            staff: house.sipho.staff,
            start,
            now,
        };
        let ((), changed) = check(&house, "reschedule to a colleague", move |tx, ()| {
            let to = to_sipho.clone();
            Box::pin(async move { store::booking::reschedule(tx, &to).await })
        })
        .await;
        assert!(changed.contains(&"Slots".to_owned()) && changed.contains(&"OwnSlots".to_owned()));

        let gone = Cancel {
            viewer: client,
            booking,
            version: 3,
            now,
        };
        let ((), changed) = check(&house, "cancel", move |tx, ()| {
            let gone = gone.clone();
            Box::pin(async move { store::booking::cancel(tx, &gone).await })
        })
        .await;
        assert!(changed.contains(&"Next".to_owned()) && changed.contains(&"Activity".to_owned()));

        let write = |viewer: &Viewer, text: &str| NewMessage {
            viewer: viewer.clone(),
            client: house.thandi.client,
            body: Body::parse(text).unwrap(),
            key: secret::token(),
            now,
        };
        let thandi = Viewer::Client(house.thandi.clone());
        for (verb, message) in [
            ("begin a thread", write(&thandi, "How long is a session?")),
            ("write again", write(&thandi, "With parking?")),
            ("answer", write(&owner, "45 minutes.")),
        ] {
            let (_, changed) = check(&house, verb, move |tx, ()| {
                let message = message.clone();
                Box::pin(async move { store::thread::send(tx, &message).await })
            })
            .await;
            assert_has(&changed, &["Thread", "Threads"]);
        }
        let seen = Read {
            viewer: thandi,
            client: house.thandi.client,
            upto: 3,
            now,
        };
        let ((), changed) = check(&house, "read a thread", move |tx, ()| {
            let seen = seen.clone();
            Box::pin(async move { store::thread::read(tx, &seen).await })
        })
        .await;
        assert_has(&changed, &["Thread"]);
        // Staff, of what the client did; the client, of what staff did; then both forget it.
        for person in [house.naledi.person, house.thandi.person] {
            let mut tx = house.app.db.snapshot().await.unwrap();
            let told = store::notification::list(&mut tx, person, 1).await.unwrap();
            drop(tx);
            let see = See {
                person,
                upto: told[0].id,
                now,
            };
            let ((), changed) = check(&house, "see", move |tx, ()| {
                let see = see.clone();
                Box::pin(async move { store::notification::see(tx, &see).await })
            })
            .await;
            assert_has(&changed, &["Notifications", "Badges"]);
        }
        let ((), changed) = check(&house, "forget what was seen", move |tx, ()| {
            Box::pin(store::notification::sweep(
                tx,
                now + std::time::Duration::from_hours(91 * 24),
            ))
        })
        .await;
        assert_has(&changed, &["Notifications"]);

        let new = |name: &str| NewPerson {
            id: PersonId::new(),
            email: format!("{}@kestrel.example", name.to_lowercase()),
            name: name.to_owned(),
            password_hash: None,
            now,
        };
        let (lerato, zanele, musa) = (new("Lerato"), new("Zanele"), new("Musa"));
        let invited = lerato.id;
        let invite = Invite {
            by: house.naledi.person,
            client: ClientId::new(),
            person: lerato,
            secret: secret::token(),
        };
        let first_link = invite.secret.clone();
        let ((), changed) = check(&house, "invite", move |tx, ()| {
            let invite = invite.clone();
            Box::pin(async move { store::client::invite(tx, &invite).await })
        })
        .await;
        assert!(changed.contains(&"Clients".to_owned()) && changed.contains(&"Outbox".to_owned()));

        check(&house, "create a client", move |tx, ()| {
            let zanele = zanele.clone();
            Box::pin(async move { store::client::create(tx, ClientId::new(), &zanele).await })
        })
        .await;
        check(&house, "create staff", move |tx, ()| {
            let musa = musa.clone();
            Box::pin(
                async move { store::staff::create(tx, StaffId::new(), Role::Staff, &musa).await },
            )
        })
        .await;

        let redeem = Redeem {
            kind: Kind::Invitation,
            secret: first_link,
            password_hash: "x".to_owned(),
            now,
        };
        check(&house, "redeem an invitation", move |tx, ()| {
            let redeem = redeem.clone();
            Box::pin(async move { store::token::redeem(tx, &redeem).await })
        })
        .await;
        let link = Issue {
            person: invited,
            kind: Kind::Reset,
            secret: secret::token(),
            now,
        };
        let redeem = Redeem {
            kind: Kind::Reset,
            secret: link.secret.clone(),
            password_hash: "y".to_owned(),
            now,
        };
        check(&house, "issue a link", move |tx, ()| {
            let link = link.clone();
            Box::pin(async move { store::token::issue(tx, &link).await })
        })
        .await;
        check(&house, "redeem a reset", move |tx, ()| {
            let redeem = redeem.clone();
            Box::pin(async move { store::token::redeem(tx, &redeem).await })
        })
        .await;

        check(&house, "open a weekday", move |tx, ()| {
            Box::pin(store::staff::open_weekly(
                tx,
                staff,
                5,
                Window {
                    start: 480,
                    end: 600,
                },
            ))
        })
        .await;
        check(&house, "override a day", move |tx, ()| {
            Box::pin(store::staff::override_day(tx, staff, on("2026-11-27"), &[]))
        })
        .await;
        check(&house, "take days off", move |tx, ()| {
            Box::pin(store::staff::take_off(
                tx,
                staff,
                on("2026-11-28"),
                on("2026-11-29"),
            ))
        })
        .await;
        check(&house, "create a service", move |tx, ()| {
            Box::pin(async move {
                let id = ServiceId::new();
                let name = "Massage".to_owned();
                let new = Service {
                    id,
                    name,
                    price: 1,
                    step: 45,
                    minutes: 15,
                    before: 0,
                    after: 0,
                    notice: 0,
                };
                store::service::create(tx, &new).await
            })
        })
        .await;
        let (person, colleague) = (house.sipho.person, house.pieter.person);
        check(&house, "change a role", move |tx, ()| {
            Box::pin(store::staff::set_role(tx, person, Role::Owner))
        })
        .await;
        check(&house, "disable staff", move |tx, ()| {
            Box::pin(store::person::set_disabled(tx, person, true, now))
        })
        .await;
        check(&house, "disable a client", move |tx, ()| {
            Box::pin(store::person::set_disabled(tx, colleague, true, now))
        })
        .await;
        check(&house, "set a password", move |tx, ()| {
            Box::pin(store::person::set_password(tx, colleague, "z", now))
        })
        .await;
        check(&house, "forget what is old", move |tx, ()| {
            Box::pin(store::session::sweep(
                tx,
                now + std::time::Duration::from_hours(24 * 60),
            ))
        })
        .await;
        check(&house, "change the business", |tx, ()| {
            Box::pin(async move {
                let business = NewBusiness {
                    name: "Falcon Physio".to_owned(),
                    address: "1 Long Street".to_owned(),
                    zone: "Europe/London".to_owned(),
                    currency: "GBP".to_owned(),
                    invoice_prefix: "G-".to_owned(),
                    tax_rate: 2000,
                    hue: 10,
                    change_minutes: 60,
                    horizon_weeks: 4,
                };
                store::business::save(tx, &business).await
            })
        })
        .await;
    }
);
