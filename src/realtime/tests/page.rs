//! A toy page without a socket: what it has, and what it watches on the instance that it is connected to.

use super::dom::Dom;
use super::world::Toy;
use crate::realtime::bell::Bell;
use crate::realtime::cursor::{Cursor, Mark, Tag};
use crate::realtime::entry::{Entry, Watcher};
use crate::realtime::frame::{Pull, Watched};
use crate::realtime::hub::Hub;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
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
    /// The world was put back to an earlier state.
    pub(super) may_go_back: bool,
}

impl Page {
    pub(super) fn open(hubs: &[Hub<Toy>], at: usize) -> Self {
        let bell = Arc::new(Bell::default());
        let cursor = Cursor::default();
        let socket = next_socket();
        let watched = attach(&hubs[at], socket, &bell, &cursor);
        let far = attach_far(&hubs[at], socket, &bell, &cursor);
        bell.ring(Bell::EVERYTHING);
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
            may_go_back: false,
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
        self.bell.ring(Bell::EVERYTHING);
    }

    /// Comes back to an instance that knows this epoch of the database: of another one, what the page has means nothing.
    pub(super) fn reconnect_in(&mut self, to: usize, epoch: Tag) {
        if self.cursor.epoch != epoch {
            self.cursor.marks.clear();
            self.cursor.epoch = epoch;
        }
        self.reconnect(to);
    }

    /// Takes what the places have that rang since the last look, as a socket does: of the others it knows nothing. Whether
    /// those that rang are there and had nothing new.
    pub(super) async fn pull(&mut self) -> bool {
        let look = poll_fn(|cx| Poll::Ready(self.bell.poll(cx)));
        let Poll::Ready(rung) = look.await else {
            return true;
        };
        let near = rung & Bell::place(0) == 0 || self.pull_one(false);
        (rung & Bell::place(1) == 0 || self.pull_one(true)) && near
    }

    /// Whether it has what its instance has.
    fn is_current(&self) -> bool {
        self.entries().all(|entry| {
            let state = entry.state();
            let has = self.cursor.mark(entry.name);
            state.stale_for() == Duration::ZERO
                && has.is_some_and(|has| (has.version, has.digest) == (state.version, state.digest))
        })
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
                self.may_go_back || before.is_none_or(|before| before.version <= mark.version),
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
                let why = rung(&self.bell).await;
                let pulled = place.pull(&self.cursor, self.socket, |_| ());
                if let Pull::Ready {
                    content: Some(content),
                    ..
                } = pulled
                {
                    self.bell.ring(why);
                    return html(&content);
                }
            }
        };
        let content = timeout(Duration::from_secs(10), content).await;
        content.expect("something is sent")
    }

    /// Pulls whenever it is rung for, until it has what there is. A place that changed and never rang stays as it was.
    pub(super) async fn settle(&mut self) {
        for _ in 0..200 {
            self.pull().await;
            if self.is_current() {
                return;
            }
            let why = timeout(Duration::from_millis(20), rung(&self.bell)).await;
            self.bell.ring(why.unwrap_or_default());
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
    poll_fn(|cx| bell.poll(cx)).await
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
