//! What one region looked like, so that whoever saw it at some time is told only what changed since.
//!
//! It remembers only renderings made here. An instance never compares its numbers with another's: between instances a
//! digest says which rendering it was, or it is unknown and the whole is sent.

use super::part::{Digest, List, Whole, Window};
use std::collections::{HashMap, VecDeque};

/// Renderings remembered. A watcher further behind gets the whole.
const RING: usize = 64;

/// The last renderings of a region.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The number of the current rendering; 0 before the first.
    at: u64,
    ring: VecDeque<Rendering>,
    structure: Digest,
    structure_at: u64,
    parts: HashMap<Box<str>, Seen>,
    /// Elements of lists that went.
    gone: HashMap<Box<str>, Gone>,
    /// Of the current rendering only the digest is known: it was made elsewhere.
    adopted: bool,
}

#[derive(Debug)]
struct Rendering {
    n: u64,
    digest: Digest,
    windows: Vec<Window>,
}

#[derive(Debug)]
struct Seen {
    html: Digest,
    list: Option<List>,
    added_at: u64,
    changed_at: u64,
}

#[derive(Debug)]
struct Gone {
    list: Option<List>,
    changed_at: u64,
    at: u64,
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
        self.push(digest, Vec::new());
        self.adopted = true;
    }

    /// What was seen until now never was: whoever saw it gets the whole. Numbers go on, for watchers have them.
    pub(super) fn forget(&mut self) {
        *self = Self {
            at: self.at,
            ..Self::default()
        };
    }

    /// Whether the parts of the current rendering are unknown.
    pub(super) fn is_adopted(&self) -> bool {
        self.adopted
    }

    fn push(&mut self, digest: Digest, windows: Vec<Window>) {
        self.at += 1;
        self.ring.push_back(Rendering {
            n: self.at,
            digest,
            windows,
        });
        if self.ring.len() > RING {
            self.ring.pop_front();
        }
    }

    /// Takes in a rendering; whether it tells anything that was not known.
    pub(super) fn record(&mut self, whole: &Whole) -> bool {
        match self.ring.back_mut() {
            Some(current) if current.digest == whole.digest => {
                if !self.adopted {
                    return false;
                }
                current.windows = whole.windows();
            }
            _ => self.push(whole.digest, whole.windows()),
        }
        if self.structure != whole.structure || self.adopted || self.ring.len() == 1 {
            self.structure = whole.structure;
            self.structure_at = self.at;
        }
        self.adopted = false;
        let mut before = std::mem::take(&mut self.parts);
        for part in whole.parts.iter().filter(|part| !part.id.is_empty()) {
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
        let at = self.at;
        self.gone.extend(before.into_iter().map(|(id, seen)| {
            let gone = Gone {
                list: seen.list,
                changed_at: seen.changed_at,
                at,
            };
            (id, gone)
        }));
        let oldest = self.ring.front().map_or(0, |seen| seen.n);
        self.gone.retain(|_, gone| gone.at > oldest);
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
        match newest_first.into_iter().find(|seen| seen.digest == digest) {
            Some(seen) if seen.n == self.at => Since::Current,
            Some(seen) if seen.n >= self.structure_at && self.follows(seen) => Since::At(seen.n),
            _ => Since::Unknown,
        }
    }

    /// What the current rendering shows of a windowed list.
    fn window(&self, list: &List) -> Option<&Window> {
        window(self.ring.back()?, list)
    }

    /// Whether an element that went only dropped out at the old end of its window.
    fn has_dropped(&self, id: &str, gone: &Gone) -> bool {
        let list = gone.list.as_ref().filter(|list| list.windowed);
        let window = list.and_then(|list| self.window(list));
        window.is_some_and(|window| *id < *window.oldest)
    }

    /// Whether a page with that rendering lacks nothing between what it has and the windows of now. If it does, pieces would
    /// leave a gap in its list, or an old state in what it keeps.
    fn follows(&self, seen: &Rendering) -> bool {
        let Some(now) = self.ring.back() else {
            return false;
        };
        let overlaps = |now: &Window| {
            let mut before = seen.windows.iter();
            before.any(|before| before.list == now.list && before.newest >= now.oldest)
        };
        let missed = |id: &str, gone: &Gone| {
            gone.at > seen.n && gone.changed_at > seen.n && self.has_dropped(id, gone)
        };
        now.windows.len() == seen.windows.len()
            && now.windows.iter().all(overlaps)
            && !self.gone.iter().any(|(id, gone)| missed(id, gone))
    }

    /// The ids that changed after rendering `n`.
    pub(super) fn changes(&self, n: u64) -> Vec<(&str, Change)> {
        let before = self.ring.iter().find(|seen| seen.n == n);
        // Below the window that a page had is its own old end: what comes back there is shown only if the page has it.
        let is_older = |id: &str, list: &List| {
            let window = before.and_then(|before| window(before, list));
            window.is_some_and(|window| *id < *window.oldest)
        };
        let mut changes: Vec<(&str, Change)> = Vec::new();
        for (id, seen) in &self.parts {
            if seen.changed_at <= n {
                continue;
            }
            let change = match seen.list {
                Some(list) if seen.added_at > n && !is_older(id, &list) => Change::Insert(list),
                _ => Change::Morph,
            };
            changes.push((id, change));
        }
        changes.extend(
            self.gone
                .iter()
                .filter(|(id, gone)| gone.at > n && !self.has_dropped(id, gone))
                .map(|(id, _)| (&**id, Change::Remove)),
        );
        // Any order is right; a fixed one lets watchers with the same past share the same bytes.
        changes.sort_unstable_by_key(|(id, _)| *id);
        changes
    }
}

fn window<'r>(rendering: &'r Rendering, list: &List) -> Option<&'r Window> {
    let mut windows = rendering.windows.iter();
    windows.find(|window| list.windowed && window.list == list.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::Parts;
    use maud::html;

    const LIST: List = List {
        id: "list",
        newest_first: false,
        windowed: false,
    };
    const LOG: List = List {
        id: "log",
        newest_first: false,
        windowed: true,
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

    /// Lines from `first` on, all alike but those that are told.
    fn log(lines: std::ops::RangeInclusive<u32>, other: &[(u32, &str)]) -> Whole {
        let mut parts = Parts::default();
        let first = *lines.start();
        let html = html! {
            (parts.edge(LOG, html! { a { "before " (first) } }))
            ul #log { @for n in lines {
                @let text = other.iter().find(|(other, _)| *other == n).map_or("", |(_, text)| *text);
                (parts.item(LOG, format!("line-{n:03}"), html! { li { (text) } }))
            } }
        };
        parts.whole("lines", &html)
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

    #[test]
    fn what_drops_out_of_a_window_stays_on_the_page() {
        let mut history = History::default();
        let first = log(1..=4, &[]);
        history.record(&first);
        history.record(&log(3..=6, &[(4, "changed")]));
        assert_eq!(history.since(first.digest), Since::At(1));
        assert_eq!(
            history.changes(1),
            [
                ("line-004", Change::Morph),
                ("line-005", Change::Insert(LOG)),
                ("line-006", Change::Insert(LOG))
            ]
        );
        // One of them is taken out for good, and an older one comes back in its place: whoever has that is told.
        let mut parts = Parts::default();
        let html = html! {
            (parts.edge(LOG, html! { a { "before 2" } }))
            ul #log { @for n in [2, 3, 4, 6] {
                (parts.item(LOG, format!("line-{n:03}"), html! { li { @if n == 4 { "changed" } } }))
            } }
        };
        history.record(&parts.whole("lines", &html));
        assert_eq!(
            history.changes(2),
            [("line-002", Change::Morph), ("line-005", Change::Remove)]
        );
    }

    #[test]
    fn whoever_missed_more_than_a_window_gets_the_whole() {
        let mut history = History::default();
        let first = log(1..=4, &[]);
        history.record(&first);
        history.record(&log(4..=7, &[]));
        assert_eq!(history.since(first.digest), Since::At(1));
        history.record(&log(5..=8, &[]));
        assert_eq!(history.since(first.digest), Since::Unknown, "4 is out");
        assert_eq!(history.since(log(4..=7, &[]).digest), Since::At(2));
    }

    #[test]
    fn whoever_would_keep_an_old_state_gets_the_whole() {
        let mut history = History::default();
        let first = log(1..=4, &[]);
        history.record(&first);
        let changed = log(1..=4, &[(1, "changed")]);
        history.record(&changed);
        history.record(&log(2..=5, &[]));
        assert_eq!(history.since(first.digest), Since::Unknown);
        assert_eq!(history.since(changed.digest), Since::At(2));
        assert_eq!(history.changes(2), [("line-005", Change::Insert(LOG))]);
    }
}
