//! The mails that the business sends: a row first, sent by a job that reads the state again.

use super::id::EmailId;
use jiff::Timestamp;

/// What a mail is about. Its words are what the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The link with which an invited person sets a first password.
    Invitation,
    /// The link with which a person sets a new password.
    Reset,
    /// A password was changed: told to its owner, in case it was not they.
    PasswordChanged,
    Booked,
    Moved,
    Cancelled,
    /// A time became free that someone waits for.
    Offer,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Invitation,
        Self::Reset,
        Self::PasswordChanged,
        Self::Booked,
        Self::Moved,
        Self::Cancelled,
        Self::Offer,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::PasswordChanged => "password_changed",
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
            Self::Offer => "offer",
        }
    }

    /// Reads [`Kind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A mail in the outbox, with what its text needs, read now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    pub id: EmailId,
    pub kind: Kind,
    pub to_name: String,
    pub to_address: String,
    pub created_at: Timestamp,
    /// The secret of an invitation's or a reset's link, as long as it can be used.
    pub token: Option<String>,
    /// The session that it is about.
    pub session: Option<Session>,
    /// Until when an offer can be accepted; nothing once it has ended.
    pub until: Option<Timestamp>,
}

/// A session as a mail tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub service_name: String,
    pub staff_name: String,
    pub starts_at: Timestamp,
    pub minutes: i64,
}
