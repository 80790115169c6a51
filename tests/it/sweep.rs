//! The sweep finds everything that moved and needs no clock for it: what commits late, what nobody told, and what happened
//! while nobody looked.

use crate::house::{House, On, on_both};
use portico::domain::id::ClientId;
use portico::domain::topic::Topic;
use portico::store::{Db, topic};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::time::{Duration, Instant};

const TUESDAY_8: &str = "2026-11-24T06:00:00Z";

/// Changes something.
async fn touch(db: &Db, topic: Topic) {
    let touched = db.transact(topic, |tx, topic| {
        Box::pin(async move {
            tx.touch(*topic);
            Ok(())
        })
    });
    touched.await.unwrap();
}

/// The mark from which on everything is new.
async fn now(db: &Db) -> i64 {
    topic::sweep(db, i64::MAX).await.unwrap().mark
}

/// Sweeps from one mark to the next until nothing is found any more: on Postgres others' transactions, in other databases
/// too, hold the mark back as long as they are open.
async fn until_nothing_is_found(db: &Db, mut mark: i64) {
    let began = Instant::now();
    loop {
        let found = topic::sweep(db, mark).await.unwrap();
        if found.moved.is_empty() {
            return;
        }
        mark = found.mark;
        assert!(
            began.elapsed() < Duration::from_secs(40),
            "still {:?}",
            found.moved
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_both!(
    what_moved_since_the_mark_is_found_and_then_no_more,
    |house: House| async move {
        let db = &house.app.db;
        let ours = Topic::Client(ClientId::new());
        let mark = now(db).await;
        touch(db, ours).await;
        let found = topic::sweep(db, mark).await.unwrap();
        assert_eq!(found.moved.get(&ours), Some(&1));
        // One whose finds were not handled begins at the same mark again.
        let again = topic::sweep(db, mark).await.unwrap();
        assert_eq!(again.moved.get(&ours), Some(&1));
        until_nothing_is_found(db, found.mark).await;
        assert!(house.dir().exists());
    }
);

on_both!(
    whoever_did_not_look_for_a_day_finds_all_of_it,
    |house: House| async move {
        let db = &house.app.db;
        let mark = now(db).await;
        let clients: Vec<Topic> = (0..200).map(|_| Topic::Client(ClientId::new())).collect();
        for client in &clients {
            touch(db, *client).await;
            // Clocks have no say in it, whatever they do meanwhile.
            house.clock().advance(Duration::from_mins(10));
        }
        touch(db, clients[0]).await;
        let found = topic::sweep(db, mark).await.unwrap().moved;
        assert!(clients[1..].iter().all(|client| found[client] == 1));
        assert_eq!(found[&clients[0]], 2);
    }
);

/// A transaction with a lower number than many that were swept: what it touched shows when it commits, however late.
#[tokio::test]
async fn what_commits_late_is_found_late() {
    let house = House::open(On::Postgres).await;
    let db = &house.app.db;
    let (late, soon) = (
        Topic::Client(ClientId::new()),
        Topic::Client(ClientId::new()),
    );
    let mut mark = now(db).await;

    let url = &house.app.config.database_url;
    let mut held = PgConnection::connect(url).await.unwrap();
    let mut open = held.begin().await.unwrap();
    let (number,): (i64,) = sqlx::query_as(
        "INSERT INTO topics (name, version, seq) VALUES ($1, 1, CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT))
         RETURNING seq",
    )
    .bind(late.to_string())
    .fetch_one(&mut *open)
    .await
    .unwrap();
    for version in 1..=5 {
        touch(db, soon).await;
        let found = topic::sweep(db, mark).await.unwrap();
        assert_eq!(found.moved.get(&soon), Some(&version));
        assert_eq!(found.moved.get(&late), None, "nobody sees it yet");
        // However much is committed after it: the mark waits for the open one.
        assert!(found.mark <= number, "{} is past {number}", found.mark);
        mark = found.mark;
    }
    open.commit().await.unwrap();
    let found = topic::sweep(db, mark).await.unwrap();
    assert_eq!(
        (found.moved.get(&late), found.moved.get(&soon)),
        (Some(&1), Some(&5))
    );
    until_nothing_is_found(db, found.mark).await;
}

/// While such a transaction is open, what came after it is found at each sweep, and loaded once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_again_is_not_loaded_again() {
    let house = House::open(On::Postgres).await;
    let mut held = PgConnection::connect(&house.app.config.database_url)
        .await
        .unwrap();
    let mut open = held.begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()")
        .execute(&mut *open)
        .await
        .unwrap();
    let server = house.serve().await;
    let mut watcher = server
        .signed_in("pieter")
        .await
        .watch("/bookings?week=2026-W48")
        .await;
    watcher.quiet().await;
    house
        .book(&house.thandi, &house.follow_up, TUESDAY_8)
        .await
        .unwrap();
    watcher
        .content(|html| html.contains("data-state=\"taken\""))
        .await;
    watcher.quiet().await;
    let before = (house.app.hub.load_count(), watcher.bytes);
    // Two heartbeats: five sweeps, more or less.
    watcher.quiet().await;
    watcher.quiet().await;
    assert_eq!((house.app.hub.load_count(), watcher.bytes), before);
    open.rollback().await.unwrap();
}

on_both!(
    a_sweep_goes_on_when_requests_hold_every_connection,
    |house: House| async move {
        let db = &house.app.db;
        let ours = Topic::Client(ClientId::new());
        let mark = now(db).await;
        touch(db, ours).await;
        let mut held = Vec::new();
        while let Ok(Ok(tx)) = tokio::time::timeout(Duration::from_millis(500), db.snapshot()).await
        {
            held.push(tx);
            assert!(held.len() <= 20, "the pool has no end");
        }
        let began = Instant::now();
        let found = topic::sweep(db, mark).await.unwrap();
        assert_eq!(found.moved.get(&ours), Some(&1));
        let versions = topic::versions_now(db, &[ours]).await.unwrap();
        assert_eq!(versions, [(ours, 1)].into());
        assert!(began.elapsed() < Duration::from_secs(1));
        assert!(house.dir().exists());
    }
);

/// The line to the database is cut under the sweep: the next one has another, and a page shows what came meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_whose_connection_was_ended_makes_another() {
    let house = House::open(On::Postgres).await;
    let db = &house.app.db;
    let mark = now(db).await;
    let mut other = PgConnection::connect(&house.app.config.database_url)
        .await
        .unwrap();
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%pg_snapshot_xmin%'",
    )
    .execute(&mut other)
    .await
    .unwrap();
    assert!(topic::sweep(db, mark).await.is_err());
    topic::sweep(db, mark).await.unwrap();
}

#[tokio::test]
async fn nobody_sweeps_a_database_that_was_closed() {
    let house = House::open(On::Sqlite).await;
    house.app.stop().await;
    assert!(topic::sweep(&house.app.db, 1).await.is_err());
}

/// A role that owns its database and nothing else may read all that the epoch is made of.
#[tokio::test]
async fn an_ordinary_role_sees_the_timeline() {
    let house = House::open(On::Postgres).await;
    let mut owner = PgConnection::connect(&house.app.config.database_url)
        .await
        .unwrap();
    let (timeline,): (i32,) = sqlx::query_as("SELECT timeline_id FROM pg_control_checkpoint()")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    let epoch = house.app.db.epoch();
    assert!(epoch.ends_with(&format!("{timeline:08X}")), "{epoch}");
    sqlx::query("SET ROLE pg_read_all_data")
        .execute(&mut owner)
        .await
        .unwrap();
    let (name,): (String,) = sqlx::query_as("SELECT pg_walfile_name(pg_current_wal_lsn())")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert!(epoch.ends_with(&name[..8]));
}

/// As after a long time: what was touched last stands anywhere in the table.
const LONG_USED: &str =
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
     INSERT INTO topics (name, version, seq) SELECT 'old/' || n, 1, n * 7919 % 5000 FROM numbers";

/// Whether a plan finds topics by their index and never reads all of them.
fn goes_by_index(plan: &str) -> bool {
    plan.contains("topics_by_seq")
        && !plan.contains("Seq Scan on topics")
        && !plan.contains("SCAN topics")
}

/// How Postgres would sweep: knowing the mark, and as a statement prepared for any.
#[expect(
    clippy::disallowed_methods,
    reason = "EXPLAIN and PREPARE stand before the statement that is run"
)]
async fn plans_on_postgres(db: &mut PgConnection) -> [String; 2] {
    let prepare = format!("PREPARE sweep (BIGINT) AS {}", topic::SWEEP_POSTGRES);
    sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))
        .execute(&mut *db)
        .await
        .unwrap();
    let mut plans = [String::new(), String::new()];
    let modes = [
        "SET plan_cache_mode = force_custom_plan",
        "SET plan_cache_mode = force_generic_plan",
    ];
    for (mode, plan) in modes.into_iter().zip(&mut plans) {
        sqlx::query(mode).execute(&mut *db).await.unwrap();
        let lines: Vec<String> = sqlx::query_scalar("EXPLAIN EXECUTE sweep (4990)")
            .fetch_all(&mut *db)
            .await
            .unwrap();
        *plan = lines.join("\n");
    }
    sqlx::query("DEALLOCATE sweep").execute(db).await.unwrap();
    plans
}

#[tokio::test]
async fn a_sweep_goes_by_the_index_on_postgres() {
    let house = House::open(On::Postgres).await;
    let mut db = PgConnection::connect(&house.app.config.database_url)
        .await
        .unwrap();
    for statement in [LONG_USED, "ANALYZE topics"] {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    for plan in plans_on_postgres(&mut db).await {
        assert!(goes_by_index(&plan), "{plan}");
    }
    sqlx::query("DROP INDEX topics_by_seq")
        .execute(&mut db)
        .await
        .unwrap();
    for plan in plans_on_postgres(&mut db).await {
        assert!(!goes_by_index(&plan), "without the index: {plan}");
    }
}

/// How SQLite would sweep.
#[expect(
    clippy::disallowed_methods,
    reason = "EXPLAIN stands before the statement that is run"
)]
async fn plan_on_sqlite(db: &mut SqliteConnection) -> String {
    let explain = format!("EXPLAIN QUERY PLAN {}", topic::SWEEP_SQLITE);
    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(explain))
        .bind(4990)
        .fetch_all(db)
        .await
        .unwrap();
    let steps: Vec<String> = rows.into_iter().map(|(.., step)| step).collect();
    steps.join("\n")
}

#[tokio::test]
async fn a_sweep_goes_by_the_index_on_sqlite() {
    let house = House::open(On::Sqlite).await;
    let mut db = SqliteConnection::connect(&house.app.config.database_url)
        .await
        .unwrap();
    for statement in [LONG_USED, "ANALYZE topics"] {
        sqlx::query(statement).execute(&mut db).await.unwrap();
    }
    let plan = plan_on_sqlite(&mut db).await;
    assert!(goes_by_index(&plan), "{plan}");
    sqlx::query("DROP INDEX topics_by_seq")
        .execute(&mut db)
        .await
        .unwrap();
    let plan = plan_on_sqlite(&mut db).await;
    assert!(!goes_by_index(&plan), "without the index: {plan}");
}
