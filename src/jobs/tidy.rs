//! Forgets what ended long ago. Several instances may do so at once: deleting twice deletes once.

use crate::app::App;
use crate::store::{notification, session};
use std::time::Duration;
use tokio::time::interval;

pub(super) async fn run(app: App) {
    let mut ticks = interval(Duration::from_hours(1));
    loop {
        ticks.tick().await;
        let done = app
            .transact(app.clock.now(), |tx, now| {
                Box::pin(session::sweep(tx, *now))
            })
            .await;
        if let Err(error) = done {
            tracing::warn!(%error, "old sessions could not be forgotten");
        }
        let done = app
            .transact(app.clock.now(), |tx, now| {
                Box::pin(notification::sweep(tx, *now))
            })
            .await;
        if let Err(error) = done {
            tracing::warn!(%error, "old notifications could not be forgotten");
        }
    }
}
