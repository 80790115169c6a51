//! What a toy page shows, where it is kept, and the regions that it is shown in.

use crate::domain::topic::Topic;
use crate::realtime::cursor::Tag;
use crate::realtime::part::{List, Parts, Whole};
use crate::realtime::region::{Kind, LoadError, Loaded, Region};
use jiff::Timestamp;
use maud::html;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What there is to show.
#[derive(Debug, Default, Clone)]
pub(super) struct World {
    pub(super) parts: BTreeMap<u8, u8>,
    pub(super) own: BTreeMap<u8, u8>,
    /// What stands outside the root.
    pub(super) far: BTreeMap<u8, u8>,
    pub(super) rows: BTreeSet<u8>,
    /// Lines by number, of which only the newest are shown.
    pub(super) log: BTreeMap<u32, u8>,
    pub(super) said: u32,
    /// A new title is another structure.
    pub(super) title: u8,
    /// How often each topic was touched.
    pub(super) versions: HashMap<Topic, i64>,
    pub(super) until: Option<Timestamp>,
    /// From then on the title has a mark, without a write.
    pub(super) due: Option<Timestamp>,
    pub(super) now: Timestamp,
    /// The transaction that touched each topic last, and the number that the next one gets.
    pub(super) seqs: HashMap<Topic, u64>,
    pub(super) next_seq: u64,
    /// Transactions that have begun and not ended.
    pub(super) open: BTreeSet<u64>,
    pub(super) epoch: Tag,
    /// What the database does not answer loads of now.
    pub(super) barred: Vec<Toy>,
    /// How old an answer of the database is when it comes.
    pub(super) delay: Duration,
}

pub(super) const PARTS: u8 = 4;
pub(super) const FAR: u8 = 3;
const ROWS: List = List {
    id: "rows",
    newest_first: true,
    windowed: false,
};
pub(super) const LOG: List = List {
    id: "log",
    newest_first: false,
    windowed: true,
};
/// Lines of the log that are shown.
pub(super) const WINDOW: usize = 4;

/// What may happen to it.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Set(u8, u8),
    Own(u8, Option<u8>),
    Far(u8, u8),
    Row(u8),
    /// So many new lines in the log.
    Say(u8),
    /// A line so far from the newest becomes another, or is taken out.
    Edit(usize, u8),
    Forget(usize),
    Title(u8),
    /// A part of the root and one outside in one transaction, of two topics.
    Both(u8, u8),
    /// The title gets its mark so many milliseconds from now.
    Due(u8),
}

impl World {
    pub(super) fn base(&self) -> Whole {
        let mut parts = Parts::default();
        let html = html! {
            i { (self.title) @if self.is_due() { "!" } }
            @for n in 0..PARTS {
                @let value = self.parts.get(&n).copied().unwrap_or_default();
                (parts.part(format!("p-{n}"), html! { b id={ "p-" (n) } { (value) } }))
            }
            ul #rows {
                @for n in self.rows.iter().rev() {
                    (parts.item(ROWS, format!("row-{n:03}"), html! { b id={ "row-" (format!("{n:03}")) } { (n) } }))
                }
            }
            (parts.edge(LOG, html! { u { (self.window().next().map_or(0, |(n, _)| n)) } }))
            ol #log {
                @for (n, value) in self.window() {
                    (parts.item(LOG, line(n), html! { b id=(line(n)) { (value) } }))
                }
            }
        };
        parts.whole("root", &html)
    }

    /// The newest lines, oldest first.
    pub(super) fn window(&self) -> impl Iterator<Item = (u32, u8)> {
        let skipped = self.log.len().saturating_sub(WINDOW);
        self.log.iter().skip(skipped).map(|(n, value)| (*n, *value))
    }

    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= self.now)
    }

    /// A transaction begins and gets its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.next_seq += 1;
        self.open.insert(self.next_seq);
        self.next_seq
    }

    /// A transaction that begins and ends: what was touched, and where that stands then.
    pub(super) fn change(&mut self, change: &Change) -> Vec<(Topic, i64)> {
        let seq = self.begin();
        self.commit(seq, change)
    }

    /// One that began before, maybe long before others that have ended.
    pub(super) fn commit(&mut self, seq: u64, change: &Change) -> Vec<(Topic, i64)> {
        self.open.remove(&seq);
        let topics: &[Topic] = match change {
            Change::Own(..) => &[Topic::Clients],
            Change::Far(..) => &[Topic::Outbox],
            Change::Say(_) | Change::Edit(..) | Change::Forget(_) => &[Topic::Threads],
            Change::Set(..) | Change::Row(_) | Change::Title(_) | Change::Due(_) => {
                &[Topic::Settings]
            }
            Change::Both(..) => &[Topic::Settings, Topic::Outbox],
        };
        let mut touched = Vec::new();
        for topic in topics {
            let version = self.versions.entry(*topic).or_default();
            *version += 1;
            touched.push((*topic, *version));
            self.seqs.insert(*topic, seq);
        }
        match *change {
            Change::Set(n, value) => drop(self.parts.insert(n, value)),
            Change::Title(title) => self.title = title,
            Change::Both(n, value) => {
                self.parts.insert(n, value);
                self.far.insert(n % FAR, value);
            }
            Change::Due(ahead) => {
                self.due = Some(self.now + Duration::from_millis(ahead.into()));
            }
            Change::Row(n) => {
                if !self.rows.remove(&n) {
                    self.rows.insert(n);
                }
            }
            Change::Say(count) => {
                for _ in 0..count {
                    self.said += 1;
                    // No two pasts say the same.
                    let words = u8::try_from(self.epoch + 100).unwrap_or(u8::MAX);
                    self.log.insert(self.said, words);
                }
            }
            Change::Edit(back, value) => {
                if let Some((_, line)) = self.log.iter_mut().nth_back(back) {
                    *line = value;
                }
            }
            Change::Forget(back) => {
                let n = self.log.keys().nth_back(back).copied();
                n.map(|n| self.log.remove(&n));
            }
            Change::Far(n, value) => drop(self.far.insert(n, value)),
            Change::Own(n, Some(value)) => drop(self.own.insert(n, value)),
            Change::Own(n, None) => drop(self.own.remove(&n)),
        }
        touched
    }

    /// Where these topics stand, without those that never moved.
    pub(super) fn versions_of(&self, topics: &[Topic]) -> HashMap<Topic, i64> {
        let moved = self.versions.iter();
        moved
            .filter(|(topic, _)| topics.contains(topic))
            .map(|(topic, version)| (*topic, *version))
            .collect()
    }

    pub(super) fn over(&self) -> Whole {
        let mut parts = Parts::default();
        for (n, value) in &self.own {
            let _ = parts.part(
                format!("p-{n}"),
                html! { b id={ "p-" (n) } { "own " (value) } },
            );
        }
        parts.overlay()
    }

    pub(super) fn far(&self) -> Whole {
        let mut parts = Parts::default();
        for n in 0..FAR {
            let value = self.far.get(&n).copied().unwrap_or_default();
            let _ = parts.part(
                format!("far-{n}"),
                html! { b id={ "far-" (n) } { (value) } },
            );
        }
        parts.scattered()
    }
}

/// The id of a line's element.
pub(super) fn line(n: u32) -> String {
    format!("line-{n:03}")
}

pub(super) type Shared = Arc<Mutex<World>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Toy {
    Base,
    Over,
    Far,
}

impl Region for Toy {
    type Source = Shared;

    fn topics(&self) -> Vec<Topic> {
        match self {
            Self::Base => vec![Topic::Settings, Topic::Threads],
            Self::Over => vec![Topic::Clients],
            Self::Far => vec![Topic::Outbox],
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Base => Kind::Shared,
            Self::Over => Kind::Over,
            Self::Far => Kind::Own,
        }
    }

    async fn load(&self, source: &Shared) -> Result<Loaded, LoadError> {
        let world = source.lock().unwrap().clone();
        if world.barred.contains(self) {
            return Err("barred".into());
        }
        let whole = match self {
            Self::Base => world.base(),
            Self::Over => world.over(),
            Self::Far => world.far(),
        };
        let due = world.due.filter(|due| *due > world.now);
        let due = due.filter(|_| *self == Self::Base);
        tokio::time::sleep(world.delay).await;
        Ok(Loaded {
            version: world.versions_of(&self.topics()).values().sum(),
            whole,
            valid_until: world.until.or(due),
        })
    }

    async fn versions(source: &Shared, topics: &[Topic]) -> Result<HashMap<Topic, i64>, LoadError> {
        let world = source.lock().unwrap().clone();
        tokio::time::sleep(world.delay).await;
        Ok(world.versions_of(topics))
    }
}
