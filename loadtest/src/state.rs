//! What a page shows in its live regions, in 32 bytes for each element with an id, and what a frame's content makes of it. Two
//! pages that show the same have one digest. A list that keeps more than a fresh page shows is told apart from it.

use crate::hash;
use crate::html::{self, Element, attribute};

/// What a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    elements: Vec<Element>,
    digest: u64,
}

impl State {
    /// Of a page as it was loaded.
    pub fn of_page(page: &str) -> Self {
        let mut state = Self::default();
        for element in html::regions(page) {
            state.put(element);
        }
        state
    }

    /// Over every element, whatever their order.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Does what htmx does with a frame's content. False when it asks for something that the page has not.
    pub fn apply(&mut self, content: &str) -> bool {
        let mut rest = content;
        while !rest.is_empty() {
            let Some((tag, after)) = rest.split_once('>') else {
                return false;
            };
            let name = if tag.starts_with("<hx-partial ") {
                "hx-partial"
            } else if tag.starts_with("<hx-upsert ") {
                "hx-upsert"
            } else {
                return false;
            };
            let Some((html, after)) = after.split_once(&format!("</{name}>")) else {
                return false;
            };
            let target = attribute(tag, "hx-target").and_then(|target| target.strip_prefix('#'));
            let target = target.and_then(|target| self.find(html::id(target)));
            let Some(target) = target else {
                return false;
            };
            let is_known = match attribute(tag, "hx-swap") {
                None if name == "hx-upsert" => self.upsert(target, html),
                Some("outerMorph") => self.replace(target, html),
                Some("innerMorph") => self.fill(target, html),
                Some("delete") => {
                    self.remove(target.id);
                    true
                }
                _ => false,
            };
            if !is_known {
                return false;
            }
            rest = after;
        }
        true
    }

    fn replace(&mut self, target: Element, html: &str) -> bool {
        let (elements, _) = html::fragment(html, target.parent);
        self.remove(target.id);
        let is_there = elements.iter().any(|one| one.id == target.id);
        for one in elements {
            self.put(one);
        }
        is_there
    }

    fn fill(&mut self, target: Element, html: &str) -> bool {
        let (elements, inner) = html::fragment(html, target.id);
        self.remove(target.id);
        self.put(Element { inner, ..target });
        for one in elements {
            self.put(one);
        }
        true
    }

    /// Where an element of a list stands follows from its id.
    fn upsert(&mut self, list: Element, html: &str) -> bool {
        let (elements, _) = html::fragment(html, list.id);
        for element in elements.iter().filter(|one| one.parent == list.id) {
            self.remove(element.id);
        }
        let is_some = !elements.is_empty();
        for one in elements {
            self.put(one);
        }
        is_some
    }

    fn find(&self, id: u64) -> Option<Element> {
        self.elements.iter().copied().find(|one| one.id == id)
    }

    fn put(&mut self, element: Element) {
        self.digest = self.digest.wrapping_add(weight(element));
        self.elements.push(element);
    }

    /// With all that is inside it.
    fn remove(&mut self, id: u64) {
        let mut gone = vec![id];
        while let Some(id) = gone.pop() {
            let digest = &mut self.digest;
            self.elements.retain(|one| {
                if one.parent == id {
                    gone.push(one.id);
                }
                if one.id == id {
                    *digest = digest.wrapping_sub(weight(*one));
                }
                one.id != id
            });
        }
    }
}

fn weight(element: Element) -> u64 {
    hash::all(&[element.id, element.parent, element.tag, element.inner])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(inner: &str) -> State {
        State::of_page(&format!(
            r#"<nav><span data-region><b id="badge">1</b></span></nav><div id="root" data-region>{inner}</div>"#
        ))
    }

    fn partial(target: &str, swap: &str, html: &str) -> String {
        format!(r##"<hx-partial hx-target="#{target}" hx-swap="{swap}">{html}</hx-partial>"##)
    }

    const TWO: &str = r#"<ul id="list"><li id="a-1">one</li><li id="a-2">two</li></ul>"#;

    #[test]
    fn each_swap_ends_where_a_fresh_page_begins() {
        let upsert = r##"<hx-upsert hx-target="#list" sort="desc"><li id="a-3">three <i id="in-3">x</i></li></hx-upsert>"##;
        let three = r#"<ul id="list"><li id="a-1">one</li><li id="a-2">two</li><li id="a-3">three <i id="in-3">x</i></li></ul>"#;
        for (content, after) in [
            (
                partial("a-2", "outerMorph", r#"<li id="a-2">zwei</li>"#),
                TWO.replace("two", "zwei"),
            ),
            (
                partial("a-2", "delete", ""),
                TWO.replace(r#"<li id="a-2">two</li>"#, ""),
            ),
            (
                partial("root", "innerMorph", "<p>none</p>"),
                "<p>none</p>".to_owned(),
            ),
            (upsert.to_owned(), three.to_owned()),
            (upsert.repeat(2), three.to_owned()),
            (
                partial("root", "innerMorph", three) + &partial("list", "outerMorph", TWO),
                TWO.to_owned(),
            ),
        ] {
            let mut state = page(TWO);
            assert!(state.apply(&content), "{content}");
            assert_eq!(state.digest(), page(&after).digest(), "{content}");
            assert_ne!(state.digest(), page("").digest());
        }
    }

    #[test]
    fn what_the_page_has_not_is_told() {
        for content in [
            partial("gone", "outerMorph", r#"<b id="gone"></b>"#),
            partial("a-1", "outerMorph", r#"<b id="other"></b>"#),
            partial("a-1", "somehow", ""),
            "<p>none of ours</p>".to_owned(),
            "half a <hx-partial".to_owned(),
        ] {
            assert!(!page(TWO).apply(&content), "{content}");
        }
    }
}
