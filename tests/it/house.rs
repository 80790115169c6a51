//! A small practice to test in: its own database, a clock that stands still, a server on a free port, browsers and sockets.

use crate::browser::Browser;
use jiff::Timestamp;
use jiff::civil::Date;
use portico::app::App;
use portico::clock::Clock;
use portico::config::{BaseUrl, Config, PaymentSetting};
use portico::domain::id::{BookingId, ClientId, PersonId, ServiceId, StaffId};
use portico::domain::message::Body;
use portico::domain::rule::Rules;
use portico::domain::service::{Colour, Service};
use portico::domain::slot::{Hours, Window};
use portico::domain::viewer::{ClientViewer, Role, StaffViewer, Viewer};
use portico::realtime::Bus;
use portico::store::booking::Book;
use portico::store::business::NewBusiness;
use portico::store::feed::NewFeed;
use portico::store::outbox::{self, Claim, Outcome, Settle};
use portico::store::person::NewPerson;
use portico::store::thread::NewMessage;
use portico::store::{self, Error, Tx};
use portico::{http, jobs, secret};
use sqlx::Connection as _;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "a long enough secret";

/// Monday 23 November 2026, 08:00 in Johannesburg.
pub(crate) const MONDAY: &str = "2026-11-23T06:00:00Z";

/// Which database a test runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// Makes two tests of one story: `on_both!(name, |house| async move { … })`.
macro_rules! on_both {
    ($(#[$doc:meta])* $name:ident, $story:expr) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let story = $story;
                story(House::open(On::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let story = $story;
                story(House::open(On::Postgres).await).await;
            }
        }
    };
}
pub(crate) use on_both;

/// The practice: Naledi owns it, Sipho works in it; Thandi, Pieter and Aisha are clients.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) naledi: StaffViewer,
    pub(crate) sipho: StaffViewer,
    pub(crate) thandi: ClientViewer,
    pub(crate) pieter: ClientViewer,
    pub(crate) aisha: ClientViewer,
    /// 45 minutes, no buffers; the shortest, so that its starts are the grid.
    pub(crate) follow_up: Service,
    /// 60 minutes and 15 kept free after it.
    pub(crate) assessment: Service,
    dir: TempDir,
}

/// An instant as tests write it.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl House {
    pub(crate) async fn open(on: On) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database_url = match on {
            On::Sqlite => format!("sqlite:{}", dir.path().join("portico.db").display()),
            On::Postgres => fresh_postgres().await,
        };
        let clock = Clock::standing(at(MONDAY));
        let bind: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let base_url = BaseUrl::parse("http://127.0.0.1").unwrap();
        let mut config = Config::new(database_url, bind, base_url);
        config.payments = PaymentSetting::Sandbox;
        let app = App::start(config, clock.clone()).await.unwrap();
        let (naledi, sipho) = (
            person("naledi", "Naledi Khumalo"),
            person("sipho", "Sipho Dube"),
        );
        let (thandi, pieter) = (
            person("thandi", "Thandi Mokoena"),
            person("pieter", "Pieter Botha"),
        );
        let aisha = person("aisha", "Aisha Dlamini");
        let follow_up = service("Follow-up treatment", 45, 0);
        let assessment = service("First assessment", 60, 15);
        let (staff_ids, client_ids) = (
            [StaffId::new(), StaffId::new()],
            [ClientId::new(), ClientId::new(), ClientId::new()],
        );
        let all = Practice {
            staff: [
                (naledi.clone(), staff_ids[0], Role::Owner),
                (sipho.clone(), staff_ids[1], Role::Staff),
            ],
            clients: [
                (thandi.clone(), client_ids[0]),
                (pieter.clone(), client_ids[1]),
                (aisha.clone(), client_ids[2]),
            ],
            services: [follow_up.clone(), assessment.clone()],
        };
        app.transact(all, |tx, practice| Box::pin(practice.found(tx)))
            .await
            .unwrap();
        let staff = |one: &NewPerson, staff, role| StaffViewer {
            person: one.id,
            staff,
            name: one.name.clone(),
            role,
        };
        let client = |one: &NewPerson, client| ClientViewer {
            person: one.id,
            client,
            name: one.name.clone(),
        };
        Self {
            naledi: staff(&naledi, staff_ids[0], Role::Owner),
            sipho: staff(&sipho, staff_ids[1], Role::Staff),
            thandi: client(&thandi, client_ids[0]),
            pieter: client(&pieter, client_ids[1]),
            aisha: client(&aisha, client_ids[2]),
            follow_up,
            assessment,
            app,
            dir,
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.app.clock
    }

    /// Books as `client` would, with Naledi.
    pub(crate) async fn book(
        &self,
        client: &ClientViewer,
        service: &Service,
        start: &str,
    ) -> Result<BookingId, Error> {
        let book = self.wish(client, self.naledi.staff, service.id, at(start));
        self.app
            .transact(book, |tx, book| Box::pin(store::booking::book(tx, book)))
            .await
    }

    /// What a client asks for, under a key of its own.
    pub(crate) fn wish(
        &self,
        client: &ClientViewer,
        staff: StaffId,
        service: ServiceId,
        start: Timestamp,
    ) -> Book {
        Book {
            viewer: Viewer::Client(client.clone()),
            client: client.client,
            staff,
            service,
            start,
            key: secret::token(),
            reason: None,
            now: self.clock().now(),
        }
    }

    /// Writes to the practice as `client` would; tells the message's number.
    pub(crate) async fn write(&self, client: &ClientViewer, text: &str) -> i64 {
        let message = self.message(&Viewer::Client(client.clone()), client.client, text);
        self.send(message).await
    }

    /// Answers a client as Naledi would.
    pub(crate) async fn answer(&self, client: &ClientViewer, text: &str) -> i64 {
        let message = self.message(&Viewer::Staff(self.naledi.clone()), client.client, text);
        self.send(message).await
    }

    /// What someone writes, under a key of its own.
    pub(crate) fn message(&self, viewer: &Viewer, client: ClientId, text: &str) -> NewMessage {
        NewMessage {
            viewer: viewer.clone(),
            client,
            body: Body::parse(text).unwrap(),
            key: secret::token(),
            now: self.clock().now(),
        }
    }

    async fn send(&self, message: NewMessage) -> i64 {
        let sent = self.app.transact(message, |tx, message| {
            Box::pin(store::thread::send(tx, message))
        });
        sent.await.unwrap()
    }

    /// Waits until so many regions were loaded behind pages that were up to date: only then are their parts known.
    pub(crate) async fn has_loaded(&self, count: u64) {
        let loaded = async {
            while self.app.hub.load_count() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), loaded)
            .await
            .expect("they are loaded");
    }

    /// Nothing is wrong with the database.
    pub(crate) async fn assert_sound(&self) {
        let problems = store::check::problems(&mut self.app.db.snapshot().await.unwrap())
            .await
            .unwrap();
        assert!(problems.is_empty(), "{problems:?}");
    }

    /// A calendar to subscribe to; tells its secret.
    pub(crate) async fn feed(&self, person: PersonId) -> String {
        let new = NewFeed {
            person,
            secret: secret::token(),
            now: self.clock().now(),
        };
        let made = self.app.transact(new.clone(), |tx, new| {
            Box::pin(store::feed::create(tx, new))
        });
        made.await.unwrap();
        new.secret
    }

    /// Every mail that waits is refused for good; tells one of them.
    pub(crate) async fn fail_mails(&self) -> String {
        let now = self.clock().now();
        let claim = Claim {
            lease: secret::token(),
            now,
            until: now + Duration::from_mins(1),
            most: 1000,
        };
        let failed = self.app.transact(claim, |tx, claim| {
            Box::pin(async move {
                let mails = outbox::claim(tx, claim).await?;
                for mail in &mails {
                    let settle = Settle {
                        email: mail.id,
                        lease: claim.lease.clone(),
                        outcome: Outcome::Failed {
                            reason: "The mail server said: 550".to_owned(),
                        },
                        now: claim.now,
                    };
                    outbox::settle(tx, &settle).await?;
                }
                Ok(mails[0].id.to_string())
            })
        });
        failed.await.unwrap()
    }

    /// Opens the doors: a server on a free port, with its jobs.
    pub(crate) async fn serve(&self) -> Server {
        Server::of(&self.app).await
    }

    /// Another instance on the same database, under the same clock, reached as `base_url`.
    pub(crate) async fn another(&self, base_url: &str) -> App {
        let config = Config {
            base_url: BaseUrl::parse(base_url).unwrap(),
            ..Config::clone(&self.app.config)
        };
        App::start(config, self.clock().clone()).await.unwrap()
    }

    /// Another instance, which hears of the first one's changes through this Redis, or by its sweep alone.
    pub(crate) async fn neighbour(&self, redis_url: Option<String>) -> App {
        let config = Config {
            redis_url,
            ..Config::clone(&self.app.config)
        };
        App::start(config, self.clock().clone()).await.unwrap()
    }

    /// Where the test may leave files.
    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }
}

fn person(address: &str, name: &str) -> NewPerson {
    static HASH: OnceLock<String> = OnceLock::new();
    NewPerson {
        id: PersonId::new(),
        email: format!("{address}@kestrel.example"),
        name: name.to_owned(),
        password_hash: Some(HASH.get_or_init(|| secret::hash_now(PASSWORD)).clone()),
        now: at(MONDAY),
    }
}

fn service(name: &str, minutes: i64, after: i64) -> Service {
    let id = ServiceId::new();
    Service {
        id,
        name: name.to_owned(),
        price: 85_000,
        step: 45,
        minutes,
        before: 0,
        after,
        notice: 120,
        horizon_weeks: None,
        staff: Vec::new(),
        clients: Vec::new(),
        video_url: None,
        colour: Colour::default(),
        version: 1,
    }
}

/// When everybody works: on five days, with an hour and a quarter at noon.
pub(crate) fn usual_hours() -> Hours {
    let day = [(480, 705), (780, 960)].map(|(start, end)| Window { start, end });
    let mut hours = Hours::default();
    for windows in &mut hours.weekly[..5] {
        windows.extend(day);
    }
    hours
}

/// Everybody and everything that the practice begins with.
struct Practice {
    staff: [(NewPerson, StaffId, Role); 2],
    clients: [(NewPerson, ClientId); 3],
    services: [Service; 2],
}

impl Practice {
    async fn found(&self, tx: &mut Tx) -> Result<(), Error> {
        let business = NewBusiness {
            name: "Kestrel Physio".to_owned(),
            address: "14 Loop Street, Cape Town".to_owned(),
            zone: "Africa/Johannesburg".to_owned(),
            currency: "ZAR".to_owned(),
            invoice_prefix: "KP-".to_owned(),
            tax_rate: 1500,
            hue: 172,
            rules: Rules::default(),
            horizon_weeks: 26,
        };
        store::business::save(tx, &business).await?;
        for (one, id, role) in &self.staff {
            store::staff::create(tx, *id, *role, one).await?;
            for (weekday, windows) in (0..).zip(usual_hours().weekly) {
                for window in windows {
                    store::staff::open_weekly(tx, *id, weekday, window).await?;
                }
            }
        }
        for (one, id) in &self.clients {
            store::client::create(tx, *id, one).await?;
        }
        for one in &self.services {
            store::service::create(tx, one).await?;
        }
        Ok(())
    }
}

/// A database of its own on the Postgres that `bin/test` started.
#[expect(
    clippy::disallowed_methods,
    reason = "a database's name cannot be bound"
)]
pub(crate) async fn fresh_postgres() -> String {
    let server = std::env::var("PORTICO_TEST_POSTGRES").expect(
        "PORTICO_TEST_POSTGRES is not set: run this test with bin/test, which starts a Postgres",
    );
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}

/// A server that ends with the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _stop: tokio::sync::oneshot::Sender<()>,
    _running: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Opens the doors of one instance.
    pub(crate) async fn of(app: &App) -> Self {
        let listener = http::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        jobs::start(app).await.unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(http::serve(app.clone(), listener, async move {
            let _ = stopped.await;
        }));
        Self {
            address,
            _stop: stop,
            _running: running,
        }
    }

    /// A browser that nobody has signed in with.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A browser in which someone is signed in: `thandi`, `naledi` …
    pub(crate) async fn signed_in(&self, who: &str) -> Browser {
        let mut browser = self.browser();
        browser.sign_in(who).await;
        browser
    }
}

/// Waits until it is so; panics when that takes longer than `patience`.
pub(crate) async fn eventually(patience: Duration, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < patience, "not after {patience:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a message to itself has come back, where a bus leads anywhere.
pub(crate) async fn is_up(bus: &dyn Bus) {
    let mut last = bus.health().age;
    eventually(Duration::from_secs(5), || {
        let age = bus.health().age;
        let is_back = age.is_none() || age < last;
        last = age;
        is_back
    })
    .await;
}

/// A date as tests write it.
pub(crate) fn on(text: &str) -> Date {
    text.parse().unwrap()
}
