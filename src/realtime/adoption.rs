//! A storm of pages that come back: what they have is mostly what the database has, so their versions are read in one
//! query, and nothing is loaded of which a page's own cursor says the truth.
//!
//! What is adopted has no html here. A region that many watch, that lies over one, or that is long, is loaded afterwards,
//! one at a time and when nobody waits any more: its next change is then a few parts, and not the whole.

use super::cursor::Mark;
use super::entry::Entry;
use super::hub::{Hub, in_time};
use super::region::{Kind, Region};
use crate::domain::topic::Topic;
use std::collections::HashSet;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;
use tokio::time::timeout;

/// Regions on their way from a page's cursor into the hub.
pub(super) struct Adoption<R> {
    /// New here.
    waiting: Vec<Waiting<R>>,
    /// Adopted, and worth knowing better.
    known_by_name: Vec<Arc<Entry<R>>>,
    is_running: bool,
}

impl<R> Default for Adoption<R> {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            known_by_name: Vec::new(),
            is_running: false,
        }
    }
}

/// A region, and what its first watcher has of it.
struct Waiting<R> {
    entry: Arc<Entry<R>>,
    seen: Mark,
    /// The one that it was asked for with. Not a later one: what came in doubt while it waited, as when the database turned
    /// out to have another past, must be loaded, though the versions are the same.
    generation: u64,
}

/// What the adopting task does next.
enum Next<R> {
    Adopt(Vec<Waiting<R>>),
    Load(Arc<Entry<R>>),
    Rest,
}

impl<R: Region> Hub<R> {
    fn adoption(&self) -> MutexGuard<'_, Adoption<R>> {
        self.0
            .adoption
            .lock()
            .expect("nothing panics while it holds this")
    }

    /// Takes over what a page has of a region that nobody here watched, if the database has nothing newer; loads it else.
    /// The region was asked for, and nobody else is at it.
    pub(super) fn adopt(&self, entry: &Arc<Entry<R>>, seen: Mark, generation: u64) {
        let mut adoption = self.adoption();
        adoption.waiting.push(Waiting {
            entry: Arc::clone(entry),
            seen,
            generation,
        });
        if !adoption.is_running {
            adoption.is_running = true;
            drop(adoption);
            tokio::spawn(self.clone().adopt_all());
        }
    }

    fn next(&self) -> Next<R> {
        let mut adoption = self.adoption();
        if !adoption.waiting.is_empty() {
            return Next::Adopt(std::mem::take(&mut adoption.waiting));
        }
        if let Some(entry) = adoption.known_by_name.pop() {
            return Next::Load(entry);
        }
        adoption.is_running = false;
        Next::Rest
    }

    async fn adopt_all(self) {
        loop {
            match self.next() {
                Next::Adopt(batch) => self.adopt_batch(batch).await,
                Next::Load(entry) => {
                    {
                        let mut state = entry.state();
                        if state.loading || !state.history.is_adopted() {
                            continue;
                        }
                        state.loading = true;
                    }
                    // A load that fails is tried until it succeeds: nobody else waits for that.
                    let load = tokio::spawn(self.clone().load(entry));
                    let _ = timeout(Duration::from_secs(1), load).await;
                }
                Next::Rest => return,
            }
        }
    }

    async fn adopt_batch(&self, batch: Vec<Waiting<R>>) {
        let topics: HashSet<Topic> = batch
            .iter()
            .flat_map(|one| one.entry.topics.iter().copied())
            .collect();
        let topics: Vec<Topic> = topics.into_iter().collect();
        let source = self.0.source.clone();
        let versions = in_time(async move { R::versions(&source, &topics).await }).await;
        let versions = versions
            .inspect_err(|error| tracing::warn!(%error, "versions could not be read"))
            .ok();
        for Waiting {
            entry,
            seen,
            generation,
        } in batch
        {
            let stands_at = versions.as_ref().map(|versions| entry.version_in(versions));
            let now = self.0.clock.now();
            let holds = seen.valid_until().is_none_or(|until| now < until);
            if stands_at != Some(seen.version) || !holds {
                tokio::spawn(self.clone().load(entry));
                continue;
            }
            // Right as of the asking, which was after that generation: what moved since is loaded.
            let is_done = take_over(&entry, seen, generation);
            if let Some(due) = seen.valid_until() {
                self.due_at(due);
            }
            if !is_done {
                tokio::spawn(self.clone().load(entry));
            } else if entry.kind != Kind::Own || entry.region.is_long() {
                self.adoption().known_by_name.push(entry);
            }
        }
    }
}

/// The region is what the page has, as of a generation; whether nothing newer was asked for since.
fn take_over<R: Region>(entry: &Arc<Entry<R>>, seen: Mark, generation: u64) -> bool {
    let is_done = {
        let mut state = entry.state();
        state.version = seen.version;
        state.digest = seen.digest;
        state.valid_until = seen.valid_until();
        state.history.adopt(seen.digest);
        entry.served(&mut state, generation)
    };
    entry.ring();
    is_done
}
