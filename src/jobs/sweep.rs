//! The guarantee behind every live page: what moved is found by asking the database, whatever was or was not heard.

use crate::app::App;
use crate::domain::topic::Topic;
use crate::fault;
use crate::store::{Error, topic};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Between two sweeps: with one second for a load and a push, a page is stale for three at most.
const EVERY: Duration = Duration::from_secs(2);
/// How long one may take. A database that has vanished without a word would otherwise be waited for until the network
/// gives it up, a quarter of an hour later.
const PATIENCE: Duration = Duration::from_secs(5);
/// How precisely the clock's own changes are noticed.
const TICK: Duration = Duration::from_millis(250);

/// What one sweep leaves to the next.
pub(super) struct Sweep {
    mark: i64,
    /// What the last one found and handled. A transaction that stays open has it found again each time.
    handled: HashMap<Topic, i64>,
    has_failed: bool,
}

impl Sweep {
    /// Where the first one begins: whoever watches later loads what is there then.
    pub(super) async fn start(app: &App) -> Result<Self, Error> {
        let mut sweep = Self {
            mark: i64::MAX,
            handled: HashMap::new(),
            has_failed: false,
        };
        sweep.once(app).await?;
        Ok(sweep)
    }

    /// Sweeps for ever.
    pub(super) async fn run(mut self, app: App) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if fault::is_off("sweep") {
                continue;
            }
            match timeout(PATIENCE, self.once(&app)).await {
                Ok(Ok(())) => self.has_failed = false,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a sweep failed");
                    self.has_failed = true;
                }
                Err(_) => {
                    tracing::warn!("the database did not answer a sweep in time");
                    self.has_failed = true;
                }
            }
        }
    }

    /// One sweep. The mark moves when what it found was handled. After a failure, nothing that was believed before is
    /// relied on.
    async fn once(&mut self, app: &App) -> Result<(), Error> {
        let began = Instant::now();
        let found = topic::sweep(&app.db, self.mark).await?;
        fault::point("after_sweep").await;
        // An answer that lay there while this process was frozen tells a time that is long past.
        if let Some(at) = found.at
            && began.elapsed() < Duration::from_secs(1)
        {
            app.clock.follow(at);
        }
        if self.has_failed || found.is_new_epoch {
            if found.is_new_epoch {
                app.hub.begin_anew();
            } else {
                app.hub.mark_all();
            }
            self.handled.clear();
        }
        let is_news =
            |(topic, version): &(&Topic, &i64)| self.handled.get(*topic) != Some(*version);
        let moved: Vec<Topic> = found
            .moved
            .iter()
            .filter(is_news)
            .map(|(topic, _)| *topic)
            .collect();
        // A second statement, and only when something moved that is watched: a region is behind by the sum of its topics,
        // of which some stood still. Without it each change would be loaded twice, when it is told and when it is found.
        let mut beside = app.hub.depend_beside(&moved);
        beside.retain(|topic| !found.moved.contains_key(topic));
        let mut versions = if beside.is_empty() {
            HashMap::new()
        } else {
            topic::versions_now(&app.db, &beside).await?
        };
        versions.extend(&found.moved);
        app.hub.mark_behind(&moved, &versions);
        app.hub.swept(began);
        self.handled = found.moved;
        self.mark = found.mark;
        Ok(())
    }
}

/// Marks regions that the clock alone changes.
pub(super) async fn watch_clock(app: App) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        app.hub.expire();
    }
}
