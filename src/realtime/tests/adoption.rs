//! Pages that come back: what is taken over from their cursors without a load, and what is not.

use super::dom::Dom;
use super::page::{Page, attach};
use super::world::{Change, Shared, Toy};
use crate::clock::Clock;
use crate::domain::topic::Topic;
use crate::realtime::hub::Hub;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A page that is up to date, and an instance that has never heard of it.
async fn page_and_another_instance(until: Option<Timestamp>) -> (Shared, Page) {
    let world: Shared = Arc::default();
    world.lock().unwrap().own.insert(1, 7);
    world.lock().unwrap().until = until;
    let clock = Clock::standing(Timestamp::UNIX_EPOCH);
    let hubs = [0, 1].map(|_| Hub::new(Arc::clone(&world), clock.clone()));
    let mut page = Page::open(&hubs, 0);
    page.settle().await;
    (world, page)
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_back_up_to_date_waits_for_no_load() {
    let (world, mut page) = page_and_another_instance(None).await;
    world.lock().unwrap().barred = vec![Toy::Base, Toy::Over, Toy::Far];
    page.reconnect(1);
    page.settle().await;
    let dom = page.dom.clone();
    assert_eq!(dom.elements[1], ("p-1".to_owned(), "own 7".to_owned()));

    // And it is pushed parts, not the whole, once the instance has got to know what it adopted.
    world.lock().unwrap().barred.clear();
    // Time enough for that.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut entries = page.watched.entries();
    assert!(!entries.any(|entry| entry.state().history.is_adopted()));
    world.lock().unwrap().change(&Change::Set(2, 9));
    page.hubs[1].mark(Topic::Settings);
    let content = page.sent(&page.watched).await;
    let pushed =
        r##"<hx-partial hx-target="#p-2" hx-swap="outerMorph"><b id="p-2">9</b></hx-partial>"##;
    assert_eq!(content, pushed);
}

/// Comes back to the other instance while nothing can be loaded there, and waits for what can only be loaded.
async fn come_back_in_vain(world: &Shared, page: &mut Page) {
    world.lock().unwrap().barred = vec![Toy::Base, Toy::Over, Toy::Far];
    page.reconnect(1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!page.pull().await, "it was taken from the cursor");
    world.lock().unwrap().barred.clear();
    page.settle().await;
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_is_not_taken_from_a_cursor() {
    let (world, mut page) = page_and_another_instance(None).await;
    world.lock().unwrap().change(&Change::Set(2, 9));
    come_back_in_vain(&world, &mut page).await;
    assert_eq!(page.dom.elements[2], ("p-2".to_owned(), "9".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_the_clock_may_have_changed_is_not_taken_from_a_cursor() {
    let (world, mut page) = page_and_another_instance(Some(Timestamp::UNIX_EPOCH)).await;
    come_back_in_vain(&world, &mut page).await;
}

#[tokio::test(start_paused = true)]
async fn a_region_is_adopted_however_many_come_back_meanwhile() {
    let (world, page) = page_and_another_instance(None).await;
    world.lock().unwrap().barred = vec![Toy::Base, Toy::Over];
    world.lock().unwrap().delay = Duration::from_millis(5);
    let hub = &page.hubs[1];
    let first = attach(hub, 100, &page.bell, &page.cursor);
    for socket in 101..150 {
        attach(hub, socket, &page.bell, &page.cursor);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(first.entries().all(|entry| entry.state().history.at() == 1));
}

/// Of two who come with the same rendering one may lie about the clock, or come from an instance whose clock is behind.
#[tokio::test(start_paused = true)]
async fn what_was_adopted_ends_when_the_first_of_its_watchers_says_so() {
    let (world, page) = page_and_another_instance(None).await;
    world.lock().unwrap().barred = vec![Toy::Base, Toy::Over];
    let hub = &page.hubs[1];
    let watched = attach(hub, 100, &page.bell, &page.cursor);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut honest = page.cursor.clone();
    for mark in &mut honest.marks {
        mark.until = 60;
    }
    attach(hub, 101, &page.bell, &honest);
    for entry in watched.entries() {
        assert_eq!(entry.state().valid_until, Timestamp::from_second(60).ok());
    }
}

/// What lies over was taken from a cursor: which parts it covers is not known here.
#[tokio::test(start_paused = true)]
async fn no_shared_part_is_sent_over_ones_own() {
    let (world, mut page) = page_and_another_instance(None).await;
    world.lock().unwrap().barred = vec![Toy::Over];
    page.reconnect(1);
    page.settle().await;
    // Time enough for what is shared to be known.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!page.watched.base.state().history.is_adopted());
    world.lock().unwrap().change(&Change::Set(1, 5));
    page.hubs[1].mark(Topic::Settings);
    tokio::time::sleep(Duration::from_secs(1)).await;
    page.pull().await;
    assert_eq!(page.dom.elements[1].1, "own 7");
    world.lock().unwrap().barred.clear();
    page.settle().await;
    assert_eq!(page.dom.elements[1].1, "own 7");
}

/// What comes with a change: the first one after a page came here, and the one after that.
#[tokio::test(start_paused = true)]
async fn of_scattered_parts_all_are_sent_where_nobody_knows_them_and_else_the_changed_ones() {
    let (world, mut page) = page_and_another_instance(None).await;
    page.reconnect(1);
    page.settle().await;
    let mut sent = Vec::new();
    for value in [7, 8] {
        world.lock().unwrap().change(&Change::Far(1, value));
        page.hubs[1].mark(Topic::Outbox);
        let content = page.sent(&page.far).await;
        sent.push(content);
        page.settle().await;
        assert_eq!(page.dom, Dom::fresh(&world.lock().unwrap()));
    }
    let part = |n: u8, value: u8| {
        format!(
            r##"<hx-partial hx-target="#far-{n}" hx-swap="outerMorph"><b id="far-{n}">{value}</b></hx-partial>"##
        )
    };
    assert_eq!(sent[0], part(0, 0) + &part(1, 7) + &part(2, 0));
    assert_eq!(sent[1], part(1, 8));
}
