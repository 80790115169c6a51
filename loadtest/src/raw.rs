//! Servers that only hand one message to all: the bare loop, and nginx with nchan. They are measured by the same watchers as
//! Portico, and know neither people nor pages.

use crate::http::Person;
use crate::report::{self, Report};
use crate::stats::now;
use crate::usage::{self, Usage};
use crate::watch;
use crate::worker::{Order, Share, Tally, Told, Workers};
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(10);
const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/// What to do.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    #[arg(long, default_value_t = 10_000)]
    pub(crate) sockets: usize,
    /// Messages, one after the other
    #[arg(long, default_value_t = 20)]
    pub(crate) changes: usize,
    /// Milliseconds between those
    #[arg(long, default_value_t = 1000)]
    pub(crate) pause: u64,
    /// Bytes of a message
    #[arg(long, default_value_t = 600)]
    pub(crate) bytes: usize,
    /// Keep the server on the first core, and whoever watches on the second
    #[arg(long)]
    pub(crate) pin: bool,
    #[command(flatten)]
    pub(crate) report: report::Output,
}

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Floor,
    Nchan,
}

/// A running one, and what ends with it.
struct Rival {
    url: String,
    pid: u32,
    _process: Child,
    _dir: TempDir,
}

pub(crate) async fn run(kind: Kind, options: &Options) -> anyhow::Result<()> {
    let report = measure(kind, options).await?;
    report.finish(&options.report)
}

pub(crate) async fn measure(kind: Kind, options: &Options) -> anyhow::Result<Report> {
    let rival = match kind {
        Kind::Floor => floor(options).await?,
        Kind::Nchan => nchan(options).await?,
    };
    let used = || Usage::sum(&[rival.pid]);
    let share = Share {
        urls: vec![rival.url.clone()],
        sockets: options.sockets,
        each: 20,
        first: 1,
        path: "/sub".to_owned(),
        pin: options.pin,
    };
    let mut workers = Workers::start(&share).await?;
    let empty = used()?;
    workers.order(&Order::Open).await?;
    sleep(Duration::from_secs(2)).await;
    let full = used()?;
    workers.order(&Order::Begin).await?;
    let publisher = Person::browser()?;
    let message = "x".repeat(options.bytes);
    let began = Instant::now();
    let mut sent = Vec::new();
    for version in 1..=i64::try_from(options.changes)? {
        sleep(Duration::from_millis(options.pause)).await;
        sent.push((version, now()));
        let body = if kind == Kind::Floor {
            String::new()
        } else {
            message.clone()
        };
        let answer = publisher
            .post(format!("{}/pub", rival.url))
            .body(body)
            .send()
            .await?;
        ensure!(
            answer.status().is_success(),
            "a message was answered {}",
            answer.status()
        );
        answer.bytes().await?;
    }
    let version = i64::try_from(sent.len())?;
    let mut reached = 0;
    for told in workers
        .order(&Order::Await {
            version,
            patience: 10_000.0,
        })
        .await?
    {
        if let Told::Versions { reached: some, .. } = told {
            reached += some;
        }
    }
    let took = began.elapsed().as_secs_f64();
    let after = used()?;
    let mut tally = Tally::default();
    for told in workers.order(&Order::Tell { answered: sent }).await? {
        match told {
            Told::Tally(some) => tally.add(&some),
            told => bail!("a worker said {told:?}"),
        }
    }
    workers.finish();
    let mut report = Report::default();
    report.count("watchers", options.sockets);
    report.count("changes", options.changes);
    watch::latency(&mut report, &tally);
    watch::counts(&mut report, &tally);
    report.number(
        "deliveries a second",
        watch::per(tally.counts.frames, took),
        "/s",
    );
    report.count("lost", options.sockets - reached);
    watch::cost(&mut report, &tally, Some(full), Some(after));
    watch::memory(&mut report, options.sockets, Some(empty), Some(full));
    Ok(report)
}

async fn floor(options: &Options) -> anyhow::Result<Rival> {
    let program = std::env::current_exe()?;
    let mut process = usage::command(options.pin.then_some(0), &program)
        .args(["floor-server", &options.bytes.to_string()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = process.stdout.take().context("its output is piped")?;
    let url = BufReader::new(stdout)
        .lines()
        .next_line()
        .await?
        .context("it ended at once")?;
    Ok(Rival {
        url,
        pid: process.id().context("it runs")?,
        _process: process,
        _dir: tempfile::tempdir()?,
    })
}

async fn nchan(options: &Options) -> anyhow::Result<Rival> {
    ensure!(
        Path::new(MODULE).exists(),
        "first apt-get install nginx-light libnginx-mod-nchan"
    );
    let dir = tempfile::tempdir()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let folder = dir.path().display();
    let config = format!(
        "load_module {MODULE}; daemon off; master_process off; worker_processes 1; pid {folder}/pid;
         error_log {folder}/log warn; worker_rlimit_nofile 20000;
         events {{ worker_connections 19500; }}
         http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
           fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
           server {{ listen 127.0.0.1:{port} backlog=4096;
             location = /pub {{ nchan_publisher; nchan_channel_id all; }}
             location = /sub {{ nchan_subscriber websocket; nchan_channel_id all; nchan_subscriber_first_message newest; }} }} }}"
    );
    let file = dir.path().join("nginx.conf");
    std::fs::write(&file, config)?;
    let process = usage::command(options.pin.then_some(0), Path::new("nginx"))
        .args([
            "-p",
            &folder.to_string(),
            "-e",
            &format!("{folder}/log"),
            "-c",
        ])
        .arg(&file)
        .kill_on_drop(true)
        .spawn()
        .context("nginx cannot be started")?;
    let up = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let started = timeout(PATIENCE, up).await;
    let log = || std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    started.with_context(|| format!("nginx does not start: {}", log()))?;
    Ok(Rival {
        url: format!("http://127.0.0.1:{port}"),
        pid: process.id().context("it runs")?,
        _process: process,
        _dir: dir,
    })
}
