//! How often a region is loaded, and for how long its html is kept.

use super::page::Page;
use super::world::Shared;
use crate::clock::Clock;
use crate::domain::topic::Topic;
use crate::realtime::cursor::Cursor;
use crate::realtime::hub::Hub;
use jiff::Timestamp;
use std::sync::Arc;

#[tokio::test]
async fn ones_own_html_is_let_go_once_everyone_has_it() {
    let world: Shared = Arc::default();
    world.lock().unwrap().own.insert(1, 7);
    let hub = Hub::new(Arc::clone(&world), Clock::standing(Timestamp::UNIX_EPOCH));
    let mut page = Page::open(std::slice::from_ref(&hub), 0);
    page.settle().await;
    let over = page.watched.over.clone().unwrap();
    assert!(over.state().whole.is_none() && page.watched.base.state().whole.is_some());
    // And is made anew for whoever comes without it.
    page.cursor = Cursor::default();
    page.reconnect(0);
    page.settle().await;
    assert!(
        page.dom
            .elements
            .contains(&("p-1".to_owned(), "own 7".to_owned()))
    );
}

#[tokio::test]
async fn a_burst_of_changes_is_few_loads() {
    let world: Shared = Arc::default();
    let hub = Hub::new(Arc::clone(&world), Clock::standing(Timestamp::UNIX_EPOCH));
    let mut page = Page::open(std::slice::from_ref(&hub), 0);
    page.settle().await;
    let before = hub.load_count();
    for n in 0..100 {
        world.lock().unwrap().parts.insert(0, n);
        hub.mark(Topic::Settings);
    }
    page.settle().await;
    assert_eq!(page.dom.elements[0].1, "99");
    let loads = hub.load_count() - before;
    assert!(loads <= 3, "{loads} loads for one burst");
}
