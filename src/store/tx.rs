//! The one way to write, and the one way to read a page: a transaction that notes what it touched, and a snapshot.

use super::query::{On, Q};
use super::{Db, Error};
use crate::domain::topic::Topic;
use sqlx::{Postgres, Sqlite, Transaction};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

/// How long a transaction's work may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often work is tried again when another transaction was in the way.
const RETRIES: u32 = 3;

/// What a transaction's closure returns.
pub type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 't>>;

/// An open transaction, for writing or as a read-only snapshot.
#[derive(Debug)]
pub struct Tx {
    on: Open,
    touched: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub(super) fn new(on: Open) -> Self {
        Self {
            on,
            touched: BTreeSet::new(),
        }
    }

    /// A statement inside this transaction.
    pub fn q(&mut self, sql: &'static str) -> Q<'_> {
        self.pair(sql, sql)
    }

    /// A statement that the two databases spell differently.
    pub fn pair(&mut self, sqlite: &'static str, postgres: &'static str) -> Q<'_> {
        On::pair(self.on(), sqlite, postgres)
    }

    pub(super) fn on(&mut self) -> On<'_> {
        match &mut self.on {
            Open::Sqlite(tx) => On::Sqlite(tx),
            Open::Postgres(tx) => On::Postgres(tx),
        }
    }

    /// Notes that what `topic` stands for changed. Written as the last act before the commit, so that no two
    /// transactions wait for each other's topics while they still want rows.
    pub fn touch(&mut self, topic: Topic) {
        self.touched.insert(topic.to_string());
    }

    async fn commit(mut self) -> Result<Vec<(Topic, i64)>, Error> {
        let touched = std::mem::take(&mut self.touched);
        let moved = if touched.is_empty() {
            Vec::new()
        } else {
            super::topic::bump(&mut self, &touched).await?
        };
        match self.on {
            Open::Sqlite(tx) => tx.commit().await?,
            Open::Postgres(tx) => tx.commit().await?,
        }
        Ok(moved)
    }
}

impl Db {
    /// Does `work` in one transaction, commits it, and then tells which topics moved.
    ///
    /// It ends even when the caller is dropped meanwhile (a client that hangs up), so that nothing is committed without
    /// being told. `work` may run up to four times, each from the start, and must do nothing but SQL.
    pub async fn transact<I, T, F>(&self, input: I, work: F) -> Result<T, Error>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t I) -> Work<'t, T> + Send + Sync + 'static,
    {
        let db = self.clone();
        let task = self.writes.spawn(async move {
            let mut tries = 0;
            loop {
                match db.attempt(&input, &work).await {
                    Err(error) if error.is_transient() && tries < RETRIES => tries += 1,
                    outcome => return outcome,
                }
            }
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }

    async fn attempt<I, T, F>(&self, input: &I, work: &F) -> Result<T, Error>
    where
        F: for<'t> Fn(&'t mut Tx, &'t I) -> Work<'t, T>,
    {
        let mut tx = self.begin().await?;
        let done = tokio::time::timeout(PATIENCE, work(&mut tx, input)).await;
        let value = done.map_err(|_| Error::Database(sqlx::Error::PoolTimedOut))??;
        for moved in tx.commit().await? {
            // A full queue costs one sweep of delay, never a write.
            let _ = self.moved.try_send(moved);
        }
        Ok(value)
    }
}
