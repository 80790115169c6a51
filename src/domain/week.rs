//! Weeks as people name them in a link: ISO 8601, Monday first.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use std::fmt;

/// A calendar week, known by its Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Week {
    monday: Date,
}

impl Week {
    /// The week that holds `day`.
    pub fn of(day: Date) -> Self {
        let back = i32::from(day.weekday().to_monday_zero_offset());
        Self {
            monday: day.saturating_sub(jiff::Span::new().days(back)),
        }
    }

    /// `2026-W48`; nothing for what is no week.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, week) = text.split_once("-W")?;
        if year.len() != 4 || week.len() != 2 {
            return None;
        }
        let week = ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday);
        Some(Self {
            monday: week.ok()?.date(),
        })
    }

    /// Its Monday.
    pub fn first(self) -> Date {
        self.monday
    }

    /// Its Sunday.
    pub fn last(self) -> Date {
        self.plus_days(6)
    }

    /// Monday to Sunday.
    pub fn days(self) -> impl Iterator<Item = Date> {
        (0..7).map(move |n| self.plus_days(n))
    }

    /// The week `n` weeks later, or earlier for a negative `n`.
    #[must_use]
    pub fn plus(self, n: i32) -> Self {
        Self {
            monday: self.plus_days(n * 7),
        }
    }

    fn plus_days(self, n: i32) -> Date {
        self.monday.saturating_add(jiff::Span::new().days(n))
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let week = self.monday.iso_week_date();
        write!(f, "{:04}-W{:02}", week.year(), week.week())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_week_reads_back_from_its_name_also_around_new_year() {
        for day in [
            date(2026, 11, 26),
            date(2027, 1, 1),
            date(2024, 12, 30),
            date(2026, 12, 31),
        ] {
            let week = Week::of(day);
            assert_eq!(Week::parse(&week.to_string()), Some(week));
            assert!(week.first() <= day && day <= week.last());
        }
        assert_eq!(Week::of(date(2026, 11, 26)).to_string(), "2026-W48");
        assert_eq!(Week::of(date(2027, 1, 1)).to_string(), "2026-W53");
    }

    #[test]
    fn what_is_no_week_is_refused() {
        for text in [
            "", "2026", "2026-W00", "2026-W54", "2025-W53", "2026-48", "26-W1", "2026-W1x",
        ] {
            assert_eq!(Week::parse(text), None, "{text}");
        }
    }
}
