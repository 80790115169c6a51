//! The guarantee behind every live page: what moved is found by asking the database, whatever was or was not heard.

use crate::app::App;
use crate::fault;
use crate::store::topic;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Between two sweeps: with one second for a load and a push, a page is stale for three at most.
const EVERY: Duration = Duration::from_secs(2);
/// How precisely the clock's own changes are noticed.
const TICK: Duration = Duration::from_millis(250);

/// Sweeps for ever from `mark`.
pub(super) async fn run(app: App, mut mark: i64) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = false;
    loop {
        ticks.tick().await;
        if fault::is_off("sweep") {
            continue;
        }
        match once(&app, mark, failed).await {
            Ok(next) => {
                mark = next;
                failed = false;
            }
            Err(error) => {
                tracing::warn!(%error, "a sweep failed");
                failed = true;
            }
        }
    }
}

/// One sweep from `mark`; the next one's mark, once what this one found was handled. After a failure, nothing that was
/// believed before is relied on.
pub(super) async fn once(
    app: &App,
    mark: i64,
    failed_before: bool,
) -> Result<i64, crate::store::Error> {
    let found = topic::sweep(&app.db, mark).await?;
    if let Some(at) = found.at {
        app.clock.follow(at);
    }
    if failed_before || found.is_new_epoch {
        app.hub.mark_all();
    }
    let beside = app.hub.depend_beside(&found.moved);
    let versions = if beside.is_empty() {
        HashMap::new()
    } else {
        topic::versions(&mut app.db.snapshot().await?, &beside).await?
    };
    app.hub.mark_behind(&found.moved, &versions);
    app.hub.swept();
    Ok(found.mark)
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
