//! The bare loop, nchan and Portico, one after the other, with as many watchers and messages of the same length: one table.

use crate::crowd;
use crate::raw::{self, Kind};
use crate::report;
use crate::watch;
use clap::Args;
use serde_json::{Value, json};

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    crowd: crowd::Watching,
    /// Changes, one after the other
    #[arg(long, default_value_t = 20)]
    changes: usize,
    /// Milliseconds between those
    #[arg(long, default_value_t = 1000)]
    pause: u64,
    #[command(flatten)]
    report: report::Output,
}

const COLUMNS: [&str; 5] = [
    "private_memory_a_socket",
    "answer_to_frame_p50",
    "answer_to_frame_p99",
    "answer_to_frame_max",
    "lost",
];

/// What a server did besides, in seconds.
const BESIDE: [&str; 2] = [
    "as_many_bookings_that_nobody_watches",
    "lines_kept_as_long_without_a_change",
];

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let mut raw = raw::Options {
        sockets: options.crowd.sockets,
        changes: options.changes,
        pause: options.pause,
        bytes: 600,
        pin: options.crowd.fleet.pin,
        report: report::Output::default(),
    };
    // First: the others send as much as it does.
    let portico = watch::measure(&watch::Options::beside(options.crowd.clone(), &raw))
        .await?
        .json();
    let bytes = portico["bytes_a_delivery"].as_f64().unwrap_or(600.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a frame's length"
    )]
    let bytes = bytes as usize;
    raw.bytes = bytes;
    let nchan = raw::measure(Kind::Nchan, &raw).await?.json();
    let floor = raw::measure(Kind::Floor, &raw).await?.json();
    println!(
        "{} watchers, {} changes of {bytes} bytes\n{:<8} {:>12} {:>13} {:>12} {:>8} {:>8} {:>8} {:>6}",
        raw.sockets,
        raw.changes,
        "",
        "CPU s per M",
        "of deliveries",
        "B a socket",
        "p50 ms",
        "p99 ms",
        "max ms",
        "lost"
    );
    let rows = [("floor", floor), ("nchan", nchan), ("portico", portico)];
    for (name, figures) in &rows {
        let figure = |name: &str| figures[name].as_f64();
        let cell = |n: usize| figure(COLUMNS[n]).unwrap_or(f64::NAN);
        let million = figure("deliveries").unwrap_or(f64::NAN) / 1e6;
        let cpu = figure("server_CPU").unwrap_or(f64::NAN);
        // The others book nothing, and leave idle lines alone.
        let beside: f64 = BESIDE.iter().filter_map(|name| figure(name)).sum();
        println!(
            "{name:<8} {:>12.2} {:>13.2} {:>12.0} {:>8.1} {:>8.1} {:>8.1} {:>6.0}",
            cpu / million,
            (cpu - beside) / million,
            cell(0),
            cell(1),
            cell(2),
            cell(3),
            cell(4)
        );
    }
    let pairs = rows
        .into_iter()
        .map(|(name, figures)| (name.to_owned(), figures));
    report::write(
        &options.report,
        &json!(pairs.collect::<serde_json::Map<String, Value>>()),
    )
}
