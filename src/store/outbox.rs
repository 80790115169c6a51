//! Mails as rows, written in the transaction of the fact that they tell of, one for each subject, version and kind.

use super::{Db, Error, Tx};
use crate::domain::email::{Email, Kind, Session};
use crate::domain::id::{BookingId, EmailId, PersonId, WaitId};
use crate::domain::topic::Topic;
use jiff::Timestamp;

/// A mail to be.
#[derive(Debug, Clone)]
pub struct NewEmail {
    /// What it is about: `booking/ID`, `token/HASH`.
    pub subject: String,
    pub version: i64,
    pub kind: Kind,
    pub person: PersonId,
    pub booking: Option<BookingId>,
    pub wait: Option<WaitId>,
    pub token: Option<String>,
    pub now: Timestamp,
}

/// Adds a mail, unless the same fact is already told.
pub async fn add(tx: &mut Tx, new: &NewEmail) -> Result<(), Error> {
    tx.q(
        "INSERT INTO outbox (id, subject, version, kind, person_id, booking_id, token, created_at, wait_id)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (subject, version, kind) DO NOTHING",
    )
    .bind(EmailId::new().0)
    .bind(new.subject.clone())
    .bind(new.version)
    .bind(new.kind.as_str())
    .bind(new.person.0)
    .bind(new.booking.map(|id| id.0))
    .bind(new.token.clone())
    .bind(new.now.as_millisecond())
    .bind(new.wait.map(|id| id.0))
    .run()
    .await?;
    tx.touch(Topic::Outbox);
    Ok(())
}

/// Takes the secrets out of a person's mails: their links have ended.
pub(super) async fn forget_secrets(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    let forgotten = tx
        .q("UPDATE outbox SET token = NULL WHERE person_id = $1 AND token IS NOT NULL")
        .bind(person.0)
        .run()
        .await?;
    if forgotten > 0 {
        tx.touch(Topic::Outbox);
    }
    Ok(())
}

/// Takes out the secrets of mails that are older than any link lives.
pub(super) async fn forget_old_secrets(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    let forgotten = tx
        .q("UPDATE outbox SET token = NULL WHERE token IS NOT NULL AND created_at < $1")
        .bind(before.as_millisecond())
        .run()
        .await?;
    if forgotten > 0 {
        tx.touch(Topic::Outbox);
    }
    Ok(())
}

/// How many mails wait to be sent.
pub async fn count(db: &Db) -> Result<i64, Error> {
    let (count,): (i64,) = db.q("SELECT COUNT(*) FROM outbox").one().await?;
    Ok(count)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    kind: String,
    token: Option<String>,
    created_at: i64,
    to_name: String,
    to_address: String,
    service_name: Option<String>,
    staff_name: Option<String>,
    starts_at: Option<i64>,
    minutes: Option<i64>,
    until_at: Option<i64>,
}

/// The newest mails, with the state they tell of as it is now.
pub async fn list(tx: &mut Tx, limit: i64, now: Timestamp) -> Result<Vec<Email>, Error> {
    let rows: Vec<Row> = tx
        .q("SELECT outbox.id, outbox.kind, outbox.token, outbox.created_at, people.name AS to_name,
                   people.email AS to_address, services.name AS service_name, helper.name AS staff_name,
                   COALESCE(bookings.starts_at, holds.starts_at) AS starts_at,
                   COALESCE(bookings.minutes, holds.minutes) AS minutes, holds.expires_at AS until_at
            FROM outbox JOIN people ON people.id = outbox.person_id
            LEFT JOIN bookings ON bookings.id = outbox.booking_id
            LEFT JOIN holds ON holds.wait_id = outbox.wait_id AND holds.expires_at > $2 LEFT JOIN waits ON waits.id = outbox.wait_id
            LEFT JOIN services ON services.id = COALESCE(bookings.service_id, waits.service_id)
            LEFT JOIN staff ON staff.id = COALESCE(bookings.staff_id, holds.staff_id) LEFT JOIN people AS helper ON helper.id = staff.person_id
            ORDER BY outbox.created_at DESC, outbox.id DESC LIMIT CAST($1 AS BIGINT)")
        .bind(limit)
        .bind(now.as_millisecond())
        .all()
        .await?;
    Ok(rows.into_iter().filter_map(Row::email).collect())
}

impl Row {
    fn email(self) -> Option<Email> {
        let session = (|| {
            Some(Session {
                service_name: self.service_name?,
                staff_name: self.staff_name?,
                starts_at: Timestamp::from_millisecond(self.starts_at?).ok()?,
                minutes: self.minutes?,
            })
        })();
        Some(Email {
            id: self.id.into(),
            kind: Kind::parse(&self.kind)?,
            to_name: self.to_name,
            to_address: self.to_address,
            created_at: Timestamp::from_millisecond(self.created_at).ok()?,
            token: self.token,
            session,
            until: self
                .until_at
                .and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        })
    }
}
