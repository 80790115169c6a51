//! When someone works, as it is set up: windows read from what people type, changes to them, and whom a change would strand.
//! Refuses windows that overlap, or that are not on the five minutes that calendars are made of.

use super::booking::{Booking, QUANTUM};
use super::business::Business;
use super::slot::{Calendar, Hours, Terms, Window};
use jiff::civil::Date;

/// Why hours cannot be kept, each in the sentence that stands beside its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error(
        "Write times like 08:00-12:00, 13:00-17:00, in steps of five minutes; 22:00-02:00 runs past midnight."
    )]
    Times,
    #[error("Two of these times overlap. Let one end before the next begins.")]
    Overlap,
    #[error("Enter at most 12 times for a day.")]
    TooMany,
    #[error("Choose a day from today on, at most five years ahead.")]
    Day,
    #[error("Choose a last day that is not before the first, at most a year later.")]
    Last,
}

/// More pieces than anyone works in a day.
const MOST: usize = 12;
const DAY: i64 = 1440;
/// Days after today for which something can be set up: five years.
const FURTHEST: i32 = 5 * 366;
/// Days in one time off.
const LONGEST_OFF: i32 = 366;

/// Reads `08:00-12:00, 13:00-17:00`; nothing is a closed day.
pub fn windows(text: &str) -> Result<Vec<Window>, Wrong> {
    let pieces = text.split([',', ';']).map(str::trim);
    let mut windows = pieces
        .filter(|piece| !piece.is_empty())
        .map(window)
        .collect::<Result<Vec<Window>, Wrong>>()?;
    if windows.len() > MOST {
        return Err(Wrong::TooMany);
    }
    windows.sort_unstable_by_key(|window| window.start);
    let pairs = windows.iter().zip(windows.iter().skip(1));
    let overlap = pairs.into_iter().any(|(one, next)| next.start < end(*one));
    if overlap {
        Err(Wrong::Overlap)
    } else {
        Ok(windows)
    }
}

/// Minutes after the midnight on which it starts.
fn end(window: Window) -> i64 {
    let past = if window.end <= window.start { DAY } else { 0 };
    window.end + past
}

fn window(piece: &str) -> Result<Window, Wrong> {
    let (start, end) = piece.split_once(['-', '–']).ok_or(Wrong::Times)?;
    let (start, end) = (minute(start)?, minute(end)?);
    // Equal ends are a whole day only from midnight to midnight: else it is a slip of the hand.
    if start == DAY || start == end {
        return Err(Wrong::Times);
    }
    Ok(Window { start, end })
}

/// `08:00` to `24:00`, as minutes after midnight.
fn minute(text: &str) -> Result<i64, Wrong> {
    let (hours, minutes) = text.trim().split_once(':').ok_or(Wrong::Times)?;
    let number = |text: &str| {
        let digits =
            (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            text.parse::<i64>().ok()
        } else {
            None
        }
    };
    let (hours, minutes) = number(hours).zip(number(minutes)).ok_or(Wrong::Times)?;
    let at = hours * 60 + minutes;
    let right = minutes < 60 && at <= DAY && at % QUANTUM == 0;
    if right { Ok(at) } else { Err(Wrong::Times) }
}

/// Windows as [`windows`] reads them.
pub fn written(windows: &[Window]) -> String {
    let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    let pieces = windows
        .iter()
        .map(|window| format!("{}-{}", clock(window.start), clock(window.end)));
    pieces.collect::<Vec<_>>().join(", ")
}

/// All that the owner has set up, on one line: two looks at it tell whether anything changed in between.
pub fn line(hours: &Hours) -> String {
    let week = hours.weekly.iter().map(|windows| written(windows));
    let days = hours
        .overrides
        .iter()
        .map(|(day, windows)| format!("{day} {}", written(windows)));
    let off = hours
        .time_off
        .iter()
        .map(|(from, to)| format!("{from}/{to}"));
    week.chain(days).chain(off).collect::<Vec<_>>().join(";")
}

/// A change to when someone works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The weekly hours, Monday first.
    Week([Vec<Window>; 7]),
    /// Other hours on one date; no windows close it.
    Override(Date, Vec<Window>),
    /// The weekly hours again on a date.
    Plain(Date),
    /// First and last day off.
    Off(Date, Date),
    /// At work again: the time off that begins on this date is taken back.
    On(Date),
}

impl Change {
    /// Whether its days can be set up: the past is as it was.
    pub fn check(&self, today: Date) -> Result<(), Wrong> {
        let furthest = today.saturating_add(jiff::Span::new().days(FURTHEST));
        let may = |day: Date| (today..=furthest).contains(&day);
        match self {
            Self::Override(day, _) | Self::Off(day, _) if !may(*day) => Err(Wrong::Day),
            Self::Off(from, to) if to < from || (*to - *from).get_days() >= LONGEST_OFF => {
                Err(Wrong::Last)
            }
            _ => Ok(()),
        }
    }

    /// The hours with it.
    #[must_use]
    pub fn applied(&self, hours: &Hours) -> Hours {
        let mut hours = hours.clone();
        match self {
            Self::Week(weekly) => hours.weekly.clone_from(weekly),
            Self::Override(day, windows) => {
                hours.overrides.insert(*day, windows.clone());
            }
            Self::Plain(day) => {
                hours.overrides.remove(day);
            }
            Self::Off(from, to) => {
                hours.time_off.retain(|off| off.0 != *from);
                hours.time_off.push((*from, *to));
                hours.time_off.sort_unstable();
            }
            Self::On(from) => hours.time_off.retain(|off| off.0 != *from),
        }
        hours
    }
}

/// The sessions that lie within the hours before and not after, in their order.
pub fn stranded(
    business: &Business,
    before: &Hours,
    after: &Hours,
    bookings: Vec<Booking>,
) -> Vec<Booking> {
    let covers = |hours: &Hours, booking: &Booking| {
        let calendar = Calendar {
            zone: &business.zone,
            hours,
            busy: &[],
            now: None,
        };
        let terms = Terms {
            minutes: booking.minutes,
            step: QUANTUM,
            before: 0,
            after: 0,
            notice: 0,
        };
        calendar.check(&terms, booking.starts_at).is_ok()
    };
    bookings
        .into_iter()
        .filter(|booking| covers(before, booking) && !covers(after, booking))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn window(start: i64, end: i64) -> Window {
        Window { start, end }
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        for (text, expected) in [
            ("", vec![]),
            ("08:00-12:00", vec![window(480, 720)]),
            (
                " 13:00 – 17:00 , 8:00-12:00",
                vec![window(480, 720), window(780, 1020)],
            ),
            (
                "08:00-12:00;12:00-13:00",
                vec![window(480, 720), window(720, 780)],
            ),
            ("22:00-02:00", vec![window(1320, 120)]),
            ("00:00-24:00", vec![window(0, 1440)]),
        ] {
            assert_eq!(windows(text), Ok(expected.clone()), "{text}");
            assert_eq!(windows(&written(&expected)), Ok(expected), "{text} again");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        for text in [
            "8-12",
            "08:00",
            "08:00-08:00",
            "08:02-12:00",
            "25:00-26:00",
            "08:60-09:00",
            "24:00-02:00",
            "08:00-24:05",
            "-08:00-09:00",
            "08:00-12:00-13:00",
            "+8:00-12:00",
        ] {
            assert_eq!(windows(text), Err(Wrong::Times), "{text}");
        }
        for text in [
            "08:00-12:00, 11:55-13:00",
            "22:00-02:00, 23:00-23:30",
            "00:00-24:00, 08:00-09:00",
        ] {
            assert_eq!(windows(text), Err(Wrong::Overlap), "{text}");
        }
        let many: Vec<String> = (0..13).map(|n| format!("{n}:00-{n}:30")).collect();
        assert_eq!(windows(&many.join(",")), Err(Wrong::TooMany));
    }

    #[test]
    fn the_past_is_not_set_up() {
        let today = date(2026, 11, 23);
        assert_eq!(Change::Off(today, today).check(today), Ok(()));
        for (change, wrong) in [
            (Change::Override(date(2026, 11, 22), vec![]), Wrong::Day),
            (Change::Override(date(2032, 1, 1), vec![]), Wrong::Day),
            (Change::Off(date(2026, 11, 22), today), Wrong::Day),
            (Change::Off(today, date(2026, 11, 22)), Wrong::Last),
            (Change::Off(today, date(2027, 12, 1)), Wrong::Last),
        ] {
            assert_eq!(change.check(today), Err(wrong), "{change:?}");
        }
    }

    #[test]
    fn each_change_is_taken_back_by_its_opposite() {
        let day = date(2026, 12, 25);
        let plain = Change::Week(std::array::from_fn(|_| vec![window(480, 720)]))
            .applied(&Hours::default());
        let closed = Change::Override(day, vec![]).applied(&plain);
        let away = Change::Off(day, day).applied(&plain);
        assert_ne!(line(&closed), line(&plain));
        assert_ne!(line(&away), line(&plain));
        assert_eq!(line(&Change::Plain(day).applied(&closed)), line(&plain));
        assert_eq!(line(&Change::On(day).applied(&away)), line(&plain));
    }
}
