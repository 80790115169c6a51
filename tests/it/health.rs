//! What a balancer is told: whether the process lives, and whether it can serve.

use crate::gate::Gate;
use crate::house::{House, On, on_both};
use portico::http::Patience;
use std::time::Duration;

on_both!(
    an_instance_is_ready_until_its_database_is_gone,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.browser();
        let ready = browser.get("/readyz").await;
        assert_eq!(ready.status, 200, "{}", ready.body);
        let lines: Vec<&str> = ready.body.lines().collect();
        assert_eq!(lines[0], "database ok");
        let age = lines[1].strip_prefix("sweep ok ").unwrap();
        let age: u64 = age.strip_suffix(" ms").unwrap().parse().unwrap();
        assert!(age < 10_000, "{age}");
        assert_eq!(lines.len(), 2, "{}", ready.body);

        house.app.db.close().await;
        let gone = async {
            loop {
                let ready = browser.get("/readyz").await;
                if ready.status == 503 {
                    return ready;
                }
            }
        };
        // What was known before counts for two seconds.
        let gone = tokio::time::timeout(Duration::from_secs(4), gone);
        let gone = gone.await.expect("it is noticed");
        assert!(
            gone.body.starts_with("database does not answer\nsweep "),
            "{}",
            gone.body
        );
        assert_eq!(browser.get("/healthz").await.body, "ok");
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_drains_says_so_while_it_still_serves() {
    let house = House::open(On::Sqlite).await;
    let mut gate = Gate::of(&house, Patience::default(), |config| {
        config.drain = Duration::from_secs(2);
    })
    .await;
    let mut thandi = gate.browser();
    thandi.sign_in("thandi").await;
    let mut page = thandi.watch("/").await;
    page.quiet().await;
    let mut kept = gate.visitor().await;
    assert!(!kept.ask("/healthz").await.contains("connection: close"));
    gate.stop();
    let told = async {
        loop {
            let ready = thandi.get("/readyz").await;
            if ready.status == 503 {
                return ready;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(2), told);
    let told = told.await.expect("it is told");
    assert!(told.body.contains("database ok\n"), "{}", told.body);
    assert!(told.body.ends_with("\ndraining\n"), "{}", told.body);
    assert_eq!(told.header("connection"), Some("close"));
    assert_eq!(
        thandi.get("/").await.status,
        200,
        "new connections are let in"
    );
    assert!(kept.ask("/healthz").await.contains("connection: close"));
    assert_eq!(page.closed().await.0, 1012);
    gate.stopped().await;
}
