//! A backup is put back under open pages, as docs/instances.md says: each shows exactly what was restored, and nothing of what
//! came after the backup, which never happened now.

use crate::booking::{free, services};
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

/// Two pages of one person: a thread, and what is to come.
struct Pages {
    thread: Watcher,
    home: Watcher,
}

impl Pages {
    async fn open(person: &Person) -> anyhow::Result<Self> {
        let thread = Watcher::open(person, "/messages").await?;
        let home = Watcher::open(person, "/").await?;
        Ok(Self { thread, home })
    }
}

/// Says some things and books a time: where that is shown.
async fn live_on(person: &Person, words: &str, nth: usize) -> anyhow::Result<String> {
    for n in 0..LOST {
        let words = format!("{words} {n}.");
        let answer = person.write(&words, &words).await?;
        ensure!(answer.status == 303, "{words} {}", answer.status);
    }
    let (staff, starts) = free(person).await?;
    let start = starts[nth].as_str();
    let service = services(person, start, &staff).await?.swap_remove(0);
    let form = [
        ("start", start),
        ("staff", &staff),
        ("service", &service),
        ("key", words),
    ];
    let answer = person.post("/bookings", &form).await?;
    ensure!(answer.status == 303, "booked: {}", answer.status);
    let path = answer
        .headers
        .get("location")
        .context("a session is somewhere")?;
    Ok(path
        .to_str()?
        .split('?')
        .next()
        .unwrap_or_default()
        .to_owned())
}

/// What comes after the backup, as the pages show it.
async fn go_on(person: &Person, pages: &Pages) -> anyhow::Result<String> {
    let session = live_on(person, "After the backup", 0).await?;
    let last = format!("After the backup {}.", LOST - 1);
    pages.thread.shows(&last, STALE).await?;
    pages.home.shows(&session, STALE).await?;
    Ok(session)
}

/// What was restored goes on as far as the pages had seen, in another way, before they come back to where they were: by
/// versions alone nothing would have happened.
async fn another_day(
    business: &Business,
    only: &mut Instance,
    pages: &Pages,
    lost: &str,
) -> Outcome {
    let other = Instance::of(business).serve().await?;
    let thandi = Person::sign_in(&other, "thandi").await?;
    let session = live_on(&thandi, "On another day", 8).await?;
    only.restart().await?;
    for page in [&pages.thread, &pages.home] {
        page.is_live(BACK).await?;
        page.is_exact(other.address, STALE).await?;
    }
    let seen = pages.thread.seen();
    ensure!(seen.page.holds("Yesterday"), "what was kept is shown");
    ensure!(seen.page.holds("On another day"), "and what came after it");
    ensure!(!seen.page.holds("After the backup"), "what never was");
    let home = pages.home.seen();
    ensure!(home.page.holds(&session), "the session is shown");
    ensure!(!home.page.holds(lost), "a session that never was");
    drop((seen, home));
    business.is_sound()
}

/// Row 34, and P4.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_sqlite_that_is_put_back_is_what_open_pages_show() -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let mut only = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    thandi.write("Yesterday", "k0").await?;
    let pages = Pages::open(&thandi).await?;
    only.process.signal("STOP")?;
    let backup = business.copy()?;
    only.process.signal("CONT")?;
    let lost = go_on(&thandi, &pages).await?;

    only.kill();
    business.put_back(&backup)?;
    let step = step("sqlite3 ")?;
    let sql = step.split('"').nth(1).context("a statement in quotes")?;
    business.tell(sql.to_owned()).await?;
    another_day(&business, &mut only, &pages, &lost).await
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
    thandi.write("Yesterday", "k0").await?;
    let pages = Pages::open(&thandi).await?;
    // As after a million transactions more.
    let long = "UPDATE topics SET seq = seq + 1000000".to_owned();
    business.tell(long).await?;
    let dump = old.dump(&business.url)?;
    let lost = go_on(&thandi, &pages).await?;

    only.kill();
    new.read_back(dump)?;
    line.lead_to(new.address);
    line.cut();
    let done = std::process::Command::new("sh")
        .args(["-c", &step("psql ")?])
        .env("PORTICO_DATABASE_URL", &business.url)
        .output()?;
    ensure!(done.status.success(), "{done:?}");
    another_day(&business, &mut only, &pages, &lost).await?;

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
