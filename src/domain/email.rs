//! The mails that the business sends: a row first, sent by a job that reads the state again.

use super::booking::Status;
use super::id::{BookingId, EmailId, PersonId};
use jiff::{SignedDuration, Timestamp};

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
    /// To whom a session was booked with, when it moved to a colleague.
    HandedOver,
    /// A session comes up.
    Reminder,
    /// A time became free that someone waits for.
    Offer,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Invitation,
        Self::Reset,
        Self::PasswordChanged,
        Self::Booked,
        Self::Moved,
        Self::Cancelled,
        Self::HandedOver,
        Self::Reminder,
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
            Self::HandedOver => "handed_over",
            Self::Reminder => "reminder",
            Self::Offer => "offer",
        }
    }

    /// Reads [`Kind::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How a mail fares on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Waiting,
    Sent,
    /// Refused for good, or tried for too long.
    Failed,
    /// What it would have told is no longer so.
    Dropped,
}

impl Progress {
    const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Failed, Self::Dropped];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// Reads [`Progress::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|progress| progress.as_str() == text)
    }
}

/// A mail in the outbox, with what its text needs, read now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    pub id: EmailId,
    pub kind: Kind,
    pub to: PersonId,
    pub to_name: String,
    pub to_address: String,
    pub created_at: Timestamp,
    /// The secret of an invitation's or a reset's link, as long as it can be used.
    pub token: Option<String>,
    /// Until when that link lives.
    pub link_until: Option<Timestamp>,
    /// The session that it is about.
    pub session: Option<Session>,
    /// The offer that it is about, as long as it stands.
    pub offer: Option<Offer>,
    /// They want to be reminded.
    pub wants_reminders: bool,
    /// A later mail tells the same person of the same thing.
    pub is_outdated: bool,
    pub progress: Progress,
    /// How often it was handed to the mail server.
    pub tries: i64,
    /// When it is tried next, while it waits.
    pub due_at: Timestamp,
    /// Since when it waits: since it was written, or since it was put back.
    pub waits_since: Timestamp,
    /// When it was sent, failed or was dropped.
    pub ended_at: Option<Timestamp>,
    /// Why it failed, was dropped, or has to be tried again.
    pub reason: Option<String>,
}

/// A session as a mail tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub booking: BookingId,
    /// Counts the booking's changes, for calendars too.
    pub version: i64,
    /// The version that the mail was written for.
    pub told_version: i64,
    pub status: Status,
    pub service_name: String,
    pub client_name: String,
    pub staff_name: String,
    pub video_url: Option<String>,
    pub starts_at: Timestamp,
    pub minutes: i64,
    /// The mail goes to staff, and names the client.
    pub for_staff: bool,
}

/// A time that is kept for someone who waits, as a mail tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub service_name: String,
    pub staff_name: String,
    pub starts_at: Timestamp,
    pub minutes: i64,
    /// Until when it can be accepted.
    pub until: Timestamp,
}

/// How long a mail is tried: what comes days late misleads.
pub const GIVE_UP: SignedDuration = SignedDuration::from_hours(48);

/// What to do with a mail whose turn has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Send,
    /// Not to be sent any more, and why.
    Drop(&'static str),
    GiveUp,
}

impl Email {
    /// Whether what it tells is still so, and still worth telling.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        if let Some(reason) = self.outdated(now) {
            return Verdict::Drop(reason);
        }
        if now.duration_since(self.waits_since) > GIVE_UP {
            return Verdict::GiveUp;
        }
        Verdict::Send
    }

    fn outdated(&self, now: Timestamp) -> Option<&'static str> {
        match self.kind {
            Kind::PasswordChanged => None,
            Kind::Invitation | Kind::Reset => {
                let lives =
                    self.token.is_some() && self.link_until.is_some_and(|until| until > now);
                (!lives).then_some("Its link was used or has ended.")
            }
            _ if self.is_outdated => Some("A later mail tells how it stands now."),
            Kind::Cancelled | Kind::HandedOver => None,
            Kind::Offer => {
                let stands = self.offer.as_ref().is_some_and(|offer| now < offer.until);
                (!stands).then_some("The offer has ended.")
            }
            Kind::Reminder if !self.wants_reminders => Some("They want no reminders."),
            Kind::Booked | Kind::Moved | Kind::Reminder => {
                let session = self.session.as_ref()?;
                if session.status != Status::Confirmed {
                    return Some("The session was cancelled or is over.");
                }
                let passed = session.starts_at <= now || session.version != session.told_version;
                (self.kind == Kind::Reminder && passed)
                    .then_some("The session has begun or was changed.")
            }
        }
    }
}

/// How long to wait after so many tries in vain: a minute, then twice as long each time, an hour at most.
pub fn pause(tries: i64) -> SignedDuration {
    let doublings = u32::try_from(tries.clamp(1, 7) - 1).unwrap_or(0);
    SignedDuration::from_mins((1 << doublings).min(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_longer_until_it_is_an_hour() {
        let minutes = [1, 2, 4, 8, 16, 32, 60, 60];
        for (tries, minutes) in (1..).zip(minutes) {
            assert_eq!(pause(tries), SignedDuration::from_mins(minutes), "{tries}");
        }
        assert_eq!(pause(i64::MAX), SignedDuration::from_hours(1));
        assert_eq!(pause(0), SignedDuration::from_mins(1));
    }

    #[test]
    fn every_word_reads_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        for progress in Progress::ALL {
            assert_eq!(Progress::parse(progress.as_str()), Some(progress));
        }
    }
}
