//! What happened, as staff read it: one line a fact, never edited.

use super::id::ActivityId;
use jiff::Timestamp;

/// The kinds of fact. Their words are what the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Booked,
    Moved,
    Cancelled,
    CancelledLate,
    Invited,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Booked,
        Self::Moved,
        Self::Cancelled,
        Self::CancelledLate,
        Self::Invited,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
            Self::CancelledLate => "cancelled_late",
            Self::Invited => "invited",
        }
    }

    /// Reads [`Kind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One line of what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    pub id: ActivityId,
    pub at: Timestamp,
    pub kind: Kind,
    /// Whom it concerns.
    pub client_name: String,
    /// The member of staff whose calendar it was in, and the session's start, where it is about one.
    pub staff_name: Option<String>,
    pub starts_at: Option<Timestamp>,
}
