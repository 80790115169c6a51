//! What an instance knows of one region that someone watches here.

use super::cursor::Mark;
use super::history::History;
use super::part::{Digest, Whole};
use super::region::{Kind, Region};
use crate::domain::topic::Topic;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How a socket is woken, and told why.
#[derive(Debug, Default)]
pub(super) struct Bell {
    pub(super) notify: Notify,
    /// Its rights, or what its page consists of, may have changed.
    pub(super) alarm: AtomicBool,
}

/// A region that someone watches.
pub(super) struct Entry<R> {
    pub(super) region: R,
    /// The short name in cursors.
    pub(super) name: u32,
    pub(super) topics: Vec<Topic>,
    pub(super) kind: Kind,
    state: Mutex<State>,
}

/// What is known of a region here.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Counts the times it was marked dirty, and the one that the last load began after.
    pub(super) dirty: u64,
    pub(super) served: u64,
    pub(super) loading: bool,
    pub(super) dirty_since: Option<Instant>,
    pub(super) loaded_at: Option<Instant>,
    pub(super) valid_until: Option<Timestamp>,
    pub(super) version: i64,
    pub(super) digest: Digest,
    pub(super) history: History,
    /// Absent before the first load, and for one's own region once everyone has it.
    pub(super) whole: Option<Arc<Whole>>,
    /// Changes already put into words, by the number that they start from; for the current rendering only.
    pub(super) patches: HashMap<u64, Arc<str>>,
    pub(super) watchers: HashMap<u64, Watcher>,
}

#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) bell: Arc<Bell>,
    /// The rendering that it has pulled.
    pub(super) has: u64,
}

impl State {
    /// Whether it was loaded at all, and shows at least `version`. A version seen elsewhere may be ahead of ours.
    pub(super) fn is_ready(&self, version: i64) -> bool {
        self.history.at() > 0 && (self.version >= version || self.served == self.dirty)
    }

    /// What a page has that pulled it now.
    pub(super) fn mark(&self, name: u32) -> Mark {
        Mark::new(name, self.version, self.digest, self.valid_until)
    }

    /// Whether nobody has wanted anything of it yet.
    pub(super) fn is_unasked(&self) -> bool {
        self.dirty == 0
    }

    /// Asks for a load. True when nobody is at it, and the caller must be.
    pub(super) fn ask(&mut self) -> bool {
        self.dirty += 1;
        self.dirty_since.get_or_insert_with(Instant::now);
        !std::mem::replace(&mut self.loading, true)
    }

    /// For how long it has been known to be out of date.
    pub(super) fn stale_for(&self) -> Duration {
        self.dirty_since
            .map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl<R: Region> Entry<R> {
    /// Where the region stands in the database, by where its topics do.
    pub(super) fn version_in(&self, versions: &HashMap<Topic, i64>) -> i64 {
        let topics = self.topics.iter();
        topics.filter_map(|topic| versions.get(topic)).sum()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nothing panics while it holds this")
    }

    /// A watcher has pulled the current rendering; the last to do so lets one's own html go.
    pub(super) fn pulled(&self, state: &mut State, socket: u64) {
        let at = state.history.at();
        if let Some(watcher) = state.watchers.get_mut(&socket) {
            watcher.has = at;
        }
        if self.kind != Kind::Shared && state.watchers.values().all(|watcher| watcher.has == at) {
            state.whole = None;
        }
    }
}

impl<R: Region> Entry<R> {
    pub(super) fn new(region: R) -> Self {
        Self {
            name: Mark::name(&region),
            topics: region.topics(),
            kind: region.kind(),
            region,
            state: Mutex::new(State::default()),
        }
    }
}
