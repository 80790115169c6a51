//! Everybody is cut off at once and comes back at once: how long until all show again what a fresh page shows.

use crate::crowd::{self, Crowd};
use crate::report::{self, Report};
use crate::watch::per;
use crate::worker::{Order, Returned, Told};
use anyhow::bail;
use clap::Args;

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    crowd: crowd::Watching,
    /// Changes that everybody misses
    #[arg(long, default_value_t = 3)]
    changes: usize,
    /// Come back as if nothing had been seen
    #[arg(long)]
    without_cursor: bool,
    /// Storms, one after the other
    #[arg(long, default_value_t = 3)]
    times: usize,
    /// Milliseconds after which who is not back is missing
    #[arg(long, default_value_t = 30_000.0)]
    patience: f64,
    #[command(flatten)]
    report: report::Output,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let mut crowd = Crowd::gather(&options.crowd).await?;
    crowd.open().await?;
    println!("{} on {}", crowd.path, crowd.fleet.urls.join(" "));
    let mut runs = Vec::new();
    for n in 1..=options.times {
        let report = storm(options, &mut crowd).await?;
        println!("\nstorm {n}");
        report.finish(&report::Output::default())?;
        runs.push(report.json());
    }
    crowd.workers.finish();
    report::write(&options.report, &runs.into())
}

async fn storm(options: &Options, crowd: &mut Crowd) -> anyhow::Result<Report> {
    crowd.workers.order(&Order::Cut).await?;
    for n in 0..options.changes {
        let count = crowd.bookers.len();
        crowd.bookers[n % count].change().await?;
    }
    crowd.workers.order(&Order::Target).await?;
    let before = (crowd.fleet.usage()?, crowd.fleet.transactions().await?);
    let back = Order::Return {
        with_cursors: !options.without_cursor,
        patience: options.patience,
    };
    let mut returned = Returned::default();
    for told in crowd.workers.order(&back).await? {
        let Told::Returned(some) = told else {
            bail!("a worker said {told:?}");
        };
        returned.counts.add(&some.counts);
        returned.exact.add(&some.exact);
        returned.missing += some.missing;
        returned.cpu += some.cpu;
    }
    let after = (crowd.fleet.usage()?, crowd.fleet.transactions().await?);

    let mut report = Report::default();
    report.count("watchers", options.crowd.sockets);
    report.number(
        "back in the exact state p50",
        returned.exact.percentile(50),
        "ms",
    );
    report.number(
        "back in the exact state p99",
        returned.exact.percentile(99),
        "ms",
    );
    report.number("back in the exact state, all", returned.exact.max(), "ms");
    report.count("missing", returned.missing);
    let counts = &returned.counts;
    let refused = |(status, count): (&u16, &u64)| (*status >= 500).then_some(*count);
    let refused: u64 = counts.answers.iter().filter_map(refused).sum();
    report.add("5xx", refused, format!("{refused} {:?}", counts.answers));
    report.count("connections that failed", counts.unreachable);
    let closed: u64 = counts.closes.values().sum();
    report.add(
        "closed by the server",
        closed,
        format!("{closed} {:?}", counts.closes),
    );
    report.count("frames", counts.frames);
    report.number(
        "bytes a frame",
        per(counts.bytes, per(counts.frames, 1.0)),
        "",
    );
    if let (Some(before), Some(after)) = (before.0, after.0) {
        report.number("server CPU", after.since(before).cpu, "s");
    }
    if let (Some(before), Some(after)) = (before.1, after.1) {
        report.count("transactions", after - before);
    }
    report.number("watchers' own CPU", returned.cpu, "s");
    Ok(report)
}
