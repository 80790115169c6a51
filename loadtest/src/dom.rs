//! From a booking's commit to the DOM of real browsers: a client's calendar and staff's first page watch while two other
//! clients book and cancel, one thing at a time.

use crate::booking::{self, Form};
use crate::cdp::{Chromium, Page};
use crate::http::{Person, Posted};
use crate::server::{Server, Which};
use crate::stats::{self, Sample, head};
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long a change may take to show before the run is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Milliseconds over which the rests are spread: in step with the server's sweep they would meet it always or never.
const SPREAD: u64 = 100;

/// What a calendar shows.
const SLOTS: &str = "() => [...document.querySelectorAll('#calendar [data-slot]')]
    .map(e => `${e.dataset.slot} ${e.dataset.state}`)";
/// What staff's first page shows.
const EVENTS: &str = "() => [
    ...[...document.querySelectorAll('#agenda [data-booking]')].map(e => e.dataset.booking),
    ...[...document.querySelectorAll('#activity-lines > li')].map(e => e.id)]";

/// What to do, and with what.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Bookings; each is cancelled again
    #[arg(long, env = "LOADTEST_BOOKINGS", default_value_t = 200)]
    bookings: u32,
    /// Milliseconds of rest at least after each change; below 60 a change waits for the 50 ms after the last frame
    #[arg(long, env = "LOADTEST_PAUSE", default_value_t = 150)]
    pause: u64,
    #[arg(long, env = "CHROMIUM", default_value = "/usr/bin/chromium")]
    chromium: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// The columns: for each change, what was measured of it.
#[derive(Debug, Default)]
struct Columns {
    round_trip: Sample,
    calendar: Delay,
    agenda: Delay,
    activity: Delay,
    bytes: Sample,
    frames: Sample,
}

/// Until something showed: since the form was sent, and since its answer came.
#[derive(Debug, Default)]
struct Delay {
    from_click: Sample,
    from_answer: Sample,
}

impl Delay {
    fn push(&mut self, posted: &Posted, at: f64) {
        self.from_click.push(at - posted.sent);
        self.from_answer.push(at - posted.answered);
    }
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let server = Server::start(&options.which).await?;
    let url = &server.url;
    let thandi = Person::sign_in(url, "thandi").await?;
    let naledi = Person::sign_in(url, "naledi").await?;
    let bookers = [
        Person::sign_in(url, "pieter").await?,
        Person::sign_in(url, "aisha").await?,
    ];
    let week = booking::freest_week(&thandi).await?;
    let chromium = Chromium::start(&options.chromium).await?;
    let mut screens = Screens {
        calendar: Watch::start(&chromium, url, &week.path, &thandi, SLOTS).await?,
        admin: Watch::start(&chromium, url, "/admin", &naledi, EVENTS).await?,
    };
    println!(
        "{} and {url}: thandi watches {}, naledi /admin",
        chromium.version().await?,
        week.path
    );
    println!(
        "{} bookings, each cancelled again, {} to {} ms apart; clocks agree within {:.2} ms",
        options.bookings,
        options.pause,
        options.pause + SPREAD,
        screens
            .calendar
            .skew()
            .await?
            .max(screens.admin.skew().await?)
    );

    let (mut booked, mut cancelled) = (Columns::default(), Columns::default());
    sleep(Duration::from_millis(500)).await;
    for n in 0..options.bookings {
        let pause = Duration::from_millis(options.pause + u64::from(n) * 37 % SPREAD);
        let who = &bookers[n as usize % bookers.len()];
        let slot = &week.free[n as usize % week.free.len()];

        let form = Form::open(who, slot, &week.staff).await?;
        screens.forget();
        let posted = form.book(who).await?;
        let path = posted.location.clone();
        let id = path.rsplit('/').next().unwrap_or_default();
        screens.measure(&mut booked, &posted, slot, id).await?;
        sleep(pause).await;
        screens.calendar.count_into(&mut booked);

        let page = who.get(&path).await?;
        screens.forget();
        let posted = booking::cancel(who, &path, &page).await?;
        screens.measure(&mut cancelled, &posted, slot, id).await?;
        sleep(pause).await;
        screens.calendar.count_into(&mut cancelled);
    }
    chromium.close().await?;
    booked.print("booked");
    cancelled.print("cancelled");
    println!("\naims: from the answer to the DOM p99 50 ms; a booking under 2048 bytes");
    Ok(())
}

impl Columns {
    fn print(&self, what: &str) {
        println!();
        head(&format!("{what}, ms"));
        self.round_trip.row("the form's round trip");
        for (place, delay) in [
            ("calendar", &self.calendar),
            ("agenda", &self.agenda),
            ("activity", &self.activity),
        ] {
            delay.from_answer.row(&format!("{place}, from the answer"));
            delay.from_click.row(&format!("{place}, from the click"));
        }
        self.bytes.row("bytes to the calendar");
        self.frames.row("frames to the calendar");
    }
}

/// Everyone who watches.
struct Screens {
    calendar: Watch,
    admin: Watch,
}

impl Screens {
    fn forget(&mut self) {
        self.calendar.forget();
        self.admin.forget();
    }

    /// Waits until a change shows everywhere.
    async fn measure(
        &mut self,
        columns: &mut Columns,
        posted: &Posted,
        slot: &str,
        booking: &str,
    ) -> anyhow::Result<()> {
        columns.round_trip.push(posted.answered - posted.sent);
        let calendar = self.calendar.changed(slot).await?;
        columns.calendar.push(posted, calendar);
        let agenda = self.admin.changed(booking).await?;
        columns.agenda.push(posted, agenda);
        let activity = self.admin.changed("did-").await?;
        columns.activity.push(posted, activity);
        Ok(())
    }
}

/// A page that is watched by a real browser, and what was seen on it since the last change.
struct Watch {
    page: Page,
    seen: Vec<Value>,
    bytes: u32,
    frames: u32,
}

impl Watch {
    async fn start(
        chromium: &Chromium,
        url: &str,
        path: &str,
        viewer: &Person,
        keys: &str,
    ) -> anyhow::Result<Self> {
        let page = chromium.page().await?;
        page.call("Runtime.addBinding", json!({ "name": "loadtestSaw" }))
            .await?;
        page.open(url, path, &viewer.cookie).await?;
        let began = Instant::now();
        while page
            .evaluate("document.documentElement?.dataset.live")
            .await?
            != "live"
        {
            ensure!(began.elapsed() < PATIENCE, "{path} does not become live");
            sleep(Duration::from_millis(50)).await;
        }
        page.evaluate(&include_str!("observe.js").replacen("= KEYS", &format!("= {keys}"), 1))
            .await?;
        Ok(Self {
            page,
            seen: Vec::new(),
            bytes: 0,
            frames: 0,
        })
    }

    /// By how much the page's clock may differ from ours: half of the quickest question and answer, and what lies beyond.
    async fn skew(&self) -> anyhow::Result<f64> {
        let mut best = f64::MAX;
        for _ in 0..20 {
            let asked = stats::now();
            let theirs = self
                .page
                .evaluate("performance.timeOrigin + performance.now()")
                .await?;
            let answered = stats::now();
            let theirs = theirs.as_f64().context("a page tells the time")?;
            best = best.min((theirs - asked).abs().max((answered - theirs).abs()));
        }
        Ok(best)
    }

    /// Begins anew: what is seen from now on belongs to the next change.
    fn forget(&mut self) {
        self.catch_up();
        self.seen.clear();
        (self.bytes, self.frames) = (0, 0);
    }

    fn catch_up(&mut self) {
        while let Some(event) = self.page.reported() {
            self.note(event);
        }
    }

    fn note(&mut self, mut event: Value) {
        match event["method"].as_str() {
            Some("Runtime.bindingCalled") => {
                let payload = event["params"]["payload"].as_str().unwrap_or_default();
                self.seen.extend(serde_json::from_str::<Value>(payload));
            }
            Some("Network.webSocketFrameReceived") => {
                let frame = event["params"]["response"].take();
                let payload = frame["payloadData"].as_str().unwrap_or_default();
                if frame["opcode"] == 1 && !payload.starts_with("{\"hb\"") {
                    self.bytes += u32::try_from(payload.len()).unwrap_or(u32::MAX);
                    self.frames += 1;
                }
            }
            _ => {}
        }
    }

    /// When a key that starts so first came into the DOM or went from it.
    async fn changed(&mut self, key: &str) -> anyhow::Result<f64> {
        let told = |seen: &&Value| {
            let lists = ["came", "went"].into_iter();
            let mut keys = lists.filter_map(|list| seen[list].as_array()).flatten();
            keys.any(|one| one.as_str().is_some_and(|one| one.starts_with(key)))
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = self.seen.iter().find(told) {
                return seen["at"].as_f64().context("a time");
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left, self.page.event()).await {
                Ok(event) => self.note(event?),
                Err(_) => bail!("{key} does not change; seen since: {:?}", self.seen),
            }
        }
    }

    /// What the last change cost on the line.
    fn count_into(&mut self, columns: &mut Columns) {
        self.catch_up();
        columns.bytes.push(f64::from(self.bytes));
        columns.frames.push(f64::from(self.frames));
    }
}
