//! The week of one member of staff as clients see it: which starts are on the grid, and which of them are free.

use super::booking::{check, plus};
use super::business::Business;
use super::service::Service;
use super::slot::{Busy, Calendar, Hours};
use super::week::Week;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// A week of starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    pub days: Vec<Day>,
    /// When the clock alone will turn a free start into a passed one, or a day into today.
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
    /// At least one service can be booked at it.
    pub free: bool,
}

/// The grid is the starts of the shortest service with nothing booked and no notice, so that a start never vanishes: it
/// only changes its state.
pub fn grid(
    business: &Business,
    hours: &Hours,
    busy: &[Busy],
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
    let open: Vec<Vec<Timestamp>> = services
        .iter()
        .map(|service| {
            calendar.slots(
                &service.terms(),
                week.first(),
                week.last().min(service.horizon(business, now)),
            )
        })
        .collect();
    let mut valid_until = business.next_midnight(now);
    let mut days: Vec<Day> = week
        .days()
        .map(|date| Day {
            date,
            cells: Vec::new(),
        })
        .collect();
    for start in starts {
        let closes = services
            .iter()
            .zip(&open)
            .filter(|(_, open)| open.binary_search(&start).is_ok());
        let closes = closes.map(|(service, _)| closes_at(service, start)).max();
        if let Some(closes) = closes {
            valid_until = valid_until.min(closes);
        }
        let date = business.local(start).date();
        if let Some(day) = days.iter_mut().find(|day| day.date == date) {
            day.cells.push(Cell {
                start,
                free: closes.is_some(),
            });
        }
    }
    Grid { days, valid_until }
}

/// The first instant at which a start can no longer be booked for lack of time.
fn closes_at(service: &Service, start: Timestamp) -> Timestamp {
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
