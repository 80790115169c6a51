//! Calendars to subscribe to: one a person, found by a secret of which only the hash is kept. Whoever makes a new one ends the
//! old one.

use super::{Error, Tx, hash, session};
use crate::domain::id::PersonId;
use crate::domain::viewer::Viewer;
use jiff::Timestamp;

/// A calendar to be.
#[derive(Debug, Clone)]
pub struct NewFeed {
    pub person: PersonId,
    /// From the system's random source; stands in the address.
    pub secret: String,
    pub now: Timestamp,
}

/// Makes someone's calendar; the address that they had before leads nowhere any more.
pub async fn create(tx: &mut Tx, new: &NewFeed) -> Result<(), Error> {
    tx.q("INSERT INTO feeds (person_id, hash, created_at) VALUES ($1, $2, $3)
          ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at")
        .bind(new.person.0)
        .bind(hash::of(&new.secret))
        .bind(new.now.as_millisecond())
        .run()
        .await?;
    Ok(())
}

/// Ends someone's calendar. Again is no change.
pub async fn revoke(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    tx.q("DELETE FROM feeds WHERE person_id = $1")
        .bind(person.0)
        .run()
        .await?;
    Ok(())
}

/// Whether someone has one.
pub async fn exists(tx: &mut Tx, person: PersonId) -> Result<bool, Error> {
    let row: Option<(i64,)> = tx
        .q("SELECT created_at FROM feeds WHERE person_id = $1")
        .bind(person.0)
        .opt()
        .await?;
    Ok(row.is_some())
}

/// Whose calendar an address leads to. Nobody's, when it is unknown or they are disabled.
pub async fn find(tx: &mut Tx, secret: &str) -> Result<Viewer, Error> {
    let part: session::Part = tx
        .q("SELECT people.id, people.name, staff.id, staff.role, clients.id
            FROM feeds JOIN people ON people.id = feeds.person_id
            LEFT JOIN staff ON staff.person_id = people.id LEFT JOIN clients ON clients.person_id = people.id
            WHERE feeds.hash = $1 AND NOT people.disabled")
        .bind(hash::of(secret))
        .one()
        .await?;
    session::viewer_of(part).ok_or(Error::NotFound)
}
