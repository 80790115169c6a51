//! Laws that every feature keeps: what looks different has another version, after every verb and for every region.

use crate::house::{House, On, at, on, on_both};
use portico::domain::hours::{Change, line};
use portico::domain::id::{ClientId, PersonId, ServiceId, StaffId};
use portico::domain::invoice::Filter;
use portico::domain::message::Body;
use portico::domain::payment::{Event, Result as Told};
use portico::domain::rule::Rules;
use portico::domain::service::{Colour, Service};
use portico::domain::slot::Window;
use portico::domain::viewer::{Role, Viewer};
use portico::domain::week::Week;
use portico::live::{Region, Source};
use portico::realtime::Region as _;
use portico::secret;
use portico::store::booking::{Cancel, Move};
use portico::store::business::{NewBusiness, SetRules};
use portico::store::client::Invite;
use portico::store::hold::Take;
use portico::store::hours::Set;
use portico::store::invoice::{self, Begin, Discard, IssueDraft, Settle, Void};
use portico::store::notification::See;
use portico::store::outbox::{Claim, Outcome, Settle as Mark};
use portico::store::person::NewPerson;
use portico::store::service::{Offer, Save};
use portico::store::thread::{NewMessage, Read};
use portico::store::token::{Issue, Kind, Redeem};
use portico::store::wait::{Ask, Decline, Withdraw};
use portico::store::{self, Tx, Work};
use scraper::{Html, Selector};
use std::sync::Arc;

/// Every kind of region, for the people of the house and the invoices that there are.
async fn regions(house: &House) -> Vec<Region> {
    let week = Week::parse("2026-W48").unwrap();
    let everyone: Arc<[StaffId]> = [house.naledi.staff, house.sipho.staff].into();
    let (client, staff) = (house.thandi.client, house.naledi.staff);
    let mut regions = vec![
        Region::Slots {
            staff,
            week,
            named: Arc::default(),
        },
        Region::OwnSlots {
            client,
            staff,
            week,
            limited: false,
        },
        Region::OwnSlots {
            client,
            staff,
            week,
            limited: true,
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
        Region::Invoices { client },
        Region::Todo { client },
        Region::Waits {
            client,
            for_staff: false,
        },
        Region::Waits {
            client,
            for_staff: true,
        },
        Region::Line,
    ];
    regions.extend(about_money(house).await);
    regions
}

/// The regions about the invoices that there are.
async fn about_money(house: &House) -> Vec<Region> {
    let mut regions = Vec::new();
    regions.extend(Filter::ALL.map(|filter| Region::Ledger {
        filter,
        before: None,
    }));
    let db = &house.app.db;
    let invoices: Vec<(uuid::Uuid, uuid::Uuid, String)> = db
        .q("SELECT id, client_id, status FROM invoices ORDER BY created_at, id")
        .all()
        .await
        .unwrap();
    for (invoice, client, status) in invoices {
        // A draft is nobody's to watch but staff's.
        let watchers = if status == "draft" {
            &[true][..]
        } else {
            &[true, false]
        };
        regions.extend(watchers.iter().map(|&for_staff| Region::Invoice {
            client: client.into(),
            invoice: invoice.into(),
            for_staff,
        }));
    }
    regions
}

/// Thandi waits for what Pieter has, is offered it twice, lets it go and gives up.
async fn wait_in_line(house: &House) {
    let booking = house.one_time_that_pieter_has().await;
    let (now, staff) = (house.clock().now(), house.naledi.staff);
    let ask = Ask {
        viewer: house.thandi.clone(),
        wish: house.tuesday(),
        key: secret::token(),
        now,
    };
    let (_, changed) = check(house, "wait", move |tx, ()| {
        let ask = ask.clone();
        Box::pin(async move { store::wait::ask(tx, &ask).await })
    })
    .await;
    assert_has(&changed, &["Waits", "Line"]);
    house.cancels(&house.pieter, booking).await;
    let (_, changed) = check(house, "offer", move |tx, ()| {
        Box::pin(store::wait::next(tx, staff, now))
    })
    .await;
    assert_has(
        &changed,
        &[
            "Waits",
            "Line",
            "Todo",
            "Slots",
            "Outbox",
            "Notifications",
            "Badges",
        ],
    );
    let decline = Decline {
        viewer: house.thandi.clone(),
        hold: house.offered_to(&house.thandi).await.unwrap().hold,
    };
    let ((), changed) = check(house, "decline", move |tx, ()| {
        let decline = decline.clone();
        Box::pin(async move { store::wait::decline(tx, &decline).await })
    })
    .await;
    assert_has(&changed, &["Waits", "Line", "Todo", "Slots", "Outbox"]);
    let (wait,): (uuid::Uuid,) = house.app.db.q("SELECT id FROM waits").one().await.unwrap();
    let withdraw = Withdraw {
        viewer: Viewer::Client(house.thandi.clone()),
        wait: wait.into(),
    };
    let ((), changed) = check(house, "withdraw", move |tx, ()| {
        let withdraw = withdraw.clone();
        Box::pin(async move { store::wait::withdraw(tx, &withdraw).await })
    })
    .await;
    assert_has(&changed, &["Waits", "Line"]);
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
    let regions = regions(house).await;
    let mut before = Vec::new();
    for region in &regions {
        before.push(region.load(&house.app.source).await.unwrap());
    }
    let done = house.app.transact((), work).await.unwrap();
    let mut changed = Vec::new();
    for (region, before) in regions.into_iter().zip(before) {
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

        let set = |rules: Rules, seen: Rules| SetRules {
            by: house.naledi.clone(),
            rules,
            seen: seen.line(),
            now,
        };
        let one = Rules {
            most_open: 1,
            ..Rules::default()
        };
        let limit = set(one, Rules::default());
        let (_, changed) = check(
            &house,
            "limit what a client may have ahead",
            move |tx, ()| {
                let limit = limit.clone();
                Box::pin(async move { store::business::set_rules(tx, &limit).await })
            },
        )
        .await;
        assert_has(&changed, &["Activity"]);

        let take = |start: &str| Take {
            viewer: client.clone(),
            staff,
            start: at(start),
            key: secret::token(),
            now,
        };
        for (verb, take) in [
            ("hold", take("2026-11-26T06:00:00Z")),
            ("hold another time", take("2026-11-25T06:00:00Z")),
        ] {
            let (_, changed) = check(&house, verb, move |tx, ()| {
                let take = take.clone();
                Box::pin(async move { store::hold::take(tx, &take).await })
            })
            .await;
            assert_has(&changed, &["Slots", "OwnSlots", "Timetable"]);
        }
        let viewer = client.clone();
        let ((), changed) = check(&house, "give up a hold", move |tx, ()| {
            let viewer = viewer.clone();
            Box::pin(async move { store::hold::end(tx, &viewer).await })
        })
        .await;
        assert_has(&changed, &["Slots", "OwnSlots", "Timetable"]);

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
            reason: None,
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
            reason: None,
            now,
        };
        let ((), changed) = check(&house, "reschedule to a colleague", move |tx, ()| {
            let to = to_sipho.clone();
            Box::pin(async move { store::booking::reschedule(tx, &to).await })
        })
        .await;
        assert!(changed.contains(&"Slots".to_owned()) && changed.contains(&"OwnSlots".to_owned()));

        let ((), changed) = check(&house, "mark a mail", move |tx, ()| {
            Box::pin(async move {
                let claim = Claim {
                    lease: "lease".to_owned(),
                    now,
                    until: now,
                    most: 100,
                };
                for mail in store::outbox::claim(tx, &claim).await? {
                    let settle = Mark {
                        email: mail.id,
                        lease: "lease".to_owned(),
                        outcome: Outcome::Failed {
                            reason: "No".to_owned(),
                        },
                        now,
                    };
                    store::outbox::settle(tx, &settle).await?;
                }
                Ok(())
            })
        })
        .await;
        assert_has(&changed, &["Outbox"]);
        let failed = {
            let mut tx = house.app.db.snapshot().await.unwrap();
            store::outbox::list(&mut tx, 1).await.unwrap()[0].id
        };
        let ((), changed) = check(&house, "try a mail again", move |tx, ()| {
            Box::pin(store::outbox::retry(tx, failed, now))
        })
        .await;
        assert_has(&changed, &["Outbox"]);
        let (_, changed) = check(&house, "remind", move |tx, ()| {
            Box::pin(store::reminder::write(
                tx,
                now + std::time::Duration::from_hours(60),
            ))
        })
        .await;
        assert_has(&changed, &["Outbox"]);

        let gone = Cancel {
            viewer: client,
            booking,
            version: 3,
            told: None,
            reason: None,
            now,
        };
        let ((), changed) = check(&house, "cancel", move |tx, ()| {
            let gone = gone.clone();
            Box::pin(async move { store::booking::cancel(tx, &gone).await })
        })
        .await;
        assert!(changed.contains(&"Next".to_owned()) && changed.contains(&"Activity".to_owned()));

        let free = set(Rules::default(), one);
        check(&house, "limit it no more", move |tx, ()| {
            let free = free.clone();
            Box::pin(async move { store::business::set_rules(tx, &free).await })
        })
        .await;
        wait_in_line(&house).await;

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
                    horizon_weeks: None,
                    staff: Vec::new(),
                    clients: Vec::new(),
                    video_url: None,
                    colour: Colour::default(),
                    version: 1,
                };
                store::service::create(tx, &new).await
            })
        })
        .await;
        let (id, by) = (house.assessment.id, house.naledi.clone());
        let changed_service = Save {
            by: by.clone(),
            service: Service {
                name: "Long assessment".to_owned(),
                minutes: 90,
                ..house.assessment.clone()
            },
            is_new: false,
            agreed: None,
            now,
        };
        let (_, changed) = check(&house, "change a service", move |tx, ()| {
            let save = changed_service.clone();
            Box::pin(async move { store::service::save(tx, &save).await })
        })
        .await;
        assert_has(&changed, &["Activity"]);
        for (verb, on, version) in [("retire a service", false, 2), ("offer it again", true, 3)] {
            let offer = Offer {
                by: by.clone(),
                service: id,
                version,
                on,
                agreed: None,
                now,
            };
            let (_, changed) = check(&house, verb, move |tx, ()| {
                let offer = offer.clone();
                Box::pin(async move { store::service::offer(tx, &offer).await })
            })
            .await;
            assert_has(&changed, &["Activity"]);
        }
        let mut tx = house.app.db.snapshot().await.unwrap();
        let hours = store::staff::hours(&mut tx, staff, on("2026-11-23")).await;
        drop(tx);
        let set = Set {
            by,
            staff,
            change: Change::Week(Default::default()),
            seen: line(&hours.unwrap()),
            agreed: None,
            now,
        };
        let (_, changed) = check(&house, "close the week", move |tx, ()| {
            let set = set.clone();
            Box::pin(async move { store::hours::set(tx, &set).await })
        })
        .await;
        assert_has(&changed, &["Activity", "Slots"]);
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
                    rules: Rules {
                        move_minutes: 60,
                        ..Rules::default()
                    },
                    horizon_weeks: 4,
                };
                store::business::save(tx, &business).await
            })
        })
        .await;
    }
);

/// A charge of Thandi's, paid or not, as the sandbox tells it.
fn telling(
    checkout: &portico::domain::payment::Checkout,
    result: Told,
    now: jiff::Timestamp,
) -> Settle {
    Settle {
        provider: "sandbox",
        event: Event {
            id: format!("evt_{result:?}_{}", checkout.id),
            result,
            checkout: checkout.id,
            invoice: checkout.invoice,
            payment: format!("pay_{}", checkout.id),
            amount: checkout.amount,
            currency: checkout.currency.clone(),
        },
        now,
    }
}

fn assert_all(changed: &[String], expected: &[&str], verb: &str) {
    for region in expected {
        assert!(
            changed.contains(&(*region).to_owned()),
            "{verb} does not show in {region}: {changed:?}"
        );
    }
}

on_both!(
    what_money_changes_has_another_version_too,
    |house: House| async move {
        let now = house.clock().now();
        let by = house.naledi.clone();
        // Something stands everywhere before, so that what changes are parts and not only empty pages.
        house.charge(&house.thandi, 10_000).await;
        let everywhere = ["Invoices", "Todo", "Ledger", "Numbers", "Activity"];

        let bill = house.bill(&house.thandi, 85_000);
        let (open, changed) = check(&house, "issue", move |tx, ()| {
            let bill = bill.clone();
            Box::pin(async move { invoice::issue(tx, &bill).await })
        })
        .await;
        assert_all(&changed, &everywhere, "issue");

        let mut bill = house.bill(&house.thandi, 30_000);
        bill.as_draft = true;
        let (draft, changed) = check(&house, "save a draft", move |tx, ()| {
            let bill = bill.clone();
            Box::pin(async move { invoice::issue(tx, &bill).await })
        })
        .await;
        assert_all(&changed, &["Ledger"], "save a draft");
        let shown = |region: &str| changed.contains(&region.to_owned());
        assert!(
            !shown("Invoices") && !shown("Todo"),
            "a client has no drafts: {changed:?}"
        );

        let issue = IssueDraft {
            by: by.clone(),
            invoice: draft,
            version: 1,
            now,
        };
        let ((), changed) = check(&house, "issue a draft", move |tx, ()| {
            let issue = issue.clone();
            Box::pin(async move { invoice::issue_draft(tx, &issue).await })
        })
        .await;
        assert_all(
            &changed,
            &[&everywhere[..], &["Invoice"]].concat(),
            "issue a draft",
        );

        let discarded = house.draft(&house.thandi, 1_000).await;
        let discard = Discard {
            by: by.clone(),
            invoice: discarded,
            version: 1,
        };
        let ((), changed) = check(&house, "discard", move |tx, ()| {
            let discard = discard.clone();
            Box::pin(async move { invoice::discard(tx, &discard).await })
        })
        .await;
        assert_all(&changed, &["Ledger", "Invoice"], "discard");

        let begin = Begin {
            viewer: house.thandi.clone(),
            invoice: open,
            provider: "sandbox",
            now,
        };
        let (checkout, changed) = check(&house, "set out to pay", move |tx, ()| {
            let begin = begin.clone();
            Box::pin(async move { invoice::begin(tx, &begin).await })
        })
        .await;
        assert_eq!(changed, [""; 0], "nothing happened yet");
        let second = house.set_out(&house.thandi, open).await.unwrap();
        let late = house.set_out(&house.thandi, draft).await.unwrap();

        let told = telling(&checkout, Told::Failed, now);
        let (_, changed) = check(&house, "fail", move |tx, ()| {
            let told = told.clone();
            Box::pin(async move { invoice::settle(tx, &told).await })
        })
        .await;
        assert_all(&changed, &["Activity"], "fail");

        let told = telling(&checkout, Told::Succeeded, now);
        let again = told.clone();
        let (_, changed) = check(&house, "pay", move |tx, ()| {
            let told = told.clone();
            Box::pin(async move { invoice::settle(tx, &told).await })
        })
        .await;
        assert_all(&changed, &[&everywhere[..], &["Invoice"]].concat(), "pay");
        let (_, changed) = check(&house, "tell again", move |tx, ()| {
            let told = again.clone();
            Box::pin(async move { invoice::settle(tx, &told).await })
        })
        .await;
        assert_eq!(changed, [""; 0], "it is no news");
        let told = telling(&second, Told::Succeeded, now);
        let (_, changed) = check(&house, "pay twice", move |tx, ()| {
            let told = told.clone();
            Box::pin(async move { invoice::settle(tx, &told).await })
        })
        .await;
        assert_all(&changed, &["Ledger", "Activity", "Invoice"], "pay twice");

        let void = Void {
            by,
            invoice: draft,
            version: 2,
            now,
        };
        let ((), changed) = check(&house, "void", move |tx, ()| {
            let void = void.clone();
            Box::pin(async move { invoice::void(tx, &void).await })
        })
        .await;
        assert_all(&changed, &[&everywhere[..], &["Invoice"]].concat(), "void");
        let told = telling(&late, Told::Succeeded, now);
        let (_, changed) = check(&house, "pay what is void", move |tx, ()| {
            let told = told.clone();
            Box::pin(async move { invoice::settle(tx, &told).await })
        })
        .await;
        assert_all(
            &changed,
            &["Ledger", "Activity", "Invoice"],
            "pay what is void",
        );
    }
);

/// Whether it is one element, and that has the id.
fn is_one_element(html: &str, id: &str) -> bool {
    // Outside a table, a parser drops what only stands in one.
    let wrapped = if html.starts_with("<tr") {
        format!("<table><tbody id=\"around\">{html}</tbody></table>")
    } else {
        format!("<div id=\"around\">{html}</div>")
    };
    let parsed = Html::parse_fragment(&wrapped);
    let inside = Selector::parse("#around > *").unwrap();
    let ids: Vec<_> = parsed.select(&inside).map(|one| one.attr("id")).collect();
    ids == [Some(id)]
}

on_both!(
    /// A part is swapped for the element with its id: whatever stood beside it would be put there again at each push.
    every_part_is_one_element_with_its_name,
    |house: House| async move {
        house
            .book(&house.thandi, &house.follow_up, "2026-11-25T06:00:00Z")
            .await
            .unwrap();
        house.draft(&house.thandi, 10_000).await;
        for price in [20_000, 30_000] {
            house.charge(&house.thandi, price).await;
        }
        let paid = house.charge(&house.thandi, 40_000).await;
        let first = house.set_out(&house.thandi, paid).await.unwrap();
        let second = house.set_out(&house.thandi, paid).await.unwrap();
        for checkout in [first, second] {
            let told = telling(&checkout, Told::Succeeded, house.clock().now());
            let done = house
                .app
                .transact(told, |tx, told| Box::pin(invoice::settle(tx, told)));
            done.await.unwrap();
        }
        let mut seen = 0;
        for can_pay in [true, false] {
            let source = Source {
                can_pay,
                ..house.app.source.clone()
            };
            for region in regions(&house).await {
                let whole = region.load(&source).await.unwrap().whole;
                for part in whole.parts.iter().filter(|part| !part.id.is_empty()) {
                    seen += 1;
                    assert!(
                        is_one_element(&part.html, &part.id),
                        "{region:?}: {} is {}",
                        part.id,
                        part.html
                    );
                }
            }
        }
        assert!(seen > 100, "{seen} parts");
    }
);
