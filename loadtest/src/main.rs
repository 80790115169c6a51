//! Measures a Portico from outside, as its users meet it. It prints figures and never judges them: the aims stand beside
//! them, and a slow machine is no fault of the code.

mod cdp;
mod dom;
mod http;
mod pages;
mod server;
mod stats;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// Measures a Portico from outside.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// From a booking's commit to the DOM of two real browsers that watch
    Dom(dom::Options),
    /// How long a signed-in client waits for a page
    Pages(pages::Options),
}

/// Ended by a signal it returns as well: a killed process would leave its browser and its server behind.
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        done = run(cli.command) => done,
        _ = term.recv() => anyhow::bail!("stopped"),
        _ = tokio::signal::ctrl_c() => anyhow::bail!("stopped"),
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Dom(options) => dom::run(&options).await,
        Command::Pages(options) => pages::run(&options).await,
    }
}
