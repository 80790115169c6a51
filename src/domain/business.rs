//! The one business of a database: its name, its zone, its money, and the days as it counts them.

use super::money::{Money, Symbol};
use super::rule::Rules;
use super::week::Week;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The settings that pages and rules read.
#[derive(Debug, Clone, PartialEq)]
pub struct Business {
    pub name: String,
    /// Where sessions take place, on one line.
    pub address: String,
    /// The zone in which opening hours are written and days begin.
    pub zone: TimeZone,
    pub symbol: Symbol,
    /// An ISO 4217 code.
    pub currency: String,
    /// What stands before an invoice's number.
    pub invoice_prefix: String,
    /// The usual tax, in hundredths of a percent. Prices of services hold it already.
    pub tax_rate: i64,
    /// Days that a client has to pay.
    pub due_days: i32,
    /// The accent's hue in degrees, 0 to 360.
    pub hue: u16,
    /// What clients may do with their bookings.
    pub rules: Rules,
    /// Minutes before a session at which its client is reminded, the longest first.
    pub reminders: Vec<i64>,
    /// Whole weeks after the current one that can be booked.
    pub horizon_weeks: i32,
}

impl Business {
    /// For a page that must be shown although the settings cannot be read.
    pub fn unnamed() -> Self {
        Self {
            name: "Portico".to_owned(),
            address: String::new(),
            zone: TimeZone::UTC,
            symbol: Symbol::of(""),
            currency: String::new(),
            invoice_prefix: String::new(),
            tax_rate: 0,
            due_days: 7,
            hue: 172,
            rules: Rules::default(),
            reminders: vec![24 * 60],
            horizon_weeks: 26,
        }
    }

    /// An instant on the business's wall clock.
    pub fn local(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// The date at the business.
    pub fn today(&self, now: Timestamp) -> Date {
        self.local(now).date()
    }

    /// The first instant of a date: not always 00:00 where clocks change at midnight.
    pub fn starts(&self, day: Date) -> Timestamp {
        // The range of dates is wider than that of instants only in the years ±9999.
        day.to_zoned(self.zone.clone())
            .map_or(Timestamp::MAX, |start| start.timestamp())
    }

    /// The first instant of the date after the one that `now` falls on.
    pub fn next_midnight(&self, now: Timestamp) -> Timestamp {
        self.starts(self.today(now).tomorrow().unwrap_or(Date::MAX))
    }

    /// A week named in a link, brought into what can be booked: the current week to the horizon.
    pub fn week(&self, asked: Option<Week>, now: Timestamp) -> Week {
        let current = Week::of(self.today(now));
        asked
            .unwrap_or(current)
            .clamp(current, current.plus(self.horizon_weeks))
    }

    /// The last date that can be booked.
    pub fn horizon(&self, now: Timestamp) -> Date {
        Week::of(self.today(now)).plus(self.horizon_weeks).last()
    }

    /// An invoice's number as it is printed.
    pub fn invoice_number(&self, number: i64) -> String {
        format!("{}{number:04}", self.invoice_prefix)
    }

    /// An amount in the business's currency.
    pub fn money(&self, minor: i64) -> Money {
        Money {
            minor,
            symbol: self.symbol,
        }
    }
}
