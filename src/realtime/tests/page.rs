//! A toy page without a socket: what it has, and what it watches on the instance that it is connected to.

use super::dom::Dom;
use super::world::Toy;
use crate::realtime::bell::Bell;
use crate::realtime::cursor::{Cursor, Mark};
use crate::realtime::entry::{Entry, Watcher};
use crate::realtime::frame::{Pull, Watched};
use crate::realtime::hub::Hub;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// A page with its cursor, connected to one of several instances.
pub(super) struct Page {
    pub(super) hubs: Vec<Hub<Toy>>,
    pub(super) at: usize,
    pub(super) socket: u64,
    pub(super) bell: Arc<Bell>,
    pub(super) watched: Watched<Toy>,
    pub(super) far: Watched<Toy>,
    pub(super) cursor: Cursor,
    pub(super) dom: Dom,
    /// How often it was sent something.
    pub(super) sent_count: u32,
}

impl Page {
    pub(super) fn open(hubs: &[Hub<Toy>], at: usize) -> Self {
        let bell = Arc::new(Bell::default());
        let cursor = Cursor::default();
        let socket = next_socket();
        let watched = attach(&hubs[at], socket, &bell, &cursor);
        let far = attach_far(&hubs[at], socket, &bell, &cursor);
        Self {
            hubs: hubs.to_vec(),
            at,
            socket,
            bell,
            watched,
            far,
            cursor,
            dom: Dom::bare(),
            sent_count: 0,
        }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<Entry<Toy>>> {
        self.watched.entries().chain(self.far.entries())
    }

    /// Lets go of everything that it watches.
    pub(super) fn leave(&self) {
        for entry in self.entries() {
            self.hubs[self.at].detach(entry, self.socket);
        }
    }

    pub(super) fn reconnect(&mut self, to: usize) {
        self.leave();
        self.at = to;
        self.socket = next_socket();
        self.watched = attach(&self.hubs[to], self.socket, &self.bell, &self.cursor);
        self.far = attach_far(&self.hubs[to], self.socket, &self.bell, &self.cursor);
    }

    /// Whether it was up to date already.
    pub(super) fn pull(&mut self) -> bool {
        let near = self.pull_one(false);
        self.pull_one(true) && near
    }

    fn pull_one(&mut self, far: bool) -> bool {
        let hub = &self.hubs[self.at];
        let watched = if far { &self.far } else { &self.watched };
        let pulled = watched.pull(&self.cursor, self.socket, |entry| hub.dirty(entry));
        let Pull::Ready {
            content,
            base,
            over,
        } = pulled
        else {
            return false;
        };
        for mark in std::iter::once(base).chain(over) {
            let before = self.cursor.mark(mark.region);
            assert!(
                before.is_none_or(|before| before.version <= mark.version),
                "the page goes back in time"
            );
            self.cursor.marks.retain(|old| old.region != mark.region);
            self.cursor.marks.push(mark);
        }
        if let Some(content) = &content {
            self.dom.apply(&html(content));
            self.sent_count += 1;
        }
        content.is_none()
    }

    /// What is sent next for one of its places, which the page does not take in.
    pub(super) async fn sent(&self, place: &Watched<Toy>) -> String {
        let content = async {
            loop {
                rung(&self.bell).await;
                let pulled = place.pull(&self.cursor, self.socket, |_| ());
                if let Pull::Ready {
                    content: Some(content),
                    ..
                } = pulled
                {
                    return html(&content);
                }
            }
        };
        let content = timeout(Duration::from_secs(10), content).await;
        content.expect("something is sent")
    }

    /// Pulls until there is nothing more, with every load done.
    pub(super) async fn settle(&mut self) {
        for _ in 0..200 {
            let idle = self
                .entries()
                .all(|entry| entry.state().stale_for() == Duration::ZERO);
            if self.pull() && idle {
                return;
            }
            let _ = timeout(Duration::from_millis(20), rung(&self.bell)).await;
        }
        panic!("the page never comes to rest");
    }
}

/// No two pages are the same socket of an instance.
fn next_socket() -> u64 {
    static SOCKETS: AtomicU64 = AtomicU64::new(1000);
    SOCKETS.fetch_add(1, Ordering::Relaxed)
}

pub(super) fn attach(
    hub: &Hub<Toy>,
    socket: u64,
    bell: &Arc<Bell>,
    cursor: &Cursor,
) -> Watched<Toy> {
    let seen = |region: &Toy| cursor.mark(Mark::name(region));
    Watched {
        base: hub.attach(&Toy::Base, socket, watcher(bell, 0), seen(&Toy::Base)),
        over: Some(hub.attach(&Toy::Over, socket, watcher(bell, 0), seen(&Toy::Over))),
    }
}

/// Waits until it rings.
async fn rung(bell: &Bell) -> u32 {
    std::future::poll_fn(|cx| bell.poll(cx)).await
}

fn watcher(bell: &Arc<Bell>, n: usize) -> Watcher {
    Watcher {
        bell: Arc::clone(bell),
        place: Bell::place(n),
        has: 0,
    }
}

/// What a browser makes of a frame's content.
fn html(content: &str) -> String {
    serde_json::from_str(&format!("\"{content}\"")).unwrap()
}

fn attach_far(hub: &Hub<Toy>, socket: u64, bell: &Arc<Bell>, cursor: &Cursor) -> Watched<Toy> {
    let seen = cursor.mark(Mark::name(&Toy::Far));
    Watched {
        base: hub.attach(&Toy::Far, socket, watcher(bell, 1), seen),
        over: None,
    }
}
