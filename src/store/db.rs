//! The two databases behind one name: opening, migrating, and the pools.

use super::Error;
use super::aside::Aside;
use super::query::{On, Q};
use super::tx::{Open, Tx};
use crate::domain::topic::Topic;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, SqlitePool};
use std::str::FromStr;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a request waits for a connection before it is told to come back.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a line may have rested before it is asked whether it still stands.
const RESTED: Duration = Duration::from_secs(1);
/// How long it has to answer.
const ANSWER: Duration = Duration::from_millis(500);
/// Topics that may wait for the bus: beyond that the sweep finds them.
const QUEUE: usize = 4096;

/// A handle on the database; clones are cheap.
#[derive(Debug, Clone)]
pub struct Db {
    pools: Pools,
    pub(super) moved: mpsc::Sender<(Topic, i64)>,
    pub(super) writes: TaskTracker,
    epoch: Arc<RwLock<Arc<str>>>,
    /// While nobody asks by it; absent too before the first question and after one that failed.
    aside: Arc<Mutex<Option<Aside>>>,
}

#[derive(Debug, Clone)]
enum Pools {
    /// One writer, so that writes queue here and not at SQLite's lock, which does not queue.
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
    },
    Postgres(PgPool),
}

/// Whether a line to Postgres still stands. An error, and not `false`: that would say goodbye to it first.
async fn answers(line: &mut PgConnection) -> sqlx::Result<bool> {
    let answered = tokio::time::timeout(ANSWER, line.ping()).await;
    answered.map_err(|_| sqlx::Error::PoolTimedOut)??;
    Ok(true)
}

/// What moves: the receiving end of every commit's topics.
pub type Moved = mpsc::Receiver<(Topic, i64)>;

impl Db {
    /// Connects to `sqlite:PATH` or `postgres://…`, brings the schema up to date, and makes the database's epoch if it
    /// has none. Several instances may do so at once.
    pub async fn open(url: &str) -> anyhow::Result<(Self, Moved)> {
        let pools = if url.starts_with("sqlite:") {
            Self::open_sqlite(url).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url).await?
        } else {
            anyhow::bail!("the database URL must begin with sqlite: or postgres://");
        };
        let (moved, receiver) = mpsc::channel(QUEUE);
        let writes = TaskTracker::new();
        let db = Self {
            pools,
            moved,
            writes,
            epoch: Arc::default(),
            aside: Arc::default(),
        };
        db.follow_epoch(super::business::make_epoch(&db).await?);
        Ok((db, receiver))
    }

    async fn open_sqlite(url: &str) -> anyhow::Result<Pools> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL loses the last commits when the power goes; a booking that was confirmed stays.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .optimize_on_close(true, None);
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .connect_with(options.clone())
            .await?;
        let mut lock = write.begin_with("BEGIN IMMEDIATE").await?;
        SQLITE.run(&mut *lock).await?;
        lock.commit().await?;
        let read = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(ACQUIRE)
            // A file does not hang up: asking each time whether it did costs as much as a query.
            .test_before_acquire(false)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Pools::Sqlite { read, write })
    }

    async fn open_postgres(url: &str) -> anyhow::Result<Pools> {
        let options = PgConnectOptions::from_str(url)?
            // A statement that hangs holds its connection, and in the end all of them.
            .options([
                ("statement_timeout", "5s"),
                ("idle_in_transaction_session_timeout", "10s"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(20)
            .acquire_timeout(ACQUIRE)
            // Asking each time whether the line still stands costs as much as a query: a busy one has just said so.
            .test_before_acquire(false)
            .before_acquire(|line, is| {
                Box::pin(async move { Ok(is.idle_for < RESTED || answers(line).await?) })
            })
            // A line on which nothing comes back would wait for its answer for a quarter of an hour, and its place in the
            // pool with it.
            .after_release(|line, _| Box::pin(answers(line)))
            .connect_with(options)
            .await?;
        POSTGRES.run(&pool).await?;
        Ok(Pools::Postgres(pool))
    }

    /// A read of its own, outside any transaction.
    pub fn q(&self, sql: &'static str) -> Q<'_> {
        match &self.pools {
            Pools::Sqlite { read, .. } => Q::new(On::SqlitePool(read), sql),
            Pools::Postgres(pool) => Q::new(On::PostgresPool(pool), sql),
        }
    }

    /// One state of the whole database to read from, however many statements it takes.
    pub async fn snapshot(&self) -> Result<Tx, Error> {
        Ok(Tx::new(match &self.pools {
            Pools::Sqlite { read, .. } => Open::Sqlite(read.begin().await?),
            Pools::Postgres(pool) => Open::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        }))
    }

    /// A writing transaction. Outside this floor there is only [`Db::transact`].
    pub(super) async fn begin(&self) -> Result<Tx, Error> {
        Ok(Tx::new(match &self.pools {
            // A deferred transaction that reads before it writes fails at once when another wrote meanwhile.
            Pools::Sqlite { write, .. } => Open::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Open::Postgres(pool.begin().await?),
        }))
    }

    /// The connection beside the pools, made now if there is none. Whoever fails with it, or is given up while it waits, drops
    /// it: an answer that still comes must not be taken for the next one's.
    pub(super) async fn take_aside(&self) -> Result<Aside, Error> {
        if self.is_closed() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        let kept = self.kept_aside().take();
        Ok(match (kept, &self.pools) {
            (Some(aside), _) => aside,
            (None, Pools::Sqlite { read, .. }) => {
                Aside::Sqlite(read.connect_options().connect().await?)
            }
            (None, Pools::Postgres(pool)) => {
                Aside::Postgres(pool.connect_options().connect().await?)
            }
        })
    }

    /// Keeps it for the next question.
    pub(super) fn keep_aside(&self, aside: Aside) {
        *self.kept_aside() = Some(aside);
    }

    fn kept_aside(&self) -> std::sync::MutexGuard<'_, Option<Aside>> {
        self.aside
            .lock()
            .expect("nothing panics while it holds this")
    }

    fn is_closed(&self) -> bool {
        match &self.pools {
            Pools::Sqlite { write, .. } => write.is_closed(),
            Pools::Postgres(pool) => pool.is_closed(),
        }
    }

    /// Random, made with the database and new after a restore: versions of two epochs cannot be compared.
    pub fn epoch(&self) -> Arc<str> {
        Arc::clone(
            &self
                .epoch
                .read()
                .expect("nothing panics while it holds this"),
        )
    }

    /// Takes over the epoch that was read just now; whether it is another one.
    pub(super) fn follow_epoch(&self, read: String) -> bool {
        if *self.epoch() == *read {
            return false;
        }
        *self
            .epoch
            .write()
            .expect("nothing panics while it holds this") = read.into();
        true
    }

    /// The connections that are open, and how many of them nobody uses: what pools are called, size and idle.
    pub fn pools(&self) -> Vec<(&'static str, u32, usize)> {
        match &self.pools {
            Pools::Sqlite { read, write } => vec![
                ("read", read.size(), read.num_idle()),
                ("write", write.size(), write.num_idle()),
            ],
            Pools::Postgres(pool) => vec![("all", pool.size(), pool.num_idle())],
        }
    }

    /// Resolves when no write is under way and, because it [closes](Self::close), none begins. It holds no connection.
    pub fn written(&self) -> impl Future<Output = ()> + Send + 'static {
        let writes = self.writes.clone();
        async move { writes.wait().await }
    }

    /// Waits until every write under way is committed and told, then closes the connections.
    pub async fn close(&self) {
        self.writes.close();
        self.writes.wait().await;
        let aside = self.kept_aside().take();
        if let Some(aside) = aside {
            aside.close().await;
        }
        match &self.pools {
            Pools::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}
