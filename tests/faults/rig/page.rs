//! What a page shows: its slots, messages and coming sessions by id, as it was loaded and as it was told since. It refuses what no browser
//! could do: changing an element that the page does not have.

use anyhow::ensure;
use portico::realtime::Cursor;
use scraper::{ElementRef, Html, Selector};
use std::collections::BTreeMap;

/// The list of which a page keeps more than a fresh one shows: its elements' ids begin so, and go on with their number.
const WINDOWED: &str = "msg-";

/// The parts of a page that rows look at.
#[derive(Debug, Default)]
pub(crate) struct Page {
    parts: BTreeMap<String, Part>,
    /// In which region each element with an id stands.
    regions: BTreeMap<String, String>,
    /// What it was told and no browser could do.
    lost: Option<String>,
}

#[derive(Debug)]
struct Part {
    region: String,
    html: String,
}

impl Page {
    /// As it is loaded.
    pub(crate) fn of(html: &str) -> Self {
        let mut page = Self::default();
        let html = Html::parse_document(html);
        let regions = Selector::parse("[data-region][id]").expect("a selector");
        for region in html.select(&regions) {
            let id = region.attr("id").unwrap_or_default();
            page.put(region, id);
        }
        page
    }

    /// All that stands in an element, and the element.
    fn put(&mut self, within: ElementRef<'_>, region: &str) {
        let all = Selector::parse("[id]").expect("a selector");
        for element in std::iter::once(within).chain(within.select(&all)) {
            let id = element.attr("id").unwrap_or_default();
            self.regions.insert(id.to_owned(), region.to_owned());
            if is_part(id) {
                let part = Part {
                    region: region.to_owned(),
                    html: element.html(),
                };
                self.parts.insert(id.to_owned(), part);
            }
        }
    }

    /// A frame's content: the elements in it are the state from now on.
    pub(crate) fn apply(&mut self, content: &str) {
        let html = Html::parse_fragment(content);
        let pushes = Selector::parse("hx-partial, hx-upsert").expect("a selector");
        for push in html.select(&pushes) {
            let target = push.attr("hx-target").unwrap_or_default();
            let target = target.trim_start_matches('#');
            let how = push.attr("hx-swap").unwrap_or("upsert");
            let known = match how {
                "outerMorph" if is_part(target) => self.parts.contains_key(target),
                _ => self.regions.contains_key(target),
            };
            // Badges stand in regions without a name, and rows do not look at them.
            let Some(region) = self.regions.get(target).filter(|_| known).cloned() else {
                if is_part(target) || !has_no_part(push) {
                    self.lost.get_or_insert(format!("{how} of #{target}"));
                }
                continue;
            };
            if how == "innerMorph" {
                self.parts.retain(|_, part| part.region != region);
            } else if how == "delete" {
                self.parts.remove(target);
            }
            for element in push.child_elements() {
                self.put(element, &region);
            }
        }
    }

    pub(crate) fn holds(&self, text: &str) -> bool {
        self.times(text) > 0
    }

    /// How often a text stands in it.
    pub(crate) fn times(&self, text: &str) -> usize {
        let parts = self.parts.values();
        parts.filter(|part| part.html.contains(text)).count()
    }

    /// The messages that it shows, by their number in the thread.
    pub(crate) fn messages(&self) -> BTreeMap<usize, &str> {
        let number = |id: &str| id.strip_prefix(WINDOWED)?.parse().ok();
        let parts = self.parts.iter();
        parts
            .filter_map(|(id, part)| Some((number(id)?, part.html.as_str())))
            .collect()
    }

    /// Whether it shows what a page loaded now shows, exactly so, and nothing else but older messages, without a gap.
    pub(crate) fn agrees_with(&self, fresh: &Self) -> anyhow::Result<()> {
        ensure!(!fresh.parts.is_empty(), "a page with nothing to compare");
        ensure!(
            self.lost.is_none(),
            "it was told what it cannot do: {}",
            self.lost.as_deref().unwrap_or_default()
        );
        for (id, part) in &fresh.parts {
            let shown = self.parts.get(id).map(|shown| &shown.html);
            ensure!(
                shown == Some(&part.html),
                "#{id} is {shown:?} and should be {}",
                part.html
            );
        }
        let mut ids = fresh.parts.keys();
        let oldest = ids.find(|id| id.starts_with(WINDOWED));
        let is_kept = |id: &String| id.starts_with(WINDOWED) && oldest.is_some_and(|old| id < old);
        let mut shown = self.parts.keys();
        let more = shown.find(|id| !fresh.parts.contains_key(*id) && !is_kept(id));
        ensure!(more.is_none(), "it shows {more:?}, which is not there");
        let messages = self.messages();
        if let (Some((first, _)), Some((last, _))) =
            (messages.first_key_value(), messages.last_key_value())
        {
            ensure!(
                messages.len() == last - first + 1,
                "{} of the messages from {first} to {last}",
                messages.len()
            );
        }
        Ok(())
    }
}

fn is_part(id: &str) -> bool {
    ["slot-", "coming-0", WINDOWED]
        .iter()
        .any(|list| id.starts_with(list))
}

fn has_no_part(push: ElementRef<'_>) -> bool {
    let all = Selector::parse("[id]").expect("a selector");
    let mut ids = push.select(&all).filter_map(|element| element.attr("id"));
    !ids.any(is_part)
}

/// Whether no region's version is lower in the later cursor of the same past.
pub(crate) fn went_on(earlier: &str, later: &str) -> bool {
    let (Some(earlier), Some(later)) = (Cursor::parse(earlier), Cursor::parse(later)) else {
        return false;
    };
    let newer = |mark: &portico::realtime::Mark| {
        later
            .mark(mark.region)
            .is_none_or(|now| now.version >= mark.version)
    };
    earlier.epoch != later.epoch || earlier.marks.iter().all(newer)
}

const TWO: &str = r#"<div id="thread" data-region><ol id="messages"><li id="msg-02">two</li><li id="msg-03">three</li></ol></div>"#;

#[test]
fn a_page_that_lacks_or_keeps_something_is_found() {
    let fresh = Page::of(TWO);
    for (content, agrees) in [
        ("", true),
        (
            r##"<hx-partial hx-target="#msg-03" hx-swap="delete"></hx-partial>"##,
            false,
        ),
        (
            r##"<hx-partial hx-target="#msg-03" hx-swap="outerMorph"><li id="msg-03">3</li></hx-partial>"##,
            false,
        ),
        (
            r##"<hx-upsert hx-target="#messages"><li id="msg-04">four</li></hx-upsert>"##,
            false,
        ),
        // Older ones are kept, but none is left out between them.
        (
            r##"<hx-upsert hx-target="#messages"><li id="msg-01">one</li></hx-upsert>"##,
            true,
        ),
        (
            r##"<hx-upsert hx-target="#messages"><li id="msg-00">none</li></hx-upsert>"##,
            false,
        ),
        (
            r##"<hx-partial hx-target="#msg-05" hx-swap="outerMorph"><li id="msg-05">five</li></hx-partial>"##,
            false,
        ),
        (
            r##"<hx-upsert hx-target="#nowhere"><li id="msg-03">three</li></hx-upsert>"##,
            false,
        ),
        (
            r##"<hx-partial hx-target="#thread" hx-swap="innerMorph"><p>None.</p></hx-partial>"##,
            false,
        ),
    ] {
        let mut page = Page::of(TWO);
        page.apply(content);
        let compared = page.agrees_with(&fresh);
        assert_eq!(compared.is_ok(), agrees, "{content}: {compared:?}");
    }
}
