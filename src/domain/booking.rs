//! A booked session: what it may become, until when it may change, and the time that it takes from its staff.

use super::business::Business;
use super::id::{BookingId, ClientId, ServiceId, StaffId};
use super::rule::{GRACE, Rule, Rules};
use super::service::{Colour, Service};
use super::slot::{self, Busy, Calendar};
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Confirmed,
    Completed,
    Cancelled,
    NoShow,
}

impl Status {
    const ALL: [Self; 4] = [
        Self::Confirmed,
        Self::Completed,
        Self::Cancelled,
        Self::NoShow,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
        }
    }

    /// Reads [`Status::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Why a booking, a move or a cancellation is refused. Each is a daily outcome, told in one sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Someone else has just taken this time.")]
    Taken,
    #[error("Someone else is booking this time just now. It may be free again in a minute or two.")]
    Held,
    #[error("This time is not on offer.")]
    OutsideHours,
    #[error("This time has passed.")]
    Passed,
    #[error("It is too short before this time to book it online.")]
    TooSoon,
    #[error("This time is further ahead than can be booked yet.")]
    TooFar,
    #[error("This session is not on offer with them. Choose another session, or someone else.")]
    NotOffered,
    #[error("This session is only for some clients. Choose another.")]
    NotForClient,
    #[error("No more than {} can be booked ahead at once. Attend or cancel one first.", sessions(*.0))]
    TooMany(i64),
    #[error("It is too short before this session to move it online. Send us a message.")]
    TooLate,
    #[error("This session has ended or was cancelled, so it can no longer change.")]
    Ended,
    #[error("This session has not begun yet, so nothing can have come of it.")]
    NotBegun,
    #[error("This session was changed meanwhile. Here is how it stands now.")]
    Stale,
    #[error("Cancelling costs more than it did when you looked. Here is how it stands now.")]
    CostsMore,
    /// To staff, of a rule that they may set aside.
    #[error("This is {}. Say why, and it is done all the same.", .0.words())]
    NeedsReason(Rule),
}

fn sessions(n: i64) -> String {
    format!("{n} session{}", if n == 1 { "" } else { "s" })
}

impl Refusal {
    /// The rule behind it, where staff may set it aside.
    pub fn rule(self) -> Option<Rule> {
        match self {
            Self::OutsideHours => Some(Rule::Hours),
            Self::TooFar => Some(Rule::Horizon),
            Self::NotOffered => Some(Rule::Offered),
            Self::NotForClient => Some(Rule::Clients),
            Self::TooMany(_) => Some(Rule::Most),
            Self::TooLate => Some(Rule::Move),
            _ => None,
        }
    }
}

/// Why a client may not book a service with someone, whenever: with nothing in the way, nothing. `open_count` is how many
/// sessions they have ahead.
pub fn objections(
    rules: &Rules,
    service: &Service,
    staff: StaffId,
    client: ClientId,
    open_count: i64,
) -> Vec<Refusal> {
    let offered = service.is_offered_by(staff);
    let open = service.is_open_to(client);
    let room = rules.leave_room(open_count);
    [
        (!offered).then_some(Refusal::NotOffered),
        (!open).then_some(Refusal::NotForClient),
        (!room).then_some(Refusal::TooMany(rules.most_open)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What cancelling costs a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    Free,
    /// It counts as late, and costs so many minor units.
    Late(i64),
}

impl fmt::Display for Cost {
    /// As a form carries it: `free`, `20000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("free"),
            Self::Late(fee) => fee.fmt(f),
        }
    }
}

impl FromStr for Cost {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        match text {
            "free" => Ok(Self::Free),
            fee => fee.parse().map(Self::Late),
        }
    }
}

impl From<slot::Refusal> for Refusal {
    fn from(refusal: slot::Refusal) -> Self {
        match refusal {
            slot::Refusal::OutsideHours => Self::OutsideHours,
            slot::Refusal::Passed => Self::Passed,
            slot::Refusal::TooSoon => Self::TooSoon,
            slot::Refusal::Taken => Self::Taken,
        }
    }
}

/// Whether `service` can be booked at `start`: the one rule behind the grid, the sheet and the write.
pub fn check(
    business: &Business,
    calendar: &Calendar<'_>,
    service: &Service,
    start: Timestamp,
) -> Result<(), Refusal> {
    let now = calendar.now.unwrap_or(Timestamp::MIN);
    if calendar.now.is_some() && business.local(start).date() > service.horizon(business, now) {
        return Err(Refusal::TooFar);
    }
    calendar
        .check(&service.terms(), start)
        .map_err(Refusal::from)
}

/// A booking with the names that pages show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    pub id: BookingId,
    pub client: ClientId,
    pub client_name: String,
    pub staff: StaffId,
    pub staff_name: String,
    pub service: ServiceId,
    pub service_name: String,
    /// The colour of its service, and where it takes place if by video: as the service has them now.
    pub colour: Colour,
    pub video_url: Option<String>,
    pub starts_at: Timestamp,
    /// Length in minutes, as booked: a later change of the service leaves it.
    pub minutes: i64,
    pub status: Status,
    /// Cancelled after the window for changes had closed.
    pub late: bool,
    /// What that costs, in minor units.
    pub late_fee: i64,
    pub created_at: Timestamp,
    /// Counts its changes; a form carries the one it was made from.
    pub version: i64,
}

impl Booking {
    pub fn ends_at(&self) -> Timestamp {
        plus(self.starts_at, self.minutes)
    }

    /// Until when a client may move it.
    pub fn move_until(&self, rules: &Rules) -> Timestamp {
        plus(self.starts_at, -rules.move_minutes)
    }

    /// Until when a client may cancel it without it counting as late: the window, or the minutes after booking if they end
    /// later, of which the last instant is out.
    pub fn cancel_until(&self, rules: &Rules) -> Timestamp {
        let undone = self.created_at.saturating_add(GRACE);
        let undone = undone.map_or(self.created_at, |at| at - SignedDuration::from_millis(1));
        plus(self.starts_at, -rules.cancel_minutes).max(undone)
    }

    /// What it costs its client to cancel it now.
    pub fn cost(&self, rules: &Rules, now: Timestamp) -> Cost {
        if now > self.cancel_until(rules) {
            Cost::Late(rules.late_fee)
        } else {
            Cost::Free
        }
    }

    /// Whether a client may move it now.
    pub fn may_move(&self, rules: &Rules, now: Timestamp) -> Result<(), Refusal> {
        self.may_cancel(now)?;
        if now > self.move_until(rules) {
            Err(Refusal::TooLate)
        } else {
            Ok(())
        }
    }

    /// Whether it can be cancelled now, late or not.
    pub fn may_cancel(&self, now: Timestamp) -> Result<(), Refusal> {
        let open = self.status == Status::Confirmed && now < self.starts_at;
        if open { Ok(()) } else { Err(Refusal::Ended) }
    }

    /// Whether staff may say what came of it.
    pub fn may_settle(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.status == Status::Cancelled {
            Err(Refusal::Ended)
        } else if now < self.starts_at {
            Err(Refusal::NotBegun)
        } else {
            Ok(())
        }
    }
}

/// A move that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// With whom it was and when, and with whom and when it became.
    pub from: (String, Timestamp),
    pub to: (String, Timestamp),
    /// Who moved it, and when.
    pub by: String,
    pub at: Timestamp,
}

/// `minutes` later, or earlier where negative.
pub fn plus(at: Timestamp, minutes: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_mins(minutes))
        .unwrap_or(at)
}

/// The quanta of five minutes, counted from the epoch, that a booking takes on its staff's two lanes.
///
/// Lane 0 is taken from `start` to `after`, lane 1 from `before` to `end`: so two sessions never share a quantum, nor a
/// session and a buffer, while one's after-buffer may lie over the other's before-buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occupancy {
    pub before: i64,
    pub start: i64,
    pub end: i64,
    pub after: i64,
}

/// Minutes in a quantum: starts, lengths, steps and buffers are multiples of it.
pub const QUANTUM: i64 = 5;

impl Occupancy {
    pub fn of(busy: &Busy) -> Self {
        const MS: i64 = QUANTUM * 60_000;
        let start = busy.start.as_millisecond().div_euclid(MS);
        let end = (busy.end.as_millisecond() + MS - 1).div_euclid(MS);
        Self {
            before: start - busy.before / QUANTUM,
            start,
            end,
            after: end + busy.after / QUANTUM,
        }
    }

    /// How many rows that makes; fewer written than this is a lost race.
    pub fn rows(&self) -> i64 {
        (self.after - self.start) + (self.end - self.before)
    }

    /// Whether both can stand in one calendar: no quantum of a lane is wanted twice.
    pub fn allows(&self, other: &Self) -> bool {
        let apart = |a: (i64, i64), b: (i64, i64)| a.1 <= b.0 || b.1 <= a.0;
        apart((self.start, self.after), (other.start, other.after))
            && apart((self.before, self.end), (other.before, other.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_status_reads_back() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
    }

    fn busy() -> impl Strategy<Value = Busy> {
        (0i64..60, 1i64..24, 0i64..13, 0i64..13).prop_map(|(start, length, before, after)| {
            let at = |quanta: i64| Timestamp::from_second(1_800_000_000 + quanta * 300).unwrap();
            Busy {
                start: at(start),
                end: at(start + length),
                before: before * 5,
                after: after * 5,
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        /// What the key of the database refuses is what the rule for gaps refuses.
        #[test]
        fn the_lanes_keep_the_larger_of_two_buffers_free(a in busy(), b in busy()) {
            let (first, second) = if a.start <= b.start { (a, b) } else { (b, a) };
            let gap = (second.start.as_second() - first.end.as_second()) / 60;
            let wanted = first.after.max(second.before);
            prop_assert_eq!(Occupancy::of(&a).allows(&Occupancy::of(&b)), gap >= wanted);
        }
    }
}
