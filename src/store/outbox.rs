//! Mails as rows, written in the transaction of the fact that they tell of, one for each subject, version and kind.

mod send;

pub use send::{Claim, Outcome, Settle, claim, is_due, settle};

use super::{Db, Error, Tx, at};
use crate::domain::booking::Status;
use crate::domain::email::{Email, Kind, Offer, Progress, Session};
use crate::domain::id::{BookingId, EmailId, PersonId, WaitId};
use crate::domain::topic::Topic;
use jiff::Timestamp;

/// The columns of a [`Row`], and what closes the statement.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT outbox.id, outbox.kind, outbox.version, outbox.token, outbox.created_at, outbox.status, outbox.tries,
                    outbox.due_at, outbox.reason, COALESCE(outbox.retried_at, outbox.created_at) AS waits_since,
                    outbox.ended_at, people.id AS person_id, people.reminders, people.name AS to_name, people.email AS to_address,
                    EXISTS (SELECT 1 FROM outbox AS later WHERE later.subject = outbox.subject
                            AND later.version > outbox.version) AS is_outdated,
                    tokens.expires_at AS link_until, bookings.id AS booking_id, bookings.version AS booking_version,
                    bookings.status AS booking_status, services.name AS service_name, services.video_url,
                    helper.name AS staff_name, guest.name AS client_name,
                    clients.person_id <> outbox.person_id AS for_staff, bookings.starts_at, bookings.minutes,
                    wanted.name AS offer_service, offering.name AS offer_staff, holds.starts_at AS offer_starts_at,
                    holds.minutes AS offer_minutes, holds.expires_at AS offer_until
             FROM outbox JOIN people ON people.id = outbox.person_id
             LEFT JOIN tokens ON outbox.token IS NOT NULL AND outbox.subject = 'token/' || tokens.hash
                             AND tokens.used_at IS NULL
             LEFT JOIN bookings ON bookings.id = outbox.booking_id
             LEFT JOIN services ON services.id = bookings.service_id
             LEFT JOIN clients ON clients.id = bookings.client_id LEFT JOIN people AS guest ON guest.id = clients.person_id
             LEFT JOIN staff ON staff.id = bookings.staff_id LEFT JOIN people AS helper ON helper.id = staff.person_id
             LEFT JOIN holds ON holds.wait_id = outbox.wait_id LEFT JOIN waits ON waits.id = outbox.wait_id
             LEFT JOIN services AS wanted ON wanted.id = waits.service_id
             LEFT JOIN staff AS offerer ON offerer.id = holds.staff_id LEFT JOIN people AS offering ON offering.id = offerer.person_id ",
            $tail
        )
    };
}

/// A mail to be.
#[derive(Debug, Clone)]
pub struct NewEmail {
    /// What it is about, and for whom where that is not the client: `booking/ID`, `booking/ID/staff/ID`, `wait/ID`, `token/HASH`.
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
    let (count,): (i64,) = db
        .q("SELECT COUNT(*) FROM outbox WHERE status = 'waiting'")
        .one()
        .await?;
    Ok(count)
}

/// What failed, what waits, and what is done, the newest of each first, with the state they tell of as it is now.
pub async fn list(tx: &mut Tx, limit: i64) -> Result<Vec<Email>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "ORDER BY CASE outbox.status WHEN 'failed' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END,
                      outbox.created_at DESC, outbox.id DESC LIMIT CAST($1 AS BIGINT)"
        ))
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().filter_map(Row::email).collect())
}

/// What was taken under a lease.
async fn taken(tx: &mut Tx, lease: &str) -> Result<Vec<Email>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE outbox.lease = $1 AND outbox.status = 'waiting' ORDER BY outbox.created_at, outbox.id"
        ))
        .bind(lease.to_owned())
        .all()
        .await?;
    Ok(rows.into_iter().filter_map(Row::email).collect())
}

/// Tries a failed mail again, from the beginning. One that does not stand as failed is left as it is.
pub async fn retry(tx: &mut Tx, id: EmailId, now: Timestamp) -> Result<(), Error> {
    let back = tx
        .q(
            "UPDATE outbox SET status = 'waiting', tries = 0, due_at = $2, retried_at = $2, ended_at = NULL,
                               reason = NULL WHERE id = $1 AND status = 'failed'",
        )
        .bind(id.0)
        .bind(now.as_millisecond())
        .run()
        .await?;
    if back > 0 {
        tx.touch(Topic::Outbox);
        return Ok(());
    }
    let _: (i64,) = tx
        .q("SELECT version FROM outbox WHERE id = $1")
        .bind(id.0)
        .one()
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    kind: String,
    version: i64,
    token: Option<String>,
    created_at: i64,
    status: String,
    tries: i64,
    due_at: i64,
    reason: Option<String>,
    waits_since: i64,
    ended_at: Option<i64>,
    person_id: uuid::Uuid,
    reminders: bool,
    to_name: String,
    to_address: String,
    is_outdated: bool,
    link_until: Option<i64>,
    booking_id: Option<uuid::Uuid>,
    booking_version: Option<i64>,
    booking_status: Option<String>,
    service_name: Option<String>,
    video_url: Option<String>,
    staff_name: Option<String>,
    client_name: Option<String>,
    for_staff: Option<bool>,
    starts_at: Option<i64>,
    minutes: Option<i64>,
    offer_service: Option<String>,
    offer_staff: Option<String>,
    offer_starts_at: Option<i64>,
    offer_minutes: Option<i64>,
    offer_until: Option<i64>,
}

impl Row {
    fn email(self) -> Option<Email> {
        let session = (|| {
            Some(Session {
                booking: self.booking_id?.into(),
                version: self.booking_version?,
                told_version: self.version,
                status: Status::parse(&self.booking_status?)?,
                service_name: self.service_name?,
                client_name: self.client_name?,
                staff_name: self.staff_name?,
                video_url: self.video_url,
                starts_at: at(self.starts_at?),
                minutes: self.minutes?,
                for_staff: self.for_staff?,
            })
        })();
        let offer = (|| {
            Some(Offer {
                service_name: self.offer_service?,
                staff_name: self.offer_staff?,
                starts_at: at(self.offer_starts_at?),
                minutes: self.offer_minutes?,
                until: at(self.offer_until?),
            })
        })();
        Some(Email {
            id: self.id.into(),
            kind: Kind::parse(&self.kind)?,
            to: self.person_id.into(),
            wants_reminders: self.reminders,
            to_name: self.to_name,
            to_address: self.to_address,
            created_at: at(self.created_at),
            token: self.token,
            link_until: self.link_until.map(at),
            session,
            offer,
            is_outdated: self.is_outdated,
            progress: Progress::parse(&self.status)?,
            tries: self.tries,
            due_at: at(self.due_at),
            waits_since: at(self.waits_since),
            ended_at: self.ended_at.map(at),
            reason: self.reason,
        })
    }
}
