//! What people should know, written in the transaction of the fact: a row for each fact and person.

use super::{Error, Tx};
use crate::domain::id::{ClientId, NotificationId, PersonId};
use crate::domain::notification::{About, Kind};
use crate::domain::topic::Topic;
use jiff::Timestamp;

/// A fact that people should know.
#[derive(Debug, Clone)]
pub struct NewNotification {
    pub kind: Kind,
    pub about: About,
    /// The version of what it is about: the same fact told twice is one notification.
    pub version: i64,
    pub client: ClientId,
    pub starts_at: Option<Timestamp>,
    /// Minor units.
    pub amount: Option<i64>,
    pub now: Timestamp,
}

/// Tells the client, unless they did it themselves.
pub(super) async fn tell_client(
    tx: &mut Tx,
    new: &NewNotification,
    actor: Option<PersonId>,
) -> Result<(), Error> {
    let (person,): (uuid::Uuid,) = tx
        .q("SELECT person_id FROM clients WHERE id = $1")
        .bind(new.client.0)
        .one()
        .await?;
    if actor.is_some_and(|actor| actor.0 == person) {
        return Ok(());
    }
    add(tx, new, person.into()).await
}

/// Tells all staff but the one who did it.
pub(super) async fn tell_staff(
    tx: &mut Tx,
    new: &NewNotification,
    actor: Option<PersonId>,
) -> Result<(), Error> {
    for staff in super::staff::list(tx).await? {
        if actor != Some(staff.person) {
            add(tx, new, staff.person).await?;
        }
    }
    Ok(())
}

async fn add(tx: &mut Tx, new: &NewNotification, person: PersonId) -> Result<(), Error> {
    let (subject, booking, invoice) = match new.about {
        About::Booking(id) => (format!("booking/{id}"), Some(id.0), None),
        About::Invoice(id) => (format!("invoice/{id}"), None, Some(id.0)),
        About::Thread => (format!("thread/{}", new.client), None, None),
    };
    tx.q(
        "INSERT INTO notifications (id, person_id, subject, version, kind, client_id, booking_id, invoice_id,
                                    starts_at, amount, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (person_id, subject, version, kind) DO NOTHING",
    )
    .bind(NotificationId::new().0)
    .bind(person.0)
    .bind(subject)
    .bind(new.version)
    .bind(new.kind.as_str())
    .bind(new.client.0)
    .bind(booking)
    .bind(invoice)
    .bind(new.starts_at.map(Timestamp::as_millisecond))
    .bind(new.amount)
    .bind(new.now.as_millisecond())
    .run()
    .await?;
    tx.touch(Topic::Notifications(person));
    Ok(())
}
