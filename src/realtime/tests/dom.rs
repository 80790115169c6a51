//! What a browser makes of the frames that reach a toy page.

use super::world::{LOG, World, line};
use crate::realtime::part::Filled;
use maud::html;

/// A browser's page: elements in their order, as far as pushes reach them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Dom {
    pub(super) elements: Vec<(String, String)>,
    pub(super) title: String,
    /// Of the log, in their order: what was sent whole, and what came since.
    lines: Vec<(String, String)>,
    /// The number before which older lines are.
    edge: u32,
    /// Outside the root.
    pub(super) far: Vec<(String, String)>,
}

impl Dom {
    fn of(html: &str) -> Self {
        let title = html
            .split_once("<i>")
            .map(|(_, rest)| rest.split('<').next().unwrap().to_owned());
        let edge = html
            .split_once("<u>")
            .and_then(|(_, rest)| rest.split('<').next()?.parse().ok());
        let is_line = |(id, _): &(String, String)| id.starts_with("line-");
        let (lines, elements) = elements(html).into_iter().partition(is_line);
        Self {
            elements,
            title: title.unwrap_or_default(),
            lines,
            edge: edge.unwrap_or_default(),
            far: Vec::new(),
        }
    }

    /// Before the first frame: what stands outside the root is there, as an empty world has it.
    pub(super) fn bare() -> Self {
        Self {
            far: Self::fresh(&World::default()).far,
            ..Self::default()
        }
    }

    /// A page of this world, loaded anew.
    pub(super) fn fresh(world: &World) -> Self {
        let far = Filled::all(&world.far(), None);
        let far = far.iter().map(|part| html! { (part) }.into_string());
        Self {
            far: far.flat_map(|html| elements(&html)).collect(),
            ..Self::of(&world.base().html(Some(&world.over())))
        }
    }

    /// The page shows this world, as it would if it were loaded now.
    pub(super) fn assert_shows(&self, world: &World) {
        let expected = Self::fresh(world);
        assert_eq!(self.elements, expected.elements);
        assert_eq!(self.title, expected.title);
        assert_eq!(self.far, expected.far);
        self.assert_log(world);
    }

    /// The log shows every line from its edge on, and as it is now where it is in the window.
    fn assert_log(&self, world: &World) {
        let lines = world.log.iter().map(|(n, value)| (*n, value.to_string()));
        let expected: Vec<_> = lines
            .filter(|(n, _)| *n >= self.edge)
            .map(|(n, value)| (line(n), value))
            .collect();
        let is_there = |line: &&(String, String)| expected.iter().any(|one| one.0 == line.0);
        let oldest = world.window().next().map_or(0, |(n, _)| n);
        let in_window = |lines: &[(String, String)]| -> Vec<(String, String)> {
            let newer = lines.iter().filter(|(id, _)| *id >= line(oldest));
            newer.cloned().collect()
        };
        assert_eq!(in_window(&self.lines), in_window(&expected));
        let kept: Vec<_> = self
            .lines
            .iter()
            .filter(is_there)
            .map(|(id, _)| id)
            .collect();
        let all: Vec<_> = expected.iter().map(|(id, _)| id).collect();
        assert_eq!(kept, all, "there is a gap after {}", self.edge);
    }

    pub(super) fn apply(&mut self, content: &str) {
        for push in content.split("<hx-").skip(1) {
            let (head, html) = push.split_once('>').unwrap();
            let target = head
                .split("hx-target=\"#")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            if head.contains("innerMorph") {
                let far = std::mem::take(&mut self.far);
                *self = Self {
                    far,
                    ..Self::of(html)
                };
            } else if head.contains("delete") {
                self.elements.retain(|(id, _)| id != target);
                self.lines.retain(|(id, _)| id != target);
            } else if target == LOG.id || target.starts_with("line-") {
                for (id, text) in elements(html) {
                    match self.lines.iter_mut().find(|(known, _)| *known == id) {
                        Some(known) => known.1 = text,
                        None if head.starts_with("upsert") => {
                            let place = self.lines.partition_point(|(known, _)| *known < id);
                            self.lines.insert(place, (id, text));
                        }
                        None => {}
                    }
                }
            } else {
                for (id, text) in elements(html) {
                    let mut known = self.elements.iter_mut().chain(&mut self.far);
                    match known.find(|(known, _)| *known == id) {
                        Some(known) => known.1 = text,
                        // What is not there cannot be morphed, only upserted; rows stand last, newest first.
                        None if head.starts_with("upsert") => {
                            let later = |(known, _): &(String, String)| {
                                known.starts_with("row") && *known < id
                            };
                            let place = self
                                .elements
                                .iter()
                                .position(later)
                                .unwrap_or(self.elements.len());
                            self.elements.insert(place, (id, text));
                        }
                        None => {}
                    }
                }
            }
        }
    }
}

fn elements(html: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for element in html.split("<b id=\"").skip(1) {
        let (id, rest) = element.split_once("\">").unwrap();
        found.push((id.to_owned(), rest.split('<').next().unwrap().to_owned()));
    }
    found
}
