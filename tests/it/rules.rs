//! The rules of booking, on both databases: what a client may do until when and at what price, what staff set aside for a
//! reason, and what nobody may.

use crate::house::{House, On, at, on_both};
use jiff::{SignedDuration, Timestamp};
use portico::domain::activity::{Activity, Kind};
use portico::domain::booking::{Booking, Cost, Refusal, Status};
use portico::domain::id::{BookingId, StaffId};
use portico::domain::rule::{Reason, Rule, Rules};
use portico::domain::service::Service;
use portico::domain::viewer::{ClientViewer, Viewer};
use portico::store::booking::{Cancel, Move};
use portico::store::business::SetRules;
use portico::store::hold::Take;
use portico::store::service::Save;
use portico::store::stranded::Outcome;
use portico::store::{self, Error};
use portico::{live, secret};
use std::sync::Arc;
use std::time::Duration;

const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
const TUESDAY_8_45: &str = "2026-11-24T06:45:00Z";
const WEDNESDAY_8: &str = "2026-11-25T06:00:00Z";
const WEEK: &str = "/bookings?week=2026-W48";
const RULES: &str = "/admin/settings/rules";

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

impl House {
    pub(crate) async fn rule(&self, rules: Rules) {
        let stands = self.rules().await;
        let change = SetRules {
            by: self.naledi.clone(),
            rules,
            seen: stands.line(),
            now: self.clock().now(),
        };
        let set = self.app.transact(change, |tx, change| {
            Box::pin(store::business::set_rules(tx, change))
        });
        assert_eq!(set.await.unwrap(), Outcome::Done);
    }

    async fn rules(&self) -> Rules {
        let mut tx = self.app.db.snapshot().await.unwrap();
        store::business::load(&mut tx).await.unwrap().rules
    }

    async fn keep_for(&self, service: &Service, clients: &[&ClientViewer]) -> Outcome<Service> {
        let save = Save {
            by: self.naledi.clone(),
            service: Service {
                clients: clients.iter().map(|client| client.client).collect(),
                ..service.clone()
            },
            is_new: false,
            agreed: None,
            now: self.clock().now(),
        };
        let saved = self
            .app
            .transact(save, |tx, save| Box::pin(store::service::save(tx, save)));
        saved.await.unwrap()
    }

    /// Books for Thandi as Naledi would.
    async fn book_as_staff(
        &self,
        service: &Service,
        start: &str,
        reason: Option<&str>,
    ) -> Result<BookingId, Error> {
        let mut wish = self.wish(&self.thandi, self.naledi.staff, service.id, at(start));
        wish.viewer = Viewer::Staff(self.naledi.clone());
        wish.reason = reason.and_then(Reason::parse);
        self.app
            .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)))
            .await
    }

    async fn shift(
        &self,
        viewer: Viewer,
        booking: &Booking,
        start: &str,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let to = Move {
            viewer,
            booking: booking.id,
            version: booking.version,
            staff: booking.staff,
            start: at(start),
            reason: reason.and_then(Reason::parse),
            now: self.clock().now(),
        };
        self.app
            .transact(to, |tx, to| Box::pin(store::booking::reschedule(tx, to)))
            .await
    }

    async fn drop_out(
        &self,
        viewer: Viewer,
        booking: BookingId,
        told: Option<Cost>,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let cancel = Cancel {
            viewer,
            booking,
            version: self.booking(booking).await.version,
            told,
            reason: reason.and_then(Reason::parse),
            now: self.clock().now(),
        };
        self.app
            .transact(cancel, |tx, cancel| {
                Box::pin(store::booking::cancel(tx, cancel))
            })
            .await
    }

    async fn booking(&self, id: BookingId) -> Booking {
        let mut tx = self.app.db.snapshot().await.unwrap();
        let naledi = Viewer::Staff(self.naledi.clone());
        store::booking::find(&mut tx, &naledi, id).await.unwrap()
    }

    async fn last_line(&self) -> Activity {
        let mut tx = self.app.db.snapshot().await.unwrap();
        store::activity::list(&mut tx, 1).await.unwrap().remove(0)
    }

    fn thandi(&self) -> Viewer {
        Viewer::Client(self.thandi.clone())
    }

    fn naledi(&self) -> Viewer {
        Viewer::Staff(self.naledi.clone())
    }
}

fn at_most(most_open: i64) -> Rules {
    Rules {
        most_open,
        ..Rules::default()
    }
}

on_both!(
    of_two_bookings_at_once_at_the_limit_one_wins,
    |house: House| async move {
        house.rule(at_most(2)).await;
        house
            .book(&house.thandi, &house.follow_up, "2026-12-01T06:00:00Z")
            .await
            .unwrap();
        let house = Arc::new(house);
        let barrier = Arc::new(tokio::sync::Barrier::new(12));
        let mut rush = tokio::task::JoinSet::new();
        for n in 0..12u8 {
            let (house, barrier) = (Arc::clone(&house), Arc::clone(&barrier));
            rush.spawn(async move {
                // Other days, and another calendar each time: nothing but the limit is in the way.
                let day = at(TUESDAY_8) + SignedDuration::from_hours(24 * i64::from(n / 6));
                let start = day + SignedDuration::from_mins(45 * i64::from(n % 3));
                let staff: StaffId =
                    [house.naledi.staff, house.sipho.staff][usize::from(n / 3 % 2)];
                let wish = house.wish(&house.thandi, staff, house.follow_up.id, start);
                barrier.wait().await;
                house
                    .app
                    .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)))
                    .await
            });
        }
        let outcomes = rush.join_all().await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "{outcomes:?}");
        for lost in outcomes.into_iter().filter(Result::is_err) {
            assert_eq!(refusal(lost), Refusal::TooMany(2));
        }
        // It is each client's own limit.
        house
            .book(&house.pieter, &house.follow_up, "2026-12-02T06:00:00Z")
            .await
            .unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    who_has_all_that_they_may_sees_nothing_free_until_a_session_begins,
    |house: House| async move {
        house.rule(at_most(1)).await;
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let mut open = thandi.watch(WEEK).await;
        open.quiet().await;
        let free = "[data-state=free]";
        assert!(
            !thandi
                .get(WEEK)
                .await
                .attributes(free, "data-slot")
                .is_empty()
        );
        let id = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        let words = "No more than 1 session can be booked ahead at once.";
        // Live on the page that was open, and on the next one.
        open.content(|html| html.contains(words)).await;
        let page = thandi.get(WEEK).await;
        assert!(page.attributes(free, "data-slot").is_empty());
        assert!(page.texts("#slots-limit").join("").contains(words));
        let mine = page.attributes("[data-state=mine]", "data-slot");
        assert_eq!(mine, [TUESDAY_8]);
        // To others all is as it was.
        let pieter = server.signed_in("pieter").await.get(WEEK).await;
        assert!(!pieter.attributes(free, "data-slot").is_empty());
        assert_eq!(
            pieter.attribute("#slots-limit", "hidden").as_deref(),
            Some("")
        );

        let staff = house.naledi.staff.to_string();
        let service = house.follow_up.id.to_string();
        let fields = [
            ("start", WEDNESDAY_8),
            ("staff", &staff),
            ("service", &service),
            ("key", "key"),
        ];
        for path in ["/bookings", "/holds"] {
            let refused = thandi.post_fragment(path, &fields).await;
            assert_eq!(refused.status, 422, "{path}: {}", refused.body);
            assert!(refused.texts(".note").join("").contains(words));
            assert!(refused.texts(".chips a").is_empty());
        }
        // What moves is booked already.
        let moving = thandi.get(&format!("{WEEK}&move={id}")).await;
        assert!(!moving.attributes(free, "data-slot").is_empty());

        house.clock().advance(Duration::from_hours(24));
        open.content(|html| html.contains(", free\"")).await;
        house
            .book(&house.thandi, &house.follow_up, WEDNESDAY_8)
            .await
            .unwrap();
    }
);

on_both!(
    what_is_only_for_some_is_not_there_for_others,
    |house: House| async move {
        // The follow-up alone fits at 10:15; of the others nothing would be left there.
        let start = "2026-11-24T09:00:00Z";
        let saved = house.keep_for(&house.follow_up, &[&house.pieter]).await;
        assert_eq!(saved, Outcome::Done);
        let server = house.serve().await;
        let slot = format!("[data-slot='{start}']");
        let (thandi, pieter) = (
            server.signed_in("thandi").await,
            server.signed_in("pieter").await,
        );
        let state = async |page: &str, browser: &crate::browser::Browser| {
            browser.get(page).await.attribute(&slot, "data-state")
        };
        assert_eq!(state(WEEK, &pieter).await.as_deref(), Some("free"));
        assert_ne!(state(WEEK, &thandi).await.as_deref(), Some("free"));
        let sheet = format!(
            "/bookings/new?start={TUESDAY_8}&staff={}",
            house.naledi.staff
        );
        assert!(!thandi.get(&sheet).await.body.contains("Follow-up"));
        assert!(pieter.get(&sheet).await.body.contains("Follow-up"));

        let refused = house.book(&house.thandi, &house.follow_up, start).await;
        assert_eq!(refusal(refused), Refusal::NotForClient);
        let take = Take {
            viewer: house.thandi(),
            staff: house.naledi.staff,
            start: at(start),
            key: secret::token(),
            now: house.clock().now(),
        };
        let held = house
            .app
            .transact(take, |tx, take| Box::pin(store::hold::take(tx, take)));
        assert!(matches!(held.await, Err(Error::Refused(_))));
        house
            .book(&house.pieter, &house.follow_up, start)
            .await
            .unwrap();

        // Whoever would be left behind is named first.
        let again = Service {
            version: 2,
            ..house.follow_up.clone()
        };
        match house.keep_for(&again, &[&house.thandi]).await {
            Outcome::Strands(left, _) => assert_eq!(left[0].client, house.pieter.client),
            other => panic!("{other:?}"),
        }
    }
);

on_both!(
    whoever_a_service_is_opened_to_sees_it_on_the_page_that_is_open,
    |house: House| async move {
        house.keep_for(&house.follow_up, &[&house.pieter]).await;
        let server = house.serve().await;
        let mut thandi = server.signed_in("thandi").await.watch(WEEK).await;
        thandi.quiet().await;
        let again = Service {
            version: 2,
            ..house.follow_up.clone()
        };
        house
            .keep_for(&again, &[&house.pieter, &house.thandi])
            .await;
        // 11:00 is a start of the follow-up, and too late before noon for an assessment.
        let start = at("2026-11-24T09:00:00Z").as_second() / 60;
        let shown = format!("id=\"slot-{start}\"");
        thandi.content(move |html| html.contains(&shown)).await;
    }
);

on_both!(
    cancelling_costs_what_was_told_and_never_more,
    |house: House| async move {
        house
            .rule(Rules {
                cancel_minutes: 24 * 60,
                late_fee: 20_000,
                ..Rules::default()
            })
            .await;
        let id = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let path = format!("/bookings/{id}");
        // 22 hours ahead is late; for three minutes it can be undone all the same.
        house.clock().advance(Duration::from_secs(179));
        let page = thandi.get(&path).await;
        assert!(page.body.contains("cancelling is free"), "{}", page.body);
        assert_eq!(
            page.attribute("[name=told]", "value").as_deref(),
            Some("free")
        );
        house.clock().advance(Duration::from_secs(1));
        let late = thandi
            .post_fragment(
                &format!("{path}/cancel"),
                &[("version", "1"), ("told", "free")],
            )
            .await;
        assert_eq!(late.status, 409, "{}", late.body);
        assert!(
            late.body.contains("R\u{a0}200.00 late fee"),
            "{}",
            late.body
        );
        assert_eq!(house.booking(id).await.status, Status::Confirmed);
        let told = late.attribute("[name=told]", "value").unwrap();
        assert_eq!(told, "20000");
        let done = thandi
            .post_fragment(
                &format!("{path}/cancel"),
                &[("version", "1"), ("told", &told)],
            )
            .await;
        assert_eq!(done.status, 200, "{}", done.body);
        let booking = house.booking(id).await;
        assert_eq!(
            (booking.status, booking.late, booking.late_fee),
            (Status::Cancelled, true, 20_000)
        );
        let line = house.last_line().await;
        assert_eq!(
            (line.kind, line.amount),
            (Kind::CancelledLate, Some(20_000))
        );
    }
);

on_both!(
    a_fresh_booking_is_undone_for_nothing_whatever_the_window,
    |house: House| async move {
        let ahead = at(TUESDAY_8).duration_since(house.clock().now());
        for (seconds, cost) in [(0, Cost::Free), (179, Cost::Free), (180, Cost::Late(700))] {
            house
                .rule(Rules {
                    cancel_minutes: ahead.as_mins() + 60,
                    late_fee: 700,
                    ..Rules::default()
                })
                .await;
            let id = house
                .book(&house.thandi, &house.follow_up, TUESDAY_8)
                .await
                .unwrap();
            house.clock().advance(Duration::from_secs(seconds));
            house
                .drop_out(house.thandi(), id, None, None)
                .await
                .unwrap();
            let booking = house.booking(id).await;
            let fee = if booking.late {
                Cost::Late(booking.late_fee)
            } else {
                Cost::Free
            };
            assert_eq!(fee, cost, "after {seconds} s");
            // Rules that are the same are no change, and the next round sets its own.
            house.rule(at_most(0)).await;
        }
    }
);

on_both!(
    the_window_for_moving_is_another_than_that_for_cancelling,
    |house: House| async move {
        for (cancel_minutes, move_minutes, may_move, late) in
            [(48 * 60, 60, true, true), (60, 48 * 60, false, false)]
        {
            house
                .rule(Rules {
                    cancel_minutes,
                    move_minutes,
                    ..Rules::default()
                })
                .await;
            let id = house
                .book(&house.thandi, &house.follow_up, TUESDAY_8)
                .await
                .unwrap();
            house.clock().advance(Duration::from_mins(4));
            let booking = house.booking(id).await;
            let moved = house
                .shift(house.thandi(), &booking, TUESDAY_8_45, None)
                .await;
            if may_move {
                moved.unwrap();
            } else {
                assert_eq!(refusal(moved), Refusal::TooLate);
            }
            house
                .drop_out(house.thandi(), id, None, None)
                .await
                .unwrap();
            assert_eq!(house.booking(id).await.late, late);
        }
        house.assert_sound().await;
    }
);

on_both!(
    staff_set_any_rule_aside_for_a_reason_but_never_the_overlap,
    |house: House| async move {
        house.keep_for(&house.assessment, &[&house.pieter]).await;
        house.rule(at_most(2)).await;
        let (follow_up, assessment) = (&house.follow_up, &house.assessment);
        for (service, start, rule) in [
            (follow_up, "2026-11-24T16:00:00Z", Rule::Hours),
            (follow_up, "2027-11-23T06:00:00Z", Rule::Horizon),
            (assessment, TUESDAY_8, Rule::Clients),
            (follow_up, WEDNESDAY_8, Rule::Most),
        ] {
            if rule == Rule::Clients {
                house.rule(at_most(0)).await;
            }
            if rule == Rule::Most {
                house.rule(at_most(1)).await;
            }
            let without = house.book_as_staff(service, start, None).await;
            assert_eq!(refusal(without), Refusal::NeedsReason(rule));
            let booked = house
                .book_as_staff(service, start, Some(" She called. "))
                .await;
            booked.unwrap();
            let line = house.last_line().await;
            assert_eq!(line.kind, Kind::Booked);
            assert_eq!(
                (line.rules, line.reason.as_deref()),
                (vec![rule], Some("She called."))
            );
        }
        // Never where someone sits, not to the minute, and never the past.
        for (start, expected) in [
            (TUESDAY_8, Refusal::Taken),
            ("2026-11-24T16:52:00Z", Refusal::OutsideHours),
            ("2026-11-23T05:00:00Z", Refusal::Passed),
        ] {
            let booked = house
                .book_as_staff(follow_up, start, Some("She called."))
                .await;
            assert_eq!(refusal(booked), expected);
        }
        // A client's reason sets nothing aside.
        let mut wish = house.wish(
            &house.pieter,
            house.naledi.staff,
            follow_up.id,
            at("2026-11-24T18:00:00Z"),
        );
        wish.reason = Reason::parse("Please.");
        let booked = house
            .app
            .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)));
        assert_eq!(refusal(booked.await), Refusal::OutsideHours);
        house.assert_sound().await;
    }
);

on_both!(
    staff_may_take_the_time_that_is_kept_free_around_a_session,
    |house: House| async move {
        house
            .book(&house.pieter, &house.assessment, TUESDAY_8)
            .await
            .unwrap();
        // The assessment ends at 09:00, and a quarter of an hour after it is kept free.
        let close = "2026-11-24T07:05:00Z";
        let without = house.book_as_staff(&house.follow_up, close, None).await;
        assert!(matches!(refusal(without), Refusal::NeedsReason(_)));
        house
            .book_as_staff(&house.follow_up, close, Some("A short one."))
            .await
            .unwrap();
        let line = house.last_line().await;
        assert_eq!(line.rules, [Rule::Hours, Rule::Buffers]);
        house.assert_sound().await;
        let over = house
            .book_as_staff(
                &house.follow_up,
                "2026-11-24T06:30:00Z",
                Some("A short one."),
            )
            .await;
        assert_eq!(refusal(over), Refusal::Taken);
        house.assert_sound().await;
    }
);

on_both!(
    staff_who_move_or_cancel_late_say_why_and_charge_nobody,
    |house: House| async move {
        house
            .rule(Rules {
                cancel_minutes: 48 * 60,
                late_fee: 20_000,
                ..Rules::default()
            })
            .await;
        let id = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        house.clock().advance(Duration::from_mins(4));
        let booking = house.booking(id).await;
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let sheet = format!(
            "/bookings/new?start={TUESDAY_8_45}&staff={}&move={id}",
            house.naledi.staff
        );
        let warned = naledi.get(&sheet).await;
        assert!(
            warned
                .texts(".note")
                .join("")
                .contains("Later than a session may be moved")
        );
        assert!(warned.attribute("[name=reason]", "required").is_some());
        let without = house
            .shift(house.naledi(), &booking, TUESDAY_8_45, None)
            .await;
        assert_eq!(refusal(without), Refusal::NeedsReason(Rule::Move));
        house
            .shift(
                house.naledi(),
                &booking,
                TUESDAY_8_45,
                Some("The room is taken."),
            )
            .await
            .unwrap();
        let line = house.last_line().await;
        assert_eq!((line.kind, line.rules), (Kind::Moved, vec![Rule::Move]));

        let path = format!("/bookings/{id}");
        let page = naledi.get(&path).await;
        assert!(page.attribute("[name=reason]", "required").is_some());
        // How it came to stand there is staff's to see.
        let moves = page.texts("[aria-labelledby=sheet-moves] li").join("");
        for words in ["08:00", "08:45", "by Naledi Khumalo"] {
            assert!(moves.contains(words), "{moves}");
        }
        let own = server.signed_in("thandi").await.get(&path).await;
        assert!(own.texts("[aria-labelledby=sheet-moves]").is_empty());

        let cancel = format!("{path}/cancel");
        let without = naledi.post_fragment(&cancel, &[("version", "2")]).await;
        assert_eq!(without.status, 422, "{}", without.body);
        let long = "x".repeat(201);
        let too_long = naledi
            .post(&cancel, &[("version", "2"), ("reason", &long)])
            .await;
        assert_eq!(too_long.status, 422);
        assert_eq!(house.booking(id).await.status, Status::Confirmed);
        let done = naledi
            .post_fragment(&cancel, &[("version", "2"), ("reason", "I am ill.")])
            .await;
        assert_eq!(done.status, 200, "{}", done.body);
        let booking = house.booking(id).await;
        assert_eq!((booking.late, booking.late_fee), (false, 0));
        let today = naledi.get("/admin").await;
        let told = today.texts("#activity-lines").join("");
        assert!(
            told.contains("Later than a session may be cancelled freely: I am ill."),
            "{told}"
        );
    }
);

on_both!(
    the_owner_sets_the_rules_and_two_at_once_do_not_undo_each_other,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let page = naledi.get(RULES).await;
        let seen = page.attribute("[name=seen]", "value").unwrap();
        let fields = |most: &'static str, fee: &'static str| {
            [
                ("seen", seen.as_str()),
                ("cancel", "2880"),
                ("move", "60"),
                ("most", most),
                ("fee", fee),
                ("offer", "30"),
                ("completes", "1"),
            ]
        };
        let wrong = naledi.post(RULES, &fields("many", "-1")).await;
        assert_eq!(wrong.status, 422);
        assert_eq!(wrong.texts(".error").len(), 2, "{}", wrong.body);
        assert_eq!(wrong.attribute("#most", "value").as_deref(), Some("many"));
        assert_eq!(house.rules().await, Rules::default());

        let saved = naledi.post(RULES, &fields("3", "200")).await;
        assert_eq!(saved.status, 303);
        let rules = Rules {
            cancel_minutes: 2880,
            move_minutes: 60,
            most_open: 3,
            late_fee: 20_000,
            offer_minutes: 30,
            completes: true,
        };
        assert_eq!(house.rules().await, rules);
        assert_eq!(house.last_line().await.kind, Kind::RulesChanged);
        // Sent twice it stands already; from the older form something else is asked about first.
        assert_eq!(naledi.post(RULES, &fields("3", "200")).await.status, 303);
        let stale = naledi.post(RULES, &fields("9", "200")).await;
        assert_eq!(stale.status, 409);
        assert!(stale.texts(".note").join("").contains("sessions ahead 3"));
        assert_eq!(house.rules().await, rules);
    }
);

/// What a client's calendar shows as free at Naledi's this week.
async fn free(house: &House, client: &ClientViewer) -> Vec<Timestamp> {
    let mut reading = live::Reading::open(&house.app.source).await.unwrap();
    if reading.is_limited(client.client).await.unwrap() {
        return Vec::new();
    }
    let named = reading.named(client.client).await.unwrap();
    let week = portico::domain::week::Week::parse("2026-W48").unwrap();
    let grid = reading
        .grid(house.naledi.staff, week, &named)
        .await
        .unwrap();
    let cells = grid.days.iter().flat_map(|day| &day.cells);
    cells
        .filter(|cell| cell.state == portico::domain::grid::State::Free)
        .map(|cell| cell.start)
        .collect()
}

on_both!(
    what_the_calendar_shows_as_free_is_what_can_be_booked,
    |house: House| async move {
        house.keep_for(&house.assessment, &[&house.pieter]).await;
        house.rule(at_most(2)).await;
        let take = Take {
            viewer: Viewer::Client(house.aisha.clone()),
            staff: house.naledi.staff,
            start: at(WEDNESDAY_8),
            key: secret::token(),
            now: house.clock().now(),
        };
        let held = house
            .app
            .transact(take, |tx, take| Box::pin(store::hold::take(tx, take)));
        held.await.unwrap();
        // Every five minutes of two days, asked by those to whom different things are shown.
        for round in 0..400 {
            let client = [&house.thandi, &house.pieter][round % 2];
            let quanta = i64::try_from(round * 7 % 576).unwrap();
            let start = at("2026-11-23T22:00:00Z") + SignedDuration::from_mins(5 * quanta);
            let shown = free(&house, client).await.contains(&start);
            let mut accepted = false;
            for service in [&house.follow_up, &house.assessment] {
                let booked = house.book(client, service, &start.to_string()).await;
                if let Ok(id) = booked {
                    accepted = true;
                    if round % 3 != 0 {
                        let viewer = Viewer::Client(client.clone());
                        house.drop_out(viewer, id, None, None).await.unwrap();
                    }
                    break;
                }
            }
            assert_eq!(accepted, shown, "{start} for {}", client.name);
        }
        house.assert_sound().await;
    }
);
