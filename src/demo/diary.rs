//! One staff member's calendar while it is being invented: what is free in it, by the rule that clients book by.

use crate::domain::service::Service;
use crate::domain::slot::{Busy, Calendar, Hours};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Diary<'a> {
    zone: &'a TimeZone,
    hours: &'a Hours,
    /// By the date of the start: no window of the invented staff runs past midnight.
    days: HashMap<Date, Vec<Busy>>,
}

impl<'a> Diary<'a> {
    pub(super) fn new(zone: &'a TimeZone, hours: &'a Hours) -> Self {
        Self {
            zone,
            hours,
            days: HashMap::new(),
        }
    }

    /// The free starts of a date.
    pub(super) fn free(&self, service: &Service, day: Date) -> Vec<Timestamp> {
        self.calendar(day).slots(&service.terms(), day, day)
    }

    /// How much of a date is taken, of a hundred; nothing when it is closed.
    pub(super) fn fullness(&self, shortest: &Service, day: Date) -> Option<i64> {
        fullness(&self.calendar(day), shortest, day, day).map(|(percent, _)| percent)
    }

    pub(super) fn put(&mut self, day: Date, busy: Busy) {
        self.days.entry(day).or_default().push(busy);
    }

    fn calendar(&self, day: Date) -> Calendar<'_> {
        let busy = self.days.get(&day).map_or(&[][..], Vec::as_slice);
        Calendar {
            zone: self.zone,
            hours: self.hours,
            busy,
            now: None,
        }
    }
}

/// How much of the grid of `from` to `to` is taken, of a hundred, and how many starts the grid has; nothing when it has none.
pub(super) fn fullness(
    calendar: &Calendar<'_>,
    shortest: &Service,
    from: Date,
    to: Date,
) -> Option<(i64, i64)> {
    let count = |calendar: &Calendar<'_>| {
        i64::try_from(calendar.slots(&shortest.terms(), from, to).len()).unwrap_or(0)
    };
    let all = count(&Calendar {
        busy: &[],
        ..calendar.clone()
    });
    (all > 0).then(|| (100 - 100 * count(calendar) / all, all))
}
