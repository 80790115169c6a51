//! People who sign in: making them, finding who signs in, and setting passwords.

use super::{Error, Tx};
use crate::domain::id::PersonId;
use crate::domain::person::Person;
use crate::domain::topic::Topic;
use jiff::Timestamp;

/// A person to be.
#[derive(Debug, Clone)]
pub struct NewPerson {
    pub id: PersonId,
    /// Normalised by `domain::person::email`.
    pub email: String,
    pub name: String,
    pub password_hash: Option<String>,
    pub now: Timestamp,
}

/// Adds a person; [`Error::Conflict`] when the address is taken.
pub async fn create(tx: &mut Tx, new: &NewPerson) -> Result<(), Error> {
    tx.q(
        "INSERT INTO people (id, email, name, password_hash, disabled, created_at)
          VALUES ($1, $2, $3, $4, FALSE, $5)",
    )
    .bind(new.id.0)
    .bind(new.email.clone())
    .bind(new.name.clone())
    .bind(new.password_hash.clone())
    .bind(new.now.as_millisecond())
    .run()
    .await?;
    Ok(())
}

/// The person with this address and the hash of their password, if one was ever set.
pub async fn find_by_email(
    tx: &mut Tx,
    email: &str,
) -> Result<Option<(Person, Option<String>)>, Error> {
    let row: Option<(uuid::Uuid, String, String, bool, Option<String>)> = tx
        .q("SELECT id, email, name, disabled, password_hash FROM people WHERE email = $1")
        .bind(email.to_owned())
        .opt()
        .await?;
    Ok(row.map(|(id, email, name, disabled, hash)| {
        (
            Person {
                id: id.into(),
                email,
                name,
                disabled,
            },
            hash,
        )
    }))
}

/// Replaces the hash of the password that was just verified by one at today's cost, or by itself: the row is locked, so
/// that the answer, whether the password is still that one, holds until the commit.
pub async fn rehash(tx: &mut Tx, person: PersonId, old: &str, new: &str) -> Result<bool, Error> {
    let changed = tx
        .q("UPDATE people SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
        .bind(person.0)
        .bind(old.to_owned())
        .bind(new.to_owned())
        .run()
        .await?;
    Ok(changed > 0)
}

/// Sets a new password and ends every session that the old one, or nobody, began.
pub async fn set_password(
    tx: &mut Tx,
    person: PersonId,
    hash: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.q("UPDATE people SET password_hash = $2 WHERE id = $1")
        .bind(person.0)
        .bind(hash.to_owned())
        .run()
        .await?;
    // Whoever sets a first password has joined, and the list of clients says so.
    tx.touch(Topic::Clients);
    super::session::revoke_all(tx, person, now).await
}

/// Refuses or allows a person's sign-in; refusing ends every session of theirs.
pub async fn set_disabled(
    tx: &mut Tx,
    person: PersonId,
    disabled: bool,
    now: Timestamp,
) -> Result<(), Error> {
    let changed = tx
        .q("UPDATE people SET disabled = $2 WHERE id = $1")
        .bind(person.0)
        .bind(disabled)
        .run()
        .await?;
    if changed == 0 {
        return Err(Error::NotFound);
    }
    if disabled {
        super::session::revoke_all(tx, person, now).await?;
    }
    tx.touch(Topic::Viewer(person));
    tx.touch(Topic::Settings);
    Ok(())
}
