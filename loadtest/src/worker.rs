//! Watchers in processes of their own: a process may hold 20,000 descriptors, and one thread reads what a core can read. A
//! worker is told what to do in JSON lines and answers each with one; between those it tells how far it is.

use crate::histogram::Histogram;
use crate::swarm::Counts;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// Sockets of one process, far enough below its descriptors.
pub(crate) const MOST: usize = 17_000;

/// What a worker holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Share {
    /// The instances, in turn.
    pub(crate) urls: Vec<String>,
    pub(crate) sockets: usize,
    /// Sockets of one client.
    pub(crate) each: usize,
    /// The number of its first client, from 1.
    pub(crate) first: usize,
    /// The page that is watched; or a raw address, when nobody signs in.
    pub(crate) path: String,
    /// On the second core.
    pub(crate) pin: bool,
}

/// What a worker is told to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Sign everybody in, and load their pages.
    SignIn,
    /// Open all, and say when they are.
    Open,
    /// Count from now on.
    Begin,
    /// Until every page has this version, or so many milliseconds have passed, or none is known.
    Await {
        version: i64,
        patience: f64,
    },
    /// With each version and when it was answered for.
    Tell {
        answered: Vec<(i64, f64)>,
    },
    /// Load every page anew, and compare.
    Compare,
    Cut,
    /// Load every page anew: what it shows is what each socket must show when it is back.
    Target,
    /// Bring all sockets back at once, and say when each shows what it must.
    Return {
        with_cursors: bool,
        patience: f64,
    },
}

/// What a worker tells.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    Progress {
        stage: String,
        done: usize,
    },
    Done,
    Versions {
        reached: usize,
        last_at: f64,
        versions: BTreeMap<i64, usize>,
    },
    Tally(Box<Tally>),
    Compared {
        exact: usize,
    },
    Returned(Box<Returned>),
    Failed(String),
}

/// What some watchers saw.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    /// From the answer to a write to the frame, for each version at each watcher.
    pub(crate) latency: Histogram,
    /// Frames that came before the answer.
    pub(crate) early: u64,
    /// The same by version.
    pub(crate) series: BTreeMap<i64, Histogram>,
    /// Seconds of CPU of the worker.
    pub(crate) cpu: f64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.latency.add(&other.latency);
        self.early += other.early;
        self.cpu += other.cpu;
        for (version, histogram) in &other.series {
            self.series.entry(*version).or_default().add(histogram);
        }
    }
}

/// How a return went.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Returned {
    pub(crate) counts: Counts,
    /// From the beginning to the exact state, for each page that reached it.
    pub(crate) exact: Histogram,
    pub(crate) missing: usize,
    pub(crate) cpu: f64,
}

/// A worker's process; it is killed when this goes.
#[derive(Debug)]
struct Worker {
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Worker {
    async fn start(share: &Share) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut command = crate::usage::command(share.pin.then_some(1), &program);
        let mut process = command
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().context("its output is piped")?;
        let mut worker = Self {
            stdin: process.stdin.take().context("its input is piped")?,
            lines: BufReader::new(stdout).lines(),
            _process: process,
        };
        worker.say(share).await?;
        Ok(worker)
    }

    async fn say(&mut self, what: &impl Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(what)?;
        line.push(b'\n');
        self.stdin
            .write_all(&line)
            .await
            .context("a worker has ended")
    }

    /// What it tells next that is no mere progress.
    async fn hear(&mut self, progress: &indicatif::ProgressBar) -> anyhow::Result<Told> {
        let mut before = 0;
        loop {
            let line = self
                .lines
                .next_line()
                .await?
                .context("a worker has ended")?;
            match serde_json::from_str(&line)? {
                Told::Progress { stage, done } => {
                    if progress.message() != stage {
                        progress.set_message(stage);
                        progress.set_position(0);
                        before = 0;
                    }
                    progress.inc(done.saturating_sub(before) as u64);
                    before = done;
                }
                Told::Failed(why) => bail!("a worker failed: {why}"),
                told => return Ok(told),
            }
        }
    }
}

/// All workers of a run.
#[derive(Debug)]
pub(crate) struct Workers {
    all: Vec<Worker>,
    progress: indicatif::ProgressBar,
}

impl Workers {
    /// Splits the sockets into as many processes as they need.
    pub(crate) async fn start(whole: &Share) -> anyhow::Result<Self> {
        let processes = whole.sockets.div_ceil(MOST).max(1);
        let progress = indicatif::ProgressBar::new(whole.sockets as u64);
        let style = "{msg:>12} {bar:40} {pos}/{len} {elapsed}";
        progress.set_style(indicatif::ProgressStyle::with_template(style)?);
        let clients = (whole.sockets / processes).div_ceil(whole.each);
        let mut all = Vec::new();
        let mut left = whole.sockets;
        for n in 0..processes {
            let sockets = if n + 1 == processes {
                left
            } else {
                left.min(clients * whole.each)
            };
            left -= sockets;
            let share = Share {
                sockets,
                first: whole.first + n * clients,
                ..whole.clone()
            };
            all.push(Worker::start(&share).await?);
        }
        Ok(Self { all, progress })
    }

    /// Gives all the same order and collects what they tell.
    pub(crate) async fn order(&mut self, order: &Order) -> anyhow::Result<Vec<Told>> {
        for worker in &mut self.all {
            worker.say(order).await?;
        }
        let mut told = Vec::new();
        let heard = self
            .all
            .iter_mut()
            .map(|worker| worker.hear(&self.progress));
        for one in futures_util::future::join_all(heard).await {
            told.push(one?);
        }
        Ok(told)
    }

    pub(crate) fn finish(&self) {
        self.progress.finish_and_clear();
    }
}
