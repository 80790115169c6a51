//! What can be booked: how long it takes, what it costs, how much room it wants around it.

use super::booking::plus;
use super::id::ServiceId;
use super::slot::{Busy, Terms};
use super::viewer::Viewer;
use jiff::Timestamp;

/// A kind of session on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub id: ServiceId,
    pub name: String,
    /// Minor units of the business's currency.
    pub price: i64,
    /// Minutes between two starts on the grid.
    pub step: i64,
    /// Minutes it takes, and its buffers.
    pub minutes: i64,
    pub before: i64,
    pub after: i64,
    /// Minutes that a client must book ahead.
    pub notice: i64,
}

impl Service {
    /// The service as this viewer books it: notice protects staff from clients, not from themselves.
    #[must_use]
    pub fn asked_by(self, viewer: &Viewer) -> Self {
        let notice = if matches!(viewer, Viewer::Staff(_)) {
            0
        } else {
            self.notice
        };
        Self { notice, ..self }
    }

    /// The time that a session of it, begun at `start`, keeps others from.
    pub fn busy(&self, start: Timestamp) -> Busy {
        Busy {
            start,
            end: plus(start, self.minutes),
            before: self.before,
            after: self.after,
        }
    }

    /// What this service asks of a slot.
    pub fn terms(&self) -> Terms {
        Terms {
            minutes: self.minutes,
            step: self.step,
            before: self.before,
            after: self.after,
            notice: self.notice,
        }
    }
}
