//! What every bus must do, and what one that leads through Redis must besides: it is speed, and whatever happens to it
//! costs no more than that.

use crate::house::{House, On, Server, eventually, is_up, on_both};
use crate::wire::{Line, Wire, redis_url};
use futures_util::StreamExt as _;
use maud::html;
use portico::clock::Clock;
use portico::domain::id::{ClientId, PersonId};
use portico::domain::topic::Topic;
use portico::realtime::{
    Bus, Grant, Hub, Kind, Limits, LoadError, Loaded, Local, Parts, Place, Redis, Region, Socket,
    Verdict,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A number on a wall: all that there is in this database, and how often it changed.
type Number = Arc<AtomicI64>;

/// The live part of a page that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wall;

impl Region for Wall {
    type Source = Number;

    fn topics(&self) -> Vec<Topic> {
        vec![Topic::Clients]
    }

    fn kind(&self) -> Kind {
        Kind::Shared
    }

    async fn load(&self, number: &Number) -> Result<Loaded, LoadError> {
        let number = number.load(Ordering::Acquire);
        let mut parts = Parts::default();
        let html = html! { (parts.part("number".to_owned(), html! { b #number { (number) } })) };
        Ok(Loaded {
            version: number,
            whole: parts.whole("wall", &html),
            valid_until: None,
        })
    }

    async fn versions(number: &Number, _: &[Topic]) -> Result<HashMap<Topic, i64>, LoadError> {
        Ok([(Topic::Clients, number.load(Ordering::Acquire))].into())
    }
}

/// One instance: its hub, its end of the bus, and a page that somebody has open there.
struct Instance {
    hub: Hub<Wall>,
    bus: Arc<dyn Bus>,
    /// What the page shows, and everything that it ever showed.
    shown: Arc<Mutex<Vec<i64>>>,
}

impl Instance {
    async fn open(number: &Number, bus: impl FnOnce(Hub<Wall>) -> Arc<dyn Bus>) -> Self {
        let hub = Hub::new(
            Arc::clone(number),
            Clock::standing(jiff::Timestamp::UNIX_EPOCH),
        );
        let grant = Grant {
            person: PersonId::new(),
            viewer: 1,
            is_staff: false,
            places: vec![Place {
                base: Wall,
                over: None,
            }],
            until: jiff::Timestamp::MAX,
        };
        let socket = Socket {
            hub: hub.clone(),
            rights: Arc::new(move || {
                let verdict = Verdict::Granted(grant.clone());
                Box::pin(async { Some(verdict) })
            }),
            limits: Limits {
                sockets_per_person: 1,
            },
            epoch: 1,
            since: None,
        };
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(socket.run(ours));
        let shown = Arc::<Mutex<Vec<i64>>>::default();
        tokio::spawn(look(theirs, Arc::clone(&shown)));
        let instance = Self {
            bus: bus(hub.clone()),
            hub,
            shown,
        };
        instance.shows(number.load(Ordering::Acquire)).await;
        instance
    }

    /// Waits until the page shows this.
    async fn shows(&self, number: i64) {
        eventually(Duration::from_secs(5), || {
            self.shown.lock().unwrap().last() == Some(&number)
        })
        .await;
    }

    /// Waits until the line to the others stands.
    async fn is_up(&self) {
        is_up(&*self.bus).await;
    }
}

/// Reads what a page is sent.
async fn look(line: tokio::io::DuplexStream, shown: Arc<Mutex<Vec<i64>>>) {
    let mut stream = WebSocketStream::from_raw_socket(line, Role::Client, None).await;
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let Some(html) = json["content"].as_str() else {
            continue;
        };
        let (_, rest) = html.split_once("<b id=\"number\">").unwrap();
        let number = rest.split('<').next().unwrap().parse().unwrap();
        shown.lock().unwrap().push(number);
    }
}

/// Instances of one business, on one bus.
struct Business {
    number: Number,
    instances: Vec<Instance>,
}

impl Business {
    /// One instance that nobody else listens to.
    async fn alone() -> Self {
        let number = Number::default();
        let alone = Instance::open(&number, |hub| Arc::new(Local::new(hub))).await;
        Self {
            number,
            instances: vec![alone],
        }
    }

    /// Three through the Redis of the tests, under a name of their own.
    async fn of_three() -> Self {
        Self::on(&channel(), &redis_url()).await
    }

    async fn on(channel: &str, url: &str) -> Self {
        let number = Number::default();
        let mut instances = Vec::new();
        for _ in 0..3 {
            instances.push(through(&number, channel, url).await);
        }
        let business = Self { number, instances };
        for instance in &business.instances {
            instance.is_up().await;
        }
        business
    }

    /// Something changes, and instance `n` commits it.
    fn commit(&self, n: usize) -> i64 {
        let version = self.number.fetch_add(1, Ordering::AcqRel) + 1;
        self.instances[n].bus.publish(Topic::Clients, version);
        version
    }

    async fn all_show(&self, number: i64) {
        for instance in &self.instances {
            instance.shows(number).await;
        }
    }
}

fn channel() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

async fn through(number: &Number, channel: &str, url: &str) -> Instance {
    let redis = |hub| -> Arc<dyn Bus> { Arc::new(Redis::start(url, channel, hub).unwrap()) };
    Instance::open(number, redis).await
}

/// Says something on a channel, as anybody may who reaches the Redis.
async fn forge(channel: &str, payloads: &[&str]) {
    let client = redis::Client::open(redis_url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for payload in payloads {
        let channel = format!("portico/{channel}");
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel).arg(*payload);
        let heard_by: usize = publish.query_async(&mut connection).await.unwrap();
        assert!(heard_by > 0, "nobody listens there");
    }
}

/// Makes two tests of one story, one for each bus.
macro_rules! on_every_bus {
    ($name:ident, $story:expr) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn local() {
                let story = $story;
                story(Business::alone().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis() {
                let story = $story;
                story(Business::of_three().await).await;
            }
        }
    };
}

on_every_bus!(
    what_any_instance_commits_shows_at_all_of_them,
    |business: Business| async move {
        for n in (0..business.instances.len()).cycle().take(9) {
            let number = business.commit(n);
            business.all_show(number).await;
        }
    }
);

on_every_bus!(
    what_is_told_twice_or_late_or_of_a_wild_version_shows_what_there_is,
    |business: Business| async move {
        business.commit(0);
        let number = business.commit(0);
        for instance in &business.instances {
            for version in [i64::MAX, 1, 1, 0, i64::MIN] {
                instance.bus.publish(Topic::Clients, version);
            }
        }
        business.all_show(number).await;
        // And what comes after it is believed as before.
        let number = business.commit(0);
        business.all_show(number).await;
        for instance in &business.instances {
            let shown = instance.shown.lock().unwrap().clone();
            assert!(shown.is_sorted(), "it went back: {shown:?}");
        }
    }
);

on_every_bus!(
    what_is_told_again_and_again_is_few_loads,
    |business: Business| async move {
        let loads = |instance: &Instance| instance.hub.load_count();
        let before: Vec<u64> = business.instances.iter().map(loads).collect();
        for _ in 0..1000 {
            business.commit(0);
        }
        business.all_show(1000).await;
        for (instance, before) in business.instances.iter().zip(before) {
            let loads = loads(instance) - before;
            assert!(loads <= 20, "{loads} loads for one burst");
        }
    }
);

on_every_bus!(
    a_storm_of_topics_takes_bounded_room_and_nobody_waits,
    |business: Business| async move {
        let began = Instant::now();
        for _ in 0..50_000 {
            business.instances[0]
                .bus
                .publish(Topic::Client(ClientId::new()), 1);
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(2), "50,000 took {took:?}");
        assert!(business.instances[0].bus.health().queued <= 4096);
        let number = business.commit(0);
        business.instances[0].shows(number).await;
    }
);

on_every_bus!(
    an_instance_that_hears_nobody_else_is_not_slow_for_that,
    |business: Business| async move {
        for instance in &business.instances {
            assert!(!instance.hub.is_slow());
        }
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_instance_told_itself_is_not_loaded_twice() {
    let business = Business::of_three().await;
    let [first, second, _] = &business.instances[..] else {
        unreachable!("there are three");
    };
    let before = first.hub.load_count();
    let number = business.commit(0);
    business.all_show(number).await;
    // What the second says next comes to the first behind its own words.
    second.bus.publish(Topic::Outbox, 1);
    eventually(Duration::from_secs(5), || first.bus.health().heard == 1).await;
    assert_eq!(first.hub.load_count() - before, 1);
    assert_eq!(second.bus.health().heard, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_strangers_say_shows_nothing_and_breaks_nothing() {
    let channel = channel();
    let business = Business::on(&channel, &redis_url()).await;
    let before = business.instances[1].hub.load_count();
    let nonsense = [
        "",
        "nonsense",
        "2 7 moved 1 clients",
        "1 7 moved 1 weather",
        "1 7 moved x clients",
    ];
    forge(&channel, &nonsense).await;
    forge(&channel, &["1 7 moved 9223372036854775807 clients"]).await;
    for instance in &business.instances {
        eventually(Duration::from_secs(5), || instance.bus.health().heard == 1).await;
        assert_eq!(instance.bus.health().ignored, nonsense.len() as u64);
    }
    // It was looked after, once; there was nothing to see.
    eventually(Duration::from_secs(5), || {
        business.instances[1].hub.load_count() == before + 1
    })
    .await;
    let number = business.commit(0);
    business.all_show(number).await;
    for instance in &business.instances {
        assert_eq!(*instance.shown.lock().unwrap(), [0, number]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_businesses_on_one_redis_do_not_wake_each_other() {
    let (ours, theirs) = (Business::of_three().await, Business::of_three().await);
    for n in 0..10 {
        ours.commit(n % 3);
    }
    ours.all_show(10).await;
    theirs.instances[0].bus.publish(Topic::Outbox, 1);
    let neighbour = &theirs.instances[1];
    eventually(Duration::from_secs(5), || neighbour.bus.health().heard > 0).await;
    assert_eq!(neighbour.bus.health().heard, 1);
    assert_eq!(neighbour.hub.load_count(), 1);
}

/// Within so long after its end an outage must be over, however long it was.
const RECOVERY: Duration = Duration::from_secs(5);

/// Two instances, of which the second is reached through a wire.
async fn behind_a_wire(line: Line) -> (Business, Wire) {
    let (number, channel) = (Number::default(), channel());
    let wire = Wire::to_redis(line).await;
    let near = through(&number, &channel, &redis_url()).await;
    let far = through(&number, &channel, &wire.url()).await;
    near.is_up().await;
    let instances = vec![near, far];
    (Business { number, instances }, wire)
}

async fn outage(line: Line) {
    let (business, wire) = behind_a_wire(Line::Open).await;
    let far = &business.instances[1];
    far.is_up().await;
    wire.turn(line);
    eventually(Duration::from_secs(10), || far.hub.is_slow()).await;
    assert!(!business.instances[0].hub.is_slow());
    // Its own commits show as ever, and nobody waits for a line that does not stand.
    let began = Instant::now();
    for _ in 0..10_000 {
        far.bus.publish(Topic::Client(ClientId::new()), 1);
    }
    let number = business.commit(1);
    assert!(began.elapsed() < Duration::from_secs(1));
    far.shows(number).await;
    assert!(far.bus.health().queued <= 4096 && far.bus.health().dropped > 0);
    // What came in vain is forgotten: told hours later it would be a storm.
    eventually(Duration::from_secs(10), || far.bus.health().queued == 0).await;

    wire.turn(Line::Open);
    eventually(RECOVERY, || !far.hub.is_slow()).await;
    let number = business.commit(0);
    business.all_show(number).await;
    let number = business.commit(1);
    business.all_show(number).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_was_cut_is_mended() {
    outage(Line::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_fell_silent_is_mended() {
    outage(Line::Silent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_on_the_line_when_it_went_is_counted() {
    let (business, wire) = behind_a_wire(Line::Open).await;
    let [near, far] = &business.instances[..] else {
        unreachable!("there are two");
    };
    far.is_up().await;
    wire.turn(Line::Silent);
    for _ in 0..3 {
        far.bus.publish(Topic::Client(ClientId::new()), 1);
    }
    wire.turn(Line::Cut);
    eventually(RECOVERY, || far.bus.health().dropped > 0).await;
    wire.turn(Line::Open);
    // Each was told, on this line or on the next, or is counted.
    eventually(RECOVERY, || {
        near.bus.health().heard + far.bus.health().dropped == 3
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_ends_tells_what_it_committed_last_and_waits_a_second_for_that() {
    for comes_back in [true, false] {
        let house = House::open(On::Sqlite).await;
        let wire = Wire::to_redis(Line::Open).await;
        let leaving = house.neighbour(Some(wire.url())).await;
        let staying = house.neighbour(Some(redis_url())).await;
        is_up(&*leaving.bus).await;
        is_up(&*staying.bus).await;
        wire.turn(Line::Silent);
        let committed = leaving.transact((), |tx, ()| {
            tx.touch(Topic::Settings);
            Box::pin(async { Ok(()) })
        });
        committed.await.unwrap();
        let began = Instant::now();
        let ending = leaving.clone();
        let mut ending = tokio::spawn(async move { ending.stop().await });
        let early = tokio::time::timeout(Duration::from_millis(200), &mut ending);
        assert!(early.await.is_err(), "it does not wait");
        if comes_back {
            wire.turn(Line::Open);
        }
        ending.await.unwrap();
        let took = began.elapsed();
        let health = leaving.bus.health();
        assert_eq!((health.queued > 0, health.dropped), (!comes_back, 0));
        assert!(took < Duration::from_secs(2), "it ended after {took:?}");
        if comes_back {
            eventually(Duration::from_secs(1), || staying.bus.health().heard == 1).await;
        }
    }
}

/// As after a failover that nobody told the subscriber of: the connection stands, and nothing ever comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_went_deaf_is_found_by_the_probe() {
    let (business, wire) = behind_a_wire(Line::Open).await;
    let far = &business.instances[1];
    far.is_up().await;
    wire.deafen();
    let deaf_since = Instant::now();
    let is_well = || far.bus.health().age.unwrap() < deaf_since.elapsed();
    eventually(Duration::from_secs(4) + RECOVERY, is_well).await;
    let number = business.commit(0);
    far.shows(number).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_later_than_the_instance_is_heard() {
    let (business, wire) = behind_a_wire(Line::Cut).await;
    let far = &business.instances[1];
    let number = business.commit(1);
    far.shows(number).await;
    wire.turn(Line::Open);
    far.is_up().await;
    let number = business.commit(0);
    business.all_show(number).await;
}

#[test]
fn a_url_that_names_no_redis_is_refused_without_being_told() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for url in [
            "",
            "hunter2",
            "redis://",
            "http://:hunter2@127.0.0.1",
            "rediss://:hunter2@127.0.0.1",
        ] {
            let hub = Hub::<Wall>::new(
                Number::default(),
                Clock::standing(jiff::Timestamp::UNIX_EPOCH),
            );
            let error = Redis::start(url, "x", hub).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    });
}

/// What is written to the log, by this thread.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One thread, so that the log is all of it.
#[tokio::test]
async fn an_outage_is_two_lines_in_the_log_and_no_password() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (business, wire) = behind_a_wire(Line::Open).await;
    let far = &business.instances[1];
    far.is_up().await;
    for line in [Line::Cut, Line::Open] {
        wire.turn(line);
        eventually(Duration::from_secs(10), || {
            far.hub.is_slow() == (line == Line::Cut)
        })
        .await;
    }
    // A password that this Redis does not want, and may repeat.
    let url = wire.url().replace("redis://", "redis://:hunter2hunter2@");
    let refused = through(&business.number, &channel(), &url).await;
    eventually(Duration::from_secs(10), || refused.hub.is_slow()).await;
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(said.matches("WARN").count(), 2, "{said}");
    assert_eq!(said.matches("Redis is not heard").count(), 2, "{said}");
    assert_eq!(said.matches("Redis is heard again").count(), 1, "{said}");
    assert!(
        !said.contains("hunter2") && !format!("{:?}", refused.bus).contains("hunter2"),
        "{said}"
    );
}

on_both!(
    staff_are_told_that_changes_come_late_and_clients_are_not,
    |house: House| async move {
        let wire = Wire::to_redis(Line::Cut).await;
        let app = house.neighbour(Some(wire.url())).await;
        let server = Server::of(&app).await;
        let mut naledi = server.signed_in("naledi").await.watch("/admin").await;
        let mut pieter = server.signed_in("pieter").await.watch("/").await;
        for (line, is_slow) in [(Line::Cut, true), (Line::Open, false)] {
            wire.turn(line);
            eventually(Duration::from_secs(10), || app.hub.is_slow() == is_slow).await;
            for _ in 0..2 {
                naledi.quiet().await;
                pieter.quiet().await;
                assert!(!pieter.is_slow);
            }
            assert_eq!(naledi.is_slow, is_slow);
        }
    }
);
