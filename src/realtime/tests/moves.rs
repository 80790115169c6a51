//! A page that moves between two instances which saw different states, with others that stay: what an instance saw is
//! kept only while somebody watches there.

use super::page::Page;
use super::world::{Change, Shared, Toy};
use crate::clock::Clock;
use crate::domain::topic::Topic;
use crate::realtime::hub::Hub;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

struct Town {
    world: Shared,
    hubs: [Hub<Toy>; 2],
    /// Each at its own instance.
    stay: [Page; 2],
    /// At the second instance, to begin with.
    moves: Page,
}

impl Town {
    /// Everyone has seen the first state, at version 1.
    async fn new() -> Self {
        let world: Shared = Arc::default();
        world.lock().unwrap().change(&Change::Set(0, 1));
        let clock = Clock::standing(Timestamp::UNIX_EPOCH);
        let hubs = [(); 2].map(|()| Hub::new(Arc::clone(&world), clock.clone()));
        let mut town = Self {
            stay: [0, 1].map(|at| Page::open(&hubs, at)),
            moves: Page::open(&hubs, 1),
            hubs,
            world,
        };
        town.settle().await;
        town
    }

    /// Only these instances hear of it.
    fn write(&self, value: u8, heard_by: &[usize]) {
        self.world.lock().unwrap().change(&Change::Set(0, value));
        for at in heard_by {
            self.hubs[*at].mark(Topic::Settings);
        }
    }

    async fn settle(&mut self) {
        for page in self.stay.iter_mut().chain([&mut self.moves]) {
            page.settle().await;
        }
    }

    fn bar(&self, regions: &[Toy]) {
        self.world.lock().unwrap().barred = regions.to_vec();
    }
}

/// What a page shows of what was written.
fn shown(page: &Page) -> &str {
    &page.dom.elements[0].1
}

/// A, B and A again. The first instance saw no B, so that there nothing seems to have changed since before it.
#[tokio::test(start_paused = true)]
async fn a_state_that_comes_back_is_told_from_the_one_before() {
    let mut town = Town::new().await;
    town.write(2, &[1]);
    town.settle().await;
    assert_eq!((shown(&town.stay[0]), shown(&town.moves)), ("1", "2"));

    town.write(1, &[]);
    let renderings = town.stay[0].watched.base.state().history.at();
    town.moves.reconnect(0);
    town.settle().await;
    assert_eq!(shown(&town.moves), "1");
    let base = &town.stay[0].watched.base;
    assert_eq!(base.state().history.at(), renderings, "it never saw a B");
    assert_eq!(base.state().version, 3);
}

/// And whoever has the A of one instance needs nothing of the other's, whichever saw the B.
#[tokio::test(start_paused = true)]
async fn who_has_the_state_that_came_back_is_sent_nothing() {
    let mut town = Town::new().await;
    town.moves.reconnect(0);
    town.settle().await;
    let has_first = town.moves.sent_count;
    for value in [2, 1] {
        town.write(value, &[1]);
        town.settle().await;
    }
    town.moves.reconnect(1);
    town.settle().await;
    assert_eq!(
        town.moves.sent_count, has_first,
        "the old A, and the new one"
    );

    // The first instance still stands before the B.
    assert_eq!(town.stay[0].watched.base.state().version, 1);
    town.moves.reconnect(0);
    town.settle().await;
    assert_eq!(town.stay[0].watched.base.state().version, 3);
    assert_eq!(
        town.moves.sent_count, has_first,
        "the new A, and the old one"
    );
    assert_eq!(shown(&town.moves), "1");
}

#[tokio::test(start_paused = true)]
async fn a_page_is_not_sent_back_to_what_another_instance_still_shows() {
    let mut town = Town::new().await;
    town.write(2, &[1]);
    town.settle().await;
    town.bar(&[Toy::Base]);
    town.moves.reconnect(0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(
        !town.moves.pull().await,
        "what is there is older than what it has"
    );
    assert_eq!(shown(&town.moves), "2");

    // Once it is loaded, all who watch there have it.
    town.bar(&[]);
    town.settle().await;
    assert_eq!((shown(&town.moves), shown(&town.stay[0])), ("2", "2"));
}
