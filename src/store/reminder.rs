//! Reminders: which sessions come up without their client having been told, and who wants to be told.

use super::outbox::{self, NewEmail};
use super::{Db, Error, Tx, business};
use crate::domain::email::Kind;
use crate::domain::id::PersonId;
use jiff::{SignedDuration, Timestamp};

/// Reminders written in one transaction: it must not take seconds.
const AT_A_TIME: i64 = 200;

/// Sessions that begin within `$2` milliseconds of `$1`, of whom nobody was told within that time: neither that they were
/// booked or moved, nor by another reminder. Instances that find the same write one row, by the key of the outbox.
const DUE: &str = "SELECT bookings.id, bookings.version, clients.person_id FROM bookings
    JOIN clients ON clients.id = bookings.client_id JOIN people ON people.id = clients.person_id
    WHERE bookings.status = 'confirmed' AND bookings.starts_at > $1 AND bookings.starts_at <= $1 + $2
      AND bookings.created_at < bookings.starts_at - $2 AND people.reminders AND NOT people.disabled
      AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.booking_id = bookings.id
                      AND outbox.person_id = clients.person_id AND outbox.created_at >= bookings.starts_at - $2)
    ORDER BY bookings.starts_at LIMIT CAST($3 AS BIGINT)";

/// Whether [`write`] would write anything: asked often, and mostly in vain.
pub async fn is_due(db: &Db, now: Timestamp) -> Result<bool, Error> {
    let mut tx = db.snapshot().await?;
    for before in business::load(&mut tx).await?.reminders {
        if !due(&mut tx, now, before, 1).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes the mails of the reminders that are due, and tells how many there were.
pub async fn write(tx: &mut Tx, now: Timestamp) -> Result<usize, Error> {
    let mut count = 0;
    for before in business::load(tx).await?.reminders {
        for (booking, version, person) in due(tx, now, before, AT_A_TIME).await? {
            let mail = NewEmail {
                subject: format!("booking/{booking}/reminder/{before}"),
                version,
                kind: Kind::Reminder,
                person: person.into(),
                booking: Some(booking.into()),
                wait: None,
                token: None,
                now,
            };
            outbox::add(tx, &mail).await?;
            count += 1;
        }
    }
    Ok(count)
}

async fn due(
    tx: &mut Tx,
    now: Timestamp,
    before: i64,
    most: i64,
) -> Result<Vec<(uuid::Uuid, i64, uuid::Uuid)>, Error> {
    let before = SignedDuration::from_mins(before).as_millis();
    tx.q(DUE)
        .bind(now.as_millisecond())
        .bind(i64::try_from(before).unwrap_or(0))
        .bind(most)
        .all()
        .await
}

/// Whether someone wants to be reminded.
pub async fn is_wanted(tx: &mut Tx, person: PersonId) -> Result<bool, Error> {
    let (wanted,): (bool,) = tx
        .q("SELECT reminders FROM people WHERE id = $1")
        .bind(person.0)
        .one()
        .await?;
    Ok(wanted)
}

/// Notes whether someone wants to be reminded. A reminder that waits already is read again before it leaves.
pub async fn want(tx: &mut Tx, person: PersonId, wanted: bool) -> Result<(), Error> {
    let changed = tx
        .q("UPDATE people SET reminders = $2 WHERE id = $1")
        .bind(person.0)
        .bind(wanted)
        .run()
        .await?;
    if changed == 0 {
        return Err(Error::NotFound);
    }
    Ok(())
}
