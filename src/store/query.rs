//! One statement for two databases: plain SQL with `$1`, values bound in order, rows decoded by either driver.

use super::Error;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments, Encode, FromRow, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection,
    SqlitePool, Type,
};

/// A value that both drivers can send.
pub trait Bind:
    Send + for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres>
{
}

impl<T> Bind for T where
    T: Send
        + for<'q> Encode<'q, Sqlite>
        + Type<Sqlite>
        + for<'q> Encode<'q, Postgres>
        + Type<Postgres>
{
}

/// What a row of either driver can become.
pub trait Record:
    Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>
{
}

impl<T> Record for T where
    T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>
{
}

/// Where a statement runs.
#[derive(Debug)]
pub(super) enum On<'c> {
    SqlitePool(&'c SqlitePool),
    Sqlite(&'c mut SqliteConnection),
    PostgresPool(&'c PgPool),
    Postgres(&'c mut PgConnection),
}

impl<'c> On<'c> {
    /// A statement that the two databases spell differently.
    pub(super) fn pair(self, sqlite: &'static str, postgres: &'static str) -> Q<'c> {
        let sql = match self {
            Self::SqlitePool(_) | Self::Sqlite(_) => sqlite,
            Self::PostgresPool(_) | Self::Postgres(_) => postgres,
        };
        Q::new(self, sql)
    }
}

/// A statement with its values so far.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is asked for rows"]
pub struct Q<'c> {
    sql: &'static str,
    on: On<'c>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Sqlite(SqliteArguments),
    Postgres(PgArguments),
}

/// Runs one sqlx call on whichever executor the statement has.
macro_rules! run {
    ($q:expr, $make:path, $call:ident) => {
        match ($q.on, $q.values) {
            (On::SqlitePool(on), Values::Sqlite(values)) => $make($q.sql, values).$call(on).await,
            (On::Sqlite(on), Values::Sqlite(values)) => $make($q.sql, values).$call(on).await,
            (On::PostgresPool(on), Values::Postgres(values)) => {
                $make($q.sql, values).$call(on).await
            }
            (On::Postgres(on), Values::Postgres(values)) => $make($q.sql, values).$call(on).await,
            _ => unreachable!("values are made for the executor's own database"),
        }
    };
}

impl<'c> Q<'c> {
    pub(super) fn new(on: On<'c>, sql: &'static str) -> Self {
        let values = match on {
            On::SqlitePool(_) | On::Sqlite(_) => Values::Sqlite(SqliteArguments::default()),
            On::PostgresPool(_) | On::Postgres(_) => Values::Postgres(PgArguments::default()),
        };
        Self { sql, on, values }
    }

    /// The value for the next `$n`.
    pub fn bind(mut self, value: impl Bind) -> Self {
        let bound = match &mut self.values {
            Values::Sqlite(values) => values.add(value),
            Values::Postgres(values) => values.add(value),
        };
        bound.expect("the types we bind are encoded without an error");
        self
    }

    /// Every row.
    pub async fn all<T: Record>(self) -> Result<Vec<T>, Error> {
        match (self.on, self.values) {
            (On::SqlitePool(on), Values::Sqlite(v)) => {
                sqlx::query_as_with(self.sql, v).fetch_all(on).await
            }
            (On::Sqlite(on), Values::Sqlite(v)) => {
                sqlx::query_as_with(self.sql, v).fetch_all(on).await
            }
            (On::PostgresPool(on), Values::Postgres(v)) => {
                sqlx::query_as_with(self.sql, v).fetch_all(on).await
            }
            (On::Postgres(on), Values::Postgres(v)) => {
                sqlx::query_as_with(self.sql, v).fetch_all(on).await
            }
            _ => unreachable!("values are made for the executor's own database"),
        }
        .map_err(Error::from)
    }

    /// The row, if there is one.
    pub async fn opt<T: Record>(self) -> Result<Option<T>, Error> {
        run!(self, sqlx::query_as_with, fetch_optional).map_err(Error::from)
    }

    /// The row; [`Error::NotFound`] without one.
    pub async fn one<T: Record>(self) -> Result<T, Error> {
        self.opt().await?.ok_or(Error::NotFound)
    }

    /// How many rows it changed.
    pub async fn run(self) -> Result<u64, Error> {
        let changed = match (self.on, self.values) {
            (On::SqlitePool(on), Values::Sqlite(v)) => sqlx::query_with(self.sql, v)
                .execute(on)
                .await?
                .rows_affected(),
            (On::Sqlite(on), Values::Sqlite(v)) => sqlx::query_with(self.sql, v)
                .execute(on)
                .await?
                .rows_affected(),
            (On::PostgresPool(on), Values::Postgres(v)) => sqlx::query_with(self.sql, v)
                .execute(on)
                .await?
                .rows_affected(),
            (On::Postgres(on), Values::Postgres(v)) => sqlx::query_with(self.sql, v)
                .execute(on)
                .await?
                .rows_affected(),
            _ => unreachable!("values are made for the executor's own database"),
        };
        Ok(changed)
    }
}
