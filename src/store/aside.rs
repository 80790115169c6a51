//! One connection beside the pools: the sweep goes on when requests hold all of theirs.

use super::query::On;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

#[derive(Debug)]
pub(super) enum Aside {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Aside {
    /// Where a statement outside any transaction runs.
    pub(super) fn on(&mut self) -> On<'_> {
        match self {
            Self::Sqlite(connection) => On::Sqlite(connection),
            Self::Postgres(connection) => On::Postgres(connection),
        }
    }

    pub(super) async fn close(self) {
        let closed = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "the sweep's connection was gone already");
        }
    }
}
