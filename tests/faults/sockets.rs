//! Open pages that read slowly, hang on a dead line, were away, or come back all at once: each ends in the exact state, and
//! costs the others nothing.

use crate::rig::person::Answer;
use crate::rig::proxy::Proxy;
use crate::rig::watcher::Seen;
use crate::rig::{Business, Instance, On, Outcome, Person, Watcher, until};
use anyhow::{Context as _, ensure};
use portico::realtime::Cursor;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// P1: how soon nearly all changes show where all is well.
const FRESH: Duration = Duration::from_millis(300);
/// Row 13: someone who takes nothing is let go.
const LET_GO: Duration = Duration::from_secs(30);
/// Row 14: how long a dead line may hold its socket.
const FREED: Duration = Duration::from_secs(45);
/// Row 16: everybody is back.
const ALL_BACK: Duration = Duration::from_secs(30);

/// A line with a socket's handshake done and nothing read from then on. What the system keeps for it is as little as it
/// allows.
async fn deaf(person: &Person, page: &Answer) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    let mut line = socket.connect(person.address).await?;
    let (url, at, cookie) = (page.live_url()?, person.address, &person.cookie);
    let mut head = format!("GET {url} HTTP/1.1\r\nhost: {at}\r\norigin: http://{at}\r\n");
    let _ = write!(
        head,
        "cookie: {cookie}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    line.write_all(head.as_bytes()).await?;
    let mut status = [0; 12];
    line.read_exact(&mut status).await?;
    ensure!(&status == b"HTTP/1.1 101", "a socket is given");
    Ok(line)
}

/// The same, but a kibibyte is read each second until it is dropped.
fn slow(mut line: TcpStream) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        let mut piece = [0; 1024];
        while line.read(&mut piece).await.is_ok_and(|read| read > 0) {
            second.tick().await;
        }
    })
}

/// What a process has in memory, in bytes.
fn memory(instance: &Instance) -> anyhow::Result<u64> {
    let told = std::fs::read_to_string(format!("/proc/{}/status", instance.process.id()))?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line
        .context("a process has memory")?
        .trim()
        .split(' ')
        .next();
    Ok(kilobytes.unwrap_or_default().parse::<u64>()? * 1024)
}

/// How many sockets a process holds.
fn sockets(instance: &Instance) -> anyhow::Result<usize> {
    let open = std::fs::read_dir(format!("/proc/{}/fd", instance.process.id()))?;
    let links = open.flatten().map(|file| std::fs::read_link(file.path()));
    let is_socket = |link: &std::path::PathBuf| link.to_string_lossy().starts_with("socket:");
    Ok(links.flatten().filter(is_socket).count())
}

/// Row 13: ten pages take nothing while a lot is said, and three take a kibibyte a second. Others hear at once, the ten are
/// let go, and on their return they show all of it. Whoever takes anything at all stays: a bad line is not a dead one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_nothing_is_let_go_and_costs_nobody_anything() -> Outcome {
    const DEAF: u64 = 10;
    const SLOW: u64 = 3;
    let business = Business::open(On::Sqlite).await?;
    let only = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let watcher = Watcher::open(&thandi, "/messages").await?;
    let page = thandi.get("/messages").await?;
    let mut lines = Vec::new();
    for _ in 0..DEAF {
        lines.push(deaf(&thandi, &page).await?);
    }
    let mut readers = Vec::new();
    for _ in 0..SLOW {
        readers.push(slow(deaf(&thandi, &page).await?));
    }
    let before = memory(&only)?;
    // Each is more than a quarter of what the system keeps for a slow reader.
    let long = "a long story ".repeat(700);
    let mut took = Vec::new();
    for n in 0..40 {
        let words = format!("Part {n}. {long}");
        let told = thandi.write(&words, &format!("k{n}")).await?;
        ensure!(told.status == 303, "part {n}: {}", told.status);
        took.push(watcher.shows(&format!("Part {n}."), STALE).await?);
    }
    took.sort_unstable();
    // One of forty may meet a busy machine; whoever waited for a slow reader would do so each time.
    let most = took[took.len() - 2];
    ensure!(most < FRESH, "it showed only after {most:?}");
    let grown = memory(&only)?.saturating_sub(before);
    ensure!(
        grown < (DEAF + SLOW) << 20,
        "slow readers cost {grown} bytes"
    );
    // Nobody reads even now. People's own idle lines may come and go meanwhile.
    let full = sockets(&only)?;
    let mut left = full;
    until("slow readers are let go", LET_GO + STALE, || {
        left = sockets(&only).unwrap_or(full);
        left + lines.len() <= full + 2
    })
    .await?;
    ensure!(
        readers.iter().all(|reader| !reader.is_finished()),
        "who reads stays"
    );
    for reader in readers {
        reader.abort();
    }
    let seen = Seen::of(&page.body);
    let back = Watcher::resume(
        &thandi,
        "/messages",
        &[only.address],
        &page.live_url()?,
        seen,
    );
    back.is_live(STALE).await?;
    back.is_exact(only.address, STALE).await
}

/// Row 14: lines are dead in both directions, or in one, and nobody is told. The server frees its end, and each page that
/// comes back over another line has missed nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_line_is_freed() -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let only = Instance::of(&business).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let page = thandi.get("/messages").await?;
    let mut lines = Vec::new();
    for ways in [(true, true), (true, false), (false, true)] {
        let line = Proxy::to(only.address).await?;
        let far = Watcher::resume(
            &thandi,
            "/messages",
            &[line.address],
            &page.live_url()?,
            Seen::of(&page.body),
        );
        far.is_live(STALE).await?;
        ensure!(line.ended() == 0, "one line");
        lines.push((line, far, ways));
    }
    for (line, _, (up, down)) in &lines {
        line.strand(*up, *down);
    }
    thandi.write("Can you hear me?", "k1").await?;
    until("the server ends its dead lines", FREED, || {
        lines.iter().all(|(line, ..)| line.ended() == 1)
    })
    .await?;
    for (_, far, _) in &lines {
        // The page comes back because the server ended its line. One that hears nothing gives up sooner by itself, which
        // tests/browser/away.test.mjs sees.
        far.is_live(STALE + STALE).await?;
        far.shows("Can you hear me?", STALE).await?;
        far.is_exact(only.address, STALE).await?;
    }
    Ok(())
}

/// Row 15, and P4: a page that was away for more changes than an instance remembers, one from another past, and one that has
/// seen the future. `off` is what the instance goes without.
pub(crate) async fn away_for_long(off: &str) -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let only = Instance::of(&business).without(off).serve().await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let page = thandi.get("/messages").await?;
    let url = page.live_url()?;
    let (path, cursor) = url.split_once("&since=").context("a page has a cursor")?;
    // Somebody else keeps looking, so that the instance goes on remembering.
    let keeper = Watcher::open(&thandi, "/messages").await?;
    // The last 64 renderings are remembered, and a burst is one.
    for n in 0..80 {
        let words = format!("Line {n}.");
        thandi.write(&words, &words).await?;
        keeper.shows(&words, STALE).await?;
    }
    let read = Cursor::parse(cursor).context("a cursor can be read")?;
    let another_past = Cursor {
        epoch: read.epoch ^ 1,
        ..read.clone()
    };
    let mut future = read.clone();
    for mark in &mut future.marks {
        mark.version += 1_000_000;
        mark.digest.0[0] ^= 1;
    }
    for cursor in [&read, &another_past, &future] {
        let url = format!("{path}&since={cursor}");
        let back = Watcher::resume(
            &thandi,
            "/messages",
            &[only.address],
            &url,
            Seen::of(&page.body),
        );
        back.is_live(STALE).await?;
        if *cursor == future {
            back.agrees(only.address, STALE).await?;
        } else {
            back.is_exact(only.address, STALE).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_was_away_for_long_ends_in_the_exact_state() -> Outcome {
    away_for_long("").await
}

/// Row 16, with a tenth of its sockets: an instance dies under a thousand pages, which all come back to the next at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_pages_come_back_at_once() -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let start = || {
        let start = Instance::of(&business).with("PORTICO_MAX_SOCKETS_PER_PERSON", "60");
        start.serve()
    };
    let (mut first, second) = (start().await?, start().await?);
    let addresses = [first.address, second.address];
    let mut pages = Vec::new();
    let mut people = Vec::new();
    for n in 1..=20 {
        let person = Person::sign_in(&first, &format!("client-{n:04}")).await?;
        let page = person.get("/bookings").await?;
        for _ in 0..50 {
            let seen = Seen::of(&page.body);
            let url = page.live_url()?;
            pages.push(Watcher::resume(
                &person,
                "/bookings",
                &addresses,
                &url,
                seen,
            ));
        }
        people.push(person);
    }
    let all_live = |pages: &[Watcher]| {
        pages.iter().all(|page| {
            let seen = page.seen();
            seen.is_open && seen.beat.is_some()
        })
    };
    until("all are live", ALL_BACK, || all_live(&pages)).await?;
    first.kill();
    until("all were cut", STALE, || {
        pages.iter().all(|page| !page.seen().is_open)
    })
    .await?;
    until("all are live again", ALL_BACK, || all_live(&pages)).await?;
    // Whoever was refused would have come back to the first, which is not there.
    let refused = second
        .log()
        .lines()
        .filter(|line| line.contains("status=5"))
        .count();
    ensure!(refused == 0, "{refused} were answered with an error");
    for page in pages.iter().step_by(50) {
        page.is_exact(second.address, STALE).await?;
    }
    let alive = people[0].at(&second).get("/bookings").await?;
    ensure!(alive.status == 200, "pages are served");
    Ok(())
}
