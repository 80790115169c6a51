//! What waits to be told, or is on its way: each topic once, with its highest version, and never more than there is room
//! for. Nothing leaves it uncounted.

use crate::domain::topic::Topic;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// Topics that may wait. Beyond that the sweep finds them.
pub(super) const ROOM: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Batch>,
    more: Notify,
    /// Topics that were taken and are on their way.
    underway: AtomicUsize,
    dropped: AtomicU64,
}

/// What is told at a time.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) moved: HashMap<Topic, i64>,
    pub(super) probe: Option<u64>,
}

/// A batch on its way. It counts as dropped unless it [was told](Self::was_told): where the line fails in another place,
/// whoever tells is dropped in the middle of it.
#[derive(Debug)]
pub(super) struct Taken<'q> {
    queue: &'q Queue,
    batch: Batch,
}

impl Taken<'_> {
    pub(super) fn batch(&self) -> &Batch {
        &self.batch
    }

    pub(super) fn was_told(mut self) {
        let told = std::mem::take(&mut self.batch.moved).len();
        self.queue.underway.fetch_sub(told, Ordering::Relaxed);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let lost = self.batch.moved.len();
        self.queue.drop_some(lost);
        self.queue.underway.fetch_sub(lost, Ordering::Relaxed);
    }
}

impl Queue {
    pub(super) fn push(&self, topic: Topic, version: i64) {
        {
            let mut waiting = self.waiting();
            let has_room = self.all(&waiting) < ROOM;
            match waiting.moved.get_mut(&topic) {
                Some(known) => *known = version.max(*known),
                None if has_room => drop(waiting.moved.insert(topic, version)),
                None => self.drop_some(1),
            }
        }
        self.more.notify_one();
    }

    /// A probe goes the way of the rest, so that it proves all of it.
    pub(super) fn push_probe(&self, nonce: u64) {
        self.waiting().probe = Some(nonce);
        self.more.notify_one();
    }

    /// Everything that waits, as soon as something does.
    pub(super) async fn take(&self) -> Taken<'_> {
        loop {
            {
                let mut waiting = self.waiting();
                if !waiting.moved.is_empty() || waiting.probe.is_some() {
                    let batch = std::mem::take(&mut *waiting);
                    // Under the lock: whoever counts finds it in one of the two.
                    self.underway
                        .fetch_add(batch.moved.len(), Ordering::Relaxed);
                    return Taken { queue: self, batch };
                }
            }
            self.more.notified().await;
        }
    }

    /// Lets go of what has waited so long that sweeps have found it.
    pub(super) fn forget(&self) {
        let batch = std::mem::take(&mut *self.waiting());
        self.drop_some(batch.moved.len());
    }

    fn drop_some(&self, count: usize) {
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        self.all(&self.waiting())
    }

    fn all(&self, waiting: &Batch) -> usize {
        waiting.moved.len() + self.underway.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, Batch> {
        self.waiting
            .lock()
            .expect("nothing panics while it holds this")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ClientId;

    #[tokio::test]
    async fn a_topic_waits_once_with_its_highest_version() {
        let queue = Queue::default();
        for version in [2, 3, 1] {
            queue.push(Topic::Settings, version);
        }
        let taken = queue.take().await;
        assert_eq!(taken.batch().moved, [(Topic::Settings, 3)].into());
        assert_eq!(queue.len(), 1, "it is on its way");
        taken.was_told();
        assert_eq!((queue.len(), queue.dropped()), (0, 0));
    }

    #[tokio::test]
    async fn what_was_taken_and_not_told_is_dropped_and_counted() {
        let queue = Queue::default();
        for _ in 0..3 {
            queue.push(Topic::Client(ClientId::new()), 1);
        }
        queue.push_probe(7);
        let telling = async {
            let _taken = queue.take().await;
            std::future::pending::<()>().await;
        };
        let line_goes = async { tokio::task::yield_now().await };
        tokio::select! {
            biased;
            () = telling => {}
            () = line_goes => {}
        }
        assert_eq!((queue.len(), queue.dropped()), (0, 3));
    }

    #[tokio::test]
    async fn what_finds_no_room_is_dropped_and_counted() {
        let queue = Queue::default();
        for _ in 0..ROOM + 10 {
            queue.push(Topic::Client(ClientId::new()), 1);
        }
        assert_eq!((queue.len(), queue.dropped()), (ROOM, 10));
        // Who waits already is told of its newer version, full or not.
        let known = *queue.waiting().moved.keys().next().unwrap();
        queue.push(known, 2);
        assert_eq!(queue.dropped(), 10);
        queue.forget();
        assert_eq!((queue.len(), queue.dropped()), (0, ROOM as u64 + 10));
    }

    #[tokio::test]
    async fn what_is_on_its_way_takes_room_too() {
        let queue = Queue::default();
        let fill = || (0..ROOM).for_each(|_| queue.push(Topic::Client(ClientId::new()), 1));
        fill();
        let taken = queue.take().await;
        fill();
        assert_eq!((queue.len(), queue.dropped()), (ROOM, ROOM as u64));
        taken.was_told();
        fill();
        assert_eq!((queue.len(), queue.dropped()), (ROOM, ROOM as u64));
    }
}
