//! What a socket sends: the changes of each place on its page since its cursor, as htmx reads them.

use super::cursor::{Cursor, Mark};
use super::entry::{Entry, Patch, State};
use super::history::{Change, Since};
use super::part::{Stands, Whole};
use super::region::Region;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// A place on a page, as one socket watches it.
pub(super) struct Watched<R> {
    pub(super) base: Arc<Entry<R>>,
    pub(super) over: Option<Arc<Entry<R>>>,
}

/// What came of looking at a place.
pub(super) enum Pull {
    /// It is not loaded yet, or its html was dropped: a load was asked for or is under way.
    Wait,
    /// What to send, if anything, and what the page has then.
    Ready {
        /// Escaped, as the inside of a JSON string.
        content: Option<Arc<str>>,
        base: Mark,
        over: Option<Mark>,
    },
}

impl<R: Region> Watched<R> {
    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<Entry<R>>> {
        std::iter::once(&self.base).chain(&self.over)
    }

    /// Compares a place with what the page has of it. `missing` is called for a region whose html is needed and gone.
    pub(super) fn pull(
        &self,
        cursor: &Cursor,
        socket: u64,
        missing: impl Fn(&Arc<Entry<R>>),
    ) -> Pull {
        // Always base first: two sockets never hold one each and wait for the other.
        let mut base = self.base.state();
        let mut over = self.over.as_ref().map(|over| (over, over.state()));
        let seen = |entry: &Entry<R>, state: &State| Look::at(cursor.mark(entry.name), state);
        let base_look = seen(&self.base, &base);
        let over_look = over
            .as_ref()
            .map_or(Look::Since(Since::Current), |(entry, state)| {
                seen(entry, state)
            });
        let (Look::Since(base_since), Look::Since(over_since)) = (base_look, over_look) else {
            return Pull::Wait;
        };
        // What lies over is not known yet, and a shared part must not be sent over one's own.
        if let Some((entry, state)) = &over
            && base_since != Since::Current
            && state.history.is_adopted()
        {
            let entry = Arc::clone(entry);
            drop((base, over));
            missing(&entry);
            return Pull::Wait;
        }

        let content = if base_since == Since::Current && over_since == Since::Current {
            None
        } else {
            let Some(base_whole) = base.whole.clone() else {
                drop((base, over));
                missing(&self.base);
                return Pull::Wait;
            };
            // While one's own part stays as it is, its html is not needed: it was let go on purpose.
            let wants_over = over_since != Since::Current || base_since == Since::Unknown;
            let over_whole = over
                .as_ref()
                .filter(|_| wants_over)
                .map(|(_, state)| state.whole.clone());
            if let (Some(None), Some((entry, _))) = (&over_whole, &over) {
                let entry = Arc::clone(entry);
                drop((base, over));
                missing(&entry);
                return Pull::Wait;
            }
            let over_whole = over_whole.flatten();
            let over = over.as_ref().map(|(_, state)| &**state);
            Some(content(
                &mut base,
                &base_whole,
                base_since,
                over,
                over_whole.as_deref(),
                over_since,
            ))
        };

        let base_mark = base.mark(self.base.name);
        self.base.pulled(&mut base, socket);
        let over_mark = over.as_mut().map(|(entry, state)| {
            entry.pulled(state, socket);
            state.mark(entry.name)
        });
        Pull::Ready {
            content,
            base: base_mark,
            over: over_mark,
        }
    }
}

/// Where a page stands with one region.
enum Look {
    Since(Since),
    /// The page has a later version than this instance knows, or none is loaded yet.
    NotReady,
}

impl Look {
    fn at(mark: Option<Mark>, state: &State) -> Self {
        let version = mark.map_or(0, |mark| mark.version);
        if !state.is_ready(version) {
            return Self::NotReady;
        }
        Self::Since(match mark {
            // A version that even the database does not have: another past, whatever the digest.
            Some(mark) if mark.version > state.version => Since::Unknown,
            Some(mark) => state.history.since(mark.digest),
            None => Since::Unknown,
        })
    }
}

fn content(
    base: &mut State,
    base_whole: &Whole,
    base_since: Since,
    over: Option<&State>,
    over_whole: Option<&Whole>,
    over_since: Since,
) -> Arc<str> {
    if base_since == Since::Unknown || over_since == Since::Unknown {
        return escaped(&all(base_whole, over_whole));
    }
    let mut changes: BTreeMap<&str, Change> = BTreeMap::new();
    if let (Since::At(n), Some(over)) = (over_since, over) {
        // Whatever happened to one's own part, the shared one is there and morphs into what it is now.
        changes.extend(
            over.history
                .changes(n)
                .into_iter()
                .map(|(id, _)| (id, Change::Morph)),
        );
    }
    let covered = |id: &str| over.is_some_and(|over| over.history.has(id));
    if let Since::At(n) = base_since {
        // The common case: thousands watch, and all are told the same.
        if let Some(same) = base.patches.get(&n)
            && changes.is_empty()
            && !same.ids.iter().any(|id| covered(id))
        {
            return Arc::clone(&same.content);
        }
        let theirs = base.history.changes(n);
        if changes.is_empty() && !theirs.iter().any(|(id, _)| covered(id)) {
            let ids = theirs.iter().map(|(id, _)| (*id).into()).collect();
            let content = escaped(&write(theirs.into_iter(), base_whole, None));
            let same = Patch {
                ids,
                content: Arc::clone(&content),
            };
            base.patches.insert(n, same);
            return content;
        }
        for (id, change) in theirs {
            if !covered(id) {
                changes.insert(id, change);
            }
        }
    }
    escaped(&write(changes.into_iter(), base_whole, over_whole))
}

/// As the inside of a JSON string: once, however many are sent it.
fn escaped(html: &str) -> Arc<str> {
    let quoted = serde_json::to_string(html).expect("a string is JSON");
    quoted[1..quoted.len() - 1].into()
}

/// A region as a page needs it that may have anything of it.
fn all(base: &Whole, over: Option<&Whole>) -> String {
    match base.stands {
        Stands::In(root) => {
            let html = base.html(over);
            format!(r##"<hx-partial hx-target="#{root}" hx-swap="innerMorph">{html}</hx-partial>"##)
        }
        // No element of the page holds them all.
        Stands::Scattered | Stands::Over => {
            let parts = base.parts.iter();
            write(
                parts.map(|part| (part.id.as_str(), Change::Morph)),
                base,
                over,
            )
        }
    }
}

fn write<'a>(
    changes: impl Iterator<Item = (&'a str, Change)>,
    base: &Whole,
    over: Option<&Whole>,
) -> String {
    let mut html = String::new();
    for (id, change) in changes {
        let Some(part) = base.find(id) else {
            if change == Change::Remove {
                let _ = write!(
                    html,
                    r##"<hx-partial hx-target="#{id}" hx-swap="delete"></hx-partial>"##
                );
            }
            continue;
        };
        let part = part.under(over);
        let _ = match change {
            Change::Insert(list) => {
                let sort = if list.newest_first {
                    r#" sort="desc""#
                } else {
                    ""
                };
                let id = list.id;
                write!(
                    html,
                    r##"<hx-upsert hx-target="#{id}"{sort}>{}</hx-upsert>"##,
                    part.html
                )
            }
            Change::Morph | Change::Remove => {
                write!(
                    html,
                    r##"<hx-partial hx-target="#{id}" hx-swap="outerMorph">{}</hx-partial>"##,
                    part.html
                )
            }
        };
    }
    html
}
