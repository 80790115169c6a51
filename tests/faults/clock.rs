//! One instance's clock is wrong, or jumps: what people see and what is written goes by the database's.

use crate::rig::{Business, Instance, On, Outcome, Person, Watcher};
use anyhow::{Context as _, ensure};
use std::time::{Duration, Instant};

/// P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// Between two instants that were told by one clock and are compared with another, on a machine that does other things.
const NEAR: i64 = 10_000;

/// When the last message was written, and when that is now, in milliseconds of the database's time.
const LAST: &str =
    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) - MAX(at) FROM messages";

/// The library itself: the command of its name would stay in between, and be all that a test can end.
fn faketime() -> anyhow::Result<String> {
    let folders = std::fs::read_dir("/usr/lib")?.flatten();
    let mut libraries = folders.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    let library = libraries.find(|library| library.exists());
    Ok(library
        .context("faketime is not installed")?
        .display()
        .to_string())
}

/// Row 20: one of three instances is ten minutes ahead or behind, with its monotonic clock faked too or not.
async fn one_is_wrong(by: &str, monotonic: bool) -> Outcome {
    let business = Business::open(On::Postgres).await?;
    let right = Instance::of(&business).serve().await?;
    let other = Instance::of(&business).serve().await?;
    let wrong = Instance::of(&business)
        .with("LD_PRELOAD", &faketime()?)
        .with("FAKETIME", by)
        .with("DONT_FAKE_MONOTONIC", if monotonic { "0" } else { "1" });
    let wrong = wrong.serve().await?;
    // Signing in goes by the database's time too: a session that begins in the future would not be one.
    let there = Person::sign_in(&wrong, "thandi").await?;
    let page = Watcher::open(&there.at(&other), "/messages").await?;
    let (free, fresh) = (
        there.get("/bookings").await?,
        there.at(&right).get("/bookings").await?,
    );
    let slots = |answer: &crate::rig::person::Answer| {
        let states = answer.attributes("[data-slot]", "data-state");
        answer
            .attributes("[data-slot]", "data-slot")
            .into_iter()
            .zip(states)
            .collect::<Vec<_>>()
    };
    ensure!(!slots(&free).is_empty(), "there are slots");
    ensure!(
        slots(&free) == slots(&fresh),
        "free times depend on an instance's clock"
    );
    for (n, person) in [&there, &there.at(&right), &there.at(&other)]
        .into_iter()
        .enumerate()
    {
        let words = format!("At {by}, line {n}.");
        let answer = person.write(&words, &words).await?;
        ensure!(answer.status == 303, "written: {}", answer.status);
        page.shows(&words, STALE).await?;
        let age = business.count(LAST).await?;
        ensure!((-NEAR..NEAR).contains(&age), "it was written {age} ms ago");
    }
    let far = Watcher::open(&there, "/messages").await?;
    far.is_exact(right.address, STALE).await?;
    page.is_exact(wrong.address, STALE).await?;
    let (_, age) = far.seen().beat.expect("it is live");
    ensure!(
        age < 6000,
        "the wrong instance believes that it is {age} ms behind"
    );
    business.is_sound()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_ten_minutes_ahead_changes_nothing() -> Outcome {
    one_is_wrong("+10m", false).await?;
    one_is_wrong("+10m", true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_ten_minutes_behind_changes_nothing() -> Outcome {
    one_is_wrong("-10m", false).await?;
    one_is_wrong("-10m", true).await
}

/// Row 20: a wall clock is set back by an hour while pages are open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_an_hour_changes_nothing() -> Outcome {
    let business = Business::open(On::Postgres).await?;
    let dir = tempfile::tempdir()?;
    let told = dir.path().join("faketime");
    std::fs::write(&told, "+0")?;
    let wrong = Instance::of(&business)
        .with("LD_PRELOAD", &faketime()?)
        .with("DONT_FAKE_MONOTONIC", "1")
        .with("FAKETIME_TIMESTAMP_FILE", &told.to_string_lossy())
        .with("FAKETIME_NO_CACHE", "1");
    let wrong = wrong.serve().await?;
    let right = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&wrong, "thandi").await?;
    let page = Watcher::open(&thandi, "/messages").await?;
    std::fs::write(&told, "-1h")?;
    let set = Instant::now();
    for n in 0.. {
        let words = format!("After an hour less {n}.");
        ensure!(
            thandi.write(&words, &words).await?.status == 303,
            "it is written"
        );
        page.shows(&words, STALE).await?;
        let age = business.count(LAST).await?;
        ensure!((-NEAR..NEAR).contains(&age), "it was written {age} ms ago");
        // Over two sweeps, each of which takes the time again.
        if set.elapsed() > Duration::from_secs(5) {
            break;
        }
    }
    page.is_exact(right.address, STALE).await?;
    business.is_sound()
}
