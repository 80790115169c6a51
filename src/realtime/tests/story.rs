//! Whatever is written, told, lost, doubled, left and moved between instances, pages that are swept once more end in the
//! exact state, and none goes back on the way.

use super::instance::Instance;
use super::page::Page;
use super::world::{Change, FAR, PARTS, Shared, Toy, WINDOW, World};
use crate::clock::Clock;
use crate::domain::topic::Topic;
use crate::realtime::bus::toy::{Fate, Toy as Bus};
use crate::realtime::hub::Hub;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;

/// Instances, and pages: at first each page is at an instance of its own.
const INSTANCES: usize = 3;

/// Nothing is due later than so much ahead.
const LONGEST: Duration = Duration::from_millis(20);

/// What may happen, one at a time.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody writes at an instance; without one, at another that died before it could tell anybody.
    Write(Option<usize>, Change),
    /// Somebody begins to write; it is committed some time later, and told by an instance if that lives.
    Begin,
    Commit(Option<usize>, Change),
    /// What the database does not answer loads of from now on.
    Bar(Vec<Toy>),
    /// A copy of the database is taken, and put back under a new epoch.
    Copy,
    PutBack,
    /// The bus takes what waits at an instance.
    Tell(usize),
    /// One of the messages on their way to an instance, whichever was sent before it.
    Deliver(usize, usize, Fate),
    /// A message about a change that was not made.
    Forge(Topic, i64),
    /// All that the bus has is lost.
    Flush,
    /// A sweep's first statement is answered, and then its second.
    Ask(usize),
    Sweep(usize),
    /// After a sweep that failed nothing is certain.
    Doubt(usize),
    /// From now on the database takes so many moments to answer.
    Slow(u8),
    Pull(usize),
    /// A page comes back, here or elsewhere.
    Reconnect(usize, usize),
    /// So many moments pass.
    Rest(u8),
    /// So many milliseconds pass on everybody's clock, and an instance looks at it.
    Tick(u8, usize),
}

/// Anything.
fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (0..PARTS, 0u8..3).prop_map(|(n, value)| Change::Set(n, value)),
        2 => (0..PARTS, prop::option::of(0u8..3)).prop_map(|(n, value)| Change::Own(n, value)),
        2 => (0..FAR, 0u8..3).prop_map(|(n, value)| Change::Far(n, value)),
        3 => (0u8..12).prop_map(Change::Row),
        4 => (1u8..4).prop_map(Change::Say),
        1 => (0..WINDOW, 1u8..4).prop_map(|(back, value)| Change::Edit(back, value)),
        1 => (0..WINDOW).prop_map(Change::Forget),
        1 => (0u8..3).prop_map(Change::Title),
        2 => (0..PARTS, 0u8..3).prop_map(|(n, value)| Change::Both(n, value)),
        1 => (0..20u8).prop_map(Change::Due),
    ]
}

/// Little, so that a state often comes back that was there before.
fn toggle() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => (0u8..2).prop_map(|value| Change::Set(0, value)),
        1 => prop::option::of(Just(0)).prop_map(|value| Change::Own(0, value)),
        1 => Just(Change::Row(0)),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![5 => Just(Fate::Heard), 2 => Just(Fate::Doubled), 2 => Just(Fate::Lost)]
}

fn step(change: impl Strategy<Value = Change> + 'static) -> impl Strategy<Value = Step> {
    let topics = vec![
        Topic::Settings,
        Topic::Threads,
        Topic::Clients,
        Topic::Outbox,
    ];
    let change = change.boxed();
    let regions = vec![Toy::Base, Toy::Over, Toy::Far];
    let one = || 0..INSTANCES;
    prop_oneof![
        16 => (prop::option::weighted(0.8, one()), change.clone()).prop_map(|(at, change)| Step::Write(at, change)),
        2 => Just(Step::Begin),
        3 => (prop::option::weighted(0.8, one()), change).prop_map(|(at, change)| Step::Commit(at, change)),
        1 => prop::sample::subsequence(regions, 0..=2).prop_map(Step::Bar),
        1 => Just(Step::Copy),
        1 => Just(Step::PutBack),
        3 => (0u8..20, one()).prop_map(|(count, at)| Step::Tick(count, at)),
        6 => one().prop_map(Step::Tell),
        8 => (one(), 0usize..4, fate()).prop_map(|(at, nth, fate)| Step::Deliver(at, nth, fate)),
        1 => (prop::sample::select(topics), 0i64..100).prop_map(|(topic, version)| Step::Forge(topic, version)),
        1 => Just(Step::Flush),
        2 => one().prop_map(Step::Ask),
        2 => one().prop_map(Step::Sweep),
        1 => one().prop_map(Step::Doubt),
        1 => (0u8..80).prop_map(Step::Slow),
        10 => one().prop_map(Step::Pull),
        5 => (one(), one()).prop_map(|(page, to)| Step::Reconnect(page, to)),
        10 => (0u8..100).prop_map(Step::Rest),
    ]
}

async fn live_through(steps: Vec<Step>, moment: Duration) {
    let world: Shared = Arc::default();
    let clock = Clock::standing(Timestamp::UNIX_EPOCH);
    let hubs = [(); INSTANCES].map(|()| Hub::new(Arc::clone(&world), clock.clone()));
    let mut instances = hubs.clone().map(|hub| Instance::new(hub, &world));
    let mut bus = Bus::new(&hubs);
    let mut pages: Vec<Page> = (0..INSTANCES).map(|at| Page::open(&hubs, at)).collect();
    let mut copy = World::default();
    for step in steps {
        match step {
            Step::Write(at, change) => {
                let touched = world.lock().unwrap().change(&change);
                publish(&bus, at, touched);
            }
            Step::Begin => drop(world.lock().unwrap().begin()),
            Step::Commit(at, change) => {
                let mut world = world.lock().unwrap();
                if let Some(seq) = world.open.first().copied() {
                    let touched = world.commit(seq, &change);
                    drop(world);
                    publish(&bus, at, touched);
                }
            }
            Step::Bar(regions) => world.lock().unwrap().barred = regions,
            Step::Copy => copy = world.lock().unwrap().clone(),
            Step::PutBack => {
                let mut world = world.lock().unwrap();
                *world = World {
                    // What was open is rolled back.
                    open: BTreeSet::new(),
                    epoch: world.epoch + 1,
                    now: world.now,
                    delay: world.delay,
                    barred: world.barred.clone(),
                    ..copy.clone()
                };
                for page in &mut pages {
                    page.may_go_back = true;
                }
            }
            Step::Tick(count, at) => {
                let count = Duration::from_millis(count.into());
                world.lock().unwrap().now += count;
                clock.advance(count);
                hubs[at].expire();
            }
            Step::Tell(at) => bus.tell(at),
            Step::Deliver(at, nth, fate) => bus.deliver(at, nth, fate),
            Step::Forge(topic, version) => bus.forge(topic, version),
            Step::Flush => bus.flush(),
            Step::Ask(at) => instances[at].ask(),
            Step::Sweep(at) => instances[at].sweep(),
            Step::Doubt(at) => hubs[at].mark_all(),
            Step::Slow(count) => world.lock().unwrap().delay = moment * count.into(),
            Step::Pull(page) => drop(pages[page].pull().await),
            Step::Reconnect(page, to) => pages[page].reconnect_in(to, instances[to].epoch),
            Step::Rest(count) => tokio::time::sleep(moment * count.into()).await,
        }
    }
    world.lock().unwrap().barred.clear();
    for instance in &mut instances {
        instance.ask();
        instance.sweep();
    }
    // Once as it is, and once when all that is due has come without a write.
    for ahead in [Duration::ZERO, LONGEST] {
        world.lock().unwrap().now += ahead;
        clock.advance(ahead);
        hubs.iter().for_each(Hub::expire);
        for page in &mut pages {
            page.settle().await;
            page.dom.assert_shows(&world.lock().unwrap());
        }
    }
    pages.iter().for_each(Page::leave);
    for hub in &hubs {
        assert_eq!(hub.region_count(), 0, "what nobody watches is gone");
    }
}

fn publish(bus: &Bus<Toy>, at: Option<usize>, touched: Vec<(Topic, i64)>) {
    for (topic, version) in touched {
        if let Some(at) = at {
            bus.publish(at, topic, version);
        }
    }
}

fn stories() -> impl Strategy<Value = Vec<Step>> {
    let long = 1..80;
    prop_oneof![
        prop::collection::vec(step(change()), long.clone()),
        prop::collection::vec(step(toggle()), long),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    /// In a time of its own, in which a moment is a millisecond: the same story goes the same way each time.
    #[test]
    fn whatever_happens_a_page_ends_in_the_exact_state(steps in stories()) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(live_through(steps, Duration::from_millis(1)));
    }
}

proptest! {
    // A story that fails goes another way the next time: there is nothing to shrink.
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 0, ..ProptestConfig::default() })]
    /// In a fifth of the time, for loads keep their distance by the real clock.
    #[test]
    fn it_does_when_two_things_happen_at_once_too(steps in stories()) {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        runtime.block_on(live_through(steps, Duration::from_micros(200)));
    }
}
