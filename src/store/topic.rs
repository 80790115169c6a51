//! Topics: how often each thing changed, and which changed since an instance last looked.

use super::query::On;
use super::{Db, Error, Tx};
use crate::domain::topic::Topic;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// Moves every topic on by one, in one statement and in the order of the names, which keeps two transactions from
/// waiting for each other. Returns where they stand now.
pub(super) async fn bump(
    tx: &mut Tx,
    names: &BTreeSet<String>,
) -> Result<Vec<(Topic, i64)>, Error> {
    let names = serde_json::to_string(names).expect("strings are JSON");
    tx.pair("UPDATE touches SET count = count + 1", "SELECT 1")
        .run()
        .await?;
    let moved: Vec<(String, i64)> = tx
        .pair(
            "INSERT INTO topics (name, version, seq)
             SELECT value, 1, (SELECT count FROM touches) FROM json_each($1) WHERE true ORDER BY value
             ON CONFLICT (name) DO UPDATE SET version = topics.version + 1, seq = excluded.seq
             RETURNING name, version",
            "INSERT INTO topics (name, version, seq)
             SELECT value, 1, CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)
             FROM json_array_elements_text(CAST($1 AS JSON)) ORDER BY value
             ON CONFLICT (name) DO UPDATE SET version = topics.version + 1, seq = excluded.seq
             RETURNING name, version",
        )
        .bind(names)
        .all()
        .await?;
    Ok(moved
        .into_iter()
        .filter_map(|(name, version)| Some((name.parse().ok()?, version)))
        .collect())
}

/// Where topics stand in this snapshot. One that was never touched is left out: it stands at 0.
pub async fn versions(tx: &mut Tx, topics: &[Topic]) -> Result<HashMap<Topic, i64>, Error> {
    versions_on(tx.on(), topics).await
}

/// Where topics stand now, asked beside the pools.
pub async fn versions_now(db: &Db, topics: &[Topic]) -> Result<HashMap<Topic, i64>, Error> {
    let mut aside = db.take_aside().await?;
    let versions = versions_on(aside.on(), topics).await?;
    db.keep_aside(aside);
    Ok(versions)
}

async fn versions_on(on: On<'_>, topics: &[Topic]) -> Result<HashMap<Topic, i64>, Error> {
    let names: Vec<String> = topics.iter().map(Topic::to_string).collect();
    let names = serde_json::to_string(&names).expect("strings are JSON");
    let rows: Vec<(String, i64)> = on
        .pair(
            "SELECT name, version FROM topics WHERE name IN (SELECT value FROM json_each($1))",
            "SELECT name, version FROM topics
             WHERE name IN (SELECT json_array_elements_text(CAST($1 AS JSON)))",
        )
        .bind(names)
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(name, version)| Some((name.parse().ok()?, version)))
        .collect())
}

/// What a sweep found.
#[derive(Debug)]
pub struct Sweep {
    /// Topics that moved at or after the mark, and where they stand. Some may have been reported before, again and again
    /// while a transaction is open that is older than they; none is left out.
    pub moved: HashMap<Topic, i64>,
    /// Where the next sweep begins, once this one's topics were handled.
    pub mark: i64,
    /// The database's time, where it keeps one of its own.
    pub at: Option<Timestamp>,
    /// It is another past than at the sweep before: nothing that was loaded under it holds.
    pub is_new_epoch: bool,
}

/// The next mark, the database's time and epoch, and a topic that moved.
type Row = (
    i64,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<i64>,
);

/// The sweep's question to SQLite; a test asks for its plan.
pub const SWEEP_SQLITE: &str =
    "SELECT touches.count + 1, NULL, (SELECT value FROM settings WHERE name = 'epoch'),
            topics.name, topics.version
     FROM touches LEFT JOIN topics ON topics.seq >= $1";
/// The same to Postgres. The upper end is beyond every number: without one, a plan that is made before the mark is known
/// expects a third of all topics and reads the whole table.
pub const SWEEP_POSTGRES: &str =
    "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT),
            CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT),
            (SELECT value || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
             FROM settings WHERE name = 'epoch'),
            topics.name, topics.version
     FROM (SELECT 1) AS one
     LEFT JOIN topics ON topics.seq BETWEEN $1 AND 9223372036854775807";

/// Which topics moved since `mark`, and the next mark, in one statement: nothing can commit between the two. A topic's
/// `seq` is its transaction's number and the next mark the oldest one that was still open, so that what commits late is
/// found then. No clock has a say in it.
pub async fn sweep(db: &Db, mark: i64) -> Result<Sweep, Error> {
    let mut aside = db.take_aside().await?;
    let rows: Vec<Row> = aside
        .on()
        .pair(SWEEP_SQLITE, SWEEP_POSTGRES)
        .bind(mark)
        .all()
        .await?;
    db.keep_aside(aside);
    let first = rows.first().cloned();
    let (mark, at, epoch, ..) = first.ok_or(Error::NotFound)?;
    let moved = rows.into_iter().filter_map(|(.., name, version)| {
        // A name that this build does not know shows nowhere here.
        Some((name?.parse().ok()?, version?))
    });
    Ok(Sweep {
        moved: moved.collect(),
        mark,
        at: at.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        is_new_epoch: epoch.is_some_and(|epoch| db.follow_epoch(epoch)),
    })
}
