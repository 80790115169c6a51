//! Writes the reminders that are due. Any instance may, and several at once write each of them once: the key of the outbox
//! says so.

use crate::app::App;
use crate::store::{Error, reminder};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How late a reminder may be, which nobody minds.
const EVERY: Duration = Duration::from_secs(10);

pub(super) async fn run(app: App) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = once(&app).await {
            tracing::warn!(%error, "reminders could not be written");
        }
    }
}

async fn once(app: &App) -> Result<(), Error> {
    let now = app.clock.now();
    while reminder::is_due(&app.db, now).await? {
        let written = app
            .transact(now, |tx, now| Box::pin(reminder::write(tx, *now)))
            .await?;
        if written == 0 {
            break;
        }
    }
    Ok(())
}
