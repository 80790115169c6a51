//! What an instance does by itself, without a request.

mod complete;
mod hold;
mod offer;
mod outbox;
mod reminder;
mod sweep;
mod tidy;

use crate::app::App;

/// Starts every job; they end with the runtime. Where the first sweep begins is known before anything is watched: a change
/// between the two would be missed for good.
pub async fn start(app: &App) -> anyhow::Result<()> {
    let post = outbox::Post::of(&app.config)?;
    let sweep = sweep::Sweep::start(app).await?;
    tokio::spawn(sweep.run(app.clone()));
    tokio::spawn(sweep::watch_clock(app.clone()));
    tokio::spawn(hold::run(app.clone()));
    tokio::spawn(complete::run(app.clone()));
    tokio::spawn(offer::run(app.clone()));
    if let Some(post) = post {
        tokio::spawn(outbox::run(app.clone(), post));
    }
    tokio::spawn(reminder::run(app.clone()));
    tokio::spawn(tidy::run(app.clone()));
    Ok(())
}
