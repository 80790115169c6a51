//! A seeded business in a database of the test's own, and plain questions to it.

use super::instance::binary;
use super::process::tied;
use anyhow::{Context as _, ensure};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::net::SocketAddr;
use tempfile::TempDir;

/// Which database a row runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// Kestrel Physio with a few clients more.
#[derive(Debug)]
pub(crate) struct Business {
    pub(crate) url: String,
    on: On,
    dir: TempDir,
}

impl Business {
    pub(crate) async fn open(on: On) -> anyhow::Result<Self> {
        match on {
            On::Sqlite => {
                let dir = tempfile::tempdir()?;
                let url = format!("sqlite:{}", dir.path().join("portico.db").display());
                Self::seed(url, on, dir)
            }
            On::Postgres => {
                let server = std::env::var("PORTICO_TEST_POSTGRES")
                    .context("run this with bin/test, which starts a Postgres")?;
                Self::on_postgres(&server).await
            }
        }
    }

    /// In a new database of this Postgres.
    #[expect(
        clippy::disallowed_methods,
        reason = "the name of a database cannot be bound"
    )]
    pub(crate) async fn on_postgres(server: &str) -> anyhow::Result<Self> {
        let name = format!("fault_{}", uuid::Uuid::now_v7().simple());
        let mut db = PgConnection::connect(server).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut db)
            .await?;
        db.close().await?;
        let (host, _) = server
            .rsplit_once('/')
            .context("a URL ends in a database")?;
        Self::seed(format!("{host}/{name}"), On::Postgres, tempfile::tempdir()?)
    }

    fn seed(url: String, on: On, dir: TempDir) -> anyhow::Result<Self> {
        let seeded = tied(binary())
            .args(["seed", "--clients", "20", "--weeks", "1"])
            .env("PORTICO_DATABASE_URL", &url)
            .output()?;
        let words = String::from_utf8_lossy(&seeded.stderr);
        ensure!(seeded.status.success(), "the seed failed: {words}");
        Ok(Self { url, on, dir })
    }

    /// SQLite's files as they stand at this moment, elsewhere.
    pub(crate) fn copy(&self) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        for name in ["portico.db", "portico.db-wal"] {
            std::fs::copy(self.dir.path().join(name), dir.path().join(name))?;
        }
        let url = format!("sqlite:{}", dir.path().join("portico.db").display());
        Ok(Self {
            url,
            on: self.on,
            dir,
        })
    }

    /// SQLite's files become those of a copy. Nothing may have them open.
    pub(crate) fn put_back(&self, copy: &Self) -> anyhow::Result<()> {
        for name in ["portico.db", "portico.db-wal", "portico.db-shm"] {
            let _ = std::fs::remove_file(self.dir.path().join(name));
        }
        for name in ["portico.db", "portico.db-wal"] {
            std::fs::copy(copy.dir.path().join(name), self.dir.path().join(name))?;
        }
        Ok(())
    }

    /// Where its Postgres listens.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        let (_, rest) = self
            .url
            .split_once('@')
            .context("a server has an address")?;
        let host = rest.split('/').next().unwrap_or_default();
        Ok(host.parse()?)
    }

    /// From now on instances reach it there.
    pub(crate) fn move_to(&mut self, address: SocketAddr) {
        if let (Some((before, _)), Some((_, name))) =
            (self.url.split_once('@'), self.url.rsplit_once('/'))
        {
            self.url = format!("{before}@{address}/{name}");
        }
    }

    /// Changes what no page changes.
    #[expect(
        clippy::disallowed_methods,
        reason = "a row names its own dates, and what it runs against is its own"
    )]
    pub(crate) async fn tell(&self, sql: String) -> anyhow::Result<()> {
        let sql = sqlx::AssertSqlSafe(sql);
        match self.on {
            On::Sqlite => {
                let mut db = SqliteConnection::connect(&self.url).await?;
                sqlx::raw_sql(sql).execute(&mut db).await?;
            }
            On::Postgres => {
                let mut db = PgConnection::connect(&self.url).await?;
                sqlx::raw_sql(sql).execute(&mut db).await?;
            }
        }
        Ok(())
    }

    /// One number.
    pub(crate) async fn count(&self, sql: &'static str) -> anyhow::Result<i64> {
        Ok(match self.on {
            On::Sqlite => {
                let mut db = SqliteConnection::connect(&self.url).await?;
                sqlx::query_scalar(sql).fetch_one(&mut db).await?
            }
            On::Postgres => {
                let mut db = PgConnection::connect(&self.url).await?;
                sqlx::query_scalar(sql).fetch_one(&mut db).await?
            }
        })
    }

    /// One row of three texts.
    pub(crate) async fn texts(
        &self,
        sql: &'static str,
    ) -> anyhow::Result<(String, String, String)> {
        Ok(match self.on {
            On::Sqlite => {
                let mut db = SqliteConnection::connect(&self.url).await?;
                sqlx::query_as(sql).fetch_one(&mut db).await?
            }
            On::Postgres => {
                let mut db = PgConnection::connect(&self.url).await?;
                sqlx::query_as(sql).fetch_one(&mut db).await?
            }
        })
    }

    /// What was written in one person's thread, in its order.
    pub(crate) async fn thread(&self, who: &str) -> anyhow::Result<Vec<String>> {
        let sql = "SELECT body FROM messages JOIN clients ON clients.id = messages.client_id
            JOIN people ON people.id = clients.person_id WHERE people.email = $1 ORDER BY messages.seq";
        let email = format!("{who}@kestrel.example");
        Ok(match self.on {
            On::Sqlite => {
                let mut db = SqliteConnection::connect(&self.url).await?;
                sqlx::query_scalar(sql)
                    .bind(email)
                    .fetch_all(&mut db)
                    .await?
            }
            On::Postgres => {
                let mut db = PgConnection::connect(&self.url).await?;
                sqlx::query_scalar(sql)
                    .bind(email)
                    .fetch_all(&mut db)
                    .await?
            }
        })
    }

    /// All that was ever written in threads.
    pub(crate) async fn messages(&self) -> anyhow::Result<Vec<String>> {
        let sql = "SELECT body FROM messages";
        Ok(match self.on {
            On::Sqlite => {
                let mut db = SqliteConnection::connect(&self.url).await?;
                sqlx::query_scalar(sql).fetch_all(&mut db).await?
            }
            On::Postgres => {
                let mut db = PgConnection::connect(&self.url).await?;
                sqlx::query_scalar(sql).fetch_all(&mut db).await?
            }
        })
    }

    /// What `portico check` finds.
    pub(crate) fn is_sound(&self) -> anyhow::Result<()> {
        let checked = tied(binary())
            .arg("check")
            .env("PORTICO_DATABASE_URL", &self.url)
            .output()?;
        let words = String::from_utf8_lossy(&checked.stderr);
        ensure!(checked.status.success(), "not sound: {words}");
        Ok(())
    }
}
