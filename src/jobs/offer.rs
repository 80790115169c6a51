//! Offers what became free to those who wait for it. It asks the database and remembers nothing: whoever dies between freeing
//! a time and offering it loses no offer, and several instances may do this at once.

use crate::app::App;
use crate::store::{Error, staff, wait};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// For what this instance was not there to hear: offers that have run out, times freed by an instance that died since.
const EVERY: Duration = Duration::from_secs(2);
/// Between two looks, however often something is written.
const PAUSE: Duration = Duration::from_millis(50);
/// A database that has vanished without a word would otherwise be waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn run(app: App) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = app.written.notified() => {}
        }
        match timeout(PATIENCE, once(&app)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what is free could not be offered"),
            Err(_) => tracing::warn!("the database did not answer in time what is free to offer"),
        }
        sleep(PAUSE).await;
    }
}

/// Offers all there is to offer.
async fn once(app: &App) -> Result<(), Error> {
    let mut tx = app.db.snapshot().await?;
    if !wait::is_anyone(&mut tx).await? {
        return Ok(());
    }
    let everyone = staff::list(&mut tx).await?;
    drop(tx);
    for one in everyone {
        loop {
            let now = app.clock.now();
            // Asked in a snapshot first: a lock on a calendar every two seconds would be in the way of those who book.
            let mut tx = app.db.snapshot().await?;
            let is_due = wait::is_due(&mut tx, one.id, now).await?;
            drop(tx);
            if !is_due {
                break;
            }
            let offered = app.transact((one.id, now), |tx, (staff, now)| {
                Box::pin(wait::next(tx, *staff, *now))
            });
            if !offered.await? {
                break;
            }
        }
    }
    Ok(())
}
