//! A time kept for someone who is about to book it: for how long, and how much of a calendar. It is not a booking, and
//! promises nothing but that nobody else comes first.

use super::booking::{self, Refusal, plus};
use super::business::Business;
use super::grid::closes_at;
use super::id::{HoldId, StaffId};
use super::service::Service;
use super::slot::{Busy, Calendar};
use jiff::{SignedDuration, Timestamp};

/// How long a time is kept for whoever looks at it.
pub const KEPT: SignedDuration = SignedDuration::from_mins(2);

/// One's own hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub id: HoldId,
    pub staff: StaffId,
    pub start: Timestamp,
    /// From this instant on it keeps nobody out.
    pub until: Timestamp,
}

/// Somebody's hold as it lies in a calendar.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub busy: Busy,
    pub until: Timestamp,
}

/// What is taken, with what is held.
pub fn with(busy: &[Busy], holds: &[Kept]) -> Vec<Busy> {
    let held = holds.iter().map(|hold| hold.busy);
    busy.iter().copied().chain(held).collect()
}

/// [`booking::check`], where others also hold times. `calendar` has what is booked.
pub fn check(
    business: &Business,
    calendar: &Calendar<'_>,
    holds: &[Kept],
    service: &Service,
    start: Timestamp,
) -> Result<(), Refusal> {
    booking::check(business, calendar, service, start)?;
    if holds.is_empty() {
        return Ok(());
    }
    let calendar = Calendar {
        busy: &with(calendar.busy, holds),
        ..calendar.clone()
    };
    booking::check(business, &calendar, service, start).map_err(|_| Refusal::Held)
}

/// The time to keep, and until when, so that each of `fitting` can still be booked: no more than they need together, and
/// no longer than the last of them may be booked at all. `None` when nothing fits.
pub fn keep(fitting: &[Service], start: Timestamp, now: Timestamp) -> Option<Kept> {
    let most = |of: fn(&Service) -> i64| fitting.iter().map(of).max();
    let minutes = most(|service| service.minutes)?;
    let last = fitting.iter().map(|service| closes_at(service, start));
    let ends = now.saturating_add(KEPT).unwrap_or(now);
    Some(Kept {
        busy: Busy {
            start,
            end: plus(start, minutes),
            before: most(|service| service.before)?,
            after: most(|service| service.minutes + service.after)? - minutes,
        },
        until: last.max()?.min(ends),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::booking::Occupancy;
    use crate::domain::id::ServiceId;
    use crate::domain::service::Colour;
    use proptest::prelude::*;

    fn service() -> impl Strategy<Value = Service> {
        (1i64..30, 0i64..12, 0i64..12, 0i64..300).prop_map(|(minutes, before, after, notice)| {
            Service {
                id: ServiceId::new(),
                name: "Follow-up".to_owned(),
                price: 0,
                step: 15,
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
            }
        })
    }

    proptest! {
        /// Of a hold that is too short a longer session could be lost; of one too long, somebody else's neighbour.
        #[test]
        fn a_hold_keeps_what_its_sessions_need_and_no_more(
            services in proptest::collection::vec(service(), 1..5),
        ) {
            let start = Timestamp::from_second(1_800_000_000).unwrap();
            let now = start - SignedDuration::from_hours(6);
            let kept = keep(&services, start, now).unwrap();
            let kept = Occupancy::of(&kept.busy);
            let each: Vec<_> = services.iter().map(|one| Occupancy::of(&one.busy(start))).collect();
            prop_assert_eq!(kept.start, each[0].start);
            prop_assert_eq!(kept.before, each.iter().map(|one| one.before).min().unwrap());
            prop_assert_eq!(kept.end, each.iter().map(|one| one.end).max().unwrap());
            prop_assert_eq!(kept.after, each.iter().map(|one| one.after).max().unwrap());
        }
    }

    #[test]
    fn a_hold_ends_when_its_time_can_no_longer_be_booked() {
        let start: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        let service = Service {
            id: ServiceId::new(),
            name: "Follow-up".to_owned(),
            price: 0,
            step: 45,
            minutes: 45,
            before: 0,
            after: 0,
            notice: 120,
            horizon_weeks: None,
            staff: Vec::new(),
            clients: Vec::new(),
            video_url: None,
            colour: Colour::default(),
            version: 1,
        };
        let at = |seconds: i64| start - SignedDuration::from_secs(2 * 3600 + seconds);
        let until = |now| {
            keep(std::slice::from_ref(&service), start, now)
                .unwrap()
                .until
        };
        assert_eq!(until(at(600)), at(480));
        assert_eq!(until(at(30)), closes_at(&service, start));
        assert!(keep(&[], start, at(600)).is_none());
    }
}
