//! Sign-ins. The cookie's value is never kept, only its hash, and an ended session stays ended: no save brings it back.

use super::{Db, Error, Tx};
use crate::domain::id::PersonId;
use crate::domain::topic::Topic;
use crate::domain::viewer::{ClientViewer, Role, StaffViewer, Viewer};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};

/// How long a session lives without a request.
pub const IDLE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long a session lives at all.
pub const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How stale `idle_until` may be, so that not every page view writes.
const SLACK: SignedDuration = SignedDuration::from_mins(10);
/// The session's one field: who signed in.
pub const PERSON: &str = "person";

/// The hash under which a session is kept.
pub fn hash(id: &Id) -> String {
    super::hash::of(&id.to_string())
}

/// Who a session belongs to, and until when it lives if nothing happens.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub viewer: Viewer,
    pub until: Timestamp,
    idle_until: Timestamp,
    expires_at: Timestamp,
}

type Row = (
    uuid::Uuid,
    String,
    Option<uuid::Uuid>,
    Option<String>,
    Option<uuid::Uuid>,
    i64,
    i64,
);

/// Who is behind a session's hash: nobody, when it was ended, has expired, or its person is disabled.
pub async fn viewer(db: &Db, hash: &str, now: Timestamp) -> Result<Option<SignedIn>, Error> {
    let row: Option<Row> = db
        .q("SELECT people.id, people.name, staff.id, staff.role, clients.id, sessions.idle_until, sessions.expires_at
            FROM sessions JOIN people ON people.id = sessions.person_id
            LEFT JOIN staff ON staff.person_id = people.id LEFT JOIN clients ON clients.person_id = people.id
            WHERE sessions.hash = $1 AND sessions.revoked_at IS NULL AND sessions.idle_until > $2
              AND sessions.expires_at > $2 AND NOT people.disabled")
        .bind(hash.to_owned())
        .bind(now.as_millisecond())
        .opt()
        .await?;
    Ok(row.and_then(SignedIn::of))
}

/// Who is behind each of these hashes, as [`viewer`] would say of one.
pub async fn viewers(
    tx: &mut Tx,
    hashes: &[&str],
    now: Timestamp,
) -> Result<HashMap<String, SignedIn>, Error> {
    #[derive(sqlx::FromRow)]
    struct Found {
        hash: String,
        person: uuid::Uuid,
        name: String,
        staff: Option<uuid::Uuid>,
        role: Option<String>,
        client: Option<uuid::Uuid>,
        idle_until: i64,
        expires_at: i64,
    }
    let hashes = serde_json::to_string(hashes).expect("strings are JSON");
    let found: Vec<Found> = tx
        .pair(
            "SELECT sessions.hash, people.id AS person, people.name, staff.id AS staff, staff.role, clients.id AS client,
                    sessions.idle_until, sessions.expires_at
             FROM sessions JOIN people ON people.id = sessions.person_id
             LEFT JOIN staff ON staff.person_id = people.id LEFT JOIN clients ON clients.person_id = people.id
             WHERE sessions.hash IN (SELECT value FROM json_each($1)) AND sessions.revoked_at IS NULL
               AND sessions.idle_until > $2 AND sessions.expires_at > $2 AND NOT people.disabled",
            "SELECT sessions.hash, people.id AS person, people.name, staff.id AS staff, staff.role, clients.id AS client,
                    sessions.idle_until, sessions.expires_at
             FROM sessions JOIN people ON people.id = sessions.person_id
             LEFT JOIN staff ON staff.person_id = people.id LEFT JOIN clients ON clients.person_id = people.id
             WHERE sessions.hash IN (SELECT json_array_elements_text(CAST($1 AS JSON))) AND sessions.revoked_at IS NULL
               AND sessions.idle_until > $2 AND sessions.expires_at > $2 AND NOT people.disabled",
        )
        .bind(hashes)
        .bind(now.as_millisecond())
        .all()
        .await?;
    let signed_in = |one: Found| {
        let row = (
            one.person,
            one.name,
            one.staff,
            one.role,
            one.client,
            one.idle_until,
            one.expires_at,
        );
        Some((one.hash, SignedIn::of(row)?))
    };
    Ok(found.into_iter().filter_map(signed_in).collect())
}

/// A person in their part, and its role and ids: id, name, staff, role, client.
pub(super) type Part = (
    uuid::Uuid,
    String,
    Option<uuid::Uuid>,
    Option<String>,
    Option<uuid::Uuid>,
);

/// Who someone is here, if anybody.
pub(super) fn viewer_of((person, name, staff, role, client): Part) -> Option<Viewer> {
    let person = person.into();
    match (staff, role, client) {
        (Some(staff), Some(role), _) => Some(Viewer::Staff(StaffViewer {
            person,
            staff: staff.into(),
            name,
            role: Role::parse(&role),
        })),
        (_, _, Some(client)) => Some(Viewer::Client(ClientViewer {
            person,
            client: client.into(),
            name,
        })),
        _ => None,
    }
}

impl SignedIn {
    fn of((person, name, staff, role, client, idle_until, expires_at): Row) -> Option<Self> {
        let viewer = viewer_of((person, name, staff, role, client))?;
        let at = |ms| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MIN);
        let (idle_until, expires_at) = (at(idle_until), at(expires_at));
        Some(Self {
            viewer,
            until: idle_until.min(expires_at),
            idle_until,
            expires_at,
        })
    }

    /// Whether a request now should push the idle limit back.
    pub fn wants_extending(&self, now: Timestamp) -> bool {
        self.idle_until.duration_since(now) < IDLE - SLACK && self.idle_until < self.expires_at
    }
}

/// Pushes a live session's idle limit back.
pub async fn extend(tx: &mut Tx, hash: &str, now: Timestamp) -> Result<(), Error> {
    tx.q("UPDATE sessions SET idle_until = $2 WHERE hash = $1 AND revoked_at IS NULL AND idle_until > $3")
        .bind(hash.to_owned())
        .bind((now + IDLE).as_millisecond())
        .bind(now.as_millisecond())
        .run()
        .await?;
    Ok(())
}

/// Ends one session.
pub async fn revoke(tx: &mut Tx, hash: &str, now: Timestamp) -> Result<(), Error> {
    let person: Option<(Option<uuid::Uuid>,)> = tx
        .q("UPDATE sessions SET revoked_at = $2 WHERE hash = $1 AND revoked_at IS NULL RETURNING person_id")
        .bind(hash.to_owned())
        .bind(now.as_millisecond())
        .opt()
        .await?;
    if let Some((Some(person),)) = person {
        tx.touch(Topic::Viewer(person.into()));
    }
    Ok(())
}

/// Ends every session of a person.
pub async fn revoke_all(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<(), Error> {
    tx.q("UPDATE sessions SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL")
        .bind(person.0)
        .bind(now.as_millisecond())
        .run()
        .await?;
    tx.touch(Topic::Viewer(person));
    Ok(())
}

/// Forgets what ended long ago: sessions, links and answered forms. Nothing refers to them.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    let day_ago = (now - SignedDuration::from_hours(24)).as_millisecond();
    tx.q("DELETE FROM sessions WHERE expires_at < $1")
        .bind(day_ago)
        .run()
        .await?;
    tx.q("DELETE FROM answers WHERE created_at < $1")
        .bind(day_ago)
        .run()
        .await?;
    tx.q("DELETE FROM throttles WHERE last_at < $1")
        .bind(day_ago)
        .run()
        .await?;
    super::outbox::forget_old_secrets(tx, now - super::token::LONGEST).await
}

/// tower-sessions' store over our tables.
#[derive(Debug, Clone)]
pub struct Sessions {
    db: Db,
    clock: crate::clock::Clock,
}

impl Sessions {
    pub fn new(db: Db, clock: crate::clock::Clock) -> Self {
        Self { db, clock }
    }
}

struct Save {
    hash: String,
    person: Option<PersonId>,
    data: String,
    now: Timestamp,
}

impl Save {
    fn of(record: &Record, now: Timestamp) -> Result<Self, session_store::Error> {
        let encode = |error: serde_json::Error| session_store::Error::Encode(error.to_string());
        let person = record
            .data
            .get(PERSON)
            .cloned()
            .map(serde_json::from_value)
            .transpose()
            .map_err(encode)?;
        let data = serde_json::to_string(&record.data).map_err(encode)?;
        Ok(Self {
            hash: hash(&record.id),
            person,
            data,
            now,
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn backend(error: Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let save = Save::of(record, self.clock.now())?;
        self.db
            .transact(save, |tx, save| {
                Box::pin(async move {
                    tx.q("INSERT INTO sessions (hash, person_id, data, created_at, idle_until, expires_at)
                          VALUES ($1, $2, $3, $4, $5, $6)")
                        .bind(save.hash.clone())
                        .bind(save.person.map(|person| person.0))
                        .bind(save.data.clone())
                        .bind(save.now.as_millisecond())
                        .bind((save.now + IDLE).as_millisecond())
                        .bind((save.now + LIFE).as_millisecond())
                        .run()
                        .await?;
                    Ok(())
                })
            })
            .await
            .map_err(backend)
    }

    /// Changes a live row only: an upsert here would undo a logout that happened during a slow request.
    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let save = Save::of(record, self.clock.now())?;
        self.db
            .transact(save, |tx, save| {
                Box::pin(async move {
                    tx.q("UPDATE sessions SET person_id = $2, data = $3 WHERE hash = $1 AND revoked_at IS NULL")
                        .bind(save.hash.clone())
                        .bind(save.person.map(|person| person.0))
                        .bind(save.data.clone())
                        .run()
                        .await?;
                    Ok(())
                })
            })
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let now = self.clock.now();
        let row: Option<(String, i64)> = self
            .db
            .q("SELECT data, expires_at FROM sessions
                WHERE hash = $1 AND revoked_at IS NULL AND idle_until > $2 AND expires_at > $2")
            .bind(hash(id))
            .bind(now.as_millisecond())
            .opt()
            .await
            .map_err(backend)?;
        let Some((data, expires_at)) = row else {
            return Ok(None);
        };
        let decode = |error: serde_json::Error| session_store::Error::Decode(error.to_string());
        let expiry_date = time::OffsetDateTime::from_unix_timestamp(expires_at / 1000)
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(&data).map_err(decode)?,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.db
            .transact((hash(id), self.clock.now()), |tx, (hash, now)| {
                Box::pin(revoke(tx, hash, *now))
            })
            .await
            .map_err(backend)
    }
}
