//! Waiting for a time: what a client asks for when nothing suits, and what is offered to them when something becomes free.
//! A wait is no right to a time: what is offered passes every rule that a booking passes.

use super::booking::Booking;
use super::business::Business;
use super::grid::closes_at;
use super::hold::Kept;
use super::id::{ClientId, HoldId, ServiceId, StaffId, WaitId};
use super::service::Service;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// The longest span of days: each run looks at every start in it.
pub const LONGEST_DAYS: i32 = 31;
/// What one client may wait for at a time: more would be a way to be offered every time that becomes free.
pub const MOST: i64 = 10;

/// The part of a day that suits, by the hour in which a session starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    #[default]
    Any,
    /// Before 12:00.
    Morning,
    /// From 12:00, before 17:00.
    Afternoon,
    /// From 17:00.
    Evening,
}

impl Part {
    pub const ALL: [Self; 4] = [Self::Any, Self::Morning, Self::Afternoon, Self::Evening];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Morning => "morning",
            Self::Afternoon => "afternoon",
            Self::Evening => "evening",
        }
    }

    /// Reads [`Part::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.as_str() == text)
    }

    fn holds(self, hour: i8) -> bool {
        match self {
            Self::Any => true,
            Self::Morning => hour < 12,
            Self::Afternoon => (12..17).contains(&hour),
            Self::Evening => hour >= 17,
        }
    }
}

/// What someone waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub service: ServiceId,
    /// Nobody named is anyone.
    pub staff: Option<StaffId>,
    /// Both days included.
    pub from: Date,
    pub to: Date,
    pub part: Part,
}

/// Why nobody can wait for that, for each the sentence that the person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("Choose a first day that is not after the last.")]
    Reversed,
    #[error("Choose a last day that has not passed.")]
    Passed,
    #[error("Choose at most 31 days.")]
    TooLong,
    #[error("Choose days that can be booked already.")]
    TooFar,
    #[error("This session is not on offer with them. Choose another session, or someone else.")]
    NotOffered,
    #[error("You wait for ten things already. Withdraw one of them first.")]
    TooMany,
}

impl Wish {
    /// Whether the days are ones that can be waited for.
    pub fn check(
        &self,
        business: &Business,
        service: &Service,
        now: Timestamp,
    ) -> Result<(), Wrong> {
        if self.from > self.to {
            Err(Wrong::Reversed)
        } else if self.to < business.today(now) {
            Err(Wrong::Passed)
        } else if (self.to - self.from).get_days() >= LONGEST_DAYS {
            Err(Wrong::TooLong)
        } else if self.from > service.horizon(business, now) {
            Err(Wrong::TooFar)
        } else if self
            .staff
            .is_some_and(|staff| !service.is_offered_by(staff))
        {
            Err(Wrong::NotOffered)
        } else {
            Ok(())
        }
    }

    /// Whether a session of the service that starts then is what is waited for.
    pub fn suits(&self, business: &Business, staff: StaffId, start: Timestamp) -> bool {
        let local = business.local(start);
        self.staff.is_none_or(|wanted| wanted == staff)
            && (self.from..=self.to).contains(&local.date())
            && self.part.holds(local.hour())
    }

    /// Whether whoever has this session need not wait any more.
    pub fn is_met_by(&self, business: &Business, booking: &Booking) -> bool {
        booking.service == self.service && self.suits(business, booking.staff, booking.starts_at)
    }
}

/// Someone in line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    pub id: WaitId,
    pub client: ClientId,
    pub client_name: String,
    pub wish: Wish,
    pub service_name: String,
    /// Whom they want; nothing for anyone.
    pub staff_name: Option<String>,
    pub asked_at: Timestamp,
    pub offer: Option<Offer>,
}

/// A time that is kept for whoever waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The hold that keeps it.
    pub hold: HoldId,
    pub staff: StaffId,
    pub staff_name: String,
    pub start: Timestamp,
    /// From this instant on it is the next one's.
    pub until: Timestamp,
}

/// The time to keep for an offer, and until when: no longer than it can be booked at all. `None` when that is over.
pub fn offer(
    business: &Business,
    service: &Service,
    start: Timestamp,
    now: Timestamp,
) -> Option<Kept> {
    let limit = now.saturating_add(SignedDuration::from_mins(business.rules.offer_minutes));
    let until = closes_at(service, start).min(limit.unwrap_or(now));
    (until > now).then(|| Kept {
        busy: service.busy(start),
        until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn each_hour_is_in_one_part_of_the_day() {
        for hour in 0..24 {
            let parts = Part::ALL.into_iter().filter(|part| part.holds(hour));
            assert_eq!(parts.count(), 2, "any, and one other at {hour}");
        }
        for part in Part::ALL {
            assert_eq!(Part::parse(part.as_str()), Some(part));
        }
    }

    #[test]
    fn a_wish_takes_its_days_as_the_business_counts_them() {
        let business = Business {
            zone: jiff::tz::TimeZone::get("Africa/Johannesburg").unwrap(),
            ..Business::unnamed()
        };
        let staff = StaffId::new();
        let wish = Wish {
            service: ServiceId::new(),
            staff: None,
            from: date(2026, 11, 24),
            to: date(2026, 11, 24),
            part: Part::Morning,
        };
        let suits = |wish: &Wish, at: &str| wish.suits(&business, staff, at.parse().unwrap());
        // 00:30 there is still the day before in UTC.
        assert!(suits(&wish, "2026-11-23T22:30:00Z"));
        assert!(!suits(&wish, "2026-11-24T22:30:00Z"));
        assert!(!suits(&wish, "2026-11-24T10:00:00Z"));
        let other = Wish {
            staff: Some(StaffId::new()),
            ..wish
        };
        assert!(!suits(&other, "2026-11-23T22:30:00Z"));
    }
}
