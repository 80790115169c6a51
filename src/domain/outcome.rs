//! What came of a session, as staff say or the clock does, and the ways to look back at all of them.

use super::booking::{Booking, Status};
use super::id::{BookingId, ClientId, StaffId};
use jiff::Timestamp;

/// What staff say of a session that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    NoShow,
    /// Told too late for anybody else to take the time.
    CancelledLate,
}

impl Outcome {
    pub const ALL: [Self; 3] = [Self::Completed, Self::NoShow, Self::CancelledLate];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::CancelledLate => "cancelled_late",
        }
    }

    /// Reads [`Outcome::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// The status of a session of which this came, and whether it was late.
    pub fn status(self) -> (Status, bool) {
        match self {
            Self::Completed => (Status::Completed, false),
            Self::NoShow => (Status::NoShow, false),
            Self::CancelledLate => (Status::Cancelled, true),
        }
    }

    /// What came of a session, if that is known.
    pub fn of(booking: &Booking) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|one| one.status() == (booking.status, booking.late))
    }
}

/// Which of the sessions that have ended or were cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    All,
    /// Over, and nobody has said what came of them.
    Unsettled,
    Completed,
    NoShow,
    Cancelled,
    CancelledLate,
}

impl Filter {
    pub const ALL: [Self; 6] = [
        Self::All,
        Self::Unsettled,
        Self::Completed,
        Self::NoShow,
        Self::Cancelled,
        Self::CancelledLate,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Unsettled => "unsettled",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::Cancelled => "cancelled",
            Self::CancelledLate => "cancelled_late",
        }
    }

    /// Reads [`Filter::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Statuses and lateness that it takes in; nothing takes in all.
    pub fn takes(self) -> Option<(Status, bool)> {
        match self {
            Self::All => None,
            Self::Unsettled => Some((Status::Confirmed, false)),
            Self::Completed => Some((Status::Completed, false)),
            Self::NoShow => Some((Status::NoShow, false)),
            Self::Cancelled => Some((Status::Cancelled, false)),
            Self::CancelledLate => Some((Status::Cancelled, true)),
        }
    }
}

/// Which sessions are looked back at.
#[derive(Debug, Clone, Copy)]
pub struct Back {
    pub filter: Filter,
    /// Of one client only; a client sees their own whatever this says.
    pub client: Option<ClientId>,
    /// With one member of staff only.
    pub staff: Option<StaffId>,
    /// Those that began before this one.
    pub before: Option<BookingId>,
    pub now: Timestamp,
}

impl Back {
    /// How many are shown at a time.
    pub const PAGE: i64 = 50;

    /// All sessions, of one client or everybody.
    pub fn all(client: Option<ClientId>, now: Timestamp) -> Self {
        Self {
            filter: Filter::All,
            client,
            staff: None,
            before: None,
            now,
        }
    }
}
