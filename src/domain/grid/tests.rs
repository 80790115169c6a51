//! What is shown and what is accepted, over random businesses in weeks in which clocks change: free exactly where somebody's
//! booking would be taken, held exactly where only others' holds are in the way, and nothing for staff to set aside there.

use super::*;
use crate::domain::booking::{Occupancy, Refusal, objections};
use crate::domain::hold::check as check_with_holds;
use crate::domain::id::{ClientId, ServiceId, StaffId};
use crate::domain::rule::{Rule, Rules, broken};
use crate::domain::service::Colour;
use crate::domain::slot::Window;
use jiff::tz::TimeZone;
use proptest::prelude::*;

/// A zone, and a Monday in whose week its clocks change: by an hour, by half of one, and at midnight.
const CHANGES: [(&str, &str); 10] = [
    ("Europe/London", "2026-03-23"),
    ("Europe/London", "2026-10-19"),
    ("America/New_York", "2026-03-02"),
    ("America/New_York", "2026-10-26"),
    ("Australia/Lord_Howe", "2026-03-30"),
    ("Australia/Lord_Howe", "2026-09-28"),
    ("Africa/Cairo", "2026-04-20"),
    ("Africa/Cairo", "2026-10-26"),
    ("America/Santiago", "2026-03-30"),
    ("America/Santiago", "2026-08-31"),
];

/// Minutes of a week and the night after it.
const WEEK: i64 = 8 * 1440;

#[derive(Debug, Clone)]
struct Story {
    change: usize,
    horizon_weeks: i32,
    windows: Vec<(usize, i64, i64)>,
    services: Vec<Service>,
    /// Minutes from Monday, length, before, after; whether it is only held.
    taken: Vec<(i64, i64, i64, i64, bool)>,
    /// Minutes from Monday, a week before it at the earliest.
    now: i64,
    starts: Vec<i64>,
}

fn service() -> impl Strategy<Value = Service> {
    let minutes = (1i64..30, 1i64..13, 0i64..7, 0i64..7);
    (minutes, 0i64..3000, prop::option::of(1i32..3)).prop_map(
        |((minutes, step, before, after), notice, horizon_weeks)| Service {
            id: ServiceId::new(),
            name: "Any".to_owned(),
            price: 0,
            step: step * 5,
            minutes: minutes * 5,
            before: before * 5,
            after: after * 5,
            notice,
            horizon_weeks,
            staff: Vec::new(),
            clients: Vec::new(),
            video_url: None,
            colour: Colour::default(),
            version: 1,
        },
    )
}

fn story() -> impl Strategy<Value = Story> {
    let window = (0usize..7, 0i64..288, 0i64..289).prop_map(|(day, a, b)| (day, a * 5, b * 5));
    let taken = (0..WEEK / 5, 1i64..36, 0i64..7, 0i64..7, any::<bool>()).prop_map(
        |(start, minutes, before, after, held)| {
            (start * 5, minutes * 5, before * 5, after * 5, held)
        },
    );
    (
        0..CHANGES.len(),
        0i32..3,
        prop::collection::vec(window, 1..8),
        prop::collection::vec(service(), 1..4),
        prop::collection::vec(taken, 0..12),
        -7 * 1440..WEEK,
        prop::collection::vec(0..WEEK, 1..40),
    )
        .prop_map(
            |(change, horizon_weeks, windows, services, taken, now, starts)| Story {
                change,
                horizon_weeks,
                windows,
                services,
                taken,
                now,
                starts,
            },
        )
}

/// A story's business and week, its calendar as it is booked and as it is held.
struct World {
    business: Business,
    week: Week,
    monday: Timestamp,
    hours: Hours,
    busy: Vec<Busy>,
    holds: Vec<Kept>,
    now: Timestamp,
}

impl World {
    fn of(story: &Story) -> Self {
        let (zone, monday) = CHANGES[story.change];
        let business = Business {
            zone: TimeZone::get(zone).unwrap(),
            horizon_weeks: story.horizon_weeks,
            ..Business::unnamed()
        };
        let week = Week::of(monday.parse().unwrap());
        let monday = business.starts(week.first());
        let mut hours = Hours::default();
        for &(day, start, end) in &story.windows {
            hours.weekly[day].push(Window { start, end });
        }
        let span = |&(start, minutes, before, after, _): &(i64, i64, i64, i64, bool)| Busy {
            start: plus(monday, start),
            end: plus(monday, start + minutes),
            before,
            after,
        };
        let now = plus(monday, story.now);
        let (held, booked): (Vec<_>, Vec<_>) = story.taken.iter().partition(|taken| taken.4);
        let kept = |taken| Kept {
            busy: span(taken),
            until: plus(now, 2),
        };
        Self {
            busy: booked.into_iter().map(span).collect(),
            holds: held.into_iter().map(kept).collect(),
            business,
            week,
            monday,
            hours,
            now,
        }
    }

    fn calendar(&self) -> Calendar<'_> {
        Calendar {
            zone: &self.business.zone,
            hours: &self.hours,
            busy: &self.busy,
            now: Some(self.now),
        }
    }

    fn accepts(&self, service: &Service, start: Timestamp) -> Result<(), Refusal> {
        let calendar = self.calendar();
        check_with_holds(&self.business, &calendar, &self.holds, service, start)
    }

    fn sets_aside(&self, service: &Service, start: Timestamp) -> Result<Vec<Rule>, Refusal> {
        let calendar = self.calendar();
        broken(&self.business, &calendar, &self.holds, service, start)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn a_start_is_shown_free_exactly_where_a_booking_is_accepted(story in story()) {
        let world = World::of(&story);
        let shown = grid(
            &world.business, &world.hours, &world.busy, &world.holds, &story.services, world.week, world.now,
        );
        let cells: Vec<Cell> = shown.days.iter().flat_map(|day| day.cells.iter().copied()).collect();
        for cell in &cells {
            let accepted = story.services.iter().any(|one| world.accepts(one, cell.start).is_ok());
            let booked = story.services.iter()
                .any(|one| check(&world.business, &world.calendar(), one, cell.start).is_ok());
            let state = match (accepted, booked) {
                (true, _) => State::Free,
                (false, true) => State::Held,
                (false, false) => State::Taken,
            };
            prop_assert_eq!(cell.state, state, "{}", cell.start);
        }
        // Nothing of the shortest is accepted at a time that is not shown.
        let shortest = story.services.iter().min_by_key(|one| one.minutes).unwrap();
        for minutes in &story.starts {
            let start = plus(world.monday, *minutes);
            let in_week = world.week.days().any(|day| day == world.business.local(start).date());
            let is_shown = cells.iter().any(|cell| cell.start == start);
            if in_week && world.accepts(shortest, start).is_ok() {
                prop_assert!(is_shown, "{}", start);
            }
        }
    }

    #[test]
    fn staff_set_aside_exactly_what_is_refused_and_no_overlap(story in story()) {
        let world = World::of(&story);
        let starts = story.starts.iter().map(|minutes| plus(world.monday, *minutes));
        let mut service = story.services[0].clone();
        service.notice = 0;
        for start in starts.flat_map(|start| [start, plus(start, -(start.as_second() / 60 % 5))]) {
            let accepted = world.accepts(&service, start);
            let rules = world.sets_aside(&service, start);
            prop_assert_eq!(accepted.is_ok(), rules.as_ref().is_ok_and(Vec::is_empty), "{}", start);
            if rules.is_ok() {
                let bare = |busy: &Busy| Occupancy::of(&Busy { before: 0, after: 0, ..*busy });
                let own = bare(&service.busy(start));
                prop_assert!(world.busy.iter().all(|busy| bare(busy).allows(&own)), "{}", start);
                prop_assert!(world.holds.iter().all(|hold| bare(&hold.busy).allows(&own)), "{}", start);
                prop_assert!(start > world.now);
            }
        }
    }

    /// Who a service is for, with whom, and how many one may have: nothing in the way exactly where all three agree.
    #[test]
    fn an_objection_is_made_exactly_where_a_rule_about_people_says_so(
        named in any::<[bool; 2]>(), mine in any::<[bool; 2]>(), most_open in 0i64..4, open_count in 0i64..5,
    ) {
        let (staff, client) = (StaffId::new(), ClientId::new());
        let mut service = crate::domain::service::tests::service();
        if named[0] {
            service.staff = vec![if mine[0] { staff } else { StaffId::new() }];
        }
        if named[1] {
            service.clients = vec![if mine[1] { client } else { ClientId::new() }];
        }
        let rules = Rules { most_open, ..Rules::default() };
        let found = objections(&rules, &service, staff, client, open_count);
        prop_assert_eq!(found.contains(&Refusal::NotOffered), named[0] && !mine[0]);
        prop_assert_eq!(found.contains(&Refusal::NotForClient), named[1] && !mine[1]);
        prop_assert_eq!(found.contains(&Refusal::TooMany(most_open)), most_open > 0 && open_count >= most_open);
        prop_assert!(found.iter().all(|refusal| refusal.rule().is_some()));
    }
}
