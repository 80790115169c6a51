//! Whoever is no longer let in is shown nothing more, on any instance: within two seconds where Redis tells it, within
//! three where the sweep finds it. The deadlines are promises, and passed by the real clock.

use super::links;
use crate::browser::{Browser, Watcher};
use crate::house::{House, On, Server, is_up};
use crate::wire::redis_url;
use portico::domain::viewer::Role;
use portico::store::{self, token::Kind};
use std::time::{Duration, Instant};

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
