//! What one region looked like, so that whoever saw it at some time is told only what changed since.
//!
//! It remembers only renderings made here. An instance never compares its numbers with another's: between instances a
//! digest says which rendering it was, or it is unknown and the whole is sent.

use super::part::{Digest, List, Whole};
use std::collections::{HashMap, VecDeque};

/// Renderings remembered. A watcher further behind gets the whole.
const RING: usize = 64;

/// The last renderings of a region.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The number of the current rendering; 0 before the first.
    at: u64,
    ring: VecDeque<(u64, Digest)>,
    structure: Digest,
    structure_at: u64,
    parts: HashMap<Box<str>, Seen>,
    /// Elements of lists that went, with the number at which they did.
    gone: HashMap<Box<str>, u64>,
    /// Of the current rendering only the digest is known: it was made elsewhere.
    adopted: bool,
}

#[derive(Debug)]
struct Seen {
    html: Digest,
    list: Option<List>,
    added_at: u64,
    changed_at: u64,
}

/// What a watcher has, as seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// Everything.
    Current,
    /// The rendering with this number.
    At(u64),
    /// A rendering that nobody here made, or with another structure: only the whole brings it up to date.
    Unknown,
}

/// How a changed part reaches a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is there, and looks different.
    Morph,
    /// It is new in its list.
    Insert(List),
    /// It left its list.
    Remove,
}

impl History {
    /// Begins with a rendering that a page has and nobody here made: it is current, and what it consists of is unknown.
    pub(super) fn adopt(&mut self, digest: Digest) {
        debug_assert!(self.at == 0, "what was rendered here is better known");
        self.push(digest);
        self.adopted = true;
    }

    /// Whether the parts of the current rendering are unknown.
    pub(super) fn is_adopted(&self) -> bool {
        self.adopted
    }

    fn push(&mut self, digest: Digest) {
        self.at += 1;
        self.ring.push_back((self.at, digest));
        if self.ring.len() > RING {
            self.ring.pop_front();
        }
    }

    /// Takes in a rendering; whether it tells anything that was not known.
    pub(super) fn record(&mut self, whole: &Whole) -> bool {
        let current = self.ring.back().map(|(_, digest)| *digest);
        if current == Some(whole.digest) {
            if !self.adopted {
                return false;
            }
        } else {
            self.push(whole.digest);
        }
        if self.structure != whole.structure || self.adopted || self.at == 1 {
            self.structure = whole.structure;
            self.structure_at = self.at;
        }
        self.adopted = false;
        let mut before = std::mem::take(&mut self.parts);
        for part in &whole.parts {
            let html = Digest::of([part.html.as_str()]);
            let seen = match before.remove(part.id.as_str()) {
                Some(seen) if seen.html == html => seen,
                Some(seen) => Seen {
                    html,
                    changed_at: self.at,
                    ..seen
                },
                None => Seen {
                    html,
                    list: part.list,
                    added_at: self.at,
                    changed_at: self.at,
                },
            };
            self.gone.remove(part.id.as_str());
            self.parts.insert(part.id.as_str().into(), seen);
        }
        self.gone.extend(before.into_keys().map(|id| (id, self.at)));
        let oldest = self.ring.front().map_or(0, |(n, _)| *n);
        self.gone.retain(|_, gone_at| *gone_at > oldest);
        true
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Whether the current rendering has a part with this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.parts.contains_key(id)
    }

    /// Where a watcher stands who saw the rendering with this digest.
    pub(super) fn since(&self, digest: Digest) -> Since {
        let newest_first = self.ring.iter().rev();
        match newest_first.into_iter().find(|(_, seen)| *seen == digest) {
            Some((n, _)) if *n == self.at => Since::Current,
            Some((n, _)) if *n >= self.structure_at => Since::At(*n),
            _ => Since::Unknown,
        }
    }

    /// The ids that changed after rendering `n`.
    pub(super) fn changes(&self, n: u64) -> Vec<(&str, Change)> {
        let mut changes: Vec<(&str, Change)> = Vec::new();
        for (id, seen) in &self.parts {
            if seen.changed_at <= n {
                continue;
            }
            let change = match seen.list {
                Some(list) if seen.added_at > n => Change::Insert(list),
                _ => Change::Morph,
            };
            changes.push((id, change));
        }
        changes.extend(
            self.gone
                .iter()
                .filter(|(_, at)| **at > n)
                .map(|(id, _)| (&**id, Change::Remove)),
        );
        // Any order is right; a fixed one lets watchers with the same past share the same bytes.
        changes.sort_unstable_by_key(|(id, _)| *id);
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::Parts;
    use maud::html;

    const LIST: List = List {
        id: "list",
        newest_first: false,
    };

    fn grid(states: &[&str]) -> Whole {
        let mut parts = Parts::default();
        let html = html! { @for (n, state) in states.iter().enumerate() {
            (parts.part(format!("slot-{n}"), html! { b { (state) } }))
        } };
        parts.whole("calendar", &html)
    }

    fn list(ids: &[(u32, &str)]) -> Whole {
        let mut parts = Parts::default();
        let html = html! { ul #list { @for (n, text) in ids {
            (parts.item(LIST, format!("row-{n}"), html! { li { (text) } }))
        } } };
        parts.whole("rows", &html)
    }

    #[test]
    fn a_watcher_is_told_what_changed_since_it_looked() {
        let mut history = History::default();
        let (a, b) = (grid(&["free", "free"]), grid(&["free", "taken"]));
        assert!(history.record(&a));
        assert!(!history.record(&a));
        assert!(history.record(&b));
        assert_eq!(history.since(b.digest), Since::Current);
        assert_eq!(history.since(a.digest), Since::At(1));
        assert_eq!(history.changes(1), [("slot-1", Change::Morph)]);
        assert_eq!(
            history.since(grid(&["mine", "mine"]).digest),
            Since::Unknown
        );
    }

    #[test]
    fn there_and_back_again_is_the_newest_of_equal_renderings() {
        let mut history = History::default();
        let (a, b, c) = (grid(&["a", "a"]), grid(&["a", "b"]), grid(&["c", "a"]));
        for whole in [&a, &b, &a, &c] {
            history.record(whole);
        }
        assert_eq!(history.since(a.digest), Since::At(3));
        assert_eq!(history.changes(3), [("slot-0", Change::Morph)]);
        assert_eq!(history.since(b.digest), Since::At(2));
        assert_eq!(
            history.changes(2),
            [("slot-0", Change::Morph), ("slot-1", Change::Morph)]
        );
    }

    #[test]
    fn what_was_adopted_is_current_and_then_known_once_it_is_rendered() {
        let (a, b, c) = (grid(&["a", "a"]), grid(&["a", "b"]), grid(&["a", "c"]));
        let mut history = History::default();
        history.adopt(a.digest);
        assert_eq!(history.since(a.digest), Since::Current);
        assert_eq!(history.since(b.digest), Since::Unknown);
        assert!(history.record(&a));
        assert_eq!(history.since(a.digest), Since::Current);
        history.record(&b);
        assert_eq!(history.since(a.digest), Since::At(1));
        assert_eq!(history.changes(1), [("slot-1", Change::Morph)]);

        // Changed before it was rendered here: nobody can tell in what.
        let mut history = History::default();
        history.adopt(a.digest);
        history.record(&b);
        assert_eq!(history.since(a.digest), Since::Unknown);
        history.record(&c);
        assert_eq!(history.since(b.digest), Since::At(2));
    }

    #[test]
    fn another_structure_is_sent_whole() {
        let mut history = History::default();
        let short = grid(&["free"]);
        history.record(&short);
        history.record(&grid(&["free", "free"]));
        assert_eq!(history.since(short.digest), Since::Unknown);
    }

    #[test]
    fn rows_come_go_and_come_back() {
        let mut history = History::default();
        let first = list(&[(1, "a"), (2, "b")]);
        history.record(&first);
        let second = list(&[(2, "b"), (3, "c")]);
        history.record(&second);
        assert_eq!(
            history.changes(1),
            [("row-1", Change::Remove), ("row-3", Change::Insert(LIST))]
        );
        history.record(&list(&[(1, "a"), (2, "x"), (3, "c")]));
        let row_1 = ("row-1", Change::Insert(LIST));
        assert_eq!(history.since(first.digest), Since::At(1));
        assert_eq!(
            history.changes(1),
            [
                row_1,
                ("row-2", Change::Morph),
                ("row-3", Change::Insert(LIST))
            ]
        );
        assert_eq!(history.changes(2), [row_1, ("row-2", Change::Morph)]);
    }

    #[test]
    fn whoever_is_too_far_behind_gets_the_whole() {
        let mut history = History::default();
        let first = grid(&["0"]);
        history.record(&first);
        for n in 1..=RING {
            history.record(&grid(&[&n.to_string()]));
        }
        assert_eq!(history.since(first.digest), Since::Unknown);
        assert_eq!(history.since(grid(&["1"]).digest), Since::At(2));
    }
}
