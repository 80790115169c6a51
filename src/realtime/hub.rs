//! Every region that someone watches on this instance: marked dirty by topics, loaded once however many watch.

use super::adoption::Adoption;
use super::bell::Bell;
use super::cursor::Mark;
use super::entry::{Entry, Watcher};
use super::farewell;
use super::meter::Meter;
use super::region::{LoadError, Region};
use crate::clock::Clock;
use crate::domain::id::PersonId;
use crate::domain::topic::Topic;
use dashmap::DashMap;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Between two loads of one region: a burst of changes is one load.
const APART: Duration = Duration::from_millis(50);
/// Before a load that failed is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// How long a load may take: a statement has five seconds.
const PATIENCE: Duration = Duration::from_secs(6);
/// A bus that has been silent for longer than this is down: a probe every second, which has two to come back.
const SLOW: Duration = Duration::from_secs(3);
/// Loads at a time: the database has other work too.
const LOADS: usize = 8;

/// The regions watched here; clones are one hub.
pub struct Hub<R: Region>(pub(super) Arc<Inner<R>>);

pub(super) struct Inner<R: Region> {
    pub(super) source: R::Source,
    pub(super) clock: Clock,
    entries: DashMap<R, Arc<Entry<R>>>,
    by_topic: DashMap<Topic, Vec<Arc<Entry<R>>>>,
    /// Sockets that ask for their rights again when a topic moves.
    alarms: DashMap<Topic, HashMap<u64, Arc<Bell>>>,
    /// How often rights may have changed, whether or not anyone listened.
    alarmed: AtomicU64,
    sockets: DashMap<PersonId, usize>,
    next_socket: AtomicU64,
    /// The earliest `valid_until` of any region, in Unix milliseconds.
    next_due: AtomicI64,
    swept: Mutex<Instant>,
    /// When other instances were surely heard last; `None` where there is nothing to hear them by.
    bus_heard: Mutex<Option<Instant>>,
    loads: Semaphore,
    loaded: AtomicU64,
    pub(super) adoption: Mutex<Adoption<R>>,
    closing: AtomicBool,
    meter: Meter,
}

impl<R: Region> Clone for Hub<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Region> fmt::Debug for Hub<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("regions", &self.0.entries.len())
            .finish_non_exhaustive()
    }
}

impl<R: Region> Hub<R> {
    pub fn new(source: R::Source, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            source,
            clock,
            entries: DashMap::new(),
            by_topic: DashMap::new(),
            alarms: DashMap::new(),
            alarmed: AtomicU64::new(0),
            sockets: DashMap::new(),
            next_socket: AtomicU64::new(1),
            next_due: AtomicI64::new(i64::MAX),
            swept: Mutex::new(Instant::now()),
            bus_heard: Mutex::default(),
            loads: Semaphore::new(LOADS),
            loaded: AtomicU64::new(0),
            adoption: Mutex::default(),
            closing: AtomicBool::new(false),
            meter: Meter::default(),
        }))
    }

    /// A topic moved: what depends on it is out of date. Saying so once too often costs a load, never more.
    pub fn mark(&self, topic: Topic) {
        for entry in self.depending(&[topic]) {
            self.dirty(&entry);
        }
        self.alarm(topic);
    }

    /// Everything that the regions depend on which depend on one of `moved`.
    pub fn depend_beside(&self, moved: &[Topic]) -> Vec<Topic> {
        let entries = self.depending(moved);
        let topics: HashSet<Topic> = entries
            .iter()
            .flat_map(|entry| entry.topics.clone())
            .collect();
        topics.into_iter().collect()
    }

    /// A sweep found that these topics moved, and the database told where all stand: what is behind that is out of date.
    /// What a commit's own message had loaded already is not loaded twice.
    pub fn mark_behind(&self, moved: &[Topic], versions: &HashMap<Topic, i64>) {
        for entry in self.depending(moved) {
            let version = entry.version_in(versions);
            let is_behind = entry.state().version < version;
            if is_behind {
                self.dirty(&entry);
            }
        }
        for topic in moved {
            self.alarm(*topic);
        }
    }

    fn depending(&self, topics: &[Topic]) -> Vec<Arc<Entry<R>>> {
        let of = |topic| {
            self.0
                .by_topic
                .get(topic)
                .map(|entries| entries.clone())
                .unwrap_or_default()
        };
        topics.iter().flat_map(of).collect()
    }

    fn alarm(&self, topic: Topic) {
        if is_of_rights(topic) {
            self.0.alarmed.fetch_add(1, Ordering::AcqRel);
        }
        let bells = self.0.alarms.get(&topic);
        for bell in bells.iter().flat_map(|bells| bells.values()) {
            bell.ring(Bell::ALARM);
        }
    }

    /// Nothing is certain any more, after a failed sweep or a new epoch: every region and every right is asked again.
    pub fn mark_all(&self) {
        let entries: Vec<_> = self
            .0
            .entries
            .iter()
            .map(|entry| Arc::clone(entry.value()))
            .collect();
        for entry in entries {
            self.dirty(&entry);
        }
        self.alarm_all();
    }

    /// The database has another past than the one that all of this was loaded from. The same as [`Hub::mark_all`], and what
    /// pages have seen is forgotten: compared with it, what they keep outside a list's window would stay.
    pub fn begin_anew(&self) {
        for entry in &self.0.entries {
            let entry = entry.value();
            let mut state = entry.state();
            state.history.forget();
            state.patches.clear();
            state.anew = state.dirty + 1;
        }
        self.mark_all();
    }

    fn alarm_all(&self) {
        self.0.alarmed.fetch_add(1, Ordering::AcqRel);
        for bells in &self.0.alarms {
            for bell in bells.value().values() {
                bell.ring(Bell::ALARM);
            }
        }
    }

    /// A sweep that began then found everything that had moved.
    pub fn swept(&self, began: Instant) {
        *self
            .0
            .swept
            .lock()
            .expect("nothing panics while it holds this") = began;
    }

    /// How long ago that was.
    pub fn sweep_age(&self) -> Duration {
        self.0
            .swept
            .lock()
            .expect("nothing panics while it holds this")
            .elapsed()
    }

    /// Whoever other instances are heard by is there, or begins to be waited for.
    pub(super) fn heard_bus(&self) {
        *self
            .0
            .bus_heard
            .lock()
            .expect("nothing panics while it holds this") = Some(Instant::now());
    }

    /// How long ago that was.
    pub(super) fn bus_age(&self) -> Option<Duration> {
        let heard = self
            .0
            .bus_heard
            .lock()
            .expect("nothing panics while it holds this");
        heard.map(|at| at.elapsed())
    }

    /// Whether changes made at other instances show only when a sweep finds them, though they should be heard.
    pub fn is_slow(&self) -> bool {
        self.bus_age().is_some_and(|age| age > SLOW)
    }

    /// Marks what the clock alone has changed.
    pub fn expire(&self) {
        let now = self.0.clock.now();
        if now.as_millisecond() < self.0.next_due.load(Ordering::Acquire) {
            return;
        }
        // A deadline that a load sets meanwhile is kept: the load lowers `next_due` after this raised it.
        self.0.next_due.store(i64::MAX, Ordering::Release);
        let entries: Vec<_> = self
            .0
            .entries
            .iter()
            .map(|entry| Arc::clone(entry.value()))
            .collect();
        for entry in entries {
            let due = entry.state().valid_until;
            match due {
                Some(due) if due <= now => self.dirty(&entry),
                Some(due) => self.due_at(due),
                None => {}
            }
        }
    }

    pub(super) fn due_at(&self, at: Timestamp) {
        self.0
            .next_due
            .fetch_min(at.as_millisecond(), Ordering::AcqRel);
    }

    /// Loads since the start: what tests and metrics count.
    pub fn load_count(&self) -> u64 {
        self.0.loaded.load(Ordering::Relaxed)
    }

    /// Regions that someone watches.
    pub fn region_count(&self) -> usize {
        self.0.entries.len()
    }

    /// Open sockets.
    pub fn socket_count(&self) -> usize {
        self.0.sockets.iter().map(|count| *count.value()).sum()
    }

    /// What is counted here.
    pub fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// Asks every socket to close and come back to another instance, spread over seconds where they are thousands. Whoever
    /// connects meanwhile is asked at once.
    pub async fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
        let bells: Vec<_> = self
            .0
            .alarms
            .get(&Topic::Settings)
            .map(|bells| bells.values().cloned().collect())
            .unwrap_or_default();
        farewell::ring(&bells).await;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.0.closing.load(Ordering::Acquire)
    }

    /// How often rights may have changed until now.
    pub(super) fn alarmed(&self) -> u64 {
        self.0.alarmed.load(Ordering::Acquire)
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Counts a person's socket in, unless they have `most` already.
    pub(super) fn enter(&self, person: PersonId, most: usize) -> Option<u64> {
        let mut count = self.0.sockets.entry(person).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(self.0.next_socket.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn leave(&self, person: PersonId) {
        if let Some(mut count) = self.0.sockets.get_mut(&person) {
            *count -= 1;
        }
        self.0.sockets.remove_if(&person, |_, count| *count == 0);
    }

    /// Rings a socket's bell when a topic moves.
    pub(super) fn listen(&self, topic: Topic, socket: u64, bell: &Arc<Bell>) {
        debug_assert!(is_of_rights(topic), "other topics are not counted");
        let mut bells = self.0.alarms.entry(topic).or_default();
        bells.insert(socket, Arc::clone(bell));
    }

    pub(super) fn unlisten(&self, topic: Topic, socket: u64) {
        if let Some(mut bells) = self.0.alarms.get_mut(&topic) {
            bells.remove(&socket);
        }
        self.0.alarms.remove_if(&topic, |_, bells| bells.is_empty());
    }

    /// Watches a region. Its first watcher has it adopted or loaded, and one who has seen a later version elsewhere has
    /// it loaded again.
    pub(super) fn attach(
        &self,
        region: &R,
        socket: u64,
        watcher: Watcher,
        seen: Option<Mark>,
    ) -> Arc<Entry<R>> {
        let entry = {
            let slot = self.0.entries.entry(region.clone());
            let is_new = matches!(slot, dashmap::Entry::Vacant(_));
            let entry = slot.or_insert_with(|| Arc::new(Entry::new(region.clone())));
            let entry = Arc::clone(entry.value());
            if is_new {
                // Still under the map's lock: whoever finds the region finds it where changes are looked up.
                for topic in &entry.topics {
                    let mut entries = self.0.by_topic.entry(*topic).or_default();
                    entries.push(Arc::clone(&entry));
                }
            }
            // And it cannot be removed as idle between being found and being watched.
            entry.watchers().insert(socket, watcher);
            entry
        };
        let mut state = entry.state();
        if let Some(seen) = seen.filter(|_| state.is_unasked()) {
            entry.ask(&mut state);
            let generation = state.dirty;
            drop(state);
            self.adopt(&entry, seen, generation);
            return entry;
        }
        if state.history.is_adopted()
            && let Some(until) = seen.and_then(Mark::valid_until)
        {
            // The first watcher's word on the clock is not everybody's: the earliest deadline holds.
            state.valid_until = Some(state.valid_until.map_or(until, |known| known.min(until)));
            self.due_at(until);
        }
        let is_served = state.loading || state.served == state.dirty;
        // Served is what was heard of here. Without this, what the page saw elsewhere would be taken for another past, and
        // the page sent back to the state before it until a sweep comes.
        let is_behind = seen.is_some_and(|mark| state.version < mark.version);
        let is_ready = is_served && !is_behind && state.history.at() > 0;
        drop(state);
        if !is_ready {
            self.dirty(&entry);
        }
        entry
    }

    /// Stops watching; the last one takes the region with it.
    pub(super) fn detach(&self, entry: &Arc<Entry<R>>, socket: u64) {
        entry.watchers().remove(&socket);
        let idle =
            |_: &R, other: &Arc<Entry<R>>| Arc::ptr_eq(other, entry) && other.watchers().is_empty();
        if self.0.entries.remove_if(&entry.region, idle).is_some() {
            for topic in &entry.topics {
                if let Some(mut entries) = self.0.by_topic.get_mut(topic) {
                    entries.retain(|other| !Arc::ptr_eq(other, entry));
                }
                self.0
                    .by_topic
                    .remove_if(topic, |_, entries| entries.is_empty());
            }
        }
    }

    /// Asks for a load. While one runs, it is run again afterwards.
    pub(super) fn dirty(&self, entry: &Arc<Entry<R>>) {
        let is_ours = entry.ask(&mut entry.state());
        if is_ours {
            tokio::spawn(self.clone().load(Arc::clone(entry)));
        }
    }

    /// Loads a region until nothing marked it dirty meanwhile.
    pub(super) async fn load(self, entry: Arc<Entry<R>>) {
        loop {
            let rest = entry
                .state()
                .loaded_at
                .map_or(Duration::ZERO, |at| APART.saturating_sub(at.elapsed()));
            if !rest.is_zero() {
                tokio::time::sleep(rest).await;
            }
            let generation = {
                let mut state = entry.state();
                if entry.watchers().is_empty() {
                    state.loading = false;
                    return;
                }
                state.loaded_at = Some(Instant::now());
                state.dirty
            };
            let permit = self
                .0
                .loads
                .acquire()
                .await
                .expect("the semaphore is never closed");
            let (region, source) = (entry.region.clone(), self.0.source.clone());
            let meter = self.0.meter.clone();
            let loaded = in_time(async move { meter.timed(region.load(&source)).await }).await;
            drop(permit);
            self.0.loaded.fetch_add(1, Ordering::Relaxed);
            let loaded = match loaded {
                Ok(loaded) => loaded,
                Err(error) => {
                    tracing::warn!(region = ?entry.region, %error, "a region could not be loaded");
                    self.0.meter.failed();
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            };
            let is_done = {
                let mut state = entry.state();
                if generation < state.anew {
                    continue;
                }
                state.version = loaded.version;
                state.valid_until = loaded.valid_until;
                // After the state has it: whoever looks for the next deadline in between would miss it.
                if let Some(due) = loaded.valid_until {
                    self.due_at(due);
                }
                if state.history.record(&loaded.whole) {
                    state.patches.clear();
                }
                state.digest = loaded.whole.digest;
                state.whole = Some(Arc::new(loaded.whole));
                entry.served(&mut state, generation)
            };
            entry.ring();
            if is_done {
                return;
            }
        }
    }
}

/// Whether what a socket may watch follows from it.
fn is_of_rights(topic: Topic) -> bool {
    matches!(topic, Topic::Viewer(_) | Topic::Settings)
}

/// What reads the database, in a task of its own: a fault in it must not leave a region loading for ever, and a host that
/// has vanished not a permit taken.
pub(super) async fn in_time<T: Send + 'static>(
    read: impl Future<Output = Result<T, LoadError>> + Send + 'static,
) -> Result<T, LoadError> {
    let task = tokio::spawn(read);
    let abort = task.abort_handle();
    match tokio::time::timeout(PATIENCE, task).await {
        Ok(Ok(read)) => read,
        Ok(Err(fault)) => Err(fault.into()),
        Err(late) => {
            abort.abort();
            Err(late.into())
        }
    }
}
