//! An instance that gets too little of the machine is slower, says no, and is well again as soon as it gets more. What the
//! kernel does to one that has no memory left is a KILL at any instant: `crash` and `together` do that.

use crate::rig::{Business, Instance, On, Outcome, Person, Watcher, until};
use anyhow::ensure;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// Row 35 says "recovers": within what any other outage is given.
const HEALED: Duration = Duration::from_secs(5);

/// Row 35: it may open 64 files. Whoever comes beyond that waits or is refused; whoever is connected is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_without_descriptors_recovers() -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let few = Instance::of(&business).under(&["prlimit", "--nofile=64:64", "--"]);
    let few = few.serve().await?;
    let thandi = Person::sign_in(&few, "thandi").await?;
    let page = Watcher::open(&thandi, "/messages").await?;
    let mut crowd = Vec::new();
    for _ in 0..200 {
        crowd.push(TcpStream::connect(few.address).await?);
    }
    // All that it may open is open, and those who knocked last wait outside.
    let open = format!("/proc/{}/fd", few.process.id());
    until("it has no descriptor left", HEALED, || {
        std::fs::read_dir(&open).is_ok_and(|open| open.count() >= 64)
    })
    .await?;
    // The line that stands is served, also while there are no more to be had.
    let answer = thandi.write("Still here", "k1").await;
    let crowded = Instant::now();
    drop(crowd);
    let words = "Room again";
    while !thandi
        .write(words, words)
        .await
        .is_ok_and(|answer| answer.status == 303)
    {
        ensure!(crowded.elapsed() < HEALED, "it does not recover");
    }
    page.shows(words, STALE).await?;
    if answer.is_ok_and(|answer| answer.status == 303) {
        ensure!(
            page.seen().page.times("Still here") == 1,
            "what was answered is there"
        );
    }
    page.is_exact(few.address, STALE).await?;
    business.is_sound()
}

/// Row 35: it gets a tenth of the time, in turns. Pages are told late and end right; nothing is locked for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_with_a_tenth_of_the_time_recovers() -> Outcome {
    let business = Business::open(On::Postgres).await?;
    let poor = Arc::new(Instance::of(&business).serve().await?);
    let rich = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&rich, "thandi").await?;
    let page = Watcher::open(&thandi.at(&poor), "/messages").await?;
    let turns = tokio::spawn({
        let poor = Arc::clone(&poor);
        async move {
            // Ten seconds in all.
            for _ in 0..50 {
                poor.process.signal("STOP")?;
                tokio::time::sleep(Duration::from_millis(180)).await;
                poor.process.signal("CONT")?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(())
        }
    });
    let mut wrote = 0;
    while !turns.is_finished() {
        let words = format!("Line {wrote}.");
        let at = if wrote % 2 == 0 {
            thandi.clone()
        } else {
            thandi.at(&poor)
        };
        let answer = at.write(&words, &words).await?;
        ensure!(
            [303, 503].contains(&answer.status),
            "{words} {}",
            answer.status
        );
        wrote += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    turns.await??;
    let words = "Time enough";
    ensure!(
        thandi.at(&poor).write(words, words).await?.status == 303,
        "it is written"
    );
    page.shows(words, HEALED).await?;
    page.is_exact(rich.address, STALE).await?;
    business.is_sound()
}
