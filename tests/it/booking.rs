//! Booking, moving and cancelling, on both databases: what is refused, what it leaves behind, and who wins a race.

use crate::house::{House, On, at, on_both};
use jiff::Timestamp;
use portico::domain::activity::Kind;
use portico::domain::booking::{Refusal, Status};
use portico::domain::id::ServiceId;
use portico::domain::rule::Reason;
use portico::domain::service::{Colour, Service};
use portico::domain::slot::Calendar;
use portico::domain::viewer::Viewer;
use portico::domain::week::Week;
use portico::store::booking::{Cancel, Move};
use portico::store::{self, Error};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
const TUESDAY_8_45: &str = "2026-11-24T06:45:00Z";
const TUESDAY_9_30: &str = "2026-11-24T07:30:00Z";
const WEDNESDAY_8: &str = "2026-11-25T06:00:00Z";

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

on_both!(
    a_booked_time_is_taken_for_everybody_else,
    |house: House| async move {
        let first = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        let second = house.book(&house.pieter, &house.follow_up, TUESDAY_8).await;
        assert_eq!(refusal(second), Refusal::Taken);
        let mut tx = house.app.db.snapshot().await.unwrap();
        let viewer = Viewer::Client(house.thandi.clone());
        let booking = store::booking::find(&mut tx, &viewer, first).await.unwrap();
        assert_eq!(
            (booking.status, booking.version, booking.minutes),
            (Status::Confirmed, 1, 45)
        );
        let lines = store::activity::list(&mut tx, 10).await.unwrap();
        assert_eq!(
            (lines.len(), lines[0].kind, lines[0].name.as_str()),
            (1, Kind::Booked, "Thandi Mokoena")
        );
        let mails = store::outbox::list(&mut tx, 10).await.unwrap();
        let mut told: Vec<&str> = mails.iter().map(|mail| &*mail.to_address).collect();
        told.sort_unstable();
        assert_eq!(told, ["naledi@kestrel.example", "thandi@kestrel.example"]);
        house.assert_sound().await;
    }
);

on_both!(
    buffers_keep_the_larger_of_two_gaps_free,
    |house: House| async move {
        // 08:00 to 09:00 and a quarter of an hour after it: 08:45 is gone, 09:30 is not.
        house
            .book(&house.thandi, &house.assessment, TUESDAY_8)
            .await
            .unwrap();
        let beside = house
            .book(&house.pieter, &house.follow_up, TUESDAY_8_45)
            .await;
        assert_eq!(refusal(beside), Refusal::Taken);
        house
            .book(&house.pieter, &house.follow_up, TUESDAY_9_30)
            .await
            .unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    what_is_no_slot_is_refused_and_writes_nothing,
    |house: House| async move {
        let cases = [
            ("2026-11-24T06:10:00Z", Refusal::OutsideHours),
            ("2026-11-24T20:00:00Z", Refusal::OutsideHours),
            ("2026-11-23T05:00:00Z", Refusal::OutsideHours),
            ("2026-11-23T06:00:00Z", Refusal::Passed),
            ("2026-11-23T06:45:00Z", Refusal::TooSoon),
            ("2027-11-23T06:00:00Z", Refusal::TooFar),
        ];
        for (start, expected) in cases {
            assert_eq!(
                refusal(house.book(&house.thandi, &house.follow_up, start).await),
                expected,
                "{start}"
            );
        }
        let mut tx = house.app.db.snapshot().await.unwrap();
        assert!(store::activity::list(&mut tx, 10).await.unwrap().is_empty());
        assert!(store::outbox::list(&mut tx, 10).await.unwrap().is_empty());
    }
);

on_both!(a_form_sent_twice_books_once, |house: House| async move {
    let wish = house.wish(
        &house.thandi,
        house.naledi.staff,
        house.follow_up.id,
        at(TUESDAY_8),
    );
    let book = |wish| {
        house
            .app
            .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)))
    };
    let first = book(wish.clone()).await.unwrap();
    assert_eq!(book(wish.clone()).await.unwrap(), first);
    let mut other = wish;
    other.start = at(WEDNESDAY_8);
    assert!(matches!(book(other).await, Err(Error::KeyReused)));
    let mut tx = house.app.db.snapshot().await.unwrap();
    let coming = store::booking::upcoming(&mut tx, house.thandi.client, house.clock().now())
        .await
        .unwrap();
    assert_eq!(coming.len(), 1);
});

on_both!(
    a_moved_session_frees_its_old_time_and_is_still_the_same_one,
    |house: House| async move {
        let id = house
            .book(&house.thandi, &house.assessment, WEDNESDAY_8)
            .await
            .unwrap();
        let to = Move {
            viewer: Viewer::Client(house.thandi.clone()),
            booking: id,
            version: 1,
            staff: house.sipho.staff,
            start: at(TUESDAY_9_30),
            reason: None,
            now: house.clock().now(),
        };
        let reschedule = |to| {
            house
                .app
                .transact(to, |tx, to| Box::pin(store::booking::reschedule(tx, to)))
        };
        reschedule(to.clone()).await.unwrap();
        reschedule(to.clone()).await.unwrap();
        let mut stale = to.clone();
        stale.start = at(TUESDAY_8_45);
        assert_eq!(refusal(reschedule(stale).await), Refusal::Stale);
        house
            .book(&house.pieter, &house.assessment, WEDNESDAY_8)
            .await
            .unwrap();
        let mut tx = house.app.db.snapshot().await.unwrap();
        let moved = store::booking::find(&mut tx, &to.viewer, id).await.unwrap();
        assert_eq!(
            (moved.starts_at, moved.staff, moved.version),
            (at(TUESDAY_9_30), house.sipho.staff, 2)
        );
        drop(tx);
        house.assert_sound().await;
    }
);

on_both!(
    a_session_can_move_over_its_own_time,
    |house: House| async move {
        let id = house
            .book(&house.thandi, &house.assessment, WEDNESDAY_8)
            .await
            .unwrap();
        let to = Move {
            viewer: Viewer::Client(house.thandi.clone()),
            booking: id,
            version: 1,
            staff: house.naledi.staff,
            start: at("2026-11-25T06:45:00Z"),
            reason: None,
            now: house.clock().now(),
        };
        house
            .app
            .transact(to, |tx, to| Box::pin(store::booking::reschedule(tx, to)))
            .await
            .unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    a_client_who_cancels_late_is_noted,
    |house: House| async move {
        let id = house
            .book(&house.thandi, &house.follow_up, WEDNESDAY_8)
            .await
            .unwrap();
        house.clock().advance(Duration::from_hours(25));
        let cancel = Cancel {
            viewer: Viewer::Client(house.thandi.clone()),
            booking: id,
            version: 1,
            told: None,
            reason: None,
            now: house.clock().now(),
        };
        let do_cancel = |cancel| {
            house.app.transact(cancel, |tx, cancel| {
                Box::pin(store::booking::cancel(tx, cancel))
            })
        };
        do_cancel(cancel.clone()).await.unwrap();
        do_cancel(cancel.clone()).await.unwrap();
        let mut tx = house.app.db.snapshot().await.unwrap();
        let cancelled = store::booking::find(&mut tx, &cancel.viewer, id)
            .await
            .unwrap();
        assert_eq!(
            (cancelled.status, cancelled.late),
            (Status::Cancelled, true)
        );
        drop(tx);
        house
            .book(&house.pieter, &house.follow_up, WEDNESDAY_8)
            .await
            .unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    too_late_to_move_is_still_in_time_to_cancel,
    |house: House| async move {
        let id = house
            .book(&house.thandi, &house.follow_up, WEDNESDAY_8)
            .await
            .unwrap();
        house.clock().advance(Duration::from_hours(25));
        let to = Move {
            viewer: Viewer::Client(house.thandi.clone()),
            booking: id,
            version: 1,
            staff: house.naledi.staff,
            start: at("2026-11-26T06:00:00Z"),
            reason: None,
            now: house.clock().now(),
        };
        let moved = house
            .app
            .transact(to.clone(), |tx, to| {
                Box::pin(store::booking::reschedule(tx, to))
            })
            .await;
        assert_eq!(refusal(moved), Refusal::TooLate);
        let by_staff = Move {
            viewer: Viewer::Staff(house.naledi.clone()),
            reason: Reason::parse("She is ill."),
            ..to
        };
        house
            .app
            .transact(by_staff, |tx, to| {
                Box::pin(store::booking::reschedule(tx, to))
            })
            .await
            .unwrap();
    }
);

on_both!(
    nobody_sees_or_changes_somebody_elses_session,
    |house: House| async move {
        let id = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        let now = house.clock().now();
        let pieter = Viewer::Client(house.pieter.clone());
        let mut tx = house.app.db.snapshot().await.unwrap();
        assert!(matches!(
            store::booking::find(&mut tx, &pieter, id).await,
            Err(Error::NotFound)
        ));
        drop(tx);
        let cancel = Cancel {
            viewer: pieter.clone(),
            booking: id,
            version: 1,
            told: None,
            reason: None,
            now,
        };
        let cancelled = house
            .app
            .transact(cancel, |tx, cancel| {
                Box::pin(store::booking::cancel(tx, cancel))
            })
            .await;
        assert!(matches!(cancelled, Err(Error::NotFound)));
        let mut wish = house.wish(
            &house.thandi,
            house.naledi.staff,
            house.follow_up.id,
            at(WEDNESDAY_8),
        );
        wish.viewer = pieter;
        let booked = house
            .app
            .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)))
            .await;
        assert!(matches!(booked, Err(Error::NotFound)));
    }
);

on_both!(
    a_fight_over_overlapping_times_sells_each_quantum_once,
    |house: House| async move {
        let house = Arc::new(house);
        let starts = [TUESDAY_8, TUESDAY_8_45, TUESDAY_9_30, WEDNESDAY_8];
        let barrier = Arc::new(tokio::sync::Barrier::new(64));
        let mut fight = tokio::task::JoinSet::new();
        for n in 0..64 {
            let (house, barrier) = (Arc::clone(&house), Arc::clone(&barrier));
            fight.spawn(async move {
                let client = [&house.thandi, &house.pieter, &house.aisha][n % 3].clone();
                let service = if n % 2 == 0 {
                    &house.follow_up
                } else {
                    &house.assessment
                };
                barrier.wait().await;
                house.book(&client, service, starts[n % 4]).await
            });
        }
        let outcomes = fight.join_all().await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        for lost in outcomes.into_iter().filter(Result::is_err) {
            assert_eq!(refusal(lost), Refusal::Taken);
        }
        // 09:30 and Wednesday go once each; of 08:00 and 08:45 one or both, as the lengths fall.
        assert!((3..=4).contains(&won), "{won} won");
        house.assert_sound().await;
    }
);

on_both!(
    who_is_a_moment_too_late_is_told_so,
    |house: House| async move {
        let server = house.serve().await;
        let mut browsers = Vec::new();
        for who in ["thandi", "pieter", "aisha"] {
            browsers.push(server.signed_in(who).await);
        }
        let starts = [TUESDAY_8, TUESDAY_8_45, TUESDAY_9_30, WEDNESDAY_8];
        let barrier = Arc::new(tokio::sync::Barrier::new(64));
        let mut fight = tokio::task::JoinSet::new();
        for n in 0..64 {
            let (browser, barrier) = (browsers[n % 3].clone(), Arc::clone(&barrier));
            let service = if n % 2 == 0 {
                &house.follow_up
            } else {
                &house.assessment
            };
            let (service, staff) = (service.id.to_string(), house.naledi.staff.to_string());
            fight.spawn(async move {
                let key = format!("key {n}");
                let fields = [
                    ("start", starts[n % 4]),
                    ("staff", &staff),
                    ("service", &service),
                    ("key", &key),
                ];
                barrier.wait().await;
                browser.post_fragment("/bookings", &fields).await
            });
        }
        let answers = fight.join_all().await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert!((3..=4).contains(&won), "{won} won");
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(lost.status, 409, "{}", lost.body);
            assert_eq!(
                lost.texts(".note"),
                ["Someone else has just taken this time."]
            );
            assert!(
                !lost.texts(".chips a").is_empty(),
                "no free times are offered: {}",
                lost.body
            );
        }
        house.assert_sound().await;
    }
);

/// A service and a start to try: one of those shown, or any five minutes of the week.
#[derive(Debug, Clone)]
struct Try {
    service: usize,
    shown: Option<usize>,
    day: i64,
    quantum: i64,
}

fn services() -> impl Strategy<Value = Vec<Service>> {
    let service = (1i64..19, 1i64..13, 0i64..7, 0i64..7, 0i64..200).prop_map(
        |(minutes, step, before, after, notice)| Service {
            id: ServiceId::new(),
            name: "Any".to_owned(),
            price: 0,
            step: step * 5,
            minutes: minutes * 5,
            before: before * 5,
            after: after * 5,
            notice,
            horizon_weeks: None,
            staff: Vec::new(),
            clients: Vec::new(),
            video_url: None,
            colour: Colour::default(),
            version: 1,
        },
    );
    prop::collection::vec(service, 1..4)
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = (
        0usize..4,
        prop::option::weighted(0.7, 0usize..200),
        0i64..7,
        84i64..204,
    )
        .prop_map(|(service, shown, day, quantum)| Try {
            service,
            shown,
            day,
            quantum,
        });
    prop::collection::vec(one, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever the lengths, steps, buffers and notice: a booking succeeds if and only if its start is shown.
    #[test]
    fn what_is_shown_can_be_booked_and_nothing_else(services in services(), tries in tries()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        for on in [On::Sqlite, On::Postgres] {
            runtime.block_on(try_all(on, services.clone(), tries.clone()));
        }
    }
}

async fn try_all(on: On, services: Vec<Service>, tries: Vec<Try>) {
    let house = House::open(on).await;
    let added = services.clone();
    house
        .app
        .transact(added, |tx, added| {
            Box::pin(async move {
                for service in added {
                    store::service::create(tx, service).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    let clients = [&house.thandi, &house.pieter, &house.aisha];
    for (n, one) in tries.iter().enumerate() {
        let service = &services[one.service % services.len()];
        let shown = shown(&house, service).await;
        let monday = at("2026-11-22T22:00:00Z").as_second();
        let any = monday + one.day * 86_400 + one.quantum * 300;
        let start = match one.shown {
            Some(n) if !shown.is_empty() => shown[n % shown.len()],
            _ => Timestamp::from_second(any).unwrap(),
        };
        let booked = house
            .book(clients[n % 3], service, &start.to_string())
            .await;
        assert_eq!(
            booked.is_ok(),
            shown.contains(&start),
            "{on:?}: {start} {service:?}: {booked:?}"
        );
    }
    house.assert_sound().await;
}

/// What the slot function shows of this week.
async fn shown(house: &House, service: &Service) -> Vec<Timestamp> {
    let week = Week::parse("2026-W48").unwrap();
    let mut tx = house.app.db.snapshot().await.unwrap();
    let business = store::business::load(&mut tx).await.unwrap();
    let hours = store::staff::hours(&mut tx, house.naledi.staff, week.first())
        .await
        .unwrap();
    let (from, to) = (
        business.starts(week.first()),
        business.starts(week.plus(1).first()),
    );
    let busy = store::booking::busy(&mut tx, house.naledi.staff, from, to, None)
        .await
        .unwrap();
    let now = Some(house.clock().now());
    let calendar = Calendar {
        zone: &business.zone,
        hours: &hours,
        busy: &busy,
        now,
    };
    calendar.slots(&service.terms(), week.first(), week.last())
}

on_both!(
    on_a_sunday_evening_the_coming_week_is_shown,
    |house: House| async move {
        house.clock().advance(Duration::from_hours(6 * 24 + 12));
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let page = thandi.get("/bookings").await;
        assert!(
            page.live_url().contains("week=2026-W49"),
            "{}",
            page.live_url()
        );
        // Whoever asks for a week that is there gets it.
        let page = thandi.get("/bookings?week=2026-W48").await;
        assert!(
            page.live_url().contains("week=2026-W48"),
            "{}",
            page.live_url()
        );
    }
);
