//! From a booking's answer to the frame at each of thousands who watch the same week, what that costs the server, and whether
//! everybody ends with what a page shows that is loaded then.

use crate::booking::Booker;
use crate::crowd::{self, Crowd};
use crate::http::Posted;
use crate::raw;
use crate::report::{self, Report};
use crate::usage::Usage;
use crate::worker::{Order, Tally, Told};
use anyhow::bail;
use clap::Args;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Milliseconds that the last change may take to show; what has not come then is lost.
const PATIENCE: f64 = 10_000.0;

/// Changes before anybody watches, and time without changes when everybody does: what they cost is no delivery's.
const UNSEEN: u32 = 40;
const IDLE: Duration = Duration::from_secs(10);

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    crowd: crowd::Watching,
    /// Changes, one after the other, when there is no --rate
    #[arg(long, default_value_t = 20)]
    changes: u32,
    /// Milliseconds between those
    #[arg(long, default_value_t = 1000)]
    pause: u64,
    /// Changes a second, by several clients at once
    #[arg(long)]
    rate: Option<u32>,
    /// For how long
    #[arg(long, default_value_t = 10, requires = "rate")]
    seconds: u32,
    #[command(flatten)]
    report: report::Output,
    /// Draw latency over time into this SVG file
    #[arg(long)]
    plot: Option<std::path::PathBuf>,
}

impl Options {
    /// Changes in turn, as a raw server is measured.
    pub(crate) fn beside(crowd: crowd::Watching, raw: &raw::Options) -> Self {
        Self {
            crowd,
            changes: u32::try_from(raw.changes).unwrap_or(u32::MAX),
            pause: raw.pause,
            rate: None,
            seconds: 0,
            report: report::Output::default(),
            plot: None,
        }
    }
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    measure(options).await?.finish(&options.report)
}

pub(crate) async fn measure(options: &Options) -> anyhow::Result<Report> {
    let mut crowd = Crowd::gather(&options.crowd).await?;
    let mut bookers = std::mem::take(&mut crowd.bookers);
    let fresh = crowd.fleet.usage()?;
    in_turn(&mut bookers, UNSEEN, Duration::ZERO).await?;
    let empty = crowd.fleet.usage()?;
    let base = crowd.open().await?;
    let full = crowd.fleet.usage()?;
    sleep(IDLE).await;
    let idle = crowd.fleet.usage()?;
    crowd.workers.order(&Order::Begin).await?;

    let began = Instant::now();
    let answers = match options.rate {
        None => {
            in_turn(
                &mut bookers,
                options.changes,
                Duration::from_millis(options.pause),
            )
            .await?
        }
        Some(rate) => at_rate(bookers, rate, options.seconds).await?,
    };
    let took = began.elapsed().as_secs_f64();
    let last = answers.last().map_or(0.0, |answer| answer.answered);
    // Each change moves the calendar by one: the nth answer stands for the nth version.
    let answered: Vec<(i64, f64)> = (base + 1..)
        .zip(answers.iter().map(|answer| answer.answered))
        .collect();
    let version = answered.last().map_or(base, |(version, _)| *version);
    let await_all = Order::Await {
        version,
        patience: PATIENCE,
    };
    let (mut reached, mut last_at) = (0, 0.0f64);
    let mut behind: BTreeMap<i64, usize> = BTreeMap::new();
    for told in crowd.workers.order(&await_all).await? {
        match told {
            Told::Versions {
                reached: some,
                last_at: at,
                versions,
            } => {
                reached += some;
                last_at = last_at.max(at);
                for (has, count) in &versions {
                    *behind.entry(version - has).or_default() += count;
                }
                if let Some((most, _)) = versions
                    .last_key_value()
                    .filter(|(most, _)| **most > version)
                {
                    bail!(
                        "the calendar is at {most} after {} changes from {base}: somebody else writes",
                        answers.len()
                    );
                }
            }
            told => bail!("a worker said {told:?}"),
        }
    }
    if reached < options.crowd.sockets {
        eprintln!("pages have, by the changes they are behind: {behind:?}");
    }
    let after = crowd.fleet.usage()?;
    let mut tally = Tally::default();
    for told in crowd.workers.order(&Order::Tell { answered }).await? {
        match told {
            Told::Tally(some) => tally.add(&some),
            told => bail!("a worker said {told:?}"),
        }
    }
    let exact = crowd.exact_count().await?;
    crowd.workers.finish();

    let sockets = options.crowd.sockets;
    let mut report = Report::default();
    report.add("page", crowd.path.as_str(), crowd.path.as_str());
    report.count("watchers", sockets);
    report.count("instances", crowd.fleet.urls.len());
    report.count("changes", answers.len());
    report.number("changes a second", per(answers.len(), took), "/s");
    latency(&mut report, &tally);
    report.number("last answer to last watcher", last_at - last, "ms");
    counts(&mut report, &tally);
    report.number("deliveries a second", per(tally.counts.frames, took), "/s");
    report.count("lost", sockets - reached);
    report.count("in the exact state", exact);
    cost(&mut report, &tally, idle, after);
    if let (Some(fresh), Some(empty), Some(full), Some(idle)) = (fresh, empty, full, idle) {
        let bookings = empty.since(fresh).cpu * per(answers.len(), f64::from(UNSEEN));
        let lines = idle.since(full).cpu * took / IDLE.as_secs_f64();
        report.number("as many bookings that nobody watches", bookings, "s");
        report.number("lines kept as long without a change", lines, "s");
    }
    memory(&mut report, sockets, fresh, full);
    if let Some(file) = &options.plot {
        crate::plot::write(file, &tally.series, base, &answers)?;
    }
    Ok(report)
}

/// Changes that wait for each other.
async fn in_turn(
    bookers: &mut [Booker],
    changes: u32,
    pause: Duration,
) -> anyhow::Result<Vec<Posted>> {
    let mut answers = Vec::new();
    let count = bookers.len();
    for n in 0..changes as usize {
        if n > 0 {
            sleep(pause).await;
        }
        answers.push(bookers[n % count].change().await?);
    }
    Ok(answers)
}

/// Changes on a beat, whether or not the one before was answered; in the order of their answers.
async fn at_rate(bookers: Vec<Booker>, rate: u32, seconds: u32) -> anyhow::Result<Vec<Posted>> {
    let began = Instant::now();
    let count = u32::try_from(bookers.len())?;
    let all = (0..).zip(bookers).map(|(n, mut booker)| {
        tokio::spawn(async move {
            let mut answers = Vec::new();
            let mut beat = n;
            while beat < rate * seconds {
                sleep_until(began + Duration::from_secs(1) * beat / rate).await;
                answers.push(booker.change().await?);
                beat += count;
            }
            anyhow::Ok(answers)
        })
    });
    let mut answers = Vec::new();
    for one in futures_util::future::join_all(all).await {
        answers.extend(one??);
    }
    answers.sort_by(|a, b| a.answered.total_cmp(&b.answered));
    Ok(answers)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn per(count: impl TryInto<u64>, of: f64) -> f64 {
    count.try_into().unwrap_or(0) as f64 / of
}

pub(crate) fn latency(report: &mut Report, tally: &Tally) {
    for (name, percent) in [("answer to frame p50", 50), ("answer to frame p99", 99)] {
        report.number(name, tally.latency.percentile(percent), "ms");
    }
    report.number("answer to frame max", tally.latency.max(), "ms");
    report.count("came before the answer", tally.early);
}

pub(crate) fn counts(report: &mut Report, tally: &Tally) {
    let counts = &tally.counts;
    report.count("deliveries", counts.frames);
    report.number(
        "bytes a delivery",
        per(counts.bytes, per(counts.frames, 1.0)),
        "",
    );
    report.count("doubled", counts.doubled);
    report.count("went back", counts.went_back);
    report.count("astray or unreadable", counts.astray + counts.nonsense);
    let closed: u64 = counts.closes.values().sum();
    report.add(
        "closed by the server",
        closed,
        format!("{closed} {:?}", counts.closes),
    );
}

/// What the deliveries took of the server and of those who watched.
pub(crate) fn cost(
    report: &mut Report,
    tally: &Tally,
    before: Option<Usage>,
    after: Option<Usage>,
) {
    let million = per(tally.counts.frames, 1_000_000.0);
    if let (Some(before), Some(after)) = (before, after) {
        let used = after.since(before);
        report.number("server CPU", used.cpu, "s");
        report.number("of that in the kernel", used.system, "s");
        report.number("server CPU per million deliveries", used.cpu / million, "s");
    }
    report.number("watchers' own CPU", tally.cpu, "s");
}

pub(crate) fn memory(
    report: &mut Report,
    sockets: usize,
    empty: Option<Usage>,
    full: Option<Usage>,
) {
    if let (Some(empty), Some(full)) = (empty, full) {
        let grown = full.since(empty);
        report.number(
            "private memory a socket",
            per(1024u64, 1.0) * grown.private / per(sockets, 1.0),
            "B",
        );
        report.number(
            "resident memory a socket",
            per(1024u64, 1.0) * grown.resident / per(sockets, 1.0),
            "B",
        );
        report.number("opening and idling took", grown.cpu, "s of CPU");
    }
}
