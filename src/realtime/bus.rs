//! From a commit to the hubs. Only names travel, no data and no rights: a message lost, doubled, late or forged can
//! cause, or miss, a re-read, and nothing else.

mod local;
mod message;
mod queue;
mod redis;
#[cfg(test)]
pub(super) mod toy;

pub use local::Local;
pub use redis::Redis;

use crate::domain::topic::Topic;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How the hubs of all instances hear what one of them committed.
pub trait Bus: fmt::Debug + Send + Sync {
    /// A commit of this instance moved a topic. Its own hub is marked before this returns; the others hear of it soon, or
    /// never, and then their sweep finds it. It does not wait for anybody, and cannot fail.
    fn publish(&self, topic: Topic, version: i64);

    /// How it goes, for whoever watches over the instance.
    fn health(&self) -> BusHealth;
}

/// A bus in numbers. The counts are since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BusHealth {
    /// Since a message to itself came back. `None` for a bus that leads nowhere.
    pub age: Option<Duration>,
    /// Topics that wait to be told, or are on their way.
    pub queued: usize,
    /// Topics that were never told, or not surely: the queue was full, or the line went while they were on it.
    pub dropped: u64,
    /// Other instances' messages that marked something here.
    pub heard: u64,
    /// Messages that nobody here understands.
    pub ignored: u64,
}

/// Hands what moved on this instance to its bus, until all is `written`: then nothing of it is left behind.
pub async fn carry(
    mut moved: mpsc::Receiver<(Topic, i64)>,
    written: impl Future<Output = ()>,
    bus: Arc<dyn Bus>,
) {
    let mut written = pin!(written);
    loop {
        tokio::select! {
            next = moved.recv() => match next {
                Some((topic, version)) => bus.publish(topic, version),
                None => return,
            },
            () = &mut written => break,
        }
    }
    while let Ok((topic, version)) = moved.try_recv() {
        bus.publish(topic, version);
    }
}
