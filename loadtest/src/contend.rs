//! Many clients fight for the same few hours over several instances: whoever wins gives the time back at once, and it is fought
//! for again. Who holds what is written down here between a booking's answer and its cancellation, so that two who hold
//! the same minutes are seen even when the database looks right at the end.

use crate::booking::{Form, freest_week};
use crate::fleet::{self, Fleet};
use crate::http::Person;
use crate::report::{self, Report};
use crate::watch::per;
use anyhow::{Context as _, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// Starts that are fought for: so many that neighbours overlap each other too.
const STARTS: usize = 6;

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Bookings that are tried
    #[arg(long, default_value_t = 100_000)]
    attempts: usize,
    /// Clients who fight, each with a request under way at any time
    #[arg(long, default_value_t = 32)]
    clients: usize,
    #[command(flatten)]
    fleet: fleet::Instances,
    #[command(flatten)]
    report: report::Output,
}

/// What all fighters share.
struct Ring {
    attempts: usize,
    tried: AtomicUsize,
    counts: Mutex<BTreeMap<u16, u64>>,
    /// By start, in unix milliseconds: the end of a time that somebody holds.
    held: Mutex<BTreeMap<i64, i64>>,
    overlaps: AtomicUsize,
    progress: ProgressBar,
}

impl Ring {
    /// Writes down who holds what, and whether somebody else does too.
    fn hold(&self, start: i64, end: i64) {
        let mut held = self
            .held
            .lock()
            .expect("nothing panics while it holds this");
        let before = held.range(..end).next_back();
        if before.is_some_and(|(_, until)| *until > start) {
            self.overlaps.fetch_add(1, Ordering::Relaxed);
        }
        held.insert(start, end);
    }

    fn release(&self, start: i64) {
        self.held
            .lock()
            .expect("nothing panics while it holds this")
            .remove(&start);
    }

    fn count(&self, status: u16) {
        let mut counts = self
            .counts
            .lock()
            .expect("nothing panics while it holds this");
        *counts.entry(status).or_default() += 1;
    }
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let fleet = Fleet::start(&options.fleet, options.clients).await?;
    let http = Person::browser()?;
    let mut people = Vec::new();
    for n in 0..options.clients {
        let url = &fleet.urls[n % fleet.urls.len()];
        people
            .push(Person::sign_in_with(http.clone(), url, &format!("client-{:04}", n + 1)).await?);
    }
    let week = freest_week(&people[0]).await?;
    let starts: Vec<String> = week.free.iter().take(STARTS).cloned().collect();
    let minutes = minutes(&people[0], &starts[0], &week.staff).await?;
    // All of them before the fight: a sheet that is opened during it may find its time taken.
    let mut forms = Vec::new();
    for (n, person) in people.iter().enumerate() {
        forms.push(Form::open(person, &starts[n % starts.len()], &week.staff).await?);
    }
    let ring = Arc::new(Ring {
        attempts: options.attempts,
        tried: AtomicUsize::new(0),
        counts: Mutex::default(),
        held: Mutex::default(),
        overlaps: AtomicUsize::new(0),
        progress: ProgressBar::new(options.attempts as u64).with_style(
            ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}")?,
        ),
    });
    let before = fleet.usage()?;
    let began = Instant::now();
    let mut fighters = Vec::new();
    for (n, (person, form)) in people.into_iter().zip(forms).enumerate() {
        let (ring, starts) = (Arc::clone(&ring), starts.clone());
        fighters.push(tokio::spawn(async move {
            fight(&ring, &person, &form, &starts, minutes, n).await
        }));
    }
    for fighter in fighters {
        fighter.await??;
    }
    ring.progress.finish_and_clear();
    let took = began.elapsed().as_secs_f64();

    let mut report = Report::default();
    let counts = ring.counts.lock().expect("nobody fights any more").clone();
    let of = |status: u16| counts.get(&status).copied().unwrap_or(0);
    report.count("instances", fleet.urls.len());
    report.count("attempts", options.attempts);
    report.number("attempts a second", per(options.attempts, took), "/s");
    report.count("booked", of(303));
    report.count("taken", of(409));
    report.count("refused by a rule", of(422));
    let others: u64 = counts.values().sum::<u64>() - of(303) - of(409) - of(422);
    report.add("anything else", others, format!("{others} of {counts:?}"));
    report.count(
        "overlaps while they were held",
        ring.overlaps.load(Ordering::Relaxed),
    );
    if let Some(said) = fleet.check().await? {
        report.add("portico check", said.as_str(), said.as_str());
    }
    if let Some(overlaps) = fleet.query(OVERLAPS).await? {
        report.add("overlaps in the database", overlaps.trim(), overlaps.trim());
    }
    if let (Some(before), Some(after)) = (before, fleet.usage()?) {
        report.number("server CPU", after.since(before).cpu, "s");
    }
    report.finish(&options.report)?;
    ensure!(
        ring.overlaps.load(Ordering::Relaxed) == 0,
        "two held the same time"
    );
    Ok(())
}

/// Pairs of sessions that stand and share a minute of one member of staff.
const OVERLAPS: &str = "SELECT count(*) FROM bookings a JOIN bookings b ON a.staff_id = b.staff_id AND a.id < b.id
    AND a.starts_at < b.starts_at + b.minutes * 60000 AND b.starts_at < a.starts_at + a.minutes * 60000
    WHERE a.status <> 'cancelled' AND b.status <> 'cancelled'";

/// How long the session is that everybody books, as one booking's calendar file says.
async fn minutes(person: &Person, start: &str, staff: &str) -> anyhow::Result<i64> {
    let booked = Form::open(person, start, staff).await?.book(person).await?;
    let page = person.get(&booked.location).await?;
    let minutes = page.split(" min").next().and_then(|before| {
        let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<i64>().ok()
    });
    crate::booking::cancel(person, &booked.location, &page).await?;
    minutes.context("a booking's page says how many minutes it takes")
}

async fn fight(
    ring: &Ring,
    person: &Person,
    form: &Form,
    starts: &[String],
    minutes: i64,
    n: usize,
) -> anyhow::Result<()> {
    let [_, (_, staff), (_, service), (_, key)] = &form.fields;
    loop {
        let tried = ring.tried.fetch_add(1, Ordering::Relaxed);
        if tried >= ring.attempts {
            return Ok(());
        }
        // Neither in step with the others nor always the same.
        let start = &starts[(tried * 7 + n) % starts.len()];
        let key = format!("{key}{tried}");
        let fields = [
            ("start", start.as_str()),
            ("staff", staff),
            ("service", service),
            ("key", &key),
        ];
        let posted = person.post("/bookings", &fields).await?;
        ring.count(posted.status);
        ring.progress.inc(1);
        if posted.status != 303 {
            continue;
        }
        let at = start.parse::<Timestamp>()?.as_millisecond();
        ring.hold(at, at + minutes * 60_000);
        // The last ones stay, for the database to be looked at.
        if tried + 2 * starts.len() < ring.attempts {
            ring.release(at);
            let cancelled = person
                .post(&format!("{}/cancel", posted.location), &[("version", "1")])
                .await?;
            ensure!(
                cancelled.status == 303,
                "a cancellation was answered {}",
                cancelled.status
            );
        }
    }
}
