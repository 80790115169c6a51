//! The database goes away, stops answering, or is held: saving is paused, and says so; nobody hangs, and what was answered
//! stays.

use crate::rig::person::Answer;
use crate::rig::postgres::Postgres;
use crate::rig::proxy::Proxy;
use crate::rig::{Business, Instance, On, Outcome, Person, Watcher, until};
use anyhow::{Context as _, ensure};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Rows 8 and 9: how long until it is said that saving is paused, and until a probe finds the instance not ready.
const NOTICED: Duration = Duration::from_secs(10);
/// Row 8: the pool is whole again.
const HEALED: Duration = Duration::from_secs(5);
/// A page hears how fresh it is every five seconds.
const BEAT: Duration = Duration::from_secs(5);
/// Rows 9 and 10: nobody waits longer to be told to come back. A statement and a connection have five seconds each and a
/// request six; the rest is the way there and back.
const TOLD: Duration = Duration::from_millis(6500);
/// P3: a page that is not live says so.
const NOT_LIVE: Duration = Duration::from_secs(15);
/// P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// LIVE.md: above this age of a heartbeat a page says "not live since".
const AGE: u64 = 6000;

/// Someone who writes all the time, and what they were answered.
struct Writer {
    told: Arc<Mutex<Vec<(String, u16)>>>,
    task: JoinHandle<()>,
}

impl Writer {
    fn start(person: &Person, name: &str) -> Self {
        let told = Arc::<Mutex<Vec<(String, u16)>>>::default();
        let (person, name, ledger) = (person.clone(), name.to_owned(), Arc::clone(&told));
        let task = tokio::spawn(async move {
            for n in 0.. {
                let words = format!("{name} writes {n}.");
                let answer = person.write(&words, &words).await;
                let status = answer.map_or(0, |answer| answer.status);
                let told = ledger.lock();
                told.expect("nothing panics while it holds this")
                    .push((words, status));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Self { told, task }
    }

    /// What was answered so far, and how.
    fn told(&self) -> Vec<(String, u16)> {
        let told = self.told.lock();
        told.expect("nothing panics while it holds this").clone()
    }

    /// Every message that was answered with 303 is there once, no other one twice, and nothing was answered but 303 and 503.
    async fn was_told_the_truth(self, business: &Business) -> Outcome {
        self.task.abort();
        let bodies = business.messages().await?;
        for (words, status) in self.told() {
            ensure!([303, 503].contains(&status), "{words}: {status}");
            let times = bodies.iter().filter(|body| **body == words).count();
            ensure!(
                times <= 1 && (status != 303 || times == 1),
                "{words}: {status}, {times} times"
            );
        }
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// 503, when to come back, and a page that says what is going on.
fn is_paused(answer: &Answer) -> Outcome {
    ensure!(answer.status == 503, "it was answered {}", answer.status);
    ensure!(
        answer.headers.contains_key("retry-after"),
        "it says when to come back"
    );
    ensure!(answer.body.contains("Saving is paused"), "{}", answer.body);
    Ok(())
}

/// Row 8: Postgres ends, with its connections told or not.
async fn postgres_ends(signal: &str) -> Outcome {
    let mut postgres = Postgres::start().await?;
    let business = Business::on_postgres(&postgres.url()).await?;
    let only = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let pieter = Person::sign_in(&only, "pieter").await?;
    let page = Watcher::open(&thandi, "/messages").await?;
    let writer = Writer::start(&pieter, "Pieter");
    until("something is saved", NOTICED, || writer.told().len() > 3).await?;

    postgres.end(signal).await?;
    let ended = Instant::now();
    let answer = thandi.write("Nobody keeps this", "k1").await?;
    ensure!(
        ended.elapsed() < NOTICED,
        "told after {:?}",
        ended.elapsed()
    );
    is_paused(&answer)?;
    is_paused(&thandi.get("/messages").await?)?;
    until("the page is not live", NOT_LIVE, || {
        page.seen().beat.is_some_and(|(_, age)| age > AGE)
    })
    .await?;

    postgres.again().await?;
    is_saved_again(&thandi, "And now?", HEALED).await?;
    page.shows("And now?", STALE).await?;
    until("the page is live", HEALED + BEAT, || {
        page.seen().beat.is_some_and(|(_, age)| age < AGE)
    })
    .await?;
    page.is_exact(only.address, STALE).await?;
    writer.was_told_the_truth(&business).await?;
    business.is_sound()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_restarts_saving_is_paused() -> Outcome {
    postgres_ends("INT").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_postgres_is_killed_saving_is_paused() -> Outcome {
    postgres_ends("KILL").await
}

/// Writes until it is saved.
async fn is_saved_again(person: &Person, words: &str, within: Duration) -> Outcome {
    let began = Instant::now();
    loop {
        let is_saved = person.write(words, words).await?.status == 303;
        let took = began.elapsed();
        ensure!(took < within, "not healed after {took:?}");
        if is_saved {
            return Ok(());
        }
    }
}

/// Asks until the instance says that it is not ready.
async fn is_found_not_ready(person: Person) -> Outcome {
    let began = Instant::now();
    loop {
        let is_told = only_says(&person, "/readyz").await? == 503;
        let took = began.elapsed();
        ensure!(took < NOTICED, "it says that it is ready after {took:?}");
        if is_told {
            return Ok(());
        }
    }
}

/// Row 9: the line to Postgres goes silent. First it comes back as it was, then it is found to be cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_postgres_goes_silent_nobody_hangs() -> Outcome {
    let mut business = Business::open(On::Postgres).await?;
    let server = business.address()?;
    let proxy = Proxy::to(server).await?;
    business.move_to(proxy.address);
    let only = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let page = Watcher::open(&thandi, "/messages").await?;
    for cut in [false, true] {
        proxy.silence(true);
        let probed = tokio::spawn(is_found_not_ready(thandi.clone()));
        let asked: Vec<_> = (0..8)
            .map(|n| {
                let thandi = thandi.clone();
                tokio::spawn(async move {
                    if n % 2 == 0 {
                        thandi.get("/messages").await
                    } else {
                        let words = format!("{cut} {n}.");
                        thandi.write(&words, &words).await
                    }
                })
            })
            .collect();
        for asked in asked {
            let answer = asked.await??;
            is_paused(&answer)?;
            ensure!(answer.took < TOLD, "told after {:?}", answer.took);
        }
        probed.await??;
        ensure!(only_says(&thandi, "/healthz").await? == 200, "it lives");
        if cut {
            proxy.cut();
        }
        proxy.silence(false);
        let words = format!("{cut}, and now?");
        is_saved_again(&thandi, &words, HEALED).await?;
        page.shows(&words, STALE + TOLD).await?;
    }
    page.is_exact(only.address, STALE).await?;
    business.is_sound()
}

async fn only_says(person: &Person, path: &str) -> anyhow::Result<u16> {
    Ok(person.get(path).await?.status)
}

/// Row 10: someone holds what everybody wants, until every connection waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_connections_wait_people_are_told_to_come_back() -> Outcome {
    let business = Business::open(On::Postgres).await?;
    let only = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let page = Watcher::open(&thandi, "/bookings").await?;
    let mut outside = PgConnection::connect(&business.url).await?;
    let mut held = outside.begin().await?;
    sqlx::query("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await?;
    let asked: Vec<_> = (0..40)
        .map(|n| {
            let (thandi, words) = (thandi.clone(), format!("I wait {n}."));
            tokio::spawn(async move { thandi.write(&words, &words).await })
        })
        .collect();
    for asked in asked {
        let answer = asked.await??;
        is_paused(&answer)?;
        ensure!(answer.took < TOLD, "told after {:?}", answer.took);
    }
    let (_, age) = page.seen().beat.context("the page is live")?;
    ensure!(age < AGE, "the page was last swept {age} ms ago");
    held.rollback().await?;
    let answer = thandi.write("I waited", "k1").await?;
    ensure!(answer.status == 303, "it is over: {}", answer.status);
    // Who was told to come back may have been saved after that; sent again with the same key, each is there once.
    for n in 0..40 {
        let words = format!("I wait {n}.");
        let again = thandi.write(&words, &words).await?;
        ensure!(again.status == 303, "{words} again: {}", again.status);
    }
    let saved = business.count("SELECT COUNT(*) FROM messages WHERE body LIKE 'I wait %'");
    ensure!(saved.await? == 40, "each is there once");
    business.is_sound()
}

/// Row 11: another process holds SQLite's only lock for four seconds while three instances write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_finds_sqlite_busy_waits_and_is_saved() -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let mut instances = Vec::new();
    for _ in 0..3 {
        instances.push(Instance::of(&business).serve().await?);
    }
    let thandi = Person::sign_in(&instances[0], "thandi").await?;
    let mut outside = SqliteConnection::connect(&business.url).await?;
    let held = outside.begin_with("BEGIN IMMEDIATE").await?;
    let release = tokio::time::Instant::now() + Duration::from_secs(4);
    let mut asked = Vec::new();
    let mut ask = |n: usize| {
        let (thandi, words) = (thandi.at(&instances[n % 3]), format!("I wait {n}."));
        asked.push(tokio::spawn(
            async move { thandi.write(&words, &words).await },
        ));
    };
    // At each instance one waits all of the four seconds, and the rest for a part of them, fifty a second: who would wait
    // longer than five seconds in all is told to come back, which is row 10.
    (0..3).for_each(&mut ask);
    for n in 3..100 {
        tokio::time::sleep_until(release - Duration::from_millis(20) * (100 - u32::try_from(n)?))
            .await;
        ask(n);
    }
    tokio::time::sleep_until(release).await;
    held.rollback().await?;
    for asked in asked {
        let answer = asked.await??;
        ensure!(answer.status == 303, "{} {}", answer.status, answer.body);
    }
    let saved = business.count("SELECT COUNT(*) FROM messages WHERE body LIKE 'I wait %'");
    ensure!(saved.await? == 100, "each was saved");
    for instance in &instances {
        ensure!(!instance.log().contains("locked"), "{}", instance.log());
    }
    business.is_sound()
}
