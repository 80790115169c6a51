//! Which starts a client may book: hours, time off, busy time and notice in; instants out.
//! What is shown and what may be written is one decision, made here. It reads no clock and no database,
//! keeps nothing, and never counts in times of day: those repeat, skip and wrap; instants do not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// No window reaches further than two days from the day it starts on; the rest is for offsets of 26 hours.
const MARGIN: i64 = 4 * DAY;

/// A span of opening on one day's wall clock, in minutes after that day's midnight (0 to 1440).
/// `end <= start`, or an end of 1440, runs past midnight; equal ends are a whole day. Other minutes open nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start: i64,
    pub end: i64,
}

/// When someone works. A window belongs to the day it starts on.
#[derive(Debug, Clone, Default)]
pub struct Hours {
    /// Monday first.
    pub weekly: [Vec<Window>; 7],
    /// Replaces the weekly windows that start on that date; an empty list closes it.
    pub overrides: BTreeMap<Date, Vec<Window>>,
    /// First and last day, both off. Nothing starts on them or runs into them.
    pub time_off: Vec<(Date, Date)>,
}

/// Time that is taken, half-open, and the minutes kept free before and after it.
#[derive(Debug, Clone, Copy)]
pub struct Busy {
    pub start: Timestamp,
    pub end: Timestamp,
    pub before: i64,
    pub after: i64,
}

/// What a service asks of a slot, minutes throughout. Without a positive length and step there are no slots.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub minutes: i64,
    pub step: i64,
    pub before: i64,
    pub after: i64,
    pub notice: i64,
}

/// One staff member's time: everything but the service that decides a slot.
#[derive(Debug, Clone)]
pub struct Calendar<'a> {
    pub zone: &'a TimeZone,
    pub hours: &'a Hours,
    /// In any order; they may overlap.
    pub busy: &'a [Busy],
    /// `None`: no lower bound, and notice means nothing.
    pub now: Option<Timestamp>,
}

/// Why a start is not a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not on the grid of any window, or in time off.
    OutsideHours,
    /// Now, or earlier.
    Passed,
    /// Later than now, but inside the notice.
    TooSoon,
    /// Closer to busy time than the buffers allow.
    Taken,
}

impl Calendar<'_> {
    /// The slots that start on the local dates `from` to `to`, both included, each once, in order.
    pub fn slots(&self, terms: &Terms, from: Date, to: Date) -> Vec<Timestamp> {
        let plan = Plan::new(self, terms, from, to);
        let mut starts: Vec<i64> = plan.grid().filter(|&at| plan.decide(at).is_ok()).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
            .into_iter()
            .filter_map(|at| Timestamp::from_second(at).ok())
            .collect()
    }

    /// Accepts exactly what `slots` shows for the local date of `start`, and says why it does not.
    pub fn check(&self, terms: &Terms, start: Timestamp) -> Result<(), Refusal> {
        let day = self.zone.to_datetime(start).date();
        let plan = Plan::new(self, terms, day, day);
        let at = start.as_second();
        if start.subsec_nanosecond() != 0 || !plan.grid().any(|shown| shown == at) {
            return Err(Refusal::OutsideHours);
        }
        plan.decide(at)
    }
}

/// A calendar and terms, worked out in unix seconds for a range of days.
struct Plan {
    wall: Wall,
    /// Days since 1970 on which a slot may start.
    first: i64,
    last: i64,
    length: i64,
    step: i64,
    /// From opening to closing.
    windows: Vec<(i64, i64)>,
    /// Starts strictly between the two are refused. Sorted, without overlaps.
    off: Vec<(i64, i64)>,
    taken: Vec<(i64, i64)>,
    passed: i64,
    earliest: i64,
}

impl Plan {
    fn new(calendar: &Calendar<'_>, terms: &Terms, from: Date, to: Date) -> Self {
        let (first, last) = (day_number(from), day_number(to));
        let (begin, end) = (first * DAY - MARGIN, last * DAY + MARGIN);
        let wall = Wall::new(calendar.zone, begin, end);
        let length = seconds(terms.minutes);
        let step = seconds(terms.step);
        let windows = if length > 0 && step > 0 {
            windows(calendar.hours, &wall, from, to)
        } else {
            Vec::new()
        };

        let off = calendar.hours.time_off.iter().flat_map(|&(from, to)| {
            wall.spans(day_number(from), day_number(to))
                .map(|(start, end)| (start - length, end))
        });
        let taken = calendar.busy.iter().map(|busy| {
            let (start, end) = (floor(busy.start), ceil(busy.end.max(busy.start)));
            let (before, after) = (terms.after.max(busy.before), terms.before.max(busy.after));
            (start - seconds(before) - length, end + seconds(after))
        });
        let near = |&(after, before): &(i64, i64)| after < end && before > begin;
        Self {
            off: merge(off.filter(near).collect()),
            taken: merge(taken.filter(near).collect()),
            wall,
            first,
            last,
            length,
            step,
            windows,
            passed: calendar.now.map_or(i64::MIN, floor),
            earliest: calendar
                .now
                .map_or(i64::MIN, |now| ceil(now) + seconds(terms.notice)),
        }
    }

    /// What the hours alone allow, window by window: overlapping windows may give a start twice.
    fn grid(&self) -> impl Iterator<Item = i64> {
        self.windows.iter().flat_map(move |&(open, close)| {
            let room = close - open - self.length;
            let count = if room < 0 { 0 } else { room / self.step + 1 };
            (0..count)
                .map(move |n| open + n * self.step)
                .filter(|&at| (self.first..=self.last).contains(&self.wall.day(at)))
        })
    }

    /// The one decision about a start on the grid.
    fn decide(&self, at: i64) -> Result<(), Refusal> {
        if within(&self.off, at) {
            Err(Refusal::OutsideHours)
        } else if at <= self.passed {
            Err(Refusal::Passed)
        } else if at < self.earliest {
            Err(Refusal::TooSoon)
        } else if within(&self.taken, at) {
            Err(Refusal::Taken)
        } else {
            Ok(())
        }
    }
}

/// A zone's offsets over the days in question: one look-up in the zone instead of one per time.
struct Wall {
    /// Since when, and seconds east of UTC.
    offsets: Vec<(i64, i64)>,
}

impl Wall {
    fn new(zone: &TimeZone, begin: i64, end: i64) -> Self {
        let begin = begin.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let begin = Timestamp::from_second(begin).expect("clamped to the range of timestamps");
        let mut offsets = vec![(i64::MIN, i64::from(zone.to_offset(begin).seconds()))];
        offsets.extend(
            zone.following(begin)
                .map(|change| {
                    (
                        change.timestamp().as_second(),
                        i64::from(change.offset().seconds()),
                    )
                })
                .take_while(|&(since, _)| since < end),
        );
        Self { offsets }
    }

    /// Since when, until when, and seconds east of UTC.
    fn parts(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        let ends = self
            .offsets
            .iter()
            .skip(1)
            .map(|next| next.0)
            .chain([i64::MAX]);
        self.offsets
            .iter()
            .zip(ends)
            .map(|(&(since, offset), until)| (since, until, offset))
    }

    /// The first instant at which the clock on the wall shows `time` (seconds after 1970) or later: the
    /// first of two when it shows it twice, the end of the gap when it never does.
    fn instant(&self, time: i64) -> i64 {
        self.parts()
            .map(|(since, until, offset)| ((time - offset).max(since), until))
            .find_map(|(at, until)| (at < until).then_some(at))
            .expect("the last offset has no end")
    }

    fn day(&self, at: i64) -> i64 {
        let next = self.offsets.partition_point(|part| part.0 <= at);
        (at + self.offsets[next - 1].1).div_euclid(DAY)
    }

    /// The instants of the days `first` to `last`. Not always one piece: a clock that goes back at one past
    /// midnight returns to the day before.
    fn spans(&self, first: i64, last: i64) -> impl Iterator<Item = (i64, i64)> {
        self.parts()
            .map(move |(since, until, offset)| {
                (
                    since.max(first * DAY - offset),
                    until.min((last + 1) * DAY - offset),
                )
            })
            .filter(|(start, end)| start < end)
    }
}

/// The windows in which a slot of `from` to `to` may lie: the evening before may run into the first day,
/// and a clock that goes back over midnight takes the next day's morning into the last.
fn windows(hours: &Hours, wall: &Wall, from: Date, to: Date) -> Vec<(i64, i64)> {
    let before = from.yesterday().unwrap_or(from);
    let after = to.tomorrow().unwrap_or(to);
    std::iter::successors(Some(before), |day| day.tomorrow().ok())
        .take_while(|&day| day <= after)
        .flat_map(|day| {
            let weekday = day.weekday().to_monday_zero_offset().unsigned_abs();
            let windows = hours
                .overrides
                .get(&day)
                .unwrap_or(&hours.weekly[usize::from(weekday)]);
            let midnight = day_number(day) * DAY;
            windows
                .iter()
                .filter(|window| window.is_sound())
                .map(move |window| {
                    let past = if window.end <= window.start { DAY } else { 0 };
                    let open = wall.instant(midnight + window.start * MINUTE);
                    (open, wall.instant(midnight + window.end * MINUTE + past))
                })
        })
        .collect()
}

impl Window {
    /// Others would reach beyond the days that are looked at, and be shown for one range and not for another.
    fn is_sound(self) -> bool {
        (0..=1440).contains(&self.start) && (0..=1440).contains(&self.end)
    }
}

fn merge(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        // Not `<=`: spans are open, so that the start where one ends and the next begins is free.
        let joined = next.0 < kept.1;
        if joined {
            kept.1 = kept.1.max(next.1);
        }
        joined
    });
    spans
}

fn within(spans: &[(i64, i64)], at: i64) -> bool {
    let next = spans.partition_point(|span| span.1 <= at);
    spans.get(next).is_some_and(|span| span.0 < at)
}

fn day_number(day: Date) -> i64 {
    day.duration_since(date(1970, 1, 1)).as_secs() / DAY
}

/// Negative minutes count as none; ten thousand years are for ever, and do not overflow.
fn seconds(minutes: i64) -> i64 {
    minutes.clamp(0, 10_000 * 366 * 1440) * MINUTE
}

/// Starts are whole seconds: rounding others outward changes no answer.
fn floor(at: Timestamp) -> i64 {
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}

fn ceil(at: Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}

#[cfg(test)]
mod tests;
