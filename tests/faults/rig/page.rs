//! What a page shows: its slots and messages by id, as it was loaded and as it was told since.

use anyhow::ensure;
use portico::realtime::Cursor;
use scraper::{Html, Selector};
use std::collections::BTreeMap;

/// The parts of a page that rows look at.
#[derive(Debug, Default)]
pub(crate) struct Page(BTreeMap<String, String>);

impl Page {
    /// As it is loaded.
    pub(crate) fn of(html: &str) -> Self {
        let mut page = Self::default();
        page.apply(html);
        page
    }

    /// A frame's content: the elements in it are the state from now on.
    pub(crate) fn apply(&mut self, content: &str) {
        let html = Html::parse_fragment(content);
        let parts = Selector::parse("[id^=slot-], [id^=msg-]").expect("a selector");
        for element in html.select(&parts) {
            let id = element.attr("id").unwrap_or_default().to_owned();
            self.0.insert(id, element.html());
        }
    }

    pub(crate) fn holds(&self, text: &str) -> bool {
        self.0.values().any(|html| html.contains(text))
    }

    /// How often a text stands in it.
    pub(crate) fn times(&self, text: &str) -> usize {
        self.0.values().filter(|html| html.contains(text)).count()
    }

    /// Whether it shows all that a page loaded now shows, exactly so.
    pub(crate) fn agrees_with(&self, fresh: &Self) -> anyhow::Result<()> {
        ensure!(!fresh.0.is_empty(), "a page with nothing to compare");
        for (id, html) in &fresh.0 {
            let shown = self.0.get(id);
            ensure!(
                shown == Some(html),
                "#{id} is {shown:?} and should be {html}"
            );
        }
        Ok(())
    }
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
