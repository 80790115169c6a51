//! Instances that come and go behind HAProxy and nginx, with the files of `deploy/`: nobody sees an error, nothing that was
//! answered is lost, and every page is back at once.

mod crowd;
mod yard;

use crowd::{Watchers, Writers, assert_kept, send};
use sqlx::{Connection as _, PgConnection};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;
use tokio::task::JoinSet;
use yard::{Yard, client, deployed, signed_in, until};

/// Open pages in each story.
const WATCHERS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_instances_are_restarted_one_after_another_and_nobody_notices() {
    let mut yard = Yard::open(3).await;
    let haproxy = yard.haproxy().await;
    let watchers = Watchers::open(haproxy.address, WATCHERS).await;
    let writers = Writers::begin(haproxy.address, 4).await;
    for (number, name) in ["one", "two", "three"].into_iter().enumerate() {
        assert_ne!(haproxy.column(name, 4).await, "0", "it has live pages");
        yard.terminate(number);
        yard.ended(number).await;
        writers.go_on(10).await;
        yard.start_again(number).await;
        // The next one stays until this one is back, or there would be nobody.
        haproxy.is(name, "UP").await;
    }
    let kept = writers.end().await;
    let absences = watchers.settle().await;
    let last = absences.last().unwrap();
    println!("{} lines kept, longest absence {last:?}", kept.len());
    assert!(absences.iter().any(|absence| absence.count > 0));
    assert!(last.longest <= Duration::from_secs(5), "{absences:?}");
    assert_kept(&yard.database_url, &kept).await;
}

/// Holds every new message until it is dropped, so that a form is under way for as long as a test wants.
async fn hold_messages(database_url: &str) -> PgConnection {
    let mut connection = PgConnection::connect(database_url).await.unwrap();
    for sql in ["BEGIN", "LOCK TABLE messages IN EXCLUSIVE MODE"] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    connection
}

/// Sends six forms, and waits until all of them wait for the lock.
async fn forms_under_way(
    yard: &Yard,
    address: std::net::SocketAddr,
) -> (JoinSet<(u16, String)>, PgConnection) {
    let mut browsers = Vec::new();
    for number in 1..=6 {
        browsers.push(signed_in(address, &client(number)).await);
    }
    // Not before: a statement that waits for longer than 5 s is given up.
    let mut lock = hold_messages(&yard.database_url).await;
    let mut forms = JoinSet::new();
    for (number, browser) in browsers.into_iter().enumerate() {
        forms.spawn(async move {
            let body = format!("line of client {number}");
            (send(&browser, &body).await, body)
        });
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(3);
    loop {
        // Not pg_stat_activity: within a transaction that always tells what it told first.
        let sql =
            "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'messages'::regclass";
        let (waiting,): (i64,) = sqlx::query_as(sql).fetch_one(&mut lock).await.unwrap();
        if waiting == 6 {
            return (forms, lock);
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{waiting} forms wait"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every form was answered with "sent"; tells what they said.
async fn answered(mut forms: JoinSet<(u16, String)>) -> BTreeSet<String> {
    let mut kept = BTreeSet::new();
    while let Some(form) = forms.join_next().await {
        let (status, body) = form.unwrap();
        assert_eq!(status, 303, "{body}");
        kept.insert(body);
    }
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_taken_out_of_haproxy_answers_its_forms_and_lets_its_pages_go() {
    let mut yard = Yard::open(3).await;
    let haproxy = yard.haproxy().await;
    let watchers = Watchers::open(haproxy.address, WATCHERS).await;
    let (forms, lock) = forms_under_way(&yard, haproxy.address).await;
    let fair_share = WATCHERS / 3;
    let here: usize = haproxy.column("one", 4).await.parse().unwrap();
    assert!(here > fair_share, "{here}: it has a form under way");

    haproxy.tell("set server portico/one state drain").await;
    haproxy.is("one", "DRAIN").await;
    assert_ne!(haproxy.column("one", 4).await, "0", "its pages stay");
    yard.terminate(0);
    let url = format!("http://{}/readyz", yard.instances[0].address);
    until("the instance is not ready any more", 5, async || {
        let is_ready = match reqwest::get(&url).await {
            Ok(answer) => answer.status().is_success(),
            Err(_) => false,
        };
        (!is_ready).then_some(())
    })
    .await;
    lock.close().await.unwrap();
    let kept = answered(forms).await;
    yard.ended(0).await;
    let absences = watchers.settle().await;
    println!("{absences:?}");
    assert!(absences.iter().any(|absence| absence.count > 0));
    assert!(absences.last().unwrap().longest <= Duration::from_secs(30));
    assert_kept(&yard.database_url, &kept).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_taken_out_of_nginx_by_a_reload_is_left_by_its_pages() {
    let mut yard = Yard::open(3).await;
    let nginx = yard.nginx().await;
    let watchers = Watchers::open(nginx.address, WATCHERS).await;
    let (forms, lock) = forms_under_way(&yard, nginx.address).await;

    yard.reload_without(&nginx, 0);
    lock.close().await.unwrap();
    let mut kept = answered(forms).await;
    let writers = Writers::begin(nginx.address, 2).await;
    yard.terminate(0);
    yard.ended(0).await;
    // And one that nobody took out: who is refused there is let in elsewhere.
    yard.terminate(1);
    yard.ended(1).await;
    writers.go_on(10).await;
    yard.start_again(1).await;
    writers.go_on(10).await;
    kept.extend(writers.end().await);
    let absences = watchers.settle().await;
    println!("{absences:?}");
    assert!(absences.iter().any(|absence| absence.count > 0));
    assert!(absences.last().unwrap().longest <= Duration::from_secs(30));
    assert_kept(&yard.database_url, &kept).await;
}

/// The names of settings in a text.
fn settings(text: &str) -> BTreeSet<String> {
    let names = text.split(|letter: char| !(letter.is_ascii_uppercase() || letter == '_'));
    let ours = names.filter(|name| name.starts_with("PORTICO_"));
    ours.map(str::to_owned).collect()
}

#[test]
fn what_is_shipped_names_no_setting_that_does_not_exist() {
    let root = env!("CARGO_MANIFEST_DIR");
    let known = std::fs::read_to_string(format!("{root}/src/settings.rs")).unwrap();
    let known = settings(&known);
    assert!(known.contains("PORTICO_BIND"));
    for name in ["portico.service", "Dockerfile"] {
        let named = settings(&std::fs::read_to_string(deployed(name)).unwrap());
        assert!(named.contains("PORTICO_BIND"), "{name}");
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}

#[test]
fn what_is_shipped_is_understood_by_what_reads_it() {
    let run = |program: &str, args: &[&str]| {
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        match command.args(args).env("PATH", path).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{program}: {said}");
                assert!(
                    !said.to_lowercase().contains("warning"),
                    "{program}: {said}"
                );
            }
            // Only where systemd is.
            Err(error) => assert_eq!(program, "systemd-analyze", "{error}"),
        }
    };
    run("haproxy", &["-c", "-f", &deployed("haproxy.cfg")]);
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // It looks whether the program is there.
    let unit = std::fs::read_to_string(deployed("portico.service")).unwrap();
    let unit = unit.replace("/usr/local/bin/portico", env!("CARGO_BIN_EXE_portico"));
    let file = dir.join("portico.service");
    std::fs::write(&file, unit).unwrap();
    run("systemd-analyze", &["verify", file.to_str().unwrap()]);
    // nginx makes these two, so they must not be the machine's.
    let text = std::fs::read_to_string(deployed("nginx.conf")).unwrap();
    let text = text.replace("/run/nginx-portico.pid", &format!("{}/pid", dir.display()));
    let text = text.replace("/tmp/nginx-portico", &format!("{}/bodies", dir.display()));
    let file = dir.join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    run("nginx", &["-t", "-c", file.to_str().unwrap()]);
}
