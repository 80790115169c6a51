//! An instance dies: whatever was answered stays, whatever was not is there whole or not at all, and everybody sees it.

use crate::rig::dice::Dice;
use crate::rig::{Business, Instance, On, Outcome, Person, Watcher};
use anyhow::ensure;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Row 2, and P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// Row 1: what was cut off is live again elsewhere.
const BACK: Duration = Duration::from_secs(5);

/// Row 2: killed between the commit and telling the others. `off` is what the instance that should notice goes without.
pub(crate) async fn killed_before_telling(on: On, off: &str) -> Outcome {
    let business = Business::open(on).await?;
    let mut first = Instance::of(&business).serve().await?;
    let second = Instance::of(&business).without(off).serve().await?;
    let thandi = Person::sign_in(&first, "thandi").await?;
    let page = Watcher::open(&thandi.at(&second), "/messages").await?;
    // Said at the second instance itself: the thread is loaded there, and no load is under way that would find by chance
    // what nobody tells.
    let early = thandi.at(&second).write("Good morning", "k0").await?;
    ensure!(early.status == 303, "the first words: {}", early.status);
    page.shows("Good morning", STALE).await?;

    first.arm("after_commit")?;
    let sent = tokio::spawn({
        let thandi = thandi.clone();
        async move { thandi.write("I am on my way", "k1").await }
    });
    first.reached("after_commit").await?;
    first.kill();
    ensure!(sent.await?.is_err(), "a killed instance answered");
    page.shows("I am on my way", STALE).await?;

    // The form says that it was not saved; whoever sends it again is not heard twice.
    let again = thandi.at(&second).write("I am on my way", "k1").await?;
    ensure!(again.status == 303, "the second try: {}", again.status);
    let bodies = business.messages().await?;
    let times = bodies.iter().filter(|body| *body == "I am on my way");
    ensure!(times.count() == 1, "it is there once");
    page.is_exact(second.address, STALE).await?;
    ensure!(
        page.seen().page.times("I am on my way") == 1,
        "and shown once"
    );
    business.is_sound()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_commit_and_telling_others_see_it_anyway_on_sqlite() -> Outcome {
    killed_before_telling(On::Sqlite, "").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_commit_and_telling_others_see_it_anyway_on_postgres() -> Outcome {
    killed_before_telling(On::Postgres, "").await
}

/// Row 1: killed in the middle of transactions, at the last moment before the commit and at any other. Every second round
/// waits at the point, the rest are cut off at random within the time that a write takes.
async fn killed_in_the_middle(on: On, rounds: u64) -> Outcome {
    let mut dice = Dice::roll();
    let business = Business::open(on).await?;
    let mut first = Instance::of(&business).serve().await?;
    let second = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&first, "thandi").await?;
    let addresses = [first.address, second.address];
    let page = Watcher::open_at(&thandi, "/messages", &addresses).await?;
    let (mut acked, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let held = round % 2 == 0;
        if held {
            first.arm("before_commit")?;
        }
        let sends: Vec<_> = (0..3)
            .map(|n| {
                let (thandi, words) = (thandi.clone(), format!("round {round}, line {n}."));
                tokio::spawn(async move {
                    let answer = thandi.write(&words, &words).await;
                    (words, answer.is_ok_and(|answer| answer.status == 303))
                })
            })
            .collect();
        if held {
            first.reached("before_commit").await?;
        } else {
            tokio::time::sleep(dice.moment(Duration::from_millis(40))).await;
        }
        first.kill();
        for sent in sends {
            let (words, is_acked) = sent.await?;
            ensure!(!(held && is_acked), "nothing was committed: {words}");
            if is_acked { &mut acked } else { &mut unknown }.push(words);
        }
        // Whoever was told that it was not saved tries again, where they are now.
        let last = unknown.last().cloned().unwrap_or_default();
        let again = thandi.at(&second).write(&last, &last).await?;
        ensure!(again.status == 303, "the second try: {}", again.status);
        acked.push(last.clone());
        page.shows(&last, BACK).await?;
        first.restart().await?;
    }
    let bodies = business.messages().await?;
    let times = |words: &String| bodies.iter().filter(|body| *body == words).count();
    for words in &acked {
        ensure!(times(words) == 1, "{words} is there {} times", times(words));
    }
    for words in &unknown {
        ensure!(times(words) <= 1, "{words} is there {} times", times(words));
    }
    page.is_exact(second.address, STALE).await?;
    business.is_sound()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_nothing_is_half_saved_on_sqlite() -> Outcome {
    killed_in_the_middle(On::Sqlite, 40).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_nothing_is_half_saved_on_postgres() -> Outcome {
    killed_in_the_middle(On::Postgres, 40).await
}

/// Row 3: whoever hangs up after the commit finds what they wrote, and it was told at once: nothing here sweeps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_who_hangs_up_after_the_commit_is_heard() -> Outcome {
    let business = Business::open(On::Postgres).await?;
    let only = Instance::of(&business).without("sweep").serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let page = Watcher::open(&thandi, "/messages").await?;
    only.arm("after_commit")?;
    let sent = tokio::spawn({
        let thandi = thandi.clone();
        async move { thandi.write("Never mind the answer", "k1").await }
    });
    only.reached("after_commit").await?;
    sent.abort();
    ensure!(sent.await.is_err(), "the answer was not waited for");
    // The server has seen the end of the line when it answers on another.
    ensure!(
        thandi.get("/healthz").await?.status == 200,
        "it answers others"
    );
    only.release("after_commit");
    page.shows("Never mind the answer", STALE).await?;
    page.is_exact(only.address, STALE).await
}

/// Row 12: a copy of SQLite's files as they stand in the middle of writes, which is what a power cut leaves: it opens, it is
/// sound, and everything that was answered before is in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_copy_of_sqlite_holds_all_that_was_answered() -> Outcome {
    const WRITERS: usize = 4;
    let mut dice = Dice::roll();
    let business = Business::open(On::Sqlite).await?;
    let only = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let answered = Arc::new(Mutex::new(Vec::new()));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (thandi, answered) = (thandi.clone(), Arc::clone(&answered));
            tokio::spawn(async move {
                for n in 0.. {
                    let words = format!("Writer {writer}, line {n}.");
                    let answer = thandi.write(&words, &words).await;
                    if answer.is_ok_and(|answer| answer.status == 303) {
                        let mut answered = answered.lock().expect("nothing panics in it");
                        answered.push(words);
                    }
                }
            })
        })
        .collect();
    for _ in 0..25 {
        tokio::time::sleep(dice.moment(Duration::from_millis(60))).await;
        only.process.signal("STOP")?;
        // What was answered until now; what still is on its way to a writer was committed too.
        let so_far = answered.lock().expect("nothing panics in it").clone();
        let copy = business.copy()?;
        only.process.signal("CONT")?;
        copy.is_sound()?;
        let bodies: HashSet<String> = copy.messages().await?.into_iter().collect();
        for words in &so_far {
            ensure!(bodies.contains(words), "{words} was answered and is lost");
        }
    }
    for writer in writers {
        writer.abort();
    }
    let count = answered.lock().expect("nothing panics in it").len();
    ensure!(count > 25, "only {count} were written meanwhile");
    Ok(())
}
