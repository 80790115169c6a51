//! The waiting list, on both databases: who is offered what became free, in which order, for how long, and what becomes of it.

use crate::house::{House, On, Server, at, on, on_both};
use portico::domain::booking::Refusal;
use portico::domain::id::{BookingId, HoldId, StaffId, WaitId};
use portico::domain::slot::Window;
use portico::domain::viewer::{ClientViewer, Viewer};
use portico::domain::wait::{Offer, Part, Wait, Wish, Wrong};
use portico::secret;
use portico::store::booking::Cancel;
use portico::store::hold::Take;
use portico::store::wait::{Ask, Decline, Outcome, Withdraw};
use portico::store::{self, Error};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
/// How long an offer stands; one millisecond less, and that one.
const LIMIT: Duration = Duration::from_mins(15);
const ALMOST: Duration = Duration::from_millis(15 * 60_000 - 1);
const THE_LAST: Duration = Duration::from_millis(1);

impl House {
    /// Of all Tuesday, Naledi works at eight, for one session; Pieter has it.
    pub(crate) async fn one_time_that_pieter_has(&self) -> BookingId {
        let staff = self.naledi.staff;
        let done = self.app.transact(staff, |tx, staff| {
            Box::pin(async move {
                let eight = Window {
                    start: 480,
                    end: 525,
                };
                store::staff::override_day(tx, *staff, on("2026-11-24"), &[eight]).await
            })
        });
        done.await.unwrap();
        let booked = self.book(&self.pieter, &self.follow_up, TUESDAY_8).await;
        booked.unwrap()
    }

    /// A follow-up on Tuesday, with Naledi.
    pub(crate) fn tuesday(&self) -> Wish {
        Wish {
            service: self.follow_up.id,
            staff: Some(self.naledi.staff),
            from: on("2026-11-24"),
            to: on("2026-11-24"),
            part: Part::Any,
        }
    }

    async fn asks(&self, client: &ClientViewer, wish: Wish) -> Outcome {
        self.asks_with(client, wish, &secret::token())
            .await
            .unwrap()
    }

    async fn asks_with(
        &self,
        client: &ClientViewer,
        wish: Wish,
        key: &str,
    ) -> Result<Outcome, Error> {
        let ask = Ask {
            viewer: client.clone(),
            wish,
            key: key.to_owned(),
            now: self.clock().now(),
        };
        self.app
            .transact(ask, |tx, ask| Box::pin(store::wait::ask(tx, ask)))
            .await
    }

    /// Waits for that Tuesday, a second after whoever asked before.
    pub(crate) async fn waits(&self, client: &ClientViewer) {
        self.clock().advance(Duration::from_secs(1));
        assert_eq!(self.asks(client, self.tuesday()).await, Outcome::Waits);
    }

    pub(crate) async fn cancels(&self, client: &ClientViewer, booking: BookingId) {
        let cancel = Cancel {
            viewer: Viewer::Client(client.clone()),
            booking,
            version: 1,
            told: None,
            reason: None,
            now: self.clock().now(),
        };
        let done = self.app.transact(cancel, |tx, cancel| {
            Box::pin(store::booking::cancel(tx, cancel))
        });
        done.await.unwrap();
    }

    /// What the job does when it looks, on this instance.
    async fn offer(&self, staff: StaffId) -> bool {
        let now = self.clock().now();
        let due = store::wait::is_due(&mut self.app.db.snapshot().await.unwrap(), staff, now)
            .await
            .unwrap();
        let done = self.app.transact((staff, now), |tx, (staff, now)| {
            Box::pin(store::wait::next(tx, *staff, *now))
        });
        let offered = done.await.unwrap();
        assert_eq!(due, offered);
        offered
    }

    async fn offer_all(&self) {
        while self.offer(self.naledi.staff).await {}
        while self.offer(self.sipho.staff).await {}
    }

    async fn in_line(&self, client: &ClientViewer) -> Vec<Wait> {
        let mut tx = self.app.db.snapshot().await.unwrap();
        let now = self.clock().now();
        store::wait::list(&mut tx, Some(client.client), on("2026-11-23"), now)
            .await
            .unwrap()
    }

    /// What is offered to a client.
    pub(crate) async fn offered_to(&self, client: &ClientViewer) -> Option<Offer> {
        let mut offers = self
            .in_line(client)
            .await
            .into_iter()
            .filter_map(|wait| wait.offer);
        let offer = offers.next();
        assert_eq!(offers.next(), None, "one at a time");
        offer
    }

    async fn declines(&self, client: &ClientViewer, offer: &Offer) -> Result<(), Error> {
        let decline = Decline {
            viewer: client.clone(),
            hold: offer.hold,
        };
        self.app
            .transact(decline, |tx, decline| {
                Box::pin(store::wait::decline(tx, decline))
            })
            .await
    }

    async fn withdraws(&self, viewer: Viewer, wait: &Wait) -> Result<(), Error> {
        let withdraw = Withdraw {
            viewer,
            wait: wait.id,
        };
        self.app
            .transact(withdraw, |tx, withdraw| {
                Box::pin(store::wait::withdraw(tx, withdraw))
            })
            .await
    }

    /// Takes the time at eight into their sheet.
    async fn looks_at_eight(&self, client: &ClientViewer) -> Result<(), Error> {
        let take = Take {
            viewer: Viewer::Client(client.clone()),
            staff: self.naledi.staff,
            start: at(TUESDAY_8),
            key: secret::token(),
            now: self.clock().now(),
        };
        let held = self
            .app
            .transact(take, |tx, take| Box::pin(store::hold::take(tx, take)));
        held.await.map(drop)
    }

    /// Something that is offered to a client: what they hold there becomes an offer.
    pub(crate) async fn an_offer(&self, client: &ClientViewer, start: &str) -> (WaitId, HoldId) {
        let take = Take {
            viewer: Viewer::Client(client.clone()),
            staff: self.naledi.staff,
            start: at(start),
            key: secret::token(),
            now: self.clock().now(),
        };
        let (wait, service, client) = (WaitId::new(), self.follow_up.id, client.client);
        let made = self.app.transact(take, move |tx, take| {
            Box::pin(async move {
                let held = store::hold::take(tx, take).await?;
                tx.q("INSERT INTO waits (id, client_id, service_id, from_on, to_on, part, status, version, created_at)
                      VALUES ($1, $2, $3, '2026-11-24', '2027-11-24', 'evening', 'open', 1, $4)")
                    .bind(wait.0)
                    .bind(client.0)
                    .bind(service.0)
                    .bind(take.now.as_millisecond())
                    .run()
                    .await?;
                tx.q("UPDATE holds SET wait_id = $1 WHERE id = $2")
                    .bind(wait.0)
                    .bind(held.id.0)
                    .run()
                    .await?;
                Ok(held.id)
            })
        });
        (wait, made.await.unwrap())
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let (count,) = self.app.db.q(sql).one().await.unwrap();
        count
    }
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

on_both!(
    a_freed_time_goes_to_whoever_asked_first_and_then_down_the_line,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        house.waits(&house.aisha).await;
        house.waits(&house.thandi).await;
        house.offer_all().await;
        assert_eq!(house.offered_to(&house.aisha).await, None);
        house.cancels(&house.pieter, booking).await;
        house.offer_all().await;
        let offer = house.offered_to(&house.aisha).await.unwrap();
        assert_eq!(offer.start, at(TUESDAY_8));
        assert_eq!(offer.until, house.clock().now() + LIMIT);
        // Others see it held, in line or not.
        assert_eq!(house.offered_to(&house.thandi).await, None);
        for other in [&house.thandi, &house.pieter] {
            let early = house.book(other, &house.follow_up, TUESDAY_8).await;
            assert_eq!(refusal(early), Refusal::Held);
        }
        house.assert_sound().await;

        house.clock().advance(ALMOST);
        house.offer_all().await;
        assert_eq!(house.offered_to(&house.aisha).await.as_ref(), Some(&offer));
        house.clock().advance(THE_LAST);
        house.offer_all().await;
        assert_eq!(house.offered_to(&house.aisha).await, None);
        let second = house.offered_to(&house.thandi).await.unwrap();
        let late = house.declines(&house.aisha, &offer).await;
        assert!(matches!(late, Err(Error::NotFound)));
        let others = house.declines(&house.aisha, &second).await;
        assert!(matches!(others, Err(Error::NotFound)));
        house.declines(&house.thandi, &second).await.unwrap();
        house.offer_all().await;
        // Both have let it go and wait on; it is simply free.
        for client in [&house.aisha, &house.thandi] {
            assert_eq!(house.offered_to(client).await, None);
            assert_eq!(house.in_line(client).await.len(), 1);
        }
        house
            .book(&house.pieter, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        house.assert_sound().await;
        // One notification and one mail for each offer.
        let told = "SELECT COUNT(*) FROM notifications WHERE kind = 'offered'";
        assert_eq!(house.count(told).await, 2);
        let mails = "SELECT COUNT(*) FROM outbox WHERE kind = 'offer'";
        assert_eq!(house.count(mails).await, 2);
    }
);

on_both!(
    a_time_that_somebody_had_in_between_is_offered_again,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        house.waits(&house.aisha).await;
        house.cancels(&house.pieter, booking).await;
        house.offer_all().await;
        house.clock().advance(LIMIT);
        house.offer_all().await;
        assert_eq!(house.offered_to(&house.aisha).await, None);
        let again = house.book(&house.pieter, &house.follow_up, TUESDAY_8).await;
        house.cancels(&house.pieter, again.unwrap()).await;
        house.offer_all().await;
        house.offered_to(&house.aisha).await.unwrap();
        // Two offers of one entry are two mails.
        let mails = "SELECT COUNT(*) FROM outbox WHERE kind = 'offer'";
        assert_eq!(house.count(mails).await, 2);
    }
);

on_both!(
    an_offer_never_blocks_its_owner_and_is_booked_once,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        house.waits(&house.aisha).await;
        house.waits(&house.thandi).await;
        house.cancels(&house.pieter, booking).await;
        house.offer_all().await;
        // Looking at it, and elsewhere, keeps it.
        house.looks_at_eight(&house.aisha).await.unwrap();
        let end = Viewer::Client(house.aisha.clone());
        let left = house
            .app
            .transact(end, |tx, viewer| Box::pin(store::hold::end(tx, viewer)));
        left.await.unwrap();
        house.offered_to(&house.aisha).await.unwrap();
        assert_eq!(
            refusal(house.looks_at_eight(&house.thandi).await),
            Refusal::Held
        );
        let mut wish = house.wish(
            &house.aisha,
            house.naledi.staff,
            house.follow_up.id,
            at(TUESDAY_8),
        );
        wish.key = "an offer".to_owned();
        let mut booked = Vec::new();
        for _ in 0..2 {
            let done = house.app.transact(wish.clone(), |tx, wish| {
                Box::pin(store::booking::book(tx, wish))
            });
            booked.push(done.await.unwrap());
        }
        assert_eq!(booked[0], booked[1]);
        // Whoever has what they waited for waits no longer; the next one goes on waiting.
        assert!(house.in_line(&house.aisha).await.is_empty());
        assert_eq!(house.in_line(&house.thandi).await.len(), 1);
        house.offer_all().await;
        assert_eq!(house.offered_to(&house.thandi).await, None);
        house.assert_sound().await;
    }
);

on_both!(
    many_instances_never_offer_one_time_twice_nor_out_of_order,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        house.waits(&house.aisha).await;
        house.waits(&house.thandi).await;
        house.cancels(&house.pieter, booking).await;
        let neighbour = house.neighbour(None).await;
        let house = Arc::new(house);
        let barrier = Arc::new(tokio::sync::Barrier::new(16));
        let mut crowd = tokio::task::JoinSet::new();
        for n in 0..16 {
            let app = [&house.app, &neighbour][n % 2].clone();
            let (barrier, staff) = (Arc::clone(&barrier), house.naledi.staff);
            let now = house.clock().now();
            crowd.spawn(async move {
                barrier.wait().await;
                app.transact((staff, now), |tx, (staff, now)| {
                    Box::pin(store::wait::next(tx, *staff, *now))
                })
                .await
            });
        }
        let made = crowd.join_all().await;
        let made: Vec<bool> = made.into_iter().map(Result::unwrap).collect();
        assert_eq!(made.iter().filter(|made| **made).count(), 1);
        assert!(house.offered_to(&house.aisha).await.is_some());
        assert_eq!(house.offered_to(&house.thandi).await, None);
        house.assert_sound().await;
    }
);

/// Waits until a client is offered something.
async fn is_offered(house: &House, client: &ClientViewer) -> Offer {
    let began = Instant::now();
    loop {
        if let Some(offer) = house.offered_to(client).await {
            return offer;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "never offered");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_both!(
    an_offer_is_found_again_by_any_instance_when_the_one_that_freed_the_time_is_gone,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        house.waits(&house.aisha).await;
        house.waits(&house.thandi).await;
        // This instance runs no job: it is gone between freeing and offering.
        house.cancels(&house.pieter, booking).await;
        let (one, other) = (house.neighbour(None).await, house.neighbour(None).await);
        let _servers = (Server::of(&one).await, Server::of(&other).await);
        is_offered(&house, &house.aisha).await;
        // And so is what nobody answered.
        house.clock().advance(LIMIT);
        is_offered(&house, &house.thandi).await;
        house.assert_sound().await;
    }
);

on_both!(
    whatever_makes_room_brings_an_offer,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        house.waits(&house.aisha).await;
        let staff = house.naledi.staff;
        // Longer hours.
        let done = house.app.transact(staff, |tx, staff| {
            Box::pin(async move {
                let longer = Window {
                    start: 480,
                    end: 570,
                };
                store::staff::override_day(tx, *staff, on("2026-11-24"), &[longer]).await
            })
        });
        done.await.unwrap();
        house.offer_all().await;
        let offer = house.offered_to(&house.aisha).await.unwrap();
        assert_eq!(offer.start, at("2026-11-24T06:45:00Z"));
        house.declines(&house.aisha, &offer).await.unwrap();
        // Somebody who only looked at it goes.
        house.cancels(&house.pieter, booking).await;
        house.looks_at_eight(&house.thandi).await.unwrap();
        house.offer_all().await;
        assert_eq!(house.offered_to(&house.aisha).await, None);
        house.clock().advance(Duration::from_mins(2));
        house.offer_all().await;
        let offer = house.offered_to(&house.aisha).await.unwrap();
        assert_eq!(offer.start, at(TUESDAY_8));
    }
);

on_both!(
    nobody_is_offered_what_they_cannot_book,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        house.waits(&house.aisha).await;
        // At that time Aisha is with Sipho.
        let elsewhere = house.wish(
            &house.aisha,
            house.sipho.staff,
            house.follow_up.id,
            at(TUESDAY_8),
        );
        let with_sipho = house.app.transact(elsewhere, |tx, wish| {
            Box::pin(store::booking::book(tx, wish))
        });
        with_sipho.await.unwrap();
        house.cancels(&house.pieter, booking).await;
        house.offer_all().await;
        assert_eq!(house.offered_to(&house.aisha).await, None);
        // Nor is anyone offered a time inside the notice.
        let again = house.book(&house.pieter, &house.follow_up, TUESDAY_8).await;
        house.waits(&house.thandi).await;
        let until_notice = at(TUESDAY_8) - Duration::from_mins(119);
        let ahead = until_notice.duration_since(house.clock().now());
        house.clock().advance(ahead.unsigned_abs());
        house.cancels(&house.pieter, again.unwrap()).await;
        house.offer_all().await;
        assert_eq!(house.offered_to(&house.thandi).await, None);
    }
);

on_both!(
    whoever_gives_up_their_place_leaves_their_offer_to_the_next,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        house.waits(&house.aisha).await;
        house.waits(&house.thandi).await;
        house.cancels(&house.pieter, booking).await;
        house.offer_all().await;
        let aishas = house.in_line(&house.aisha).await.remove(0);
        let stranger = Viewer::Client(house.thandi.clone());
        let denied = house.withdraws(stranger, &aishas).await;
        assert!(matches!(denied, Err(Error::NotFound)));
        let own = Viewer::Client(house.aisha.clone());
        for _ in 0..2 {
            house.withdraws(own.clone(), &aishas).await.unwrap();
        }
        house.offer_all().await;
        house.offered_to(&house.thandi).await.unwrap();
        // Staff take someone out of line.
        let thandis = house.in_line(&house.thandi).await.remove(0);
        let staff = Viewer::Staff(house.sipho.clone());
        house.withdraws(staff, &thandis).await.unwrap();
        assert!(house.in_line(&house.thandi).await.is_empty());
        let free = house.book(&house.pieter, &house.follow_up, TUESDAY_8);
        free.await.unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    what_is_free_need_not_be_waited_for_and_what_makes_no_sense_cannot,
    |house: House| async move {
        let free = house.asks(&house.aisha, house.tuesday()).await;
        assert_eq!(free, Outcome::Free(house.naledi.staff, at(TUESDAY_8)));
        house.one_time_that_pieter_has().await;
        let wrong = |change: fn(&mut Wish)| {
            let mut wish = house.tuesday();
            change(&mut wish);
            house.asks(&house.aisha, wish)
        };
        for (asked, expected) in [
            (
                wrong(|wish| wish.to = on("2026-11-23")).await,
                Wrong::Reversed,
            ),
            (
                wrong(|wish| (wish.from, wish.to) = (on("2026-11-20"), on("2026-11-22"))).await,
                Wrong::Passed,
            ),
            (
                wrong(|wish| wish.to = on("2026-12-25")).await,
                Wrong::TooLong,
            ),
            (
                wrong(|wish| (wish.from, wish.to) = (on("2027-11-20"), on("2027-11-20"))).await,
                Wrong::TooFar,
            ),
        ] {
            assert_eq!(asked, Outcome::Wrong(expected));
        }
        let stranger = wrong(|wish| wish.part = Part::Evening).await;
        assert_eq!(stranger, Outcome::Waits);
        // A form sent twice asks once.
        for _ in 0..2 {
            let asked = house
                .asks_with(&house.aisha, house.tuesday(), "key")
                .await
                .unwrap();
            assert_eq!(asked, Outcome::Waits);
        }
        assert_eq!(house.in_line(&house.aisha).await.len(), 2);
        for _ in 0..8 {
            house.waits(&house.aisha).await;
        }
        let eleventh = house.asks(&house.aisha, house.tuesday()).await;
        assert_eq!(eleventh, Outcome::Wrong(Wrong::TooMany));
    }
);

on_both!(
    anyone_and_another_part_of_the_day_are_offered_as_asked,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        let sipho = house.sipho.staff;
        let off = house.app.transact(sipho, |tx, sipho| {
            let tuesday = on("2026-11-24");
            Box::pin(store::staff::take_off(tx, *sipho, tuesday, tuesday))
        });
        off.await.unwrap();
        let anyone = Wish {
            staff: None,
            ..house.tuesday()
        };
        let afternoon = Wish {
            part: Part::Afternoon,
            ..anyone.clone()
        };
        house.asks(&house.thandi, afternoon).await;
        house.asks(&house.aisha, anyone).await;
        house.cancels(&house.pieter, booking).await;
        house.offer_all().await;
        assert_eq!(house.offered_to(&house.thandi).await, None);
        let offer = house.offered_to(&house.aisha).await.unwrap();
        assert_eq!(offer.staff, house.naledi.staff);
    }
);

const WEEK: &str = "/bookings?week=2026-W48";

on_both!(
    without_scripts_a_client_asks_is_offered_and_accepts_with_one_click,
    |house: House| async move {
        let booking = house.one_time_that_pieter_has().await;
        let server = house.serve().await;
        let aisha = server.signed_in("aisha").await;
        let thandi = server.signed_in("thandi").await;
        let naledi = server.signed_in("naledi").await;
        for (browser, client) in [(&aisha, &house.aisha), (&thandi, &house.thandi)] {
            house.clock().advance(Duration::from_secs(1));
            let mut fields = browser.get(WEEK).await.fields("#ask form");
            for (name, value) in &mut fields {
                match name.as_str() {
                    "service" => *value = house.follow_up.id.to_string(),
                    "staff" => *value = house.naledi.staff.to_string(),
                    "from" | "to" => *value = "2026-11-24".to_owned(),
                    _ => {}
                }
            }
            let mut sent: Vec<(String, String)> = fields;
            for (name, value) in [
                ("service", house.follow_up.id.to_string()),
                ("staff", house.naledi.staff.to_string()),
                ("part", "morning".to_owned()),
            ] {
                sent.retain(|(field, _)| field != name);
                sent.push((name.to_owned(), value));
            }
            let sent: Vec<_> = sent.iter().map(|(a, b)| (&**a, &**b)).collect();
            for _ in 0..2 {
                let asked = browser.post("/waits", &sent).await;
                assert_eq!(
                    (asked.status, asked.header("location")),
                    (303, Some("/bookings#waits")),
                    "{}",
                    asked.body
                );
            }
            assert_eq!(house.in_line(client).await.len(), 1);
        }
        let mut home = server.signed_in("aisha").await.watch("/").await;
        let mut week = server.signed_in("aisha").await.watch(WEEK).await;
        home.quiet().await;
        week.quiet().await;
        let listed = naledi.get("/admin/waits").await;
        assert_eq!(listed.texts("[data-wait]").len(), 2);

        house.cancels(&house.pieter, booking).await;
        for page in [&mut home, &mut week] {
            let shown = page.content(|html| html.contains("data-offer")).await;
            assert!(shown.contains("Tuesday 24 November, 08:00"), "{shown}");
            assert!(shown.contains("08:15"), "{shown}");
        }
        let home = aisha.get("/").await;
        let accept = home.fields("[data-todo=offer] form");
        let accept: Vec<_> = accept.iter().map(|(a, b)| (&**a, &**b)).collect();
        // Another's click on it books nothing.
        assert_eq!(thandi.post("/bookings", &accept).await.status, 409);
        let first = aisha.post("/bookings", &accept).await;
        let second = aisha.post("/bookings", &accept).await;
        assert_eq!(first.status, 303, "{}", first.body);
        assert_eq!(first.header("location"), second.header("location"));
        assert!(!aisha.get("/").await.body.contains("data-offer"));
        assert_eq!(aisha.get(WEEK).await.texts("[data-wait]").len(), 0);
        let page = format!("/admin/clients/{}", house.thandi.client);
        let seen = naledi.get(&page).await;
        assert_eq!(seen.texts("[data-wait]").len(), 1);
        let remove = seen.attribute("[data-wait] form", "action").unwrap();
        assert_eq!(aisha.post(&remove, &[]).await.status, 404);
        assert_eq!(naledi.post(&remove, &[]).await.status, 303);
        assert!(house.in_line(&house.thandi).await.is_empty());
        // The mail tells of an offer as it stands.
        let outbox = naledi.get("/admin/settings/outbox").await;
        assert!(
            outbox.body.contains("This offer has ended"),
            "{}",
            outbox.body
        );
    }
);
