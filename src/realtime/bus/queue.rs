//! What waits to be told: each topic once, with its highest version, and never more than there is room for.

use crate::domain::topic::Topic;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// Topics that may wait. Beyond that the sweep finds them.
pub(super) const ROOM: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Batch>,
    more: Notify,
    dropped: AtomicU64,
}

/// What is told at a time.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) moved: HashMap<Topic, i64>,
    pub(super) probe: Option<u64>,
}

impl Queue {
    pub(super) fn push(&self, topic: Topic, version: i64) {
        {
            let mut waiting = self.waiting();
            let has_room = waiting.moved.len() < ROOM;
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
    pub(super) async fn take(&self) -> Batch {
        loop {
            let batch = std::mem::take(&mut *self.waiting());
            if !batch.moved.is_empty() || batch.probe.is_some() {
                return batch;
            }
            self.more.notified().await;
        }
    }

    /// Lets go of what has waited so long that sweeps have found it.
    pub(super) fn forget(&self) {
        let batch = std::mem::take(&mut *self.waiting());
        self.drop_some(batch.moved.len());
    }

    pub(super) fn drop_some(&self, count: usize) {
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting().moved.len()
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
        assert_eq!(queue.take().await.moved, [(Topic::Settings, 3)].into());
        assert_eq!((queue.len(), queue.dropped()), (0, 0));
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
}
