//! How much waits for someone, in one statement: every page asks, and each statement is a trip to the database.

use super::{Error, Tx};
use crate::domain::id::{ClientId, PersonId};
use jiff::civil::Date;

/// What waits for a client, or without one for staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Waiting {
    /// What the person was told and has not seen.
    pub unseen: i64,
    /// A client's that are not paid; for staff all that are overdue.
    pub invoices: i64,
    /// A client's unread messages from staff; for staff the threads that none of them has read to the end.
    pub messages: i64,
}

/// Counts it. Read by regions whose watchers were asked before whether they may.
pub async fn waiting(
    tx: &mut Tx,
    person: PersonId,
    client: Option<ClientId>,
    today: Date,
) -> Result<Waiting, Error> {
    // Who writes has read all before, so that what is beyond a side's mark in a thread is all from the other side.
    tx.q(
        "SELECT (SELECT COUNT(*) FROM notifications WHERE person_id = $1 AND seen_at IS NULL) AS unseen,
                (SELECT COUNT(*) FROM invoices
                 WHERE status = 'open' AND (client_id = $2 OR ($3 AND due_on < $4))) AS invoices,
                CASE WHEN $3 THEN (SELECT COUNT(*) FROM threads WHERE staff_read < last_seq)
                     ELSE (SELECT CAST(COALESCE(SUM(last_seq - client_read), 0) AS BIGINT)
                           FROM threads WHERE client_id = $2) END AS messages",
    )
    .bind(person.0)
    .bind(client.map(|id| id.0))
    .bind(client.is_none())
    .bind(today.to_string())
    .one()
    .await
}
