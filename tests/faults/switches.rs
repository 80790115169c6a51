//! Each safeguard switched off turns a row red: a row that holds without it would prove nothing.

use crate::booking::all_want_one_time;
use crate::crash::killed_before_telling;
use crate::redis::forgotten_listeners;
use crate::rig::On;
use crate::sockets::away_for_long;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_sweep_a_change_that_nobody_told_is_missed() {
    let row = killed_before_telling(On::Postgres, "sweep").await;
    let why = row
        .expect_err("the row holds without the sweep")
        .to_string();
    assert!(why.contains("the page shows"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_occupancy_key_two_get_the_same_time() {
    let row = all_want_one_time(On::Postgres, "occupancy", 20).await;
    let why = row.expect_err("the row holds without the key").to_string();
    assert!(why.contains("sessions overlap"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_probe_a_silent_subscription_stays_silent() {
    let row = forgotten_listeners("probe").await;
    let why = row
        .expect_err("the row holds without the probe")
        .to_string();
    assert!(why.contains("Redis is not heard"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_cursor_a_page_that_was_away_misses_what_changed() {
    let row = away_for_long("cursor").await;
    let why = row
        .expect_err("the row holds without the cursor")
        .to_string();
    assert!(why.contains("not exact"), "{why}");
}
