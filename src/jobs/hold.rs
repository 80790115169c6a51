//! Takes away holds that are over, of whom nobody wanted the time since. Pages free a time by the clock alone, and whoever
//! books or holds clears their own way: so nothing waits for this, and several instances may do it at once.

use crate::app::App;
use crate::store::hold;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// As long as a hold: more often would find nothing.
const EVERY: Duration = Duration::from_mins(2);

pub(super) async fn run(app: App) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let done = app
            .transact(app.clock.now(), |tx, now| Box::pin(hold::sweep(tx, *now)))
            .await;
        if let Err(error) = done {
            tracing::warn!(%error, "holds that are over could not be taken away");
        }
    }
}
