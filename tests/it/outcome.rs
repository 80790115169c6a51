//! What came of sessions, on both databases: said by staff, set right, done by the clock, and looked back at.

use crate::browser::Heard;
use crate::house::{House, On, at, on_both};
use portico::domain::booking::{Refusal, Status};
use portico::domain::id::BookingId;
use portico::domain::outcome::{Back, Filter, Outcome};
use portico::domain::rule::Rules;
use portico::domain::viewer::Viewer;
use portico::store::booking::Settle;
use portico::store::{self, Error};
use std::time::Duration;

/// An hour after the house opens, which is when the session of eight o'clock here is over.
const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
const TUESDAY_8_45: &str = "2026-11-24T06:45:00Z";
const TUESDAY_9_30: &str = "2026-11-24T07:30:00Z";
const A_DAY: Duration = Duration::from_hours(24);

impl House {
    async fn settle(
        &self,
        booking: BookingId,
        version: i64,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let settle = Settle {
            by: self.naledi.clone(),
            booking,
            version,
            outcome,
            now: self.clock().now(),
        };
        self.app
            .transact(settle, |tx, settle| {
                Box::pin(store::booking::settle(tx, settle))
            })
            .await
    }

    async fn how_it_is(&self, booking: BookingId) -> (Status, bool, i64) {
        let mut tx = self.app.db.snapshot().await.unwrap();
        let viewer = Viewer::Staff(self.naledi.clone());
        let found = store::booking::find(&mut tx, &viewer, booking).await;
        let found = found.unwrap();
        (found.status, found.late, found.version)
    }

    async fn complete_ended(&self) -> usize {
        let now = self.clock().now();
        let done = self.app.transact(now, |tx, now| {
            Box::pin(store::booking::complete_ended(tx, *now))
        });
        done.await.unwrap()
    }
}

fn refusal(outcome: Result<(), Error>) -> Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

on_both!(
    what_came_of_a_session_is_said_once_and_can_be_set_right,
    |house: House| async move {
        let id = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        let before = house.settle(id, 1, Outcome::NoShow).await;
        assert_eq!(refusal(before), Refusal::NotBegun);
        assert_eq!(house.how_it_is(id).await, (Status::Confirmed, false, 1));
        house.clock().advance(A_DAY);
        house.settle(id, 1, Outcome::NoShow).await.unwrap();
        assert_eq!(house.how_it_is(id).await, (Status::NoShow, false, 2));
        // The same click again, and one from an old page.
        house.settle(id, 1, Outcome::NoShow).await.unwrap();
        assert_eq!(house.how_it_is(id).await.2, 2);
        let old = house.settle(id, 1, Outcome::Completed).await;
        assert_eq!(refusal(old), Refusal::Stale);
        house.settle(id, 2, Outcome::Completed).await.unwrap();
        assert_eq!(house.how_it_is(id).await, (Status::Completed, false, 3));
        house.settle(id, 3, Outcome::CancelledLate).await.unwrap();
        assert_eq!(house.how_it_is(id).await, (Status::Cancelled, true, 4));
        let again = house.settle(id, 4, Outcome::Completed).await;
        assert_eq!(refusal(again), Refusal::Ended);
        house.assert_sound().await;
    }
);

on_both!(
    what_staff_say_shows_on_the_clients_open_page,
    |house: House| async move {
        let server = house.serve().await;
        let id = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        house.clock().advance(A_DAY);
        let thandi = server.signed_in("thandi").await;
        let naledi = server.signed_in("naledi").await;
        let sheet = naledi.get(&format!("/bookings/{id}")).await;
        assert!(sheet.texts("legend").join(" ").contains("What came of it?"));
        let own = thandi.get(&format!("/bookings/{id}")).await;
        assert!(
            own.texts("legend").is_empty(),
            "a client is not asked: {}",
            own.body
        );
        let mut page = thandi.watch("/bookings").await;
        let fields = [("version", "1"), ("outcome", "no_show")];
        let path = format!("/bookings/{id}/outcome");
        assert_eq!(thandi.post(&path, &fields).await.status, 404);
        assert_eq!(naledi.post(&path, &fields).await.status, 303);
        page.content(|html| html.contains("Missed")).await;
        let nonsense = [("version", "2"), ("outcome", "ill")];
        let answer = naledi.post(&path, &nonsense).await;
        assert_eq!(answer.status, 422);
        assert_eq!(house.how_it_is(id).await, (Status::NoShow, false, 2));
        let today = naledi.get("/admin").await;
        let lines = today.texts("#activity-lines li").join(" ");
        assert!(lines.contains("did not come"), "{lines}");
        assert!(!matches!(page.next().await, Heard::Closed(..)));
    }
);

on_both!(
    sessions_that_are_over_complete_themselves_if_so_set,
    |house: House| async move {
        let over = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        let missed = house
            .book(&house.pieter, &house.follow_up, TUESDAY_8_45)
            .await
            .unwrap();
        let coming = house
            .book(&house.aisha, &house.follow_up, "2026-11-26T06:00:00Z")
            .await
            .unwrap();
        house.clock().advance(A_DAY + A_DAY / 12);
        assert_eq!(house.complete_ended().await, 0, "it is not set so");
        house.settle(missed, 1, Outcome::NoShow).await.unwrap();
        let rules = Rules {
            completes: true,
            ..Rules::default()
        };
        house.rule(rules).await;
        let (one, two) = tokio::join!(house.complete_ended(), house.complete_ended());
        assert_eq!(one + two, 1, "each is completed by one instance");
        assert_eq!(house.how_it_is(over).await, (Status::Completed, false, 2));
        assert_eq!(house.how_it_is(missed).await, (Status::NoShow, false, 2));
        assert_eq!(house.how_it_is(coming).await, (Status::Confirmed, false, 1));
        // And staff may know better than the clock.
        house.settle(over, 2, Outcome::NoShow).await.unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    looking_back_each_session_is_under_what_came_of_it,
    |house: House| async move {
        let server = house.serve().await;
        let mut own = Vec::new();
        for start in [TUESDAY_8, TUESDAY_8_45, TUESDAY_9_30] {
            own.push(
                house
                    .book(&house.thandi, &house.follow_up, start)
                    .await
                    .unwrap(),
            );
        }
        let others = house
            .book(&house.pieter, &house.follow_up, "2026-11-24T08:15:00Z")
            .await
            .unwrap();
        house.clock().advance(A_DAY * 2);
        house.settle(own[0], 1, Outcome::NoShow).await.unwrap();
        house.settle(own[1], 1, Outcome::Completed).await.unwrap();
        let thandi = server.signed_in("thandi").await;
        let naledi = server.signed_in("naledi").await;
        let named = |ids: &[BookingId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let latest_first = [own[2], own[1], own[0]];
        for (show, expected) in [
            ("all", &latest_first[..]),
            ("nonsense", &latest_first[..]),
            ("unsettled", &latest_first[..1]),
            ("completed", &latest_first[1..2]),
            ("no_show", &latest_first[2..]),
            ("cancelled", &[]),
        ] {
            let page = thandi.get(&format!("/bookings/history?show={show}")).await;
            assert_eq!(page.status, 200);
            assert_eq!(
                page.attributes("[data-booking]", "data-booking"),
                named(expected),
                "{show}"
            );
            let client = house.thandi.client;
            let path = format!("/admin/bookings?show={show}&client={client}");
            let page = naledi.get(&path).await;
            assert_eq!(
                page.attributes("[data-booking]", "data-booking"),
                named(expected),
                "{show} of one client, for staff"
            );
        }
        let all = naledi.get("/admin/bookings").await;
        assert_eq!(
            all.attributes("[data-booking]", "data-booking"),
            named(&[others, own[2], own[1], own[0]])
        );
        // Nobody looks back through another's session.
        let path = format!("/bookings/history?before={others}");
        assert_eq!(thandi.get(&path).await.status, 404);
        let path = format!("/bookings/history?before={}", own[1]);
        let page = thandi.get(&path).await;
        assert_eq!(
            page.attributes("[data-booking]", "data-booking"),
            named(&own[..1])
        );
    }
);

on_both!(
    what_filters_count_is_what_they_show,
    |house: House| async move {
        let mut made = Vec::new();
        for (n, start) in [TUESDAY_8, TUESDAY_8_45, TUESDAY_9_30]
            .into_iter()
            .enumerate()
        {
            let client = [&house.thandi, &house.pieter, &house.aisha][n];
            made.push(house.book(client, &house.follow_up, start).await.unwrap());
        }
        house.clock().advance(A_DAY * 2);
        house
            .settle(made[0], 1, Outcome::CancelledLate)
            .await
            .unwrap();
        house.settle(made[1], 1, Outcome::NoShow).await.unwrap();
        let now = house.clock().now();
        assert!(now > at(TUESDAY_9_30));
        let viewer = Viewer::Staff(house.naledi.clone());
        let mut tx = house.app.db.snapshot().await.unwrap();
        let wish = Back::all(None, now);
        let counts = store::booking::counts(&mut tx, &viewer, &wish)
            .await
            .unwrap();
        for (filter, count) in counts {
            let wish = Back { filter, ..wish };
            let shown = store::booking::back(&mut tx, &viewer, &wish).await.unwrap();
            assert_eq!(i64::try_from(shown.len()), Ok(count), "{filter:?}");
            let expected = match filter {
                Filter::All => 3,
                Filter::CancelledLate | Filter::NoShow | Filter::Unsettled => 1,
                Filter::Completed | Filter::Cancelled => 0,
            };
            assert_eq!(count, expected, "{filter:?}");
        }
    }
);
