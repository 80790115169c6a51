//! What happened, as staff read it: one line a fact, never edited.

use super::id::{ActivityId, InvoiceId};
use super::rule::Rule;
use jiff::Timestamp;

/// The kinds of fact. Their words are what the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Booked,
    Moved,
    Cancelled,
    CancelledLate,
    Completed,
    Missed,
    Invited,
    Invoiced,
    Voided,
    Paid,
    /// Money came for an invoice that was void or paid already.
    PaidLate,
    PaymentFailed,
    ServiceAdded,
    ServiceChanged,
    ServiceRetired,
    ServiceOffered,
    HoursChanged,
    RulesChanged,
}

impl Kind {
    const ALL: [Self; 18] = [
        Self::Booked,
        Self::Moved,
        Self::Cancelled,
        Self::CancelledLate,
        Self::Completed,
        Self::Missed,
        Self::Invited,
        Self::Invoiced,
        Self::Voided,
        Self::Paid,
        Self::PaidLate,
        Self::PaymentFailed,
        Self::ServiceAdded,
        Self::ServiceChanged,
        Self::ServiceRetired,
        Self::ServiceOffered,
        Self::HoursChanged,
        Self::RulesChanged,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
            Self::CancelledLate => "cancelled_late",
            Self::Completed => "completed",
            Self::Missed => "missed",
            Self::Invited => "invited",
            Self::Invoiced => "invoiced",
            Self::Voided => "voided",
            Self::Paid => "paid",
            Self::PaidLate => "paid_late",
            Self::PaymentFailed => "payment_failed",
            Self::ServiceAdded => "service_added",
            Self::ServiceChanged => "service_changed",
            Self::ServiceRetired => "service_retired",
            Self::ServiceOffered => "service_offered",
            Self::HoursChanged => "hours_changed",
            Self::RulesChanged => "rules_changed",
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
    /// The client whom it concerns, or for a change of the settings who made it.
    pub name: String,
    /// What was changed, where it is about no client: a service, someone's hours.
    pub about: Option<String>,
    /// The member of staff whose calendar it was in, and the session's start, where it is about one.
    pub staff_name: Option<String>,
    pub starts_at: Option<Timestamp>,
    /// The invoice, its number, and the minor units that it is about.
    pub invoice: Option<(InvoiceId, Option<i64>)>,
    pub amount: Option<i64>,
    /// Which rules staff set aside for it, and why.
    pub rules: Vec<Rule>,
    pub reason: Option<String>,
}
