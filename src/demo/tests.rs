//! The invented business keeps the rules of a real one, when it is made and while people act in it.

use super::actors::{Act, step};
use super::dice::Dice;
use super::{Plan, accounts, business};
use crate::domain::business::Business;
use crate::domain::client::Client;
use crate::domain::slot::Calendar;
use crate::domain::week::Week;
use crate::store::{self, Db, booking, check, client, service, staff, thread};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

/// A Wednesday morning.
fn now() -> Timestamp {
    "2026-11-25T07:12:30.123Z".parse().unwrap()
}

async fn made(plan: &Plan) -> (TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("demo.db").display());
    let (db, _moved) = Db::open(&url).await.unwrap();
    business::fill(&db, plan).await.unwrap();
    (folder, db)
}

async fn problems(db: &Db) -> Vec<String> {
    check::problems(&mut db.snapshot().await.unwrap())
        .await
        .unwrap()
}

async fn clients(db: &Db) -> Vec<Client> {
    client::list(&mut db.snapshot().await.unwrap(), now())
        .await
        .unwrap()
}

async fn rules(db: &Db) -> Business {
    store::business::load(&mut db.snapshot().await.unwrap())
        .await
        .unwrap()
}

async fn client_of(db: &Db, email: &str) -> Client {
    clients(db)
        .await
        .into_iter()
        .find(|client| client.email == email)
        .unwrap()
}

/// How full everyone's coming weeks are together, of a hundred.
async fn fullness(db: &Db, weeks: i32, now: Timestamp) -> i64 {
    let rules = rules(db).await;
    let mut tx = db.snapshot().await.unwrap();
    let shortest = service::list(&mut tx).await.unwrap().remove(0);
    let (from, to) = (
        rules.today(now),
        Week::of(rules.today(now)).plus(weeks).last(),
    );
    let (mut taken, mut all) = (0, 0);
    for helper in staff::list(&mut tx).await.unwrap() {
        let hours = staff::hours(&mut tx, helper.id, from).await.unwrap();
        let (start, end) = (rules.starts(from), rules.starts(to.tomorrow().unwrap()));
        let busy = booking::busy(&mut tx, helper.id, start, end, None)
            .await
            .unwrap();
        let calendar = Calendar {
            zone: &rules.zone,
            hours: &hours,
            busy: &busy,
            now: Some(now),
        };
        let (percent, starts) = super::diary::fullness(&calendar, &shortest, from, to).unwrap();
        taken += percent * starts;
        all += starts;
    }
    taken / all
}

#[tokio::test]
async fn the_demo_is_a_believable_practice() {
    let plan = Plan::demo(7, now());
    let (_folder, db) = made(&plan).await;
    assert_eq!(problems(&db).await, Vec::<String>::new());

    let everyone = clients(&db).await;
    assert_eq!(everyone.len(), 30);
    assert_eq!(everyone.iter().filter(|client| !client.joined).count(), 2);
    let mut tx = db.snapshot().await.unwrap();
    assert_eq!(staff::list(&mut tx).await.unwrap().len(), 2);
    assert_eq!(service::list(&mut tx).await.unwrap().len(), 3);
    for account in accounts(&plan) {
        let (person, hash) = store::person::find_by_email(&mut tx, &account.email)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(person.name, account.name);
        assert!(hash.is_some());
    }

    let thandi = client_of(&db, "thandi@kestrel.example").await;
    let coming = booking::upcoming(&mut tx, thandi.id, now()).await.unwrap();
    assert_eq!(coming.len(), 1);
    assert_eq!(coming[0].staff_name, "Naledi Khumalo");
    assert!(coming[0].starts_at >= now() + SignedDuration::from_hours(26));
    assert!(coming[0].starts_at <= now() + SignedDuration::from_hours(5 * 24));
    let (past, count) = booking::history(&mut tx, thandi.id, now(), 20)
        .await
        .unwrap();
    assert_eq!((past.len(), count), (10, 10));

    let full = fullness(&db, 3, now()).await;
    assert!((52..=68).contains(&full), "{full} of a hundred");
    let told = store::activity::list(&mut tx, 8).await.unwrap();
    assert!(
        told.iter()
            .all(|line| line.at > now() - SignedDuration::from_hours(6)),
        "{told:?}"
    );
    assert!(told.iter().all(|line| line.at < now()), "{told:?}");
    let marks = thread::marks(&mut tx, thandi.id).await.unwrap();
    assert_eq!(marks.last - marks.client, 1, "one waits to be read");
    let threads = thread::list(&mut tx, false, 50).await.unwrap();
    assert_eq!(threads.len(), 7);
    let unread = threads.iter().filter(|one| one.unread > 0);
    assert_eq!(unread.count(), 2);
    assert_eq!(thread::waiting(&mut tx).await.unwrap().0, 2);
    assert!(threads.iter().all(|one| one.last.at < now()));
    for status in ["completed", "cancelled", "no_show", "confirmed"] {
        let (count,): (i64,) = tx
            .q("SELECT COUNT(*) FROM bookings WHERE status = $1")
            .bind(status)
            .one()
            .await
            .unwrap();
        assert!(count > 3, "{count} {status}");
    }
    let (odd,): (i64,) = tx
        .q("SELECT COUNT(*) FROM bookings WHERE created_at > $1 OR created_at > starts_at - 7200000
            OR (status = 'confirmed' AND starts_at + minutes * 60000 <= $1)
            OR (status IN ('completed', 'no_show') AND starts_at + minutes * 60000 > $1)")
        .bind(now().as_millisecond())
        .one()
        .await
        .unwrap();
    assert_eq!(odd, 0);
}

#[tokio::test]
async fn the_demo_stands_on_every_day_of_the_week() {
    for day in 0..7 {
        let now = now() + SignedDuration::from_hours(day * 24 + day * 3);
        let (_folder, db) = made(&Plan::demo(day.unsigned_abs(), now)).await;
        assert_eq!(problems(&db).await, Vec::<String>::new());
        let mut tx = db.snapshot().await.unwrap();
        for known in ["thandi", "pieter", "aisha"] {
            let client = client_of(&db, &format!("{known}@kestrel.example")).await;
            let coming = booking::upcoming(&mut tx, client.id, now).await.unwrap();
            assert_eq!(coming.len(), 1, "{known} on {now}");
        }
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_business() {
    let mut told = Vec::new();
    for _ in 0..2 {
        let (_folder, db) = made(&Plan::demo(3, now())).await;
        let mut tx = db.snapshot().await.unwrap();
        let lines = store::activity::list(&mut tx, 2000).await.unwrap();
        let mut lines: Vec<_> = lines
            .into_iter()
            .map(|line| (line.at, line.name, line.starts_at))
            .collect();
        lines.sort();
        told.push(lines);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_seeded_business_of_five_hundred_keeps_every_rule() {
    let plan = Plan {
        clients: 500,
        weeks: 2,
        seed: 1,
        now: now(),
        numbered: true,
    };
    let (_folder, db) = made(&plan).await;
    assert_eq!(problems(&db).await, Vec::<String>::new());
    assert_eq!(clients(&db).await.len(), 503);
    client_of(&db, "client-0001@kestrel.example").await;
    client_of(&db, "client-0500@kestrel.example").await;
    assert_eq!(
        super::people::numbered(1, 10_000),
        "client-00001@kestrel.example"
    );
    let full = fullness(&db, 2, now()).await;
    assert!((52..=68).contains(&full), "{full} of a hundred");
}

#[tokio::test]
async fn people_who_act_keep_every_rule_and_leave_the_known_alone() {
    let (_folder, db) = made(&Plan::demo(11, now())).await;
    let thandi = client_of(&db, "thandi@kestrel.example").await;
    let before = booking::upcoming(&mut db.snapshot().await.unwrap(), thandi.id, now())
        .await
        .unwrap();
    let mut dice = Dice::new(5);
    let mut acts = Vec::new();
    for n in 0..180 {
        let now = now() + SignedDuration::from_secs(n * 4);
        match step(&db, now, &mut dice).await {
            Ok(act) => acts.push(act),
            Err(store::Error::Refused(refusal)) => panic!("nobody was in the way: {refusal:?}"),
            Err(error) => panic!("{error}"),
        }
    }
    for act in [Act::Booked, Act::Moved, Act::Cancelled, Act::Wrote] {
        assert!(
            acts.iter().filter(|done| **done == act).count() > 15,
            "{acts:?}"
        );
    }
    assert_eq!(problems(&db).await, Vec::<String>::new());
    let after = booking::upcoming(&mut db.snapshot().await.unwrap(), thandi.id, now())
        .await
        .unwrap();
    assert_eq!(before, after);
    let mut tx = db.snapshot().await.unwrap();
    let marks = thread::marks(&mut tx, thandi.id).await.unwrap();
    assert_eq!(marks.last, 8, "nobody writes to her");
    drop(tx);
    let full = fullness(&db, 2, now()).await;
    assert!((45..=75).contains(&full), "{full} of a hundred");
}
