//! A form sent twice is done once: its key goes in first, with a hash of its fields, and later the outcome.

use super::{Error, Tx, hash};
use crate::domain::id::PersonId;
use jiff::Timestamp;

/// A form as it was sent.
#[derive(Debug, Clone)]
pub struct Form {
    pub person: PersonId,
    /// Rendered into the form; anything up to 100 characters.
    pub key: String,
    /// All that the person chose, in a fixed order.
    pub fields: String,
    pub now: Timestamp,
}

/// Takes the key. `Some` is the outcome of the same form sent before; [`Error::KeyReused`] when the fields differ.
pub async fn begin(tx: &mut Tx, form: &Form) -> Result<Option<String>, Error> {
    let fields = hash::of(&form.fields);
    let made = tx
        .q("INSERT INTO answers (person_id, key, fields, outcome, created_at) VALUES ($1, $2, $3, '', $4)
            ON CONFLICT (person_id, key) DO NOTHING")
        .bind(form.person.0)
        .bind(form.key.clone())
        .bind(fields.clone())
        .bind(form.now.as_millisecond())
        .run()
        .await?;
    if made > 0 {
        return Ok(None);
    }
    let (before, outcome): (String, String) = tx
        .q("SELECT fields, outcome FROM answers WHERE person_id = $1 AND key = $2")
        .bind(form.person.0)
        .bind(form.key.clone())
        .one()
        .await?;
    if before == fields {
        Ok(Some(outcome))
    } else {
        Err(Error::KeyReused)
    }
}

/// Gives the key back: the form was refused, and may be sent again.
pub(super) async fn forget(tx: &mut Tx, form: &Form) -> Result<(), Error> {
    tx.q("DELETE FROM answers WHERE person_id = $1 AND key = $2")
        .bind(form.person.0)
        .bind(form.key.clone())
        .run()
        .await?;
    Ok(())
}

/// Keeps the outcome for the next time.
pub async fn finish(tx: &mut Tx, form: &Form, outcome: &str) -> Result<(), Error> {
    tx.q("UPDATE answers SET outcome = $3 WHERE person_id = $1 AND key = $2")
        .bind(form.person.0)
        .bind(form.key.clone())
        .bind(outcome.to_owned())
        .run()
        .await?;
    Ok(())
}
