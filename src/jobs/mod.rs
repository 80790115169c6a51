//! What an instance does by itself, without a request.

mod sweep;
mod tidy;

use crate::app::App;

/// Starts every job; they end with the runtime.
pub fn start(app: &App) {
    tokio::spawn(sweep::run(app.clone()));
    tokio::spawn(sweep::watch_clock(app.clone()));
    tokio::spawn(tidy::run(app.clone()));
}

pub use sweep::once as sweep_once;
