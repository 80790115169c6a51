//! An instance without a database: its hub, and its sweep one statement at a time, so that anything may happen in between.

use super::world::{Shared, Toy};
use crate::domain::topic::Topic;
use crate::realtime::cursor::Tag;
use crate::realtime::hub::Hub;
use std::collections::HashMap;

/// One of several that look at one world.
pub(super) struct Instance {
    pub(super) hub: Hub<Toy>,
    world: Shared,
    /// Every transaction below this has ended and was handled.
    mark: u64,
    /// The database's, as it was read last.
    pub(super) epoch: Tag,
    /// What the last sweep found and handled.
    handled: HashMap<Topic, i64>,
    /// What the sweep under way has found.
    found: Option<Found>,
}

struct Found {
    moved: HashMap<Topic, i64>,
    mark: u64,
    epoch: Tag,
}

impl Instance {
    pub(super) fn new(hub: Hub<Toy>, world: &Shared) -> Self {
        Self {
            hub,
            world: world.clone(),
            mark: 0,
            epoch: 0,
            handled: HashMap::new(),
            found: None,
        }
    }

    /// A sweep begins: which topics did transactions move that had not ended at the last one that came to its end? What an
    /// unfinished one found is found again.
    pub(super) fn ask(&mut self) {
        let world = self.world.lock().unwrap();
        let mut moved = world.versions.clone();
        moved.retain(|topic, _| world.seqs[topic] >= self.mark);
        self.found = Some(Found {
            moved,
            mark: world.open.first().map_or(world.next_seq + 1, |seq| *seq),
            epoch: world.epoch,
        });
    }

    /// It goes on: where do the topics beside them stand, and what is behind?
    pub(super) fn sweep(&mut self) {
        let Some(found) = self.found.take() else {
            return;
        };
        if found.epoch != self.epoch {
            self.epoch = found.epoch;
            self.hub.begin_anew();
            self.handled.clear();
        }
        let is_news = |(topic, version): &(&Topic, &i64)| self.handled.get(topic) != Some(version);
        let moved = found.moved.iter().filter(is_news);
        let moved: Vec<Topic> = moved.map(|(topic, _)| *topic).collect();
        let mut beside = self.hub.depend_beside(&moved);
        beside.retain(|topic| !found.moved.contains_key(topic));
        let mut versions = self.world.lock().unwrap().versions_of(&beside);
        versions.extend(&found.moved);
        self.hub.mark_behind(&moved, &versions);
        self.handled = found.moved;
        self.mark = found.mark;
    }
}
