//! Holds, on both databases: whom a kept time keeps out, for how long, and what becomes of it.

use crate::browser::Browser;
use crate::house::{House, On, Server, at, on_both};
use portico::domain::booking::Refusal;
use portico::domain::hold::Hold;
use portico::domain::id::{BookingId, HoldId, StaffId};
use portico::domain::service::Service;
use portico::domain::viewer::{ClientViewer, Viewer};
use portico::domain::week::Week;
use portico::live::Region;
use portico::realtime::Region as _;
use portico::secret;
use portico::store::booking::{Book, Move};
use portico::store::hold::{Release, Take};
use portico::store::service::Save;
use portico::store::stranded::Outcome;
use portico::store::{self, Error};
use std::sync::Arc;
use std::time::Duration;

const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
const TUESDAY_8_45: &str = "2026-11-24T06:45:00Z";
const TUESDAY_9_30: &str = "2026-11-24T07:30:00Z";
const TUESDAY_10_15: &str = "2026-11-24T08:15:00Z";
const WEDNESDAY_8: &str = "2026-11-25T06:00:00Z";
const THURSDAY_8: &str = "2026-11-26T06:00:00Z";
/// How long a time is kept; and one millisecond less, and that one.
const KEPT: Duration = Duration::from_mins(2);
const ALMOST: Duration = Duration::from_millis(119_999);
const THE_LAST: Duration = Duration::from_millis(1);

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

impl House {
    /// Holds a time of Naledi's as `client` would, under a key of its own.
    async fn hold(&self, client: &ClientViewer, start: &str) -> Result<Hold, Error> {
        self.hold_as(&Viewer::Client(client.clone()), start, &secret::token())
            .await
    }

    async fn hold_as(&self, viewer: &Viewer, start: &str, key: &str) -> Result<Hold, Error> {
        let take = Take {
            viewer: viewer.clone(),
            staff: self.naledi.staff,
            start: at(start),
            key: key.to_owned(),
            now: self.clock().now(),
        };
        self.app
            .transact(take, |tx, take| Box::pin(store::hold::take(tx, take)))
            .await
    }

    async fn release(&self, client: &ClientViewer, hold: HoldId) -> Result<Hold, Error> {
        let release = Release {
            viewer: Viewer::Client(client.clone()),
            hold,
        };
        let done = self.app.transact(release, |tx, release| {
            Box::pin(store::hold::release(tx, release))
        });
        done.await
    }

    /// Naledi books with herself for `client`.
    async fn book_for(&self, client: &ClientViewer, start: &str) -> Result<BookingId, Error> {
        let (staff, service) = (self.naledi.staff, self.follow_up.id);
        let book = Book {
            viewer: Viewer::Staff(self.naledi.clone()),
            ..self.wish(client, staff, service, at(start))
        };
        self.app
            .transact(book, |tx, book| Box::pin(store::booking::book(tx, book)))
            .await
    }

    async fn reschedule(
        &self,
        viewer: Viewer,
        booking: BookingId,
        start: &str,
    ) -> Result<(), Error> {
        let to = Move {
            viewer,
            booking,
            version: 1,
            staff: self.naledi.staff,
            start: at(start),
            now: self.clock().now(),
        };
        self.app
            .transact(to, |tx, to| Box::pin(store::booking::reschedule(tx, to)))
            .await
    }

    /// From now on Sipho alone offers it.
    async fn leave_to_sipho(&self, service: &Service) {
        let save = Save {
            by: self.naledi.clone(),
            service: Service {
                staff: vec![self.sipho.staff],
                ..service.clone()
            },
            is_new: false,
            agreed: None,
            now: self.clock().now(),
        };
        let saved = self
            .app
            .transact(save, |tx, save| Box::pin(store::service::save(tx, save)));
        assert_eq!(saved.await.unwrap(), Outcome::Done);
    }

    /// What the calendar shows to everybody at a start of Naledi's, and what a client's own overlay lays over it.
    async fn shown(&self, start: &str, to: &ClientViewer) -> (String, Option<String>) {
        let (staff, week) = (self.naledi.staff, Week::parse("2026-W48").unwrap());
        let client = to.client;
        let id = format!("slot-{}", at(start).as_second() / 60);
        let mut states = Vec::new();
        for region in [
            Region::Slots { staff, week },
            Region::OwnSlots {
                client,
                staff,
                week,
            },
        ] {
            let whole = region.load(&self.app.source).await.unwrap().whole;
            let part = whole.parts.iter().find(|part| part.id == id);
            states.push(part.map(|part| {
                let (_, state) = part.html.split_once("data-state=\"").unwrap();
                state.split('"').next().unwrap().to_owned()
            }));
        }
        let own = states.pop().unwrap();
        (states.pop().unwrap().unwrap(), own)
    }
}

on_both!(
    a_held_time_waits_for_whoever_holds_it,
    |house: House| async move {
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        // Long enough for the hour and the quarter after it that fit there too.
        for start in [TUESDAY_8, TUESDAY_8_45] {
            let other = house.book(&house.pieter, &house.follow_up, start).await;
            assert_eq!(refusal(other), Refusal::Held, "{start}");
            assert_eq!(
                refusal(house.hold(&house.pieter, start).await),
                Refusal::Held
            );
        }
        house.assert_sound().await;
        house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        // What the shorter session does not need is free at once, and nothing is held twice.
        house
            .book(&house.pieter, &house.follow_up, TUESDAY_8_45)
            .await
            .unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    a_hold_leaves_room_for_each_session_on_the_sheet,
    |house: House| async move {
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        house
            .book(&house.thandi, &house.assessment, TUESDAY_8)
            .await
            .unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    a_hold_keeps_no_room_for_what_only_others_offer,
    |house: House| async move {
        house.leave_to_sipho(&house.assessment).await;
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        house.hold(&house.pieter, TUESDAY_8_45).await.unwrap();
        house.assert_sound().await;
        house.leave_to_sipho(&house.follow_up).await;
        let held = house.hold(&house.aisha, WEDNESDAY_8).await;
        assert_eq!(refusal(held), Refusal::NotOffered);
    }
);

on_both!(
    a_hold_that_is_over_is_in_nobodys_way,
    |house: House| async move {
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        house.clock().advance(ALMOST);
        let early = house.book(&house.pieter, &house.follow_up, TUESDAY_8).await;
        assert_eq!(refusal(early), Refusal::Held);
        house.clock().advance(THE_LAST);
        house
            .book(&house.pieter, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        house.hold(&house.thandi, WEDNESDAY_8).await.unwrap();
        house.clock().advance(KEPT);
        house.hold(&house.aisha, WEDNESDAY_8).await.unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    whoever_looks_at_another_time_gives_up_the_first,
    |house: House| async move {
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        // Its own hold would lie in its way.
        house.hold(&house.thandi, TUESDAY_8_45).await.unwrap();
        house.hold(&house.thandi, WEDNESDAY_8).await.unwrap();
        house
            .book(&house.pieter, &house.follow_up, TUESDAY_8_45)
            .await
            .unwrap();
        // Nobody keeps a time by booking another.
        house
            .book(&house.thandi, &house.follow_up, TUESDAY_9_30)
            .await
            .unwrap();
        house
            .book(&house.pieter, &house.follow_up, WEDNESDAY_8)
            .await
            .unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    staff_book_for_a_client_what_that_client_holds,
    |house: House| async move {
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        let other = house.book_for(&house.pieter, TUESDAY_8).await;
        assert_eq!(refusal(other), Refusal::Held);
        // The hour that is held, and the quarter after it, reach into this one.
        house.book_for(&house.thandi, TUESDAY_8_45).await.unwrap();
        house.book_for(&house.pieter, TUESDAY_8).await.unwrap();
        house.assert_sound().await;
        // What is not in the way stays kept.
        house.hold(&house.aisha, TUESDAY_10_15).await.unwrap();
        house.book_for(&house.aisha, TUESDAY_9_30).await.unwrap();
        let other = house.book_for(&house.pieter, TUESDAY_10_15).await;
        assert_eq!(refusal(other), Refusal::Held);

        let booking = house.book_for(&house.thandi, THURSDAY_8).await.unwrap();
        house.hold(&house.thandi, WEDNESDAY_8).await.unwrap();
        let naledi = Viewer::Staff(house.naledi.clone());
        house
            .reschedule(naledi, booking, WEDNESDAY_8)
            .await
            .unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    staffs_sheet_offers_what_the_chosen_client_holds,
    |house: House| async move {
        let server = house.serve().await;
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        let naledi = server.signed_in("naledi").await;
        let pieter = server.signed_in("pieter").await;
        let (staff, both) = (house.naledi.staff, 2);
        for (browser, client, offered) in [
            (&naledi, &house.thandi, both),
            (&naledi, &house.pieter, 0),
            // Nobody learns from a link who it is that holds a time.
            (&pieter, &house.thandi, 0),
        ] {
            let client = client.client;
            let path = format!("/bookings/new?start={TUESDAY_8}&staff={staff}&client={client}");
            let sheet = browser.get(&path).await;
            let open = sheet.attributes("[name=service]:not([disabled])", "value");
            assert_eq!(open.len(), offered, "{}", sheet.body);
        }
    }
);

on_both!(
    nobody_moves_to_a_time_that_another_holds,
    |house: House| async move {
        let server = house.serve().await;
        let booking = house.book(&house.pieter, &house.follow_up, WEDNESDAY_8);
        let booking = booking.await.unwrap();
        let held = house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        let (pieter, naledi) = (
            Viewer::Client(house.pieter.clone()),
            Viewer::Staff(house.naledi.clone()),
        );
        for viewer in [pieter.clone(), naledi] {
            let moved = house.reschedule(viewer, booking, TUESDAY_8).await;
            assert_eq!(refusal(moved), Refusal::Held);
        }
        let staff = house.naledi.staff;
        let path = format!("/bookings/new?start={TUESDAY_8}&staff={staff}&move={booking}");
        let button = "form[action$=reschedule] [type=submit]";
        let browser = server.signed_in("pieter").await;
        let sheet = browser.get(&path).await;
        assert!(sheet.texts(".note").join(" ").contains("just now"));
        assert!(!sheet.texts(".chips a").is_empty());
        assert!(sheet.texts(button).is_empty());
        house.release(&house.thandi, held.id).await.unwrap();
        let sheet = browser.get(&path).await;
        assert_eq!(sheet.texts(button), ["Move to this time"]);
        house.reschedule(pieter, booking, TUESDAY_8).await.unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    a_hold_given_back_is_free_at_once_and_only_its_own_can_be,
    |house: House| async move {
        let first = house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        let stranger = house.release(&house.pieter, first.id).await;
        assert!(matches!(stranger, Err(Error::NotFound)));
        assert_eq!(
            refusal(house.hold(&house.pieter, TUESDAY_8).await),
            Refusal::Held
        );
        // The sheet that was left tells it late: the new sheet's hold stays.
        let second = house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        let late = house.release(&house.thandi, first.id).await;
        assert!(matches!(late, Err(Error::NotFound)));
        assert_eq!(
            refusal(house.hold(&house.pieter, TUESDAY_8).await),
            Refusal::Held
        );
        house.release(&house.thandi, second.id).await.unwrap();
        house.hold(&house.pieter, TUESDAY_8).await.unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    a_form_sent_twice_holds_once_and_no_longer,
    |house: House| async move {
        let thandi = Viewer::Client(house.thandi.clone());
        let first = house.hold_as(&thandi, TUESDAY_8, "key").await.unwrap();
        house.clock().advance(Duration::from_mins(1));
        assert_eq!(
            house.hold_as(&thandi, TUESDAY_8, "key").await.unwrap(),
            first
        );
        let other = house.hold_as(&thandi, WEDNESDAY_8, "key").await.unwrap();
        assert_ne!(other.id, first.id);
    }
);

on_both!(
    what_cannot_be_booked_cannot_be_held,
    |house: House| async move {
        for (start, expected) in [
            ("2026-11-24T06:10:00Z", Refusal::OutsideHours),
            ("2026-11-23T06:00:00Z", Refusal::Passed),
            ("2026-11-23T06:45:00Z", Refusal::TooSoon),
            ("2027-11-23T06:00:00Z", Refusal::TooFar),
        ] {
            let held = house.hold(&house.thandi, start).await;
            assert_eq!(refusal(held), expected, "{start}");
        }
        house
            .book(&house.pieter, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        let held = house.hold(&house.thandi, TUESDAY_8).await;
        assert_eq!(refusal(held), Refusal::Taken);
        let nobody = house.hold_as(&Viewer::Guest, TUESDAY_9_30, "key").await;
        assert!(matches!(nobody, Err(Error::NotFound)));
        let take = Take {
            viewer: Viewer::Client(house.thandi.clone()),
            staff: StaffId::new(),
            start: at(TUESDAY_9_30),
            key: "key".to_owned(),
            now: house.clock().now(),
        };
        let unknown = house
            .app
            .transact(take, |tx, take| Box::pin(store::hold::take(tx, take)));
        assert!(matches!(unknown.await, Err(Error::NotFound)));
    }
);

on_both!(
    of_sixty_four_who_want_one_time_one_holds_it,
    |house: House| async move {
        let house = Arc::new(house);
        let barrier = Arc::new(tokio::sync::Barrier::new(64));
        let mut crowd = tokio::task::JoinSet::new();
        for n in 0..64 {
            let (house, barrier) = (Arc::clone(&house), Arc::clone(&barrier));
            crowd.spawn(async move {
                let client = [&house.thandi, &house.pieter, &house.aisha][n % 3].clone();
                barrier.wait().await;
                (client.client, house.hold(&client, TUESDAY_8).await)
            });
        }
        let mut holders = std::collections::HashSet::new();
        for (client, outcome) in crowd.join_all().await {
            match outcome {
                Ok(_) => _ = holders.insert(client),
                Err(Error::Refused(Refusal::Held | Refusal::Taken)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        // Whoever has it may ask again and keeps it; nobody else ever got it.
        assert_eq!(holders.len(), 1);
        house.assert_sound().await;
    }
);

on_both!(
    others_see_a_held_time_until_it_is_over,
    |house: House| async move {
        let free = ("free".to_owned(), None);
        assert_eq!(house.shown(TUESDAY_8, &house.pieter).await, free);
        let until = house.hold(&house.thandi, TUESDAY_8).await.unwrap().until;
        let blocked = ("held".to_owned(), None);
        assert_eq!(house.shown(TUESDAY_8, &house.pieter).await, blocked);
        // One's own hold blocks everybody but oneself.
        let own = ("held".to_owned(), Some("free".to_owned()));
        assert_eq!(house.shown(TUESDAY_8, &house.thandi).await, own);

        let region = Region::Slots {
            staff: house.naledi.staff,
            week: Week::parse("2026-W48").unwrap(),
        };
        let loaded = region.load(&house.app.source).await.unwrap();
        assert_eq!(loaded.valid_until, Some(until));
        house.clock().advance(KEPT);
        assert_eq!(house.shown(TUESDAY_8, &house.thandi).await, free);

        // The rows of what is over change nothing when they go.
        let before = region.load(&house.app.source).await.unwrap();
        let now = house.clock().now();
        let swept = house
            .app
            .transact(now, |tx, now| Box::pin(store::hold::sweep(tx, *now)));
        swept.await.unwrap();
        let after = region.load(&house.app.source).await.unwrap();
        assert_eq!(
            (after.version, after.whole.digest),
            (before.version, before.whole.digest)
        );
        let mut tx = house.app.db.snapshot().await.unwrap();
        let rows: (i64,) = tx.q("SELECT COUNT(*) FROM occupied").one().await.unwrap();
        assert_eq!(rows, (0,));
    }
);

const WEEK: &str = "/bookings?week=2026-W48";

on_both!(
    an_open_sheet_keeps_its_time_and_closing_it_gives_it_back,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let pieter = server.signed_in("pieter").await;
        let slot = format!("[data-slot='{TUESDAY_8}']");
        let state = async |browser: &Browser| {
            let page = browser.get(WEEK).await;
            page.attribute(&slot, "data-state").unwrap()
        };
        let page = thandi.get(WEEK).await;
        let mut fields = page.fields("#pick");
        fields.push(("start".to_owned(), TUESDAY_8.to_owned()));
        let fields: Vec<_> = fields.iter().map(|(a, b)| (&**a, &**b)).collect();

        // A link may be followed by a machine: it holds nothing.
        let staff = house.naledi.staff;
        let sheet = format!("/bookings/new?start={TUESDAY_8}&staff={staff}");
        let linked = thandi.get(&sheet).await;
        assert_eq!(linked.attribute("#sheet-release", "action"), None);
        assert_eq!(state(&pieter).await, "free");

        let held = thandi.post("/holds", &fields).await;
        assert_eq!(
            (held.status, held.header("location")),
            (303, Some(&*sheet)),
            "{}",
            held.body
        );
        let opened = thandi.get(&sheet).await;
        assert!(
            opened.body.contains("Kept for you until 08:02"),
            "{}",
            opened.body
        );
        assert_eq!(state(&pieter).await, "held");
        assert_eq!(state(&thandi).await, "free");
        // For the sentence that says so when it is over.
        let left = opened.attribute("#sheet-kept", "data-left");
        assert_eq!(left.as_deref(), Some("120000"));
        let fragment = thandi.post_fragment("/holds", &fields).await;
        assert_eq!(fragment.status, 200);

        for refused in [
            pieter.post("/holds", &fields).await,
            pieter.post_fragment("/holds", &fields).await,
        ] {
            assert_eq!(refused.status, 409);
            assert!(refused.texts(".note").join(" ").contains("just now"));
            assert!(!refused.texts(".chips a").is_empty());
            assert_eq!(refused.attribute("#sheet-release", "action"), None);
        }

        let release = opened.attribute("#sheet-release", "action").unwrap();
        assert_eq!(pieter.post(&release, &[]).await.status, 404);
        assert_eq!(state(&pieter).await, "held");
        let left = thandi.post(&release, &[]).await;
        let week = format!("{WEEK}&staff={staff}");
        assert_eq!((left.status, left.header("location")), (303, Some(&*week)));
        assert_eq!(state(&pieter).await, "free");
    }
);

on_both!(
    a_sheet_whose_hold_is_over_books_all_the_same,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let page = thandi.get(WEEK).await;
        let mut fields = page.fields("#pick");
        fields.push(("start".to_owned(), TUESDAY_8.to_owned()));
        let fields: Vec<_> = fields.iter().map(|(a, b)| (&**a, &**b)).collect();
        let sheet = thandi.post_fragment("/holds", &fields).await;
        let mut form = sheet.fields("form.form");
        let mut chosen = false;
        form.retain(|(name, _)| name != "service" || !std::mem::replace(&mut chosen, true));
        let form: Vec<_> = form.iter().map(|(a, b)| (&**a, &**b)).collect();
        house.clock().advance(KEPT);
        let booked = thandi.post("/bookings", &form).await;
        assert_eq!(booked.status, 303, "{}", booked.body);
        house.assert_sound().await;
    }
);

on_both!(
    a_hold_shows_on_every_screen_at_once_and_ends_by_the_clock_alone,
    |house: House| async move {
        let server = house.serve().await;
        let mut pieter = server.signed_in("pieter").await.watch(WEEK).await;
        let mut thandi = server.signed_in("thandi").await.watch(WEEK).await;
        pieter.quiet().await;
        thandi.quiet().await;
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        let shown = pieter.content(|html| html.contains("data-state=\"held\""));
        assert!(!shown.await.contains("mine"));
        let own = thandi.content(|html| html.contains("kept for you"));
        assert!(own.await.contains("data-state=\"free\""));
        house.clock().advance(KEPT);
        for page in [&mut pieter, &mut thandi] {
            let freed = page.content(|html| html.contains(", free\""));
            assert!(!freed.await.contains("data-state=\"held\""));
        }
    }
);

on_both!(
    whichever_instance_it_is_takes_away_what_is_over,
    |house: House| async move {
        let neighbour = house.neighbour(None).await;
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        house.clock().advance(KEPT);
        house.hold(&house.pieter, WEDNESDAY_8).await.unwrap();
        house.hold(&house.aisha, TUESDAY_9_30).await.unwrap();
        house.clock().advance(ALMOST);
        house.hold(&house.thandi, TUESDAY_8).await.unwrap();
        house.clock().advance(THE_LAST);
        let _both = (house.serve().await, Server::of(&neighbour).await);
        let one_is_left = async {
            loop {
                let mut tx = house.app.db.snapshot().await.unwrap();
                let kept: (i64,) = tx.q("SELECT COUNT(*) FROM holds").one().await.unwrap();
                if kept == (1,) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let patience = Duration::from_secs(10);
        tokio::time::timeout(patience, one_is_left).await.unwrap();
        house.assert_sound().await;
    }
);
