//! Everything that a database holds, as text: two looks at it tell whether anything changed in between.

use crate::house::House;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::collections::BTreeMap;

/// The rows of every table, each as one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State(BTreeMap<String, Vec<String>>);

impl State {
    /// Reads all tables that there are: a new one need not be named here.
    #[expect(
        clippy::disallowed_methods,
        reason = "the names of tables cannot be bound"
    )]
    pub(crate) async fn of(house: &House) -> Self {
        let url = &house.app.config.database_url;
        let mut tables = BTreeMap::new();
        if url.starts_with("sqlite:") {
            let mut db = SqliteConnection::connect(url).await.unwrap();
            for table in names(&mut db, TABLES_SQLITE, "").await {
                let columns =
                    names(&mut db, "SELECT name FROM pragma_table_info($1)", &table).await;
                let quoted: Vec<_> = columns
                    .iter()
                    .map(|name| format!("quote({name})"))
                    .collect();
                let sql = format!("SELECT {} FROM {table} ORDER BY 1", quoted.join("||' '||"));
                let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut db);
                tables.insert(table, rows.await.unwrap());
            }
        } else {
            let mut db = PgConnection::connect(url).await.unwrap();
            let names: Vec<String> = sqlx::query_scalar(TABLES_POSTGRES)
                .fetch_all(&mut db)
                .await
                .unwrap();
            for table in names {
                let sql = format!("SELECT CAST({table} AS TEXT) FROM {table} ORDER BY 1");
                let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut db);
                tables.insert(table, rows.await.unwrap());
            }
            db.close().await.unwrap();
        }
        assert!(tables.len() > 15, "not all tables were found");
        Self(tables)
    }

    /// The same without one table.
    pub(crate) fn without(mut self, table: &str) -> Self {
        assert!(self.0.remove(table).is_some(), "there is no {table}");
        self
    }

    /// The rows of one table.
    pub(crate) fn rows(&self, table: &str) -> &[String] {
        &self.0[table]
    }

    /// Whether a text stands in any row.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.0.values().flatten().any(|row| row.contains(text))
    }
}

const TABLES_SQLITE: &str = "SELECT name FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND $1 = $1";
const TABLES_POSTGRES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables
    WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";

async fn names(db: &mut SqliteConnection, sql: &'static str, about: &str) -> Vec<String> {
    sqlx::query_scalar(sql)
        .bind(about)
        .fetch_all(db)
        .await
        .unwrap()
}
