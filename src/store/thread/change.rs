//! Writing in a thread, and reading it to a place. Both sides are told by the same topics.

use crate::domain::id::{ClientId, MessageId, PersonId};
use crate::domain::message::{Body, fold};
use crate::domain::notification::{About, Kind};
use crate::domain::topic::Topic;
use crate::domain::viewer::Viewer;
use crate::store::answer::{self, Form};
use crate::store::notification::{self, NewNotification};
use crate::store::{Error, Tx};
use jiff::Timestamp;

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct NewMessage {
    pub viewer: Viewer,
    /// Whose thread it goes into.
    pub client: ClientId,
    pub body: Body,
    /// The form's key: sent twice, it is one message.
    pub key: String,
    pub now: Timestamp,
}

/// The person who writes or reads, and whether as staff. A client has no thread but their own.
fn side(viewer: &Viewer, client: ClientId) -> Result<(PersonId, bool), Error> {
    match viewer {
        Viewer::Client(own) if own.client == client => Ok((own.person, false)),
        Viewer::Staff(staff) => Ok((staff.person, true)),
        _ => Err(Error::NotFound),
    }
}

/// Sends, and tells the message's number; the same form again tells the same. Who writes has read what stands above.
pub async fn send(tx: &mut Tx, send: &NewMessage) -> Result<i64, Error> {
    let (person, from_staff) = side(&send.viewer, send.client)?;
    let form = Form {
        person,
        key: send.key.clone(),
        fields: format!("message {} {}", send.client, send.body.as_str()),
        now: send.now,
    };
    if let Some(outcome) = answer::begin(tx, &form).await? {
        return outcome.parse().map_err(|_| Error::KeyReused);
    }
    tx.q(
        "INSERT INTO threads (client_id, last_seq, client_read, staff_read, last_at)
          SELECT clients.id, 0, 0, 0, $2 FROM clients WHERE clients.id = $1
          ON CONFLICT (client_id) DO NOTHING",
    )
    .bind(send.client.0)
    .bind(send.now.as_millisecond())
    .run()
    .await?;
    // Whoever else writes now waits for this row, so that the numbers have no gap; and no instance's clock puts a message
    // before the one above it.
    let (seq, at): (i64, i64) = tx
        .q("UPDATE threads SET last_seq = last_seq + 1,
                   last_at = CASE WHEN last_at > $2 THEN last_at ELSE $2 END,
                   staff_read = CASE WHEN $3 THEN last_seq + 1 ELSE staff_read END,
                   client_read = CASE WHEN $3 THEN client_read ELSE last_seq + 1 END,
                   waiting_since = CASE WHEN $3 THEN NULL ELSE COALESCE(waiting_since, $2) END
            WHERE client_id = $1 RETURNING last_seq, last_at")
        .bind(send.client.0)
        .bind(send.now.as_millisecond())
        .bind(from_staff)
        .one()
        .await?;
    tx.q(
        "INSERT INTO messages (client_id, seq, id, author_id, from_staff, body, folded, at)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(send.client.0)
    .bind(seq)
    .bind(MessageId::new().0)
    .bind(person.0)
    .bind(from_staff)
    .bind(send.body.as_str().to_owned())
    .bind(fold(send.body.as_str()))
    .bind(at)
    .run()
    .await?;
    let notice = NewNotification {
        kind: Kind::Message,
        about: About::Thread,
        version: seq,
        client: send.client,
        starts_at: None,
        amount: None,
        now: send.now,
    };
    if from_staff {
        notification::tell_client(tx, &notice, Some(person)).await?;
    } else {
        notification::tell_staff(tx, &notice, Some(person)).await?;
    }
    notification::see_thread(tx, person, send.client, seq, send.now).await?;
    tx.touch(Topic::Thread(send.client));
    tx.touch(Topic::Threads);
    answer::finish(tx, &form, &seq.to_string()).await?;
    Ok(seq)
}

/// How far someone has read a thread.
#[derive(Debug, Clone)]
pub struct Read {
    pub viewer: Viewer,
    pub client: ClientId,
    /// The newest message that they saw.
    pub upto: i64,
    pub now: Timestamp,
}

/// Moves the mark of the reader's side on, never back and never beyond the last message. Staff share one mark; what each of
/// them was told of the thread is seen by each for themselves.
pub async fn read(tx: &mut Tx, read: &Read) -> Result<(), Error> {
    let (person, is_staff) = side(&read.viewer, read.client)?;
    let (_,): (uuid::Uuid,) = tx
        .q("SELECT id FROM clients WHERE id = $1")
        .bind(read.client.0)
        .one()
        .await?;
    let moved = if is_staff {
        tx.q(
            "UPDATE threads SET staff_read = CASE WHEN last_seq < $2 THEN last_seq ELSE $2 END
              WHERE client_id = $1 AND staff_read < $2 AND staff_read < last_seq",
        )
    } else {
        tx.q(
            "UPDATE threads SET client_read = CASE WHEN last_seq < $2 THEN last_seq ELSE $2 END
              WHERE client_id = $1 AND client_read < $2 AND client_read < last_seq",
        )
    };
    let moved = moved.bind(read.client.0).bind(read.upto).run().await?;
    if moved > 0 {
        tx.touch(Topic::Thread(read.client));
        tx.touch(Topic::Threads);
    }
    notification::see_thread(tx, person, read.client, read.upto, read.now).await
}
