//! An instance without a database: its hub, and its sweep one statement at a time, so that anything may happen in between.

use super::world::{Shared, Toy};
use crate::domain::topic::Topic;
use crate::realtime::hub::Hub;
use std::collections::HashMap;

/// One of several that look at one world.
pub(super) struct Instance {
    pub(super) hub: Hub<Toy>,
    world: Shared,
    /// What sweeps have found and handled.
    handled: HashMap<Topic, i64>,
    /// What the sweep under way has found.
    found: HashMap<Topic, i64>,
}

impl Instance {
    pub(super) fn new(hub: Hub<Toy>, world: &Shared) -> Self {
        Self {
            hub,
            world: world.clone(),
            handled: HashMap::new(),
            found: HashMap::new(),
        }
    }

    /// A sweep begins: which topics moved since the last one that came to its end? What an unfinished one found is found
    /// again.
    pub(super) fn ask(&mut self) {
        let mut found = self.world.lock().unwrap().versions.clone();
        found.retain(|topic, version| self.handled.get(topic) != Some(version));
        self.found = found;
    }

    /// It goes on: where do the topics beside them stand, and what is behind?
    pub(super) fn sweep(&mut self) {
        let found = std::mem::take(&mut self.found);
        let moved: Vec<Topic> = found.keys().copied().collect();
        let mut beside = self.hub.depend_beside(&moved);
        beside.retain(|topic| !found.contains_key(topic));
        let mut versions = self.world.lock().unwrap().versions_of(&beside);
        versions.extend(&found);
        self.hub.mark_behind(&moved, &versions);
        self.handled.extend(found);
    }
}
