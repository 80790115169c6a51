//! A mail's way out: taken by one instance for a while, sent, and marked by whoever still holds it. An instance that dies in
//! between leaves a lease that ends; one that was frozen comes back to a lease that is not its own, and marks nothing.

use crate::domain::email::Email;
use crate::domain::id::EmailId;
use crate::domain::topic::Topic;
use crate::store::{Db, Error, Tx};
use jiff::Timestamp;

/// Whether the turn of any mail has come: asked often, and mostly in vain.
pub async fn is_due(db: &Db, now: Timestamp) -> Result<bool, Error> {
    let due: Option<(i64,)> = db
        .q(
            "SELECT version FROM outbox AS next WHERE status = 'waiting' AND due_at <= $1
               AND (lease_until IS NULL OR lease_until <= $1)
               AND NOT EXISTS (
                   SELECT 1 FROM outbox AS older
                   WHERE older.person_id = next.person_id AND older.status = 'waiting'
                     AND (older.created_at, older.id) < (next.created_at, next.id))
             LIMIT 1",
        )
        .bind(now.as_millisecond())
        .opt()
        .await?;
    Ok(due.is_some())
}

/// Mails to be taken.
#[derive(Debug, Clone)]
pub struct Claim {
    /// A name that nobody had before.
    pub lease: String,
    pub now: Timestamp,
    pub until: Timestamp,
    /// How many at most.
    pub most: i64,
}

/// Takes mails whose turn has come, with the state they tell of as it is now. Of one person only the oldest that waits: what
/// is told about later arrives later.
pub async fn claim(tx: &mut Tx, claim: &Claim) -> Result<Vec<Email>, Error> {
    // Said again outside the list: whoever waited here for another instance finds its lease.
    let taken = tx
        .q(
            "UPDATE outbox SET lease = $1, lease_until = $2, tries = tries + 1
            WHERE status = 'waiting' AND (lease_until IS NULL OR lease_until <= $3) AND id IN (
                SELECT next.id FROM outbox AS next
                WHERE next.status = 'waiting' AND next.due_at <= $3
                  AND (next.lease_until IS NULL OR next.lease_until <= $3)
                  AND NOT EXISTS (
                      SELECT 1 FROM outbox AS older
                      WHERE older.person_id = next.person_id AND older.status = 'waiting'
                        AND (older.created_at, older.id) < (next.created_at, next.id))
                ORDER BY next.created_at, next.id LIMIT CAST($4 AS BIGINT))",
        )
        .bind(claim.lease.clone())
        .bind(claim.until.as_millisecond())
        .bind(claim.now.as_millisecond())
        .bind(claim.most)
        .run()
        .await?;
    if taken == 0 {
        return Ok(Vec::new());
    }
    super::taken(tx, &claim.lease).await
}

/// What became of a mail that was taken.
#[derive(Debug, Clone)]
pub enum Outcome {
    Sent,
    /// To be tried again, not before `due_at`.
    Later {
        due_at: Timestamp,
        reason: String,
    },
    Failed {
        reason: String,
    },
    Dropped {
        reason: String,
    },
}

/// A mail to be marked.
#[derive(Debug, Clone)]
pub struct Settle {
    pub email: EmailId,
    /// Under which it was taken.
    pub lease: String,
    pub outcome: Outcome,
    pub now: Timestamp,
}

/// Marks what became of a mail, unless somebody else holds it by now. A secret goes with the mail that carried it.
pub async fn settle(tx: &mut Tx, settle: &Settle) -> Result<(), Error> {
    let now = settle.now;
    let (status, due_at, ended_at, reason) = match &settle.outcome {
        Outcome::Sent => ("sent", now, Some(now), None),
        Outcome::Later { due_at, reason } => ("waiting", *due_at, None, Some(reason)),
        Outcome::Failed { reason } => ("failed", now, Some(now), Some(reason)),
        Outcome::Dropped { reason } => ("dropped", now, Some(now), Some(reason)),
    };
    let marked = tx
        .q(
            "UPDATE outbox SET status = $3, due_at = $4, ended_at = $5, reason = $6, lease = NULL, lease_until = NULL,
                 token = CASE WHEN CAST($3 AS TEXT) IN ('sent', 'dropped') THEN NULL ELSE token END
             WHERE id = $1 AND lease = $2 AND status = 'waiting'",
        )
        .bind(settle.email.0)
        .bind(settle.lease.clone())
        .bind(status)
        .bind(due_at.as_millisecond())
        .bind(ended_at.map(Timestamp::as_millisecond))
        .bind(reason.cloned())
        .run()
        .await?;
    if marked > 0 {
        tx.touch(Topic::Outbox);
    }
    Ok(())
}
