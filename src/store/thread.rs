//! Threads: one conversation for each client, shared by all staff. Reading them as a viewer may; writing is in the folder
//! beside this file.

mod change;

pub use change::{NewMessage, Read, read, send};

use super::{Error, Tx, at, scope};
use crate::domain::id::ClientId;
use crate::domain::message::{Found, Marks, Message, Thread, fold};
use crate::domain::viewer::Viewer;
use jiff::Timestamp;

#[derive(sqlx::FromRow)]
struct Row {
    client_id: uuid::Uuid,
    client_name: String,
    id: uuid::Uuid,
    seq: i64,
    author_name: String,
    from_staff: bool,
    body: String,
    at: i64,
}

impl From<Row> for Found {
    fn from(row: Row) -> Self {
        Self {
            client: row.client_id.into(),
            client_name: row.client_name,
            message: Message {
                id: row.id.into(),
                seq: row.seq,
                author_name: row.author_name,
                from_staff: row.from_staff,
                body: row.body,
                at: at(row.at),
            },
        }
    }
}

/// The columns of a [`Row`], and the conditions that close the statement.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT messages.client_id, people.name AS client_name, messages.id, messages.seq,
                    author.name AS author_name, messages.from_staff, messages.body, messages.at
             FROM messages JOIN clients ON clients.id = messages.client_id JOIN people ON people.id = clients.person_id
             JOIN people AS author ON author.id = messages.author_id ",
            $tail
        )
    };
}

/// The newest messages of a thread, the oldest of them first. Read by the region that only its client and staff may watch.
pub async fn newest(tx: &mut Tx, client: ClientId, limit: i64) -> Result<Vec<Message>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE messages.client_id = $1 ORDER BY messages.seq DESC LIMIT CAST($2 AS BIGINT)"
        ))
        .bind(client.0)
        .bind(limit)
        .all()
        .await?;
    Ok(in_order(rows))
}

fn in_order(rows: Vec<Row>) -> Vec<Message> {
    let newest_first = rows.into_iter().map(|row| Found::from(row).message);
    newest_first.rev().collect()
}

/// The messages before a number, the oldest of them first.
pub async fn page(
    tx: &mut Tx,
    viewer: &Viewer,
    client: ClientId,
    before: i64,
    limit: i64,
) -> Result<Vec<Message>, Error> {
    let (own, all) = scope(viewer)?;
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE messages.client_id = $1 AND (messages.client_id = $2 OR $3) AND messages.seq < $4
             ORDER BY messages.seq DESC LIMIT CAST($5 AS BIGINT)"
        ))
        .bind(client.0)
        .bind(own)
        .bind(all)
        .bind(before)
        .bind(limit)
        .all()
        .await?;
    Ok(in_order(rows))
}

/// The messages that hold a text in any case, the newest first: of one thread or of all that the viewer may read.
pub async fn search(
    tx: &mut Tx,
    viewer: &Viewer,
    client: Option<ClientId>,
    text: &str,
    limit: i64,
) -> Result<Vec<Found>, Error> {
    let (own, all) = scope(viewer)?;
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE (messages.client_id = $1 OR $2) AND (messages.client_id = $3 OR $4)
             AND messages.folded LIKE $5 ESCAPE '!'
             ORDER BY messages.at DESC, messages.seq DESC, messages.id LIMIT CAST($6 AS BIGINT)"
        ))
        .bind(own)
        .bind(all)
        .bind(client.map(|id| id.0))
        .bind(client.is_none())
        .bind(pattern(text))
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(Found::from).collect())
}

/// What holds a text, for `LIKE .. ESCAPE '!'`.
fn pattern(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for c in fold(text).chars() {
        if "%_!".contains(c) {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// How far a thread goes and is read. One that has not begun is at 0.
pub async fn marks(tx: &mut Tx, client: ClientId) -> Result<Marks, Error> {
    let row: Option<(i64, i64, i64)> = tx
        .q("SELECT last_seq, client_read, staff_read FROM threads WHERE client_id = $1")
        .bind(client.0)
        .opt()
        .await?;
    let marks = |(last, client, staff)| Marks {
        last,
        client,
        staff,
    };
    Ok(row.map(marks).unwrap_or_default())
}

#[derive(sqlx::FromRow)]
struct ThreadRow {
    unread: i64,
    waiting_since: Option<i64>,
    #[sqlx(flatten)]
    last: Row,
}

/// Every thread that has begun, or those whose clients wait, the one that was written in last first. Read by the region that only staff may watch.
pub async fn list(tx: &mut Tx, waiting: bool, limit: i64) -> Result<Vec<Thread>, Error> {
    let rows: Vec<ThreadRow> = tx
        .q(
            "SELECT messages.client_id, people.name AS client_name, messages.id, messages.seq,
                   author.name AS author_name, messages.from_staff, messages.body, messages.at,
                   threads.last_seq - threads.staff_read AS unread, threads.waiting_since
            FROM threads JOIN messages ON messages.client_id = threads.client_id AND messages.seq = threads.last_seq
            JOIN clients ON clients.id = threads.client_id JOIN people ON people.id = clients.person_id
            JOIN people AS author ON author.id = messages.author_id
            WHERE threads.waiting_since IS NOT NULL OR NOT $1
            ORDER BY threads.last_at DESC, threads.client_id LIMIT CAST($2 AS BIGINT)",
        )
        .bind(waiting)
        .bind(limit)
        .all()
        .await?;
    let thread = |row: ThreadRow| {
        let found = Found::from(row.last);
        Thread {
            client: found.client,
            client_name: found.client_name,
            unread: row.unread,
            waiting_since: row.waiting_since.map(at),
            last: found.message,
        }
    };
    Ok(rows.into_iter().map(thread).collect())
}

/// The newest message from staff that a client has not read, if there is one. Read by regions whose watchers were asked.
pub async fn to_answer(tx: &mut Tx, client: ClientId) -> Result<Option<Message>, Error> {
    let row: Option<Row> = tx
        .q(select!(
            "JOIN threads ON threads.client_id = messages.client_id AND threads.last_seq = messages.seq
             WHERE messages.client_id = $1 AND messages.from_staff AND threads.client_read < threads.last_seq"
        ))
        .bind(client.0)
        .opt()
        .await?;
    Ok(row.map(|row| Found::from(row).message))
}

/// How many clients wait for an answer, and since when the first of them does. For staff.
pub async fn waiting(tx: &mut Tx) -> Result<(i64, Option<Timestamp>), Error> {
    let (count, since): (i64, Option<i64>) = tx
        .q("SELECT COUNT(*), MIN(waiting_since) FROM threads WHERE waiting_since IS NOT NULL")
        .one()
        .await?;
    Ok((count, since.map(at)))
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn what_stands_for_others_in_a_pattern_stands_for_itself() {
        assert_eq!(pattern("100% of_A!"), "%100!% of!_a!!%");
    }
}
