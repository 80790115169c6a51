//! The elements with an id in html that Portico rendered: whose child each is, and a hash of what it shows. It reads no other
//! html: every attribute is quoted, and every element but the void ones is closed.

use crate::hash;

/// An element with an id, without the elements with an id inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) id: u64,
    /// The next element with an id around it; 0 where there is none.
    pub(crate) parent: u64,
    /// Its opening tag.
    pub(crate) tag: u64,
    /// All in it, but for the elements with an id.
    pub(crate) inner: u64,
}

/// The hash that stands for an id.
pub(crate) fn id(name: &str) -> u64 {
    hash::of(name.as_bytes())
}

const VOID: [&str; 13] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// What is open while html is read.
struct Open<'h> {
    name: &'h str,
    /// The element, if it has an id and counts, and what stood in it.
    element: Option<(Element, String)>,
    /// Whether elements inside it count.
    counts: bool,
}

/// The elements of the live regions of a page.
pub(crate) fn regions(page: &str) -> Vec<Element> {
    read(page, 0, false).0
}

/// The elements of a fragment whose outermost ones stand in `parent`, and a hash of what stands between those.
pub(crate) fn fragment(html: &str, parent: u64) -> (Vec<Element>, u64) {
    read(html, parent, true)
}

fn read(html: &str, parent: u64, counts: bool) -> (Vec<Element>, u64) {
    let mut found = Vec::new();
    let outside = Element {
        id: parent,
        parent: 0,
        tag: 0,
        inner: 0,
    };
    let mut open = vec![Open {
        name: "",
        element: Some((outside, String::new())),
        counts,
    }];
    let mut rest = html;
    while !rest.is_empty() {
        let (token, after) = token(rest);
        rest = after;
        let Some(name) = name(token) else {
            tell(&mut open, token);
            continue;
        };
        if token.starts_with("</") {
            // Only what was opened can be closed, and the outside stays open.
            if open.len() > 1 && open.last().is_some_and(|last| last.name == name) {
                let closed = open.pop().expect("there are two");
                if let Some((element, inner)) = closed.element {
                    let inner = hash::of(inner.as_bytes());
                    found.push(Element { inner, ..element });
                } else {
                    tell(&mut open, token);
                }
            }
            continue;
        }
        let is_region = token.contains(" data-region");
        let is_counted = is_region || open.last().is_some_and(|last| last.counts);
        let own = attribute(token, "id").filter(|_| is_counted);
        let element = own.map(|own| Element {
            id: id(own),
            parent: if is_region { 0 } else { around(&open) },
            tag: hash::of(token.as_bytes()),
            inner: 0,
        });
        if VOID.contains(&name) || token.ends_with("/>") {
            match element {
                Some(element) => found.push(element),
                None => tell(&mut open, token),
            }
            continue;
        }
        if element.is_none() {
            tell(&mut open, token);
        }
        open.push(Open {
            name,
            element: element.map(|element| (element, String::new())),
            counts: is_counted,
        });
    }
    let between = open
        .swap_remove(0)
        .element
        .map_or(0, |(_, inner)| hash::of(inner.as_bytes()));
    (found, between)
}

/// The id of the innermost open element that has one. Within a region without an id that is none.
fn around(open: &[Open<'_>]) -> u64 {
    let mut counted = open.iter().rev().take_while(|open| open.counts);
    let found = counted.find_map(|open| open.element.as_ref());
    found.map_or(0, |(element, _)| element.id)
}

/// Adds text to the innermost open element that has an id.
fn tell(open: &mut [Open<'_>], text: &str) {
    let mut counted = open.iter_mut().rev().take_while(|open| open.counts);
    if let Some((_, inner)) = counted.find_map(|open| open.element.as_mut()) {
        inner.push_str(text);
    }
}

/// A tag, a comment, a drawing, or the text up to the next one; and what follows.
fn token(html: &str) -> (&str, &str) {
    let end = |mark: &str| html.find(mark).map_or(html.len(), |at| at + mark.len());
    let length = if html.starts_with("<!--") {
        end("-->")
    } else if html.starts_with("<svg") {
        end("</svg>")
    } else if html.starts_with('<') {
        end(">")
    } else {
        html.find('<').unwrap_or(html.len())
    };
    html.split_at(length)
}

/// The name of a tag; `None` for what is none.
fn name(token: &str) -> Option<&str> {
    let inner = token.strip_prefix('<')?;
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    if inner.starts_with('!') || token.starts_with("<svg") {
        return None;
    }
    inner.split([' ', '>', '/']).next()
}

/// The value of a tag's attribute.
pub fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    value.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(elements: &[Element]) -> Vec<(u64, u64)> {
        elements.iter().map(|one| (one.id, one.parent)).collect()
    }

    #[test]
    fn only_what_stands_in_a_region_counts() {
        let page = r#"<!DOCTYPE html><main id="main"><i id="x">1</i><div id="week" class="w" data-region><b>Mon</b><p id="a">
            <svg><path d="M0"/></svg><input id="field"><br>free</p></div><span data-region><b id="badge">3</b></span></main>"#;
        let found = regions(page);
        let expected = [("field", "a"), ("a", "week"), ("week", ""), ("badge", "")];
        let expected =
            expected.map(|(one, parent)| (id(one), if parent.is_empty() { 0 } else { id(parent) }));
        assert_eq!(ids(&found), expected);
    }

    #[test]
    fn an_element_is_not_changed_by_those_with_an_id_inside_it() {
        let of = |html: &str| {
            let found = fragment(html, 0).0;
            found.into_iter().find(|one| one.id == id("a")).unwrap()
        };
        let before = of(r#"<p id="a">one <b id="b">two</b></p>"#);
        assert_eq!(before, of(r#"<p id="a">one <b id="b">three</b></p>"#));
        assert_ne!(
            before.inner,
            of(r#"<p id="a">uno <b id="b">two</b></p>"#).inner
        );
        assert_ne!(before.tag, of(r#"<p id="a" class="c">one </p>"#).tag);
        assert_ne!(fragment("one", 0).1, fragment("two", 0).1);
    }
}
