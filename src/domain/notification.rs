//! What someone should know although they were not there: a row for each fact and person.

use super::id::{BookingId, ClientId, InvoiceId, NotificationId};
use jiff::Timestamp;

/// The kinds of fact. Their words are what the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Booked,
    Moved,
    Cancelled,
    /// An invoice was paid.
    Paid,
    /// A payment did not go through.
    Failed,
    /// Someone wrote.
    Message,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Booked,
        Self::Moved,
        Self::Cancelled,
        Self::Paid,
        Self::Failed,
        Self::Message,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Message => "message",
        }
    }

    /// Reads [`Kind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What the fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    Booking(BookingId),
    Invoice(InvoiceId),
    Thread,
}

/// One line of what someone should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub id: NotificationId,
    pub kind: Kind,
    pub about: About,
    /// Whom it concerns.
    pub client: ClientId,
    pub client_name: String,
    /// The session's start, where it is about one.
    pub starts_at: Option<Timestamp>,
    /// Minor units, where it is about money.
    pub amount: Option<i64>,
    pub at: Timestamp,
    pub is_seen: bool,
}
