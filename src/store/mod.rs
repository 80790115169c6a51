//! The verbs of the business against SQL, one file a noun. Nothing here knows of pages or sockets.

pub mod activity;
pub mod answer;
mod aside;
pub mod badge;
pub mod booking;
pub mod business;
pub mod check;
pub mod client;
pub mod db;
mod hash;
pub mod hold;
pub mod hours;
pub mod feed;
pub mod invoice;
pub mod notification;
pub mod outbox;
pub mod person;
pub mod query;
pub mod reminder;
pub mod seed;
pub mod service;
pub mod session;
pub mod staff;
pub mod stranded;
pub mod thread;
pub mod throttle;
pub mod token;
pub mod topic;
pub mod tx;
pub mod wait;

pub use db::Db;
pub use tx::{Tx, Work};

use crate::domain::booking::Refusal;
use crate::domain::invoice::Wrong;
use crate::domain::viewer::Viewer;
use jiff::Timestamp;

/// Why a verb did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it is not the viewer's: nobody can tell which.
    #[error("not found")]
    NotFound,
    /// Something else stands where this wanted to: a unique key refused it.
    #[error("conflict")]
    Conflict,
    /// A rule of the business refused it, for a reason that people are told.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An invoice's lines add up to none.
    #[error(transparent)]
    Unusable(Wrong),
    /// The form's key was used before, with other fields.
    #[error("the key was used for another form")]
    KeyReused,
    /// The database did not do its part.
    #[error("database: {0}")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(database) if database.is_unique_violation() => Self::Conflict,
            _ => Self::Database(error),
        }
    }
}

impl Error {
    /// Whether another transaction was in the way, so that the same work may succeed from its start.
    fn is_transient(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else {
            return false;
        };
        let code = error.code().unwrap_or_default();
        // Serialization failure and deadlock; SQLITE_BUSY with its extended codes, whose low byte is 5.
        code == "40001" || code == "40P01" || code.parse::<i64>().is_ok_and(|code| code & 0xff == 5)
    }

    /// Whether the database is not there, is starting or stopping, or others hold what this wants: the same may succeed a
    /// little later, and nobody can mend it meanwhile.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Database(
                sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_),
            ) => true,
            Self::Database(sqlx::Error::Database(error)) => {
                // Too many connections, a shutdown, a start, a statement or a transaction that took too long.
                let code = error.code().unwrap_or_default();
                let passing = [
                    "53300", "57P01", "57P02", "57P03", "57014", "25P03", "25P04",
                ];
                self.is_transient() || code.starts_with("08") || passing.contains(&&*code)
            }
            _ => false,
        }
    }
}

/// An instant as the database keeps it, in Unix milliseconds.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

/// Whose rows a viewer may read: one client's, or everybody's. A guest reads nothing.
fn scope(viewer: &Viewer) -> Result<(Option<uuid::Uuid>, bool), Error> {
    match viewer {
        Viewer::Guest => Err(Error::NotFound),
        Viewer::Client(client) => Ok((Some(client.client.0), false)),
        Viewer::Staff(_) => Ok((None, true)),
    }
}
