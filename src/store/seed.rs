//! Many bookings at once, for a business that is invented whole: past ones too, which nobody could book any more.

use super::activity::{self, NewActivity};
use super::booking::occupied::{self, Taker};
use super::{Error, Tx};
use crate::domain::activity::Kind;
use crate::domain::booking::Status;
use crate::domain::id::{BookingId, ClientId, PersonId, StaffId};
use crate::domain::service::Service;
use crate::domain::slot::Busy;
use crate::domain::topic::Topic;
use jiff::Timestamp;

/// A booking as it stands after all that happened to it.
#[derive(Debug, Clone)]
pub struct Seeded {
    pub id: BookingId,
    pub client: ClientId,
    pub staff: StaffId,
    pub service: Service,
    pub start: Timestamp,
    pub status: Status,
    pub late: bool,
    pub version: i64,
    pub created_at: Timestamp,
    /// What happened, by whom and when, as the activity tells it.
    pub facts: Vec<(Kind, PersonId, Timestamp)>,
}

impl Seeded {
    /// The time it keeps others from, unless it was cancelled.
    pub fn busy(&self) -> Option<Busy> {
        (self.status != Status::Cancelled).then(|| self.service.busy(self.start))
    }
}

/// Writes the bookings, the time they take, and their activity, without mails. A few hundred fit in one transaction.
pub async fn bookings(tx: &mut Tx, all: &[Seeded]) -> Result<(), Error> {
    for seeded in all {
        booking(tx, seeded).await?;
        if let Some(busy) = seeded.busy() {
            occupied::take(tx, Taker::Booking(seeded.id), seeded.staff, &busy).await?;
        }
        for &(kind, actor, at) in &seeded.facts {
            let fact = NewActivity {
                staff: Some(seeded.staff),
                booking: Some(seeded.id),
                starts_at: Some(seeded.start),
                ..NewActivity::of(kind, Some(actor), seeded.client, at)
            };
            activity::add(tx, &fact).await?;
        }
        tx.touch(Topic::Calendar(seeded.staff));
        tx.touch(Topic::Client(seeded.client));
    }
    Ok(())
}

async fn booking(tx: &mut Tx, seeded: &Seeded) -> Result<(), Error> {
    tx.q("INSERT INTO bookings (id, client_id, staff_id, service_id, starts_at, minutes, before_minutes,
                                after_minutes, price, status, late, version, created_at)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
        .bind(seeded.id.0)
        .bind(seeded.client.0)
        .bind(seeded.staff.0)
        .bind(seeded.service.id.0)
        .bind(seeded.start.as_millisecond())
        .bind(seeded.service.minutes)
        .bind(seeded.service.before)
        .bind(seeded.service.after)
        .bind(seeded.service.price)
        .bind(seeded.status.as_str())
        .bind(seeded.late)
        .bind(seeded.version)
        .bind(seeded.created_at.as_millisecond())
        .run()
        .await?;
    Ok(())
}
