//! An instance that stood still while others wrote: it tells how old its pages are, mends them at once, and lets nobody stay
//! whose session ended meanwhile.

use crate::rig::{Business, Instance, On, Outcome, Person, Watcher, until};
use anyhow::ensure;
use std::time::{Duration, Instant};

/// P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// Longer than a sweep may take and than two heartbeats, but not than a ping may stay unanswered: lines stay.
const LONG: Duration = Duration::from_secs(20);
/// Longer than that too.
const TOO_LONG: Duration = Duration::from_secs(32);
/// A page that is told twice is told at least so much later.
const BEAT: Duration = Duration::from_secs(4);
/// Between two instants that two processes take for one, on a machine that does other things.
const NEAR: Duration = Duration::from_secs(1);

/// Somebody whose session ends so many seconds from now, whatever they do.
async fn not_for_long(business: &Business, at: &Instance, seconds: u32) -> anyhow::Result<Watcher> {
    let person = Person::sign_in(at, "client-0001").await?;
    let end = format!(
        "UPDATE sessions
         SET expires_at = CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + {seconds} * 1000
         WHERE person_id = (SELECT id FROM people WHERE email = 'client-0001@kestrel.example')"
    );
    business.tell(end).await?;
    Watcher::open(&person, "/messages").await
}

/// How many keep all others from what a sweep asks for.
const LOCKS: &str = "SELECT COUNT(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
    AND relation = CAST('topics' AS regclass)";

/// Stops it, has things written elsewhere for as long as it stands still, and lets it go on: when that was.
async fn freeze(frozen: &Instance, elsewhere: &Person, time: Duration) -> anyhow::Result<Instant> {
    let stopped = Instant::now();
    frozen.process.signal("STOP")?;
    for n in 0.. {
        let words = format!("While it stood still {n}.");
        let answer = elsewhere.write(&words, &words).await?;
        ensure!(answer.status == 303, "written: {}", answer.status);
        tokio::time::sleep(Duration::from_millis(200)).await;
        if stopped.elapsed() > time {
            break;
        }
    }
    let answer = elsewhere.write("The last of it.", "last").await?;
    ensure!(answer.status == 303, "the last: {}", answer.status);
    frozen.process.signal("CONT")?;
    Ok(Instant::now())
}

/// What it is told next after an instant: when, and how old its page may be.
async fn next_beat(page: &Watcher, after: Instant) -> anyhow::Result<(Instant, Duration)> {
    let mut told = None;
    until("a heartbeat", Duration::from_secs(6), || {
        told = page.seen().beat.filter(|(at, _)| *at > after);
        told.is_some()
    })
    .await?;
    let (at, age) = told.expect("it was waited for");
    Ok((at, Duration::from_millis(age)))
}

/// What is left of the time in which all must be mended.
fn left(since: Instant) -> Duration {
    STALE.saturating_sub(since.elapsed())
}

/// P2 and P3, and row 32 for time that passes unseen: nothing is told to an instance but what it finds when it wakes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_instance_mends_its_pages_as_it_wakes_and_ends_what_has_ended() -> Outcome {
    let business = Business::open(On::Postgres).await?;
    let frozen = Instance::of(&business).serve().await?;
    let other = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&frozen, "thandi").await?;
    let page = Watcher::open(&thandi, "/messages").await?;
    let over = not_for_long(&business, &frozen, 10).await?;

    let woken = freeze(&frozen, &thandi.at(&other), LONG).await?;
    page.shows("The last of it.", left(woken)).await?;
    page.is_exact(other.address, left(woken)).await?;
    over.closes(4401, left(woken)).await?;
    ensure!(page.seen().connections == 1, "its line was kept");
    Ok(())
}

/// The same where lines are given up: whoever was there comes back by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_was_frozen_for_long_is_exact_again_too() -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let frozen = Instance::of(&business).serve().await?;
    let other = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&frozen, "thandi").await?;
    let page = Watcher::open(&thandi, "/messages").await?;

    let woken = freeze(&frozen, &thandi.at(&other), TOO_LONG).await?;
    page.shows("The last of it.", left(woken)).await?;
    page.is_exact(other.address, left(woken)).await?;
    page.is_live(left(woken)).await?;
    business.is_sound()
}

/// P3: an answer that lay there while the instance stood still vouches for nothing that happened since, and until the
/// database answers anew, pages are told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_told_how_long_an_instance_stood_still() -> Outcome {
    let business = Business::open(On::Postgres).await?;
    let frozen = Instance::of(&business).serve().await?;
    let other = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&frozen, "thandi").await?;
    let page = Watcher::open(&thandi, "/messages").await?;
    let over = not_for_long(&business, &frozen, 25).await?;

    frozen.arm("after_sweep")?;
    frozen.reached("after_sweep").await?;
    let stopped = Instant::now();
    frozen.process.signal("STOP")?;
    let answer = thandi.at(&other).write("Is anybody there?", "k1").await?;
    ensure!(answer.status == 303, "written: {}", answer.status);
    tokio::time::sleep(LONG).await;
    // What the sweep had asked is handled when it wakes, and until the next heartbeat but one no other sweep is answered.
    frozen.release("after_sweep");
    let locked = business.tell("BEGIN; LOCK TABLE topics; SELECT pg_sleep(7); COMMIT".to_owned());
    let free = async {
        while business.count(LOCKS).await? == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let woken = Instant::now();
        frozen.process.signal("CONT")?;
        let mut last = woken;
        while last < woken + BEAT {
            let (at, age) = next_beat(&page, last).await?;
            let stood = at - stopped;
            ensure!(
                age + NEAR > stood,
                "{age:?} was told after {stood:?} without a sweep"
            );
            last = at;
        }
        // Nor does such an answer set the clock back.
        over.closes(4401, NEAR).await?;
        ensure!(business.count(LOCKS).await? > 0, "no sweep was answered");
        anyhow::Ok(())
    };
    let (locked, told) = tokio::join!(locked, free);
    locked?;
    told?;
    let free = Instant::now();
    page.shows("Is anybody there?", left(free)).await?;
    page.is_exact(other.address, left(free)).await?;
    let (_, age) = next_beat(&page, Instant::now()).await?;
    ensure!(age < STALE + STALE, "it is fresh again, not {age:?}");
    Ok(())
}
