//! What someone should know although they were not there: a row for each fact and person.

use super::id::{BookingId, ClientId, InvoiceId, NotificationId, WaitId};
use jiff::Timestamp;

/// The kinds of fact. Their words are what the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Booked,
    Moved,
    Cancelled,
    /// An invoice was paid.
    Paid,
    /// Money came in when nothing was owed any more.
    Unapplied,
    /// A payment did not go through.
    Failed,
    /// Someone wrote.
    Message,
    /// A time became free that they wait for.
    Offered,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Booked,
        Self::Moved,
        Self::Cancelled,
        Self::Paid,
        Self::Unapplied,
        Self::Failed,
        Self::Message,
        Self::Offered,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
            Self::Paid => "paid",
            Self::Unapplied => "unapplied",
            Self::Failed => "failed",
            Self::Message => "message",
            Self::Offered => "offered",
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
    Wait(WaitId),
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

/// What a list says in one line: a fact, or several messages of one conversation that came one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    pub newest: &'a Notification,
    pub count: usize,
}

/// The lines of what someone was told, in the same order. Messages go together while they are all new, or all seen.
pub fn lines(told: &[Notification]) -> Vec<Line<'_>> {
    let of = |one: &Notification| (one.kind, one.client, one.is_seen);
    let go_together =
        |a: &Notification, b: &Notification| a.kind == Kind::Message && of(a) == of(b);
    told.chunk_by(go_together)
        .map(|chunk| Line {
            newest: &chunk[0],
            count: chunk.len(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: Kind, client: ClientId, is_seen: bool) -> Notification {
        Notification {
            id: NotificationId::new(),
            kind,
            about: About::Thread,
            client,
            client_name: "Thandi Mokoena".to_owned(),
            starts_at: None,
            amount: None,
            at: Timestamp::UNIX_EPOCH,
            is_seen,
        }
    }

    #[test]
    fn messages_in_a_row_are_one_line() {
        let (thandi, pieter) = (ClientId::new(), ClientId::new());
        let message = |client, is_seen| told(Kind::Message, client, is_seen);
        let booking = || told(Kind::Booked, thandi, false);
        let all = [
            message(thandi, false),
            message(thandi, false),
            message(pieter, false),
            message(thandi, false),
            message(thandi, true),
            message(thandi, true),
            booking(),
            booking(),
            message(thandi, true),
        ];
        let counts: Vec<_> = lines(&all).iter().map(|line| line.count).collect();
        assert_eq!(counts, [2, 1, 1, 2, 1, 1, 1]);
        assert_eq!(lines(&all)[0].newest, &all[0]);
        assert!(lines(&[]).is_empty());
    }

    #[test]
    fn every_kind_reads_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("x"), None);
    }
}
