//! Who is there while instances come and go: people with open pages, who come back as a browser does, and people who write
//! and must never see an error.

use super::yard::{CLIENTS, client, signed_in, until};
use crate::browser::{Browser, Heard};
use portico::realtime::Cursor;
use portico::{secret, store};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// What a watcher went through.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Absence {
    pub(super) count: usize,
    /// From the end of a socket to the first word on the next that stays.
    pub(super) longest: Duration,
}

/// Open pages.
pub(super) struct Watchers {
    tasks: JoinSet<Absence>,
    is_over: Arc<AtomicBool>,
}

impl Watchers {
    /// Opens as many pages through `address`: calendars and threads of clients, and homes of the owner.
    pub(super) async fn open(address: SocketAddr, count: usize) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (mut tasks, mut opened) = (JoinSet::new(), Vec::new());
        let naledi = signed_in(address, "naledi").await;
        for number in 0..count {
            let (browser, path) = match number % 3 {
                0 => (naledi.clone(), "/admin"),
                1 => (
                    signed_in(address, &client(number % CLIENTS + 1)).await,
                    "/messages",
                ),
                _ => (
                    signed_in(address, &client(number % CLIENTS + 1)).await,
                    "/bookings",
                ),
            };
            let (told, is_open) = tokio::sync::oneshot::channel();
            tasks.spawn(watch(browser, path, is_over.clone(), told));
            opened.push(is_open);
        }
        for open in opened {
            open.await.unwrap();
        }
        Self { tasks, is_over }
    }

    /// Waits until every page shows the exact state: what each went through, none that went away first.
    pub(super) async fn settle(mut self) -> Vec<Absence> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut absences = Vec::new();
        while let Some(absence) = self.tasks.join_next().await {
            absences.push(absence.unwrap());
        }
        absences.sort_by_key(|absence| absence.longest);
        absences
    }
}

async fn watch(
    browser: Browser,
    path: &str,
    is_over: Arc<AtomicBool>,
    open: tokio::sync::oneshot::Sender<()>,
) -> Absence {
    let url = browser.get(path).await.live_url();
    let (mut url, mut open, mut absence) = (url, Some(open), Absence::default());
    let mut away = None;
    let mut tries = 0;
    loop {
        let mut socket = browser.connect(&url).await;
        let mut settling = None;
        loop {
            let heard = socket.next().await;
            if let Some(cursor) = &socket.cursor {
                url = stamped(&url, cursor);
            }
            if let Heard::Closed(code, reason) = heard {
                assert!(matches!(code, 1006 | 1012), "closed with {code} {reason}");
                break;
            }
            if let Some(open) = open.take() {
                let _ = open.send(());
            }
            if let Some(since) = away.take() {
                absence.count += 1;
                absence.longest = absence.longest.max(Instant::now().duration_since(since));
            }
            tries = 0;
            if is_over.load(Ordering::Relaxed) {
                // Time passes on a page, too: what is exact is asked for at each word.
                let began = *settling.get_or_insert_with(Instant::now);
                if digests(&url) == digests(&browser.get(path).await.live_url()) {
                    return absence;
                }
                assert!(
                    began.elapsed() < Duration::from_secs(20),
                    "{path} is not exact"
                );
            }
        }
        away.get_or_insert_with(Instant::now);
        // A browser waits half a second, then longer, and never twice the same.
        let pause = 250 << tries.min(3);
        sleep(Duration::from_millis(pause + rand::random_range(0..pause))).await;
        tries += 1;
    }
}

/// The socket's address with a newer cursor.
fn stamped(url: &str, cursor: &str) -> String {
    let rest: Vec<&str> = url
        .split('&')
        .filter(|part| !part.starts_with("since="))
        .collect();
    format!("{}&since={cursor}", rest.join("&"))
}

/// What a page shows of each region, as hashes.
fn digests(url: &str) -> Vec<(u32, String)> {
    let since = url
        .split(['?', '&'])
        .find_map(|part| part.strip_prefix("since="));
    let cursor = Cursor::parse(since.expect("a page has a cursor")).expect("it can be read");
    let mut marks: Vec<_> = cursor
        .marks
        .iter()
        .map(|mark| (mark.region, format!("{:?}", mark.digest)))
        .collect();
    marks.sort();
    marks
}

/// People who write, and what they were told was kept.
pub(super) struct Writers {
    tasks: JoinSet<BTreeSet<String>>,
    is_over: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
}

impl Writers {
    /// `count` clients who each write a message every 100 ms through `address`, and look at a page now and then.
    pub(super) async fn begin(address: SocketAddr, count: usize) -> Self {
        let mut writers = Self {
            tasks: JoinSet::new(),
            is_over: Arc::new(AtomicBool::new(false)),
            count: Arc::new(AtomicUsize::new(0)),
        };
        for number in 1..=count {
            let browser = signed_in(address, &client(number)).await;
            let (is_over, count) = (writers.is_over.clone(), writers.count.clone());
            writers.tasks.spawn(write(browser, number, is_over, count));
        }
        writers
    }

    /// Waits until `more` messages were sent from now on.
    pub(super) async fn go_on(&self, more: usize) {
        let enough = self.count.load(Ordering::Relaxed) + more;
        until("they write", 20, async || {
            (self.count.load(Ordering::Relaxed) >= enough).then_some(())
        })
        .await;
    }

    /// The messages that were answered with "sent".
    pub(super) async fn end(mut self) -> BTreeSet<String> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut kept = BTreeSet::new();
        while let Some(own) = self.tasks.join_next().await {
            kept.extend(own.unwrap());
        }
        kept
    }
}

async fn write(
    browser: Browser,
    number: usize,
    is_over: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
) -> BTreeSet<String> {
    let mut kept = BTreeSet::new();
    while !is_over.load(Ordering::Relaxed) {
        let body = format!("line {} of writer {number}", kept.len());
        let sent = send(&browser, &body).await;
        assert_eq!(sent, 303, "{body}");
        kept.insert(body);
        count.fetch_add(1, Ordering::Relaxed);
        if kept.len() % 5 == 0 {
            assert_eq!(browser.get("/bookings").await.status, 200);
        }
        sleep(Duration::from_millis(100)).await;
    }
    kept
}

/// Sends a message under a key of its own; tells the status.
pub(super) async fn send(browser: &Browser, body: &str) -> u16 {
    let key = secret::token();
    let fields = [("body", body), ("key", key.as_str())];
    let sent = browser.post("/messages", &fields);
    // A form that is never answered is as bad as one that is refused.
    let answer = timeout(Duration::from_secs(20), sent).await;
    answer.expect("a form is answered").status
}

/// Exactly these messages are in the database, once each.
pub(super) async fn assert_kept(database_url: &str, kept: &BTreeSet<String>) {
    let (db, _moved) = store::Db::open(database_url).await.unwrap();
    let found: Vec<(String,)> = db
        .q("SELECT body FROM messages WHERE body LIKE 'line %' ORDER BY body")
        .all()
        .await
        .unwrap();
    let found: Vec<String> = found.into_iter().map(|(body,)| body).collect();
    let mut kept: Vec<String> = kept.iter().cloned().collect();
    kept.sort();
    assert_eq!(found, kept);
    let problems = store::check::problems(&mut db.snapshot().await.unwrap()).await;
    assert!(problems.unwrap().is_empty());
    db.close().await;
}
