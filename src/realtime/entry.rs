//! What an instance knows of one region that someone watches here.

use super::bell::Bell;
use super::cursor::Mark;
use super::history::History;
use super::part::{Digest, Whole};
use super::region::{Kind, Region};
use super::round::{AT_ONCE, Ring, Round};
use crate::domain::topic::Topic;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A region that someone watches.
pub(super) struct Entry<R> {
    pub(super) region: R,
    /// The short name in cursors.
    pub(super) name: u32,
    pub(super) topics: Vec<Topic>,
    pub(super) kind: Kind,
    /// Beside the state: thousands of sockets look at it each time that they are woken.
    is_stale: AtomicBool,
    state: Mutex<State>,
    round: Round,
    /// Always locked after the state, where both are. Ringing thousands of bells must not keep the first of them waiting. In
    /// the order in which they came, which is about that of their memory: in any other, each waits for cold caches.
    watchers: Mutex<BTreeMap<u64, Watcher>>,
}

/// What is known of a region here.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Counts the times it was marked dirty, and the one that the last load began after.
    pub(super) dirty: u64,
    pub(super) served: u64,
    /// What was asked for before this one was of another past.
    pub(super) anew: u64,
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
    pub(super) patches: HashMap<u64, Patch>,
}

/// Changes in words, escaped, and of which parts they are.
#[derive(Debug)]
pub(super) struct Patch {
    pub(super) ids: Vec<Box<str>>,
    pub(super) content: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) bell: Arc<Bell>,
    /// The bit of the place on its page.
    pub(super) place: u32,
    /// The rendering of one's own region that it has pulled.
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

    /// For how long it has been known to be out of date.
    pub(super) fn stale_for(&self) -> Duration {
        self.dirty_since
            .map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl<R: Region> Entry<R> {
    pub(super) fn new(region: R) -> Self {
        Self {
            name: Mark::name(&region),
            topics: region.topics(),
            kind: region.kind(),
            region,
            is_stale: AtomicBool::new(false),
            round: Round::default(),
            state: Mutex::new(State::default()),
            watchers: Mutex::default(),
        }
    }

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

    pub(super) fn watchers(&self) -> MutexGuard<'_, BTreeMap<u64, Watcher>> {
        self.watchers
            .lock()
            .expect("nothing panics while it holds this")
    }

    /// Whether a newer state than the one that is shown is known of.
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale.load(Ordering::Acquire)
    }

    /// Asks for a load. True when nobody is at it, and the caller must be.
    pub(super) fn ask(&self, state: &mut State) -> bool {
        state.dirty += 1;
        state.dirty_since.get_or_insert_with(Instant::now);
        self.is_stale.store(true, Ordering::Release);
        !std::mem::replace(&mut state.loading, true)
    }

    /// What was asked for until a generation is there now; whether nothing more was asked for since.
    pub(super) fn served(&self, state: &mut State, generation: u64) -> bool {
        state.served = generation;
        let is_done = state.dirty == generation;
        if is_done {
            state.dirty_since = None;
            state.loading = false;
            self.is_stale.store(false, Ordering::Release);
        }
        is_done
    }

    /// Tells everyone who watches that there is something to look at.
    pub(super) fn ring(self: &Arc<Self>) {
        let watchers = self.watchers();
        if watchers.len() <= AT_ONCE {
            for watcher in watchers.values() {
                watcher.bell.ring(watcher.place);
            }
        } else if self.round.begin() {
            let entry = Arc::clone(self);
            tokio::spawn(async move { entry.round.go(|| entry.rings()).await });
        }
    }

    fn rings(&self) -> Vec<Ring> {
        let watchers = self.watchers();
        let all = watchers.values();
        all.map(|one| (Arc::clone(&one.bell), one.place)).collect()
    }

    /// A watcher has pulled the current rendering; the last to do so lets one's own html go.
    pub(super) fn pulled(&self, state: &mut State, socket: u64) {
        // Nothing to let go: whoever has an older rendering is told of the next one anyway.
        if self.kind == Kind::Shared || state.whole.is_none() {
            return;
        }
        let at = state.history.at();
        let mut watchers = self.watchers();
        if let Some(watcher) = watchers.get_mut(&socket) {
            watcher.has = at;
        }
        if watchers.values().all(|watcher| watcher.has == at) {
            state.whole = None;
        }
    }
}
