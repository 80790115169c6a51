//! Completes sessions that are over, where the business has it so. Each is completed by the one statement that finds it
//! confirmed, so that several instances may do this at once.

use crate::app::App;
use crate::store::booking;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Nobody waits for it: a page tells a session that is over apart by the clock.
const EVERY: Duration = Duration::from_mins(1);

pub(super) async fn run(app: App) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // More than one transaction takes: a business that has just chosen this has years of them.
        loop {
            let done = app
                .transact(app.clock.now(), |tx, now| {
                    Box::pin(booking::complete_ended(tx, *now))
                })
                .await;
            match done {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "sessions that are over could not be completed");
                    break;
                }
            }
        }
    }
}
