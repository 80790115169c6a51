//! The bus of several instances on paper: their real queues and real messages, and between them a line on which each
//! message may come late, twice or never. It keeps no time and tries nothing again.

use super::message::{Message, Says};
use super::queue::Queue;
use crate::domain::topic::Topic;
use crate::realtime::hub::Hub;
use crate::realtime::region::Region;
use futures_util::FutureExt as _;

/// What becomes of a message on its way to one instance.
#[derive(Debug, Clone, Copy)]
pub(in crate::realtime) enum Fate {
    Heard,
    /// And it comes again some time.
    Doubled,
    Lost,
}

pub(in crate::realtime) struct Toy<R: Region>(Vec<End<R>>);

/// One instance's end of the line.
struct End<R: Region> {
    hub: Hub<R>,
    queue: Queue,
    coming: Vec<String>,
}

impl<R: Region> Toy<R> {
    pub(in crate::realtime) fn new(hubs: &[Hub<R>]) -> Self {
        let end = |hub: &Hub<R>| End {
            hub: hub.clone(),
            queue: Queue::default(),
            coming: Vec::new(),
        };
        Self(hubs.iter().map(end).collect())
    }

    /// A commit of this instance moved a topic.
    pub(in crate::realtime) fn publish(&self, at: usize, topic: Topic, version: i64) {
        self.0[at].hub.mark(topic);
        self.0[at].queue.push(topic, version);
    }

    /// All that waits at an instance goes on its way to everyone.
    pub(in crate::realtime) fn tell(&mut self, at: usize) {
        let Some(taken) = self.0[at].queue.take().now_or_never() else {
            return;
        };
        let moved: Vec<_> = taken.batch().moved.clone().into_iter().collect();
        taken.was_told();
        for (topic, version) in moved {
            self.send(at, topic, version);
        }
    }

    /// Somebody says what is not true.
    pub(in crate::realtime) fn forge(&mut self, topic: Topic, version: i64) {
        self.send(self.0.len(), topic, version);
    }

    fn send(&mut self, from: usize, topic: Topic, version: i64) {
        let message = Message {
            sender: from as u64,
            says: Says::Moved(topic, version),
        };
        for end in &mut self.0 {
            end.coming.push(message.to_string());
        }
    }

    /// One of the messages on their way to an instance: the first if none came before its time.
    pub(in crate::realtime) fn deliver(&mut self, at: usize, nth: usize, fate: Fate) {
        let end = &mut self.0[at];
        if end.coming.is_empty() {
            return;
        }
        let nth = nth % end.coming.len();
        let line = match fate {
            Fate::Doubled => end.coming[nth].clone(),
            Fate::Heard | Fate::Lost => end.coming.remove(nth),
        };
        let message = Message::parse(line.as_bytes()).expect("it was written here");
        if let (Fate::Heard | Fate::Doubled, Says::Moved(topic, _)) = (fate, message.says)
            && message.sender != at as u64
        {
            end.hub.mark(topic);
        }
    }

    /// Whatever waits or is on its way is lost.
    pub(in crate::realtime) fn flush(&mut self) {
        for end in &mut self.0 {
            end.queue.forget();
            end.coming.clear();
        }
    }
}
