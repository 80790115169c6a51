//! A region's html in keyed parts: what a page embeds whole, a push sends piecemeal.
//!
//! The only place where html that is already rendered is pushed into html again. It all came out of `maud`, which
//! escaped it; a marker that holds a part's place cannot be forged, because text cannot contain a `<`.

use maud::{Markup, Render};
use sha2::{Digest as _, Sha256};
use std::fmt::{self, Write as _};

/// 96 bits over a region's whole rendering. Equal digests: equal html.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest(pub [u8; 12]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(4)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Digest {
    /// Over pieces, each told from its neighbours by its length.
    pub fn of<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for piece in pieces {
            hash.update((piece.len() as u64).to_le_bytes());
            hash.update(piece.as_bytes());
        }
        let mut digest = [0; 12];
        digest.copy_from_slice(&hash.finalize()[..12]);
        Self(digest)
    }
}

/// One element of a region that is replaced on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The element's id: `[a-z][a-z0-9-]*`, because the browser looks it up by a selector. Empty for an edge.
    pub id: String,
    pub html: String,
    /// For an element that comes and goes: the list that holds it.
    pub list: Option<List>,
}

/// A list whose elements are kept in the order of their ids, digits compared as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    pub id: &'static str,
    pub newest_first: bool,
    /// Whether only its newest elements are rendered, while a page keeps those that it has: what drops out at the old end
    /// is no removal. Their numbers are padded with zeros, so that ids compare as text too.
    pub windowed: bool,
}

/// The part of a windowed list that a rendering shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) list: &'static str,
    pub(super) oldest: Box<str>,
    pub(super) newest: Box<str>,
}

/// Collects a region's parts while its view is rendered.
#[derive(Debug, Default)]
pub struct Parts {
    parts: Vec<Part>,
}

/// Holds a part's place in the html around it.
#[derive(Debug)]
pub struct Marker(usize);

impl Render for Marker {
    fn render_to(&self, buffer: &mut String) {
        let _ = write!(buffer, "<!--part {}-->", self.0);
    }
}

impl Parts {
    /// An element that is always there and changes. `html` must be one element with this id.
    pub fn part(&mut self, id: String, html: Markup) -> Marker {
        self.add(id, html, None)
    }

    /// An element of a list. Nothing may stand between two elements of one list.
    pub fn item(&mut self, list: List, id: String, html: Markup) -> Marker {
        self.add(id, html, Some(list))
    }

    /// What stands at the old end of a windowed list, such as the way to what is older: it follows from the oldest element
    /// that a page has, which is not the window's, and so it comes with the whole and never alone.
    pub fn edge(&mut self, list: List, html: Markup) -> Marker {
        self.push(String::new(), html, Some(list))
    }

    fn add(&mut self, id: String, html: Markup, list: Option<List>) -> Marker {
        debug_assert!(is_target(&id), "{id} cannot be a target");
        self.push(id, html, list)
    }

    fn push(&mut self, id: String, html: Markup, list: Option<List>) -> Marker {
        self.parts.push(Part {
            id,
            html: html.into_string(),
            list,
        });
        Marker(self.parts.len() - 1)
    }

    /// The finished region, inside the element `root`.
    pub fn whole(self, root: &'static str, html: &Markup) -> Whole {
        let mut pieces = Vec::new();
        let mut rest = html.0.as_str();
        for n in 0..self.parts.len() {
            let marker = format!("<!--part {n}-->");
            let (before, after) = rest
                .split_once(&marker)
                .expect("parts stand in the order they were made");
            pieces.push(before.to_owned());
            rest = after;
        }
        pieces.push(rest.to_owned());
        Whole::new(Stands::In(root), pieces, self.parts)
    }

    /// Parts alone, to be laid over another region's parts of the same ids.
    pub fn overlay(self) -> Whole {
        self.loose(Stands::Over)
    }

    /// Parts that stand far apart on a page, each where the page has it. All of them are in every rendering: one that
    /// left would stay on the page as it was.
    pub fn scattered(self) -> Whole {
        debug_assert!(
            self.parts.iter().all(|part| part.list.is_none()),
            "an element of a list stands in its list"
        );
        self.loose(Stands::Scattered)
    }

    fn loose(self, stands: Stands) -> Whole {
        let pieces = vec![String::new(); self.parts.len() + 1];
        Whole::new(stands, pieces, self.parts)
    }
}

/// Whether an id can be the target of a push.
fn is_target(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_lowercase())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Where a region stands on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Inside the element with this id, which it fills.
    In(&'static str),
    /// Nowhere as a whole: each part is where the page has it.
    Scattered,
    /// Over another region's parts of the same ids.
    Over,
}

/// A region as rendered: parts in their places.
#[derive(Debug, Clone)]
pub struct Whole {
    pub stands: Stands,
    /// What stands before, between and after the parts: one more than there are parts.
    pieces: Vec<String>,
    pub parts: Vec<Part>,
    /// Over everything.
    pub digest: Digest,
    /// Over everything but the parts' own html and the lists' elements: another structure means sending the whole.
    pub structure: Digest,
}

impl Whole {
    fn new(stands: Stands, pieces: Vec<String>, parts: Vec<Part>) -> Self {
        let fixed = |part: &Part| {
            if part.list.is_none() {
                Some(part.id.clone())
            } else {
                None
            }
        };
        let mut structure: Vec<String> = vec![String::new()];
        for (n, piece) in pieces.iter().enumerate() {
            structure.last_mut().expect("never empty").push_str(piece);
            if stands == Stands::Over {
                continue;
            }
            if let Some(id) = parts.get(n).and_then(fixed) {
                structure.extend([id, String::new()]);
            }
        }
        let structure = Digest::of(structure.iter().map(String::as_str));
        let all = parts
            .iter()
            .flat_map(|part| [part.id.as_str(), part.html.as_str()]);
        let digest = Digest::of(pieces.iter().map(String::as_str).chain(all));
        Self {
            stands,
            pieces,
            parts,
            digest,
            structure,
        }
    }

    /// What it shows of each windowed list that shows anything: the ids of the oldest and the newest element.
    pub(super) fn windows(&self) -> Vec<Window> {
        let mut windows: Vec<Window> = Vec::new();
        for part in self.parts.iter().filter(|part| !part.id.is_empty()) {
            let Some(list) = part.list.filter(|list| list.windowed) else {
                continue;
            };
            match windows.iter_mut().find(|window| window.list == list.id) {
                Some(window) => {
                    if *part.id < *window.oldest {
                        window.oldest = part.id.as_str().into();
                    }
                    if *part.id > *window.newest {
                        window.newest = part.id.as_str().into();
                    }
                }
                None => windows.push(Window {
                    list: list.id,
                    oldest: part.id.as_str().into(),
                    newest: part.id.as_str().into(),
                }),
            }
        }
        windows
    }

    /// The html of the part with this id.
    pub fn find(&self, id: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.id == id)
    }

    /// What fills the root, with the parts of `over` in the place of those with the same ids.
    pub fn html(&self, over: Option<&Self>) -> String {
        let mut html = String::new();
        for (n, piece) in self.pieces.iter().enumerate() {
            html.push_str(piece);
            if let Some(part) = self.parts.get(n) {
                html.push_str(&part.under(over).html);
            }
        }
        html
    }
}

impl Part {
    /// The part that `over` has in its place, if it has one.
    pub fn under<'p>(&'p self, over: Option<&'p Whole>) -> &'p Self {
        over.and_then(|over| over.find(&self.id)).unwrap_or(self)
    }
}

/// What a page embeds in one place.
#[derive(Debug, Clone)]
pub struct Filled {
    /// Of the root that it fills, or of the scattered part that it is.
    pub id: String,
    html: String,
}

impl Filled {
    /// A region in as many pieces as it has places.
    pub fn all(base: &Whole, over: Option<&Whole>) -> Vec<Self> {
        let alone = |part: &Part| Self {
            id: part.id.clone(),
            html: part.under(over).html.clone(),
        };
        match base.stands {
            Stands::In(root) => vec![Self {
                id: root.to_owned(),
                html: base.html(over),
            }],
            Stands::Scattered | Stands::Over => base.parts.iter().map(alone).collect(),
        }
    }
}

impl Render for Filled {
    fn render_to(&self, buffer: &mut String) {
        buffer.push_str(&self.html);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maud::html;

    fn slots(first: &str, second: &str, title: &str) -> Whole {
        let mut parts = Parts::default();
        let html = html! {
            h2 { (title) }
            (parts.part("slot-1".to_owned(), html! { b #slot-1 { (first) } }))
            (parts.part("slot-2".to_owned(), html! { b #slot-2 { (second) } }))
        };
        parts.whole("calendar", &html)
    }

    #[test]
    fn a_page_shows_the_parts_in_their_places() {
        let whole = slots("free", "<!--part 0-->", "Week");
        let html = whole.html(None);
        assert_eq!(
            html,
            "<h2>Week</h2><b id=\"slot-1\">free</b><b id=\"slot-2\">&lt;!--part 0--&gt;</b>"
        );
    }

    #[test]
    fn ones_own_part_lies_over_the_shared_one() {
        let mut own = Parts::default();
        let _ = own.part("slot-2".to_owned(), html! { b #slot-2 { "you" } });
        let html = slots("free", "taken", "Week").html(Some(&own.overlay()));
        assert_eq!(
            html,
            "<h2>Week</h2><b id=\"slot-1\">free</b><b id=\"slot-2\">you</b>"
        );
    }

    #[test]
    fn scattered_parts_are_embedded_one_by_one() {
        let counts = |side: &str, ids: &[&str]| {
            let mut parts = Parts::default();
            for id in ids {
                let _ = parts.part((*id).to_owned(), html! { b id=(id) { (side) } });
            }
            parts.scattered()
        };
        let both = counts("1", &["at-top", "at-foot"]);
        let filled = Filled::all(&both, None);
        let pieces: Vec<_> = filled
            .iter()
            .map(|one| (one.id.as_str(), one.html.as_str()))
            .collect();
        let expected = [
            ("at-top", "<b id=\"at-top\">1</b>"),
            ("at-foot", "<b id=\"at-foot\">1</b>"),
        ];
        assert_eq!(pieces, expected);
        assert_eq!(
            both.structure,
            counts("2", &["at-top", "at-foot"]).structure
        );
        assert_ne!(both.structure, counts("1", &["at-top"]).structure);
    }

    #[test]
    fn a_parts_html_is_no_structure_but_its_surroundings_are() {
        let (free, taken) = (
            slots("free", "free", "Week"),
            slots("free", "taken", "Week"),
        );
        assert_eq!(free.structure, taken.structure);
        assert_ne!(free.digest, taken.digest);
        assert_ne!(free.structure, slots("free", "free", "Next week").structure);
    }

    #[test]
    fn where_a_window_begins_is_no_structure() {
        let list = List {
            id: "lines",
            newest_first: false,
            windowed: true,
        };
        let window = |first: u32| {
            let mut parts = Parts::default();
            let html = html! {
                (parts.edge(list, html! { a { "before " (first) } }))
                ul #lines {
                    @for n in first..first + 2 { (parts.item(list, format!("line-{n:03}"), html! { li { (n) } })) }
                }
            };
            parts.whole("log", &html)
        };
        let (before, after) = (window(8), window(9));
        assert_eq!(before.structure, after.structure);
        assert_ne!(before.digest, after.digest);
        assert!(after.html(None).starts_with("<a>before 9</a><ul"));
        let seen = Window {
            list: "lines",
            oldest: "line-009".into(),
            newest: "line-010".into(),
        };
        assert_eq!(after.windows(), [seen]);
    }
}
