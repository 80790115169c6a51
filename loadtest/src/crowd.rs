//! Watchers in front of instances, and those who book: what `watch` and `storm` begin with.

use crate::booking::{Booker, apart, freest_week};
use crate::fleet::{self, Fleet};
use crate::http::Person;
use crate::worker::{Order, Share, Told, Workers};
use anyhow::{bail, ensure};
use clap::Args;
use std::time::Duration;
use tokio::time::sleep;

/// Clients who book beside those who watch: as many as a week has room for, so that a hundred changes a second need not
/// each be answered before the next.
const BOOKERS: usize = 24;

/// How many watch, and whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct Watching {
    /// Watchers
    #[arg(long, default_value_t = 10_000)]
    pub(crate) sockets: usize,
    /// Pages of one client; the server's `PORTICO_MAX_SOCKETS_PER_PERSON` allows 20
    #[arg(long, default_value_t = 20)]
    each: usize,
    #[command(flatten)]
    pub(crate) fleet: fleet::Instances,
}

/// Everybody, signed in; nobody watches yet.
pub(crate) struct Crowd {
    pub(crate) fleet: Fleet,
    pub(crate) workers: Workers,
    pub(crate) bookers: Vec<Booker>,
    /// The page that is watched.
    pub(crate) path: String,
}

impl Crowd {
    pub(crate) async fn gather(options: &Watching) -> anyhow::Result<Self> {
        ensure!(
            options.sockets > 0 && options.each > 0,
            "somebody must watch"
        );
        // Two at least: what their pages have in common is what everybody watches.
        let watching = options.sockets.div_ceil(options.each);
        ensure!(
            watching > 1,
            "two clients must watch: more --sockets, or fewer for --each"
        );
        let mut fleet = Fleet::start(&options.fleet, watching + BOOKERS).await?;
        let http = Person::browser()?;
        let booker = |n: usize| format!("client-{:04}", watching + 1 + n);
        let url = |fleet: &Fleet, n: usize| fleet.urls[n % fleet.urls.len()].clone();
        let first = Person::sign_in_with(http.clone(), &url(&fleet, 0), &booker(0)).await?;
        let week = freest_week(&first).await?;
        let share = Share {
            urls: fleet.urls.clone(),
            sockets: options.sockets,
            each: options.each,
            first: 1,
            path: week.path.clone(),
            pin: options.fleet.pin,
        };
        let mut workers = Workers::start(&share).await?;
        workers.order(&Order::SignIn).await?;
        // Hashing passwords takes memory that is no socket's.
        fleet.restart().await?;
        let mut bookers = Vec::new();
        for (n, slot) in apart(&week.free).iter().take(BOOKERS).enumerate() {
            let person = Person::sign_in_with(http.clone(), &url(&fleet, n), &booker(n)).await?;
            bookers.push(Booker::new(person, slot, &week.staff).await?);
        }
        Ok(Self {
            fleet,
            workers,
            bookers,
            path: week.path,
        })
    }

    /// Opens all sockets, waits until they are quiet, and says which version of the calendar they have.
    pub(crate) async fn open(&mut self) -> anyhow::Result<i64> {
        self.workers.order(&Order::Open).await?;
        // Two heartbeats: all that a new socket brings with it has happened.
        sleep(Duration::from_secs(10)).await;
        let look = Order::Await {
            version: 0,
            patience: 0.0,
        };
        let mut version = 0;
        for told in self.workers.order(&look).await? {
            match told {
                Told::Versions { versions, .. } => {
                    version = version.max(versions.last_key_value().map_or(0, |(most, _)| *most));
                }
                told => bail!("a worker said {told:?}"),
            }
        }
        Ok(version)
    }

    /// How many watchers show what a page shows that is loaded now.
    pub(crate) async fn exact_count(&mut self) -> anyhow::Result<usize> {
        let mut sum = 0;
        for told in self.workers.order(&Order::Compare).await? {
            match told {
                Told::Compared { exact } => sum += exact,
                told => bail!("a worker said {told:?}"),
            }
        }
        Ok(sum)
    }
}
