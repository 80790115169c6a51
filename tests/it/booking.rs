//! Booking, moving and cancelling, on both databases: what is refused, what it leaves behind, and who wins a race.

use crate::house::{House, On, at, on_both};
use portico::domain::activity::Kind;
use portico::domain::booking::{Refusal, Status};
use portico::domain::grid::grid;
use portico::domain::viewer::Viewer;
use portico::domain::week::Week;
use portico::store::booking::{Cancel, Move};
use portico::store::{self, Error};
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
            (lines.len(), lines[0].kind, lines[0].client_name.as_str()),
            (1, Kind::Booked, "Thandi Mokoena")
        );
        let mails = store::outbox::list(&mut tx, 10).await.unwrap();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to_address, "thandi@kestrel.example");
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
    /// The database takes exactly what the grid shows, in any order of bookings.
    what_is_shown_free_can_be_booked_and_nothing_else,
    |house: House| async move {
        let week = Week::parse("2026-W48").unwrap();
        let clients = [&house.thandi, &house.pieter, &house.aisha];
        for n in 0..40_usize {
            let shown = shown(&house, week).await;
            // A fixed walk through the week that meets free and taken times alike.
            let (start, free) = &shown[(n * 17) % shown.len()];
            let service = if n % 3 == 0 { &house.assessment } else { &house.follow_up };
            let fits = free.contains(&service.id);
            let booked = house.book(clients[n % 3], service, &start.to_string()).await;
            assert_eq!(booked.is_ok(), fits, "{start} for {}: {booked:?}", service.name);
        }
        house.assert_sound().await;
    }
);

/// Every start of the week's grid, with the services that are shown as fitting.
async fn shown(
    house: &House,
    week: Week,
) -> Vec<(jiff::Timestamp, Vec<portico::domain::id::ServiceId>)> {
    let now = house.clock().now();
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
    let services = store::service::list(&mut tx).await.unwrap();
    let cells = |services: &[_]| {
        let grid = grid(&business, &hours, &busy, services, week, now);
        grid.days
            .into_iter()
            .flat_map(|day| day.cells)
            .collect::<Vec<_>>()
    };
    let mut starts: Vec<_> = cells(&services)
        .into_iter()
        .map(|cell| (cell.start, Vec::new()))
        .collect();
    for service in &services {
        for cell in cells(std::slice::from_ref(service))
            .into_iter()
            .filter(|cell| cell.free)
        {
            let start = starts.iter_mut().find(|(start, _)| *start == cell.start);
            start
                .expect("the grid has every start of every service")
                .1
                .push(service.id);
        }
    }
    starts
}
