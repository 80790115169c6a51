//! Whoever is no longer let in is shown nothing more, on any instance: within two seconds where Redis tells it, within
//! three where the sweep finds it. The deadlines are promises, and passed by the real clock.

use super::links;
use crate::browser::{Browser, Watcher};
use crate::house::{House, On, Server, eventually, is_up};
use crate::wire::redis_url;
use portico::domain::viewer::Role;
use portico::store::{self, token::Kind};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// What ends a page, done at one instance.
#[derive(Debug, Clone, Copy)]
enum Ending {
    Logout,
    NewPassword,
    Disabled,
    OtherRole,
}

const ENDINGS: [Ending; 4] = [
    Ending::Logout,
    Ending::NewPassword,
    Ending::Disabled,
    Ending::OtherRole,
];

impl Ending {
    /// The reason that the page is told.
    fn reason(self) -> &'static str {
        match self {
            // Whoever has another role is another viewer, and finds their own pages.
            Self::OtherRole => "viewer",
            _ => "session",
        }
    }

    async fn happen(self, house: &House, browser: &Browser) {
        let (person, now) = (house.sipho.person, house.clock().now());
        match self {
            Self::Logout => assert_eq!(browser.post("/logout", &[]).await.status, 303),
            Self::NewPassword => {
                let link = links::issue(house, person, Kind::Reset).await;
                let fields = [("password", "another long secret")];
                let answer = browser.post(&format!("/reset/{link}"), &fields).await;
                assert_eq!(answer.status, 303);
            }
            Self::Disabled => {
                let disabled = house.app.transact((person, now), |tx, (person, now)| {
                    Box::pin(store::person::set_disabled(tx, *person, true, *now))
                });
                disabled.await.unwrap();
            }
            Self::OtherRole => {
                let changed = house.app.transact(person, |tx, person| {
                    Box::pin(store::staff::set_role(tx, *person, Role::Owner))
                });
                changed.await.unwrap();
            }
        }
    }
}

/// Sipho works at one instance and has a page of another open; each ending closes it within `bound`.
async fn ends_elsewhere(ending: Ending, redis: Option<String>, bound: Duration) {
    let mut house = House::open(On::Postgres).await;
    let (here, there) = (
        house.neighbour(redis.clone()).await,
        house.neighbour(redis.clone()).await,
    );
    house.app = here;
    let (near, far) = (house.serve().await, Server::of(&there).await);
    if redis.is_some() {
        for app in [&house.app, &there] {
            is_up(&*app.bus).await;
        }
    }
    let browser = near.signed_in("sipho").await;
    let mut elsewhere = far.browser();
    elsewhere.cookie.clone_from(&browser.cookie);
    let mut watcher: Watcher = elsewhere.watch("/admin").await;
    let mut bystander = far.signed_in("naledi").await.watch("/admin").await;
    watcher.quiet().await;
    bystander.quiet().await;
    ending.happen(&house, &browser).await;
    let began = Instant::now();
    let closed = watcher.closed().await;
    let took = began.elapsed();
    assert_eq!(closed, (4401, ending.reason().to_owned()), "{ending:?}");
    assert!(took <= bound, "{ending:?} took {took:?}");
    // Nobody else is sent away.
    bystander.quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_at_another_instance_close_within_two_seconds_through_redis() {
    for ending in ENDINGS {
        ends_elsewhere(ending, Some(redis_url()), Duration::from_secs(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_at_another_instance_close_within_three_seconds_by_the_sweep() {
    for ending in ENDINGS {
        ends_elsewhere(ending, None, Duration::from_secs(3)).await;
    }
}

/// A page's socket at the far end of a line that holds little, of which nothing was read but that it is given.
async fn deaf(server: &Server, browser: &Browser, page: &str) -> TcpStream {
    let url = browser.get(page).await.live_url();
    // Without a cursor: all of the thread is on its way.
    let url = url.split("&since=").next().unwrap();
    let (at, cookie) = (server.address, browser.cookie.as_deref().unwrap());
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut line = socket.connect(at).await.unwrap();
    let mut head = format!("GET {url} HTTP/1.1\r\nhost: {at}\r\norigin: http://{at}\r\n");
    write!(
        head,
        "cookie: {cookie}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .unwrap();
    line.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    line.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 101");
    line
}

/// A frame of several hundred kilobytes is half written when Pieter signs out: nothing more of it is sent, however little
/// of it was taken, and whoever only has another reason to be asked again keeps their page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_reads_slowly_or_not_at_all_is_cut_off_within_two_seconds() {
    let house = House::open(On::Sqlite).await;
    let server = house.serve().await;
    let long = "a long story ".repeat(700);
    for _ in 0..40 {
        house.write(&house.pieter, &long).await;
    }
    let hub = &house.app.hub;
    for takes in [0, 512] {
        let pieter = server.signed_in("pieter").await;
        let mut line = deaf(&server, &pieter, "/messages").await;
        let reading = tokio::spawn(async move {
            let mut some = vec![0; takes];
            let mut taken = 0;
            while takes > 0 && taken < 64 * 1024 {
                let Ok(count @ 1..) = line.read(&mut some).await else {
                    break;
                };
                taken += count;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            line
        });
        eventually(Duration::from_secs(5), || hub.socket_count() == 1).await;
        let connections = house.app.meter.connections.get();
        // The practice has another name: everybody's rights are asked, and Pieter has his.
        let renamed = house.app.transact((), |tx, ()| {
            tx.touch(portico::domain::topic::Topic::Settings);
            Box::pin(async { Ok(()) })
        });
        renamed.await.unwrap();
        let cut = async {
            while hub.socket_count() == 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let cut = tokio::time::timeout(Duration::from_millis(500), cut).await;
        assert!(cut.is_err(), "it is his page");

        assert_eq!(pieter.post("/logout", &[]).await.status, 303);
        let bound = Duration::from_secs(2);
        let gone = || hub.socket_count() == 0 && house.app.meter.connections.get() < connections;
        eventually(bound, gone).await;
        let mut line = reading.await.unwrap();
        let mut rest = Vec::new();
        let _ = line.read_to_end(&mut rest).await;
        assert!(rest.len() < 300_000, "all of {} bytes came", rest.len());
    }
}
