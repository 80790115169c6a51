//! A backup is put back under open pages, as docs/instances.md says: each shows exactly what was restored, and nothing of what
//! came after the backup, which never happened now.

use crate::rig::postgres::Postgres;
use crate::rig::proxy::Proxy;
use crate::rig::{Business, Instance, On, Outcome, Person, Watcher};
use anyhow::{Context as _, ensure};
use portico::store::{Db, topic};
use std::time::{Duration, Instant};

/// P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// Row 1: what was cut off is live again.
const BACK: Duration = Duration::from_secs(5);
/// What is said between the backup and its return.
const LOST: usize = 3;

/// What to do before the instances start again: the line of the page that begins with a command.
fn step(command: &str) -> anyhow::Result<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/instances.md");
    let page = std::fs::read_to_string(page)?;
    let line = page
        .lines()
        .map(|line| line.trim().trim_matches('`'))
        .find(|line| line.starts_with(command));
    Ok(line.context("the page says what to do")?.to_owned())
}

/// Says things that the open page shows.
async fn say(person: &Person, words: &str, page: Option<&Watcher>) -> anyhow::Result<()> {
    for n in 0..LOST {
        let words = format!("{words} {n}.");
        let answer = person.write(&words, &words).await?;
        ensure!(answer.status == 303, "{words} {}", answer.status);
        if let Some(page) = page {
            page.shows(&words, STALE).await?;
        }
    }
    Ok(())
}

/// What was restored goes on as far as the page had seen, in another way, before the page comes back to where it was: to
/// versions alone nothing would have happened.
async fn another_day(business: &Business, only: &mut Instance, page: &Watcher) -> Outcome {
    let other = Instance::of(business).serve().await?;
    let thandi = Person::sign_in(&other, "thandi").await?;
    say(&thandi, "On another day", None).await?;
    only.restart().await?;
    page.is_live(BACK).await?;
    page.shows("On another day", STALE).await?;
    page.is_exact(other.address, STALE).await?;
    let seen = page.seen();
    ensure!(seen.page.holds("Yesterday"), "what was kept is shown");
    ensure!(!seen.page.holds("After the backup"), "the page shows what never was");
    drop(seen);
    business.is_sound()
}

/// Row 34, and P4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_sqlite_that_is_put_back_is_what_open_pages_show() -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let mut only = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let page = Watcher::open(&thandi, "/messages").await?;
    say(&thandi, "Yesterday", Some(&page)).await?;
    only.process.signal("STOP")?;
    let backup = business.copy()?;
    only.process.signal("CONT")?;
    say(&thandi, "After the backup", Some(&page)).await?;

    only.kill();
    business.put_back(&backup)?;
    let step = step("sqlite3 ")?;
    let sql = step.split('"').nth(1).context("a statement in quotes")?;
    business.tell(sql.to_owned()).await?;
    another_day(&business, &mut only, &page).await
}

/// The same of a dump that is read back by another server, which has had fewer transactions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_postgres_that_is_read_back_is_what_open_pages_show() -> Outcome {
    let (old, new) = (Postgres::start().await?, Postgres::start().await?);
    let mut business = Business::on_postgres(&old.url()).await?;
    let line = Proxy::to(old.address).await?;
    business.move_to(line.address);
    let mut only = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let page = Watcher::open(&thandi, "/messages").await?;
    say(&thandi, "Yesterday", Some(&page)).await?;
    // As after a million transactions more.
    let long = "UPDATE topics SET seq = seq + 1000000".to_owned();
    business.tell(long).await?;
    let dump = old.dump(&business.url)?;
    say(&thandi, "After the backup", Some(&page)).await?;

    only.kill();
    new.read_back(dump)?;
    line.lead_to(new.address);
    line.cut();
    let done = std::process::Command::new("sh")
        .args(["-c", &step("psql ")?])
        .env("PORTICO_DATABASE_URL", &business.url)
        .output()?;
    ensure!(done.status.success(), "{done:?}");
    another_day(&business, &mut only, &page).await?;

    // And a sweep finds what moved, not all there is for ever.
    let (db, _moved) = Db::open(&business.url).await?;
    let began = Instant::now();
    let mut mark = i64::MAX;
    loop {
        let found = topic::sweep(&db, mark).await?;
        if mark < i64::MAX && found.moved.is_empty() {
            break;
        }
        let left = found.moved.len();
        ensure!(began.elapsed() < STALE, "a sweep still finds {left} topics");
        mark = found.mark;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    db.close().await;
    Ok(())
}
