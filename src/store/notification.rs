//! What people should know, written in the transaction of the fact: a row for each fact and person.

use super::{Error, Tx};
use crate::domain::id::{ClientId, NotificationId, PersonId};
use crate::domain::notification::{About, Kind, Notification};
use crate::domain::topic::Topic;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// How long what someone has seen is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

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
        About::Wait(id) => (format!("wait/{id}"), None, None),
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

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    subject: String,
    kind: String,
    client_id: uuid::Uuid,
    client_name: String,
    booking_id: Option<uuid::Uuid>,
    invoice_id: Option<uuid::Uuid>,
    starts_at: Option<i64>,
    amount: Option<i64>,
    created_at: i64,
    seen_at: Option<i64>,
}

/// What someone was told last, newest first.
pub async fn list(tx: &mut Tx, person: PersonId, limit: i64) -> Result<Vec<Notification>, Error> {
    let rows: Vec<Row> = tx
        .q("SELECT notifications.id, notifications.subject, notifications.kind, notifications.client_id, people.name AS client_name,
                   notifications.booking_id, notifications.invoice_id, notifications.starts_at,
                   notifications.amount, notifications.created_at, notifications.seen_at
            FROM notifications JOIN clients ON clients.id = notifications.client_id
            JOIN people ON people.id = clients.person_id
            WHERE notifications.person_id = $1
            ORDER BY notifications.created_at DESC, notifications.id DESC LIMIT CAST($2 AS BIGINT)")
        .bind(person.0)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().filter_map(Row::notification).collect())
}

impl Row {
    fn notification(self) -> Option<Notification> {
        let at = |ms| Timestamp::from_millisecond(ms).ok();
        let about = match (self.booking_id, self.invoice_id) {
            (Some(id), _) => About::Booking(id.into()),
            (None, Some(id)) => About::Invoice(id.into()),
            (None, None) => match self.subject.strip_prefix("wait/") {
                Some(id) => About::Wait(id.parse().ok()?),
                None => About::Thread,
            },
        };
        Some(Notification {
            id: self.id.into(),
            kind: Kind::parse(&self.kind)?,
            about,
            client: self.client_id.into(),
            client_name: self.client_name,
            starts_at: self.starts_at.and_then(at),
            amount: self.amount,
            at: at(self.created_at)?,
            is_seen: self.seen_at.is_some(),
        })
    }
}

/// Someone looks at what they were told.
#[derive(Debug, Clone)]
pub struct See {
    pub person: PersonId,
    /// The newest that they were shown: what came since stays unseen.
    pub upto: NotificationId,
    pub now: Timestamp,
}

/// Marks what someone has seen. Again is no change.
pub async fn see(tx: &mut Tx, see: &See) -> Result<(), Error> {
    let (shown_at,): (i64,) = tx
        .q("SELECT created_at FROM notifications WHERE id = $1 AND person_id = $2")
        .bind(see.upto.0)
        .bind(see.person.0)
        .one()
        .await?;
    let seen = tx
        .q("UPDATE notifications SET seen_at = $4
            WHERE person_id = $1 AND seen_at IS NULL AND (created_at < $2 OR (created_at = $2 AND id <= $3))")
        .bind(see.person.0)
        .bind(shown_at)
        .bind(see.upto.0)
        .bind(see.now.as_millisecond())
        .run()
        .await?;
    if seen > 0 {
        tx.touch(Topic::Notifications(see.person));
    }
    Ok(())
}

/// What someone was told of a thread is seen, up to that message.
pub(super) async fn see_thread(
    tx: &mut Tx,
    person: PersonId,
    client: ClientId,
    upto: i64,
    now: Timestamp,
) -> Result<(), Error> {
    let seen = tx
        .q("UPDATE notifications SET seen_at = $4
            WHERE person_id = $1 AND subject = $2 AND version <= $3 AND seen_at IS NULL")
        .bind(person.0)
        .bind(format!("thread/{client}"))
        .bind(upto)
        .bind(now.as_millisecond())
        .run()
        .await?;
    if seen > 0 {
        tx.touch(Topic::Notifications(person));
    }
    Ok(())
}

/// Forgets what was seen long ago. What nobody has seen is kept.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    let people: Vec<(uuid::Uuid,)> = tx
        .q("DELETE FROM notifications WHERE seen_at < $1 RETURNING person_id")
        .bind((now - KEPT).as_millisecond())
        .all()
        .await?;
    let people: BTreeSet<_> = people.into_iter().collect();
    for (person,) in people {
        tx.touch(Topic::Notifications(person.into()));
    }
    Ok(())
}
