//! Everything at once: Redis goes and comes back and an instance dies while people write at all of them. Nobody who looks is
//! left with less, more or other than what is there.

use crate::rig::redis::{self, Redis};
use crate::rig::{Business, Instance, On, Outcome, Person, Watcher, until};
use anyhow::{Context as _, ensure};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How many writes are acknowledged in all.
const WRITES: usize = 1000;
/// Two for each person, so that writes meet in one thread too.
const WRITERS: usize = 10;
const PEOPLE: [&str; 5] = [
    "thandi",
    "client-0001",
    "client-0002",
    "client-0003",
    "client-0004",
];
/// P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// Row 1: what was cut off is live again elsewhere.
const BACK: Duration = Duration::from_secs(5);
/// For a quarter of the writes, and for one that is sent again until it is acknowledged: an end for a test that hangs.
const PATIENCE: Duration = Duration::from_secs(40);

/// Sends it with one key to one instance after the other until one says that it is saved: how often it was sent.
async fn write(person: &Person, instances: &[Person], words: &str) -> anyhow::Result<usize> {
    let began = Instant::now();
    for (sent, at) in (1..).zip(instances.iter().cycle()) {
        let answer = person.at_address(at.address).write(words, words).await;
        match answer.map(|answer| answer.status) {
            Ok(303) => return Ok(sent),
            Ok(503) | Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            Ok(status) => anyhow::bail!("{words}: {status}"),
        }
        ensure!(began.elapsed() < PATIENCE, "{words}: nobody saves it");
    }
    unreachable!("a cycle has no end")
}

/// What a writer wrote, with how often each was sent.
type Written = JoinHandle<anyhow::Result<Vec<(String, usize)>>>;

/// Writes its share, each at the next instance.
fn writer(number: usize, person: &Person, at: &[Person], acked: &Arc<AtomicUsize>) -> Written {
    let (person, mut at, acked) = (person.clone(), at.to_vec(), Arc::clone(acked));
    tokio::spawn(async move {
        let mut written = Vec::new();
        for n in 0..WRITES / WRITERS {
            let words = format!("Writer {number} says {n}.");
            let sent = write(&person, &at, &words).await?;
            written.push((words, sent));
            acked.fetch_add(1, Ordering::Relaxed);
            at.rotate_left(1);
        }
        Ok(written)
    })
}

/// Rows 1, 2 and 4 at once. A write may be sent again, to another instance, when the one it was sent to died with the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_writes_while_redis_and_an_instance_die_are_shown_exactly() -> Outcome {
    let mut redis = Redis::start().await?;
    let business = Business::open(On::Postgres).await?;
    let url = redis::url(redis.address);
    let start = || {
        let start = Instance::of(&business).with("PORTICO_REDIS_URL", &url);
        start.serve()
    };
    let mut instances = [start().await?, start().await?, start().await?];
    let addresses: Vec<_> = instances.iter().map(|one| one.address).collect();

    let naledi = Person::sign_in(&instances[0], "naledi").await?;
    let (mut people, mut pages) = (Vec::new(), Vec::new());
    for who in PEOPLE {
        let person = Person::sign_in(&instances[0], who).await?;
        person.write("Good morning", "k0").await?;
        let inbox = naledi.get("/admin/messages").await?;
        // The latest thread stands first.
        let threads = inbox.attributes("a[href^='/admin/messages/']", "href");
        let thread = threads.first().context("staff see a thread")?;
        for first in 0..addresses.len() {
            let mut at = addresses.clone();
            at.rotate_left(first);
            let own = person.at_address(at[0]);
            pages.push((who, Watcher::open_at(&own, "/messages", &at).await?));
            // Each thread is open at staff's too, at one instance.
            if first == people.len() % at.len() {
                let staffs = naledi.at_address(at[0]);
                pages.push((who, Watcher::open_at(&staffs, thread, &at).await?));
            }
        }
        people.push(person);
    }

    let acked = Arc::<AtomicUsize>::default();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let person = &people[number % people.len()];
            let mut at: Vec<_> = addresses.iter().map(|&at| person.at_address(at)).collect();
            at.rotate_left(number % addresses.len());
            writer(number, person, &at, &acked)
        })
        .collect();
    let count = &acked;
    let are_written = |part: usize| {
        let is_so = move || count.load(Ordering::Relaxed) >= WRITES * part / 8;
        until("part of it is written", PATIENCE, is_so)
    };
    are_written(1).await?;
    redis.process.kill();
    are_written(2).await?;
    // Killed while someone's write is committed and not answered yet.
    instances[0].arm("after_commit")?;
    instances[0].reached("after_commit").await?;
    instances[0].kill();
    are_written(4).await?;
    redis.again().await?;
    are_written(5).await?;
    instances[0].restart().await?;
    are_written(7).await?;
    // What comes last is found by the sweep alone.
    redis.process.kill();
    let so_far = acked.load(Ordering::Relaxed);
    ensure!(so_far < WRITES, "all was written before all was broken");

    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await??);
    }
    ensure!(written.len() == WRITES, "{} were written", written.len());
    let again = written.iter().filter(|(_, sent)| *sent > 1).count();
    ensure!(again > 0, "nobody was cut off by the instance that died");

    let mut there = HashMap::<String, usize>::new();
    for body in business.messages().await? {
        *there.entry(body).or_default() += 1;
    }
    for (words, sent) in &written {
        let times = there.get(words).copied().unwrap_or_default();
        ensure!(
            times == 1,
            "{words} sent {sent} times is there {times} times"
        );
    }
    let mut shown = 0;
    for (n, (who, page)) in pages.iter().enumerate() {
        page.is_live(BACK).await?;
        page.is_exact(addresses[n % addresses.len()], STALE).await?;
        // A fresh page shows the newest; this one every line from its oldest to the last.
        let thread = business.thread(who).await?;
        let seen = page.seen();
        let lines = seen.page.messages();
        ensure!(
            lines.keys().last() == Some(&thread.len()),
            "the last line is missing"
        );
        for (number, html) in &lines {
            let words = &thread[number - 1];
            // What was there before is in paragraphs, with links.
            ensure!(
                !words.starts_with("Writer") || html.contains(&format!("{words}<")),
                "line {number} is {html} and should be {words}"
            );
        }
        shown += lines.len();
    }
    println!(
        "{WRITES} writes, {again} sent more than once, {} pages exact in {shown} lines",
        pages.len()
    );
    business.is_sound()
}
