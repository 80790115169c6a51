//! Measures a Portico from outside, as its users meet it. It prints figures and never judges them: the aims stand beside
//! them, and a slow machine is no fault of the code.

mod booking;
mod cdp;
mod compare;
mod contend;
mod crowd;
mod dom;
mod fleet;
mod floor;
mod herd;
mod histogram;
mod http;
mod pages;
mod plot;
mod raw;
mod report;
mod server;
mod statements;
mod stats;
mod storm;
mod swarm;
mod usage;
mod watch;
mod worker;
mod writes;

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
    /// From a booking's answer to the frame at each of thousands who watch
    Watch(watch::Options),
    /// Cut thousands off at once, and see them come back
    Storm(storm::Options),
    /// Fight for the same few hours, and look for overlaps
    Contend(contend::Options),
    /// A bare loop that writes one frame to each socket, to compare with
    Floor(raw::Options),
    /// nginx with nchan, to compare with
    Nchan(raw::Options),
    /// The loop, nchan and Portico in one table
    Compare(compare::Options),
    /// Bookings in nobody's way, against pgbench with the same statements
    Writes(writes::Options),
    /// Be the bare loop, with frames of so many bytes
    #[command(hide = true)]
    FloorServer { bytes: usize },
    /// Hold some of a run's sockets, told what to do by it
    #[command(hide = true)]
    Worker,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Command::Worker => herd::run(),
        Command::FloorServer { bytes } => floor::serve(bytes),
        command => tokio::runtime::Runtime::new()?.block_on(until_stopped(command)),
    }
}

/// Ended by a signal it returns as well: a killed process would leave its browser and its server behind.
async fn until_stopped(command: Command) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        done = run(command) => done,
        _ = term.recv() => anyhow::bail!("stopped"),
        _ = tokio::signal::ctrl_c() => anyhow::bail!("stopped"),
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Dom(options) => dom::run(&options).await,
        Command::Pages(options) => pages::run(&options).await,
        Command::Watch(options) => watch::run(&options).await,
        Command::Storm(options) => storm::run(&options).await,
        Command::Contend(options) => contend::run(&options).await,
        Command::Floor(options) => raw::run(raw::Kind::Floor, &options).await,
        Command::Nchan(options) => raw::run(raw::Kind::Nchan, &options).await,
        Command::Compare(options) => compare::run(&options).await,
        Command::Writes(options) => writes::run(&options).await,
        Command::Worker | Command::FloorServer { .. } => unreachable!("they have no runtime"),
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory as _;

    #[test]
    fn every_command_can_be_asked_for() {
        Cli::command().debug_assert();
    }
}
