//! What the rows are made of: processes that end with their test, a business to work in, people and their open pages, and a
//! line that can be cut. Nothing here decides whether a row holds.

pub(crate) mod business;
pub(crate) mod dice;
pub(crate) mod instance;
pub(crate) mod page;
pub(crate) mod person;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod resp;
pub(crate) mod watcher;

pub(crate) use business::{Business, On};
pub(crate) use instance::Instance;
pub(crate) use person::Person;
pub(crate) use watcher::Watcher;

use anyhow::bail;
use std::time::{Duration, Instant};

/// A row as a function, so that it can be seen to fail when a safeguard is off.
pub(crate) type Outcome = anyhow::Result<()>;

/// Asks until something is so, and how long that took.
pub(crate) async fn until(
    what: &str,
    within: Duration,
    mut is_so: impl FnMut() -> bool,
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > within {
            bail!("not within {within:?}: {what}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(began.elapsed())
}
