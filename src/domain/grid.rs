//! The week of one member of staff as clients see it: which starts are on the grid, and which of them are free.

use super::booking::{check, plus};
use super::business::Business;
use super::hold::{self, Kept};
use super::service::Service;
use super::slot::{Busy, Calendar, Hours};
use super::week::Week;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// A week of starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    pub days: Vec<Day>,
    /// When the clock alone will turn a free start into a passed one, a held one into a free one, or a day into today.
    pub valid_until: Timestamp,
}

/// The starts of one date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    pub date: Date,
    pub cells: Vec<Cell>,
}

/// A start on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub start: Timestamp,
    pub state: State,
}

/// What a start is to those who hold nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// At least one service can be booked at it.
    Free,
    /// So it would be, if others did not just look at it or at one close by.
    Held,
    Taken,
}

/// The grid is the starts of the shortest service with nothing booked and no notice, so that a start never vanishes: it
/// only changes its state.
pub fn grid(
    business: &Business,
    hours: &Hours,
    busy: &[Busy],
    holds: &[Kept],
    services: &[Service],
    week: Week,
    now: Timestamp,
) -> Grid {
    let zone = &business.zone;
    let empty = Calendar {
        zone,
        hours,
        busy: &[],
        now: None,
    };
    let calendar = Calendar {
        zone,
        hours,
        busy,
        now: Some(now),
    };
    let shortest = services.iter().min_by_key(|service| service.minutes);
    let starts = shortest.map_or_else(Vec::new, |service| {
        empty.slots(&service.terms(), week.first(), week.last())
    });
    // The same question as a booking asks, put for the whole week at once.
    let ask = |calendar: &Calendar<'_>| -> Vec<Vec<Timestamp>> {
        let open = |service: &Service| {
            let last = week.last().min(service.horizon(business, now));
            calendar.slots(&service.terms(), week.first(), last)
        };
        services.iter().map(open).collect()
    };
    let open = ask(&calendar);
    let free = (!holds.is_empty()).then(|| {
        ask(&Calendar {
            busy: &hold::with(busy, holds),
            ..calendar.clone()
        })
    });
    let free = free.as_ref().unwrap_or(&open);
    let closes = |open: &[Vec<Timestamp>], start: Timestamp| {
        let open = services
            .iter()
            .zip(open)
            .filter(|(_, open)| open.binary_search(&start).is_ok());
        open.map(|(service, _)| closes_at(service, start)).max()
    };
    let released = holds.iter().map(|hold| hold.until);
    let mut valid_until = released.fold(business.next_midnight(now), Timestamp::min);
    let mut days: Vec<Day> = week
        .days()
        .map(|date| Day {
            date,
            cells: Vec::new(),
        })
        .collect();
    for start in starts {
        let state = match (closes(free, start), closes(&open, start)) {
            (Some(at), _) => {
                valid_until = valid_until.min(at);
                State::Free
            }
            (None, Some(at)) => {
                valid_until = valid_until.min(at);
                State::Held
            }
            (None, None) => State::Taken,
        };
        let date = business.local(start).date();
        if let Some(day) = days.iter_mut().find(|day| day.date == date) {
            day.cells.push(Cell { start, state });
        }
    }
    Grid { days, valid_until }
}

/// The first instant at which a start can no longer be booked for lack of time.
pub(super) fn closes_at(service: &Service, start: Timestamp) -> Timestamp {
    let last = plus(start, -service.notice);
    if service.notice > 0 {
        last + SignedDuration::from_millis(1)
    } else {
        last
    }
}

/// The free starts nearest to `wanted` at which `service` can be booked, in order of time.
pub fn nearest(
    business: &Business,
    calendar: &Calendar<'_>,
    service: &Service,
    wanted: Timestamp,
    count: usize,
) -> Vec<Timestamp> {
    let day = business.local(wanted).date();
    let from = day.saturating_sub(jiff::Span::new().days(3));
    let to = day.saturating_add(jiff::Span::new().days(4));
    let mut starts = calendar.slots(&service.terms(), from, to);
    starts.retain(|start| check(business, calendar, service, *start).is_ok());
    starts.sort_by_key(|start| start.duration_since(wanted).abs());
    starts.truncate(count);
    starts.sort_unstable();
    starts
}

#[cfg(test)]
mod tests;
