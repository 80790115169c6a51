//! Bookings through HTTP that are in nobody's way, and the very same statements by pgbench: what the server adds to what its
//! database takes. A change is a booking or its cancellation.

use crate::booking::{Booker, apart, freest_week};
use crate::fleet::{self, Fleet};
use crate::http::{Person, attribute, tags};
use crate::report::{self, Report};
use crate::statements;
use crate::watch::per;
use anyhow::{Context as _, ensure};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// What to do. It needs --postgres.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Clients who book at a time, each a time of their own
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// How long each of the two is measured
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Where that Postgres writes its log; the file `log` in its folder when unset
    #[arg(long)]
    log: Option<PathBuf>,
    #[command(flatten)]
    fleet: fleet::Instances,
    #[command(flatten)]
    report: report::Output,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let mut fleet = Fleet::start(&options.fleet, options.clients).await?;
    let folder = fleet.query("SHOW data_directory").await?;
    let folder = folder.context("only on a --postgres that this can see statements of")?;
    let log = match &options.log {
        Some(log) => log.clone(),
        None => PathBuf::from(folder.trim()).join("log"),
    };
    let mut bookers = bookers(&fleet, options.clients).await?;
    let (through_http, cpu) = through_http(&fleet, &mut bookers, options.seconds).await?;

    let name = fleet
        .query("SELECT current_database()")
        .await?
        .unwrap_or_default();
    let say = |what: &str| format!("ALTER DATABASE {} {what}", name.trim());
    fleet.query(&say("SET log_statement = 'all'")).await?;
    fleet.restart().await?;
    let mut scripts = Vec::new();
    for booker in &mut bookers {
        // Its connections are new, and prepare everything first.
        captured(booker, &log).await?;
        scripts.push(captured(booker, &log).await?);
    }
    fleet.query(&say("RESET log_statement")).await?;
    let database = fleet.database().context("it is our own")?;
    let by_pgbench = by_pgbench(database, &scripts, options.seconds).await?;

    let mut report = Report::default();
    report.count("clients", options.clients);
    report.number("through HTTP", through_http, "changes/s");
    report.number("server CPU a change", cpu, "ms");
    report.number("pgbench, the same statements", by_pgbench, "changes/s");
    report.number("pgbench to HTTP (aim 1.5)", by_pgbench / through_http, "");
    report.finish(&options.report)
}

/// As many as there are times for, spread over all staff.
async fn bookers(fleet: &Fleet, count: usize) -> anyhow::Result<Vec<Booker>> {
    let http = Person::browser()?;
    let mut people = Vec::new();
    for n in 0..count {
        let url = &fleet.urls[n % fleet.urls.len()];
        people
            .push(Person::sign_in_with(http.clone(), url, &format!("client-{:04}", n + 1)).await?);
    }
    let week = freest_week(&people[0]).await?;
    let page = people[0].get(&week.path).await?;
    let mut places = Vec::new();
    let mut paths: Vec<String> = tags(&page, "/bookings?week=")
        .filter_map(|tag| attribute(tag, "href"))
        .map(|path| path.replace("&amp;", "&"))
        .collect();
    paths.push(week.path);
    paths.sort();
    paths.dedup();
    for path in paths {
        let page = people[0].get(&path).await?;
        let free: Vec<&str> = tags(&page, "data-state=\"free\"").collect();
        let starts: Vec<String> = free
            .iter()
            .filter_map(|tag| attribute(tag, "data-slot"))
            .map(str::to_owned)
            .collect();
        let staff = free.first().and_then(|tag| attribute(tag, "data-staff"));
        if let Some(staff) = staff {
            places.push(
                apart(&starts)
                    .into_iter()
                    .map(|start| (start, staff.to_owned()))
                    .collect::<Vec<_>>(),
            );
        }
    }
    let longest = places.iter().map(Vec::len).max().unwrap_or(0);
    let spread = (0..longest).flat_map(|n| places.iter().filter_map(move |of| of.get(n)));
    let mut bookers = Vec::new();
    for (person, (start, staff)) in people.into_iter().zip(spread) {
        bookers.push(Booker::new(person, start, staff).await?);
    }
    ensure!(
        bookers.len() == count,
        "there is room for {} clients only",
        bookers.len()
    );
    Ok(bookers)
}

/// Changes a second, and the server's CPU for one in milliseconds.
async fn through_http(
    fleet: &Fleet,
    bookers: &mut [Booker],
    seconds: u64,
) -> anyhow::Result<(f64, f64)> {
    let before = fleet.usage()?.context("they are our own")?;
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let all = bookers.iter_mut().map(|booker| async move {
        let mut count = 0u64;
        // Back where it began: whoever captures statements next begins with a booking.
        while Instant::now() < until || count % 2 == 1 {
            booker.change().await?;
            count += 1;
        }
        anyhow::Ok(count)
    });
    let count: u64 = futures_util::future::try_join_all(all)
        .await?
        .into_iter()
        .sum();
    let took = began.elapsed().as_secs_f64();
    let used = fleet.usage()?.context("they are our own")?.since(before);
    Ok((per(count, took), used.cpu * 1000.0 / per(count, 1.0)))
}

/// What a booking and its cancellation asked the database for, as a script.
async fn captured(booker: &mut Booker, log: &PathBuf) -> anyhow::Result<String> {
    // The sweep asks every two seconds, and may come between: then once more.
    let mut last = None;
    for _ in 0..8 {
        let before = std::fs::metadata(log)
            .with_context(|| format!("{} cannot be read", log.display()))?
            .len();
        booker.change().await?;
        booker.change().await?;
        // Its last line may still be on the way.
        sleep(Duration::from_millis(50)).await;
        let bytes = std::fs::read(log)?;
        let text = String::from_utf8_lossy(&bytes[usize::try_from(before)?..]).into_owned();
        let one = statements::read(&text)?;
        if let Some(before) = last.replace(one.clone())
            && let Ok(script) = statements::script(&before, &one)
        {
            return Ok(script);
        }
    }
    anyhow::bail!("a booking is never the same statements twice")
}

/// Each script in a process of its own, all at once; changes a second.
async fn by_pgbench(database: &str, scripts: &[String], seconds: u64) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir()?;
    let all = scripts.iter().enumerate().map(|(n, script)| {
        let file = dir.path().join(format!("{n}.sql"));
        async move {
            std::fs::write(&file, script)?;
            let output = Command::new("pgbench")
                .args([
                    "-n",
                    "-c",
                    "1",
                    "-M",
                    "prepared",
                    "-T",
                    &seconds.to_string(),
                ])
                .args(["-D", &format!("n={}", (n + 1) * 100_000_000)])
                .arg("-f")
                .arg(&file)
                .arg(database)
                .kill_on_drop(true)
                .output()
                .await
                .context("pgbench cannot be started")?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "pgbench: {}", said.trim());
            let told = String::from_utf8_lossy(&output.stdout);
            let tps = told.lines().find_map(|line| line.strip_prefix("tps = "));
            let tps = tps.and_then(|line| line.split(' ').next()?.parse::<f64>().ok());
            tps.context("pgbench tells its rate")
        }
    });
    let rates = futures_util::future::try_join_all(all).await?;
    // A turn of a script is a booking and a cancellation.
    Ok(rates.into_iter().sum::<f64>() * 2.0)
}
