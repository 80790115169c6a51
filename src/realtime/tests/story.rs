//! Whatever is touched, lost, doubled, left and moved between instances, a page that is asked once more ends in the exact
//! state.

use super::dom::Dom;
use super::page::Page;
use super::world::{Change, FAR, PARTS, Shared, WINDOW};
use crate::clock::Clock;
use crate::realtime::hub::Hub;
use jiff::Timestamp;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// What may happen, one at a time.
#[derive(Debug, Clone)]
enum Step {
    Change(Change),
    /// Word of a change reaches an instance; without it, it was lost.
    Tell(usize),
    Pull,
    /// The page comes back, here or elsewhere.
    Reconnect(usize),
    /// Time enough for the loads under way.
    Rest,
}

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
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        17 => change().prop_map(Step::Change),
        4 => (0usize..2).prop_map(Step::Tell),
        3 => Just(Step::Pull),
        2 => (0usize..2).prop_map(Step::Reconnect),
        2 => Just(Step::Rest),
    ]
}

async fn live_through(steps: Vec<Step>) {
    let world: Shared = Arc::default();
    let clock = Clock::standing(Timestamp::UNIX_EPOCH);
    let hubs = [0, 1].map(|_| Hub::new(Arc::clone(&world), clock.clone()));
    let mut page = Page::open(hubs.clone());
    for step in steps {
        match step {
            Step::Tell(hub) => hubs[hub].mark_all(),
            Step::Pull => {
                page.pull();
            }
            Step::Reconnect(to) => page.reconnect(to),
            Step::Rest => tokio::time::sleep(Duration::from_millis(2)).await,
            Step::Change(change) => world.lock().unwrap().change(&change),
        }
    }
    // The sweep: both instances ask once more.
    hubs.iter().for_each(Hub::mark_all);
    page.settle().await;
    let world = world.lock().unwrap().clone();
    let expected = Dom::fresh(&world);
    assert_eq!(page.dom.elements, expected.elements);
    assert_eq!(page.dom.title, expected.title);
    assert_eq!(page.dom.far, expected.far);
    page.dom.assert_log(&world);
    page.leave();
    assert_eq!(
        page.hubs[0].region_count() + page.hubs[1].region_count(),
        0,
        "what nobody watches is gone"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 64, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_a_page_ends_in_the_exact_state(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(live_through(steps));
    }
}

/// There and back again on one instance while the page was shown something else by the other.
#[tokio::test]
async fn a_state_that_comes_back_is_told_from_the_one_before() {
    use Step::{Pull, Reconnect, Rest, Tell};
    let set = |n, value| Step::Change(Change::Set(n, value));
    let rest = || std::iter::repeat_n(Rest, 40);
    let mut steps = vec![set(0, 1), Tell(0), Tell(1)];
    steps.extend(rest());
    steps.extend([Pull, set(0, 2), Tell(1), Reconnect(1)]);
    steps.extend(rest());
    steps.extend([Pull, set(0, 1), Tell(0), Reconnect(0)]);
    steps.extend(rest());
    steps.extend([Pull, Reconnect(1)]);
    live_through(steps).await;
}
