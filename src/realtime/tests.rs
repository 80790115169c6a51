//! The engine on a toy page, without sockets: whatever is touched, lost, doubled, left and moved between two instances, a
//! page that is asked once more ends in the exact state.

use super::bell::Bell;
use super::cursor::Cursor;
use super::entry::{Entry, Watcher};
use super::frame::{Pull, Watched};
use super::hub::Hub;
use super::part::{Filled, List, Parts, Whole};
use super::region::{Grant, Kind, LoadError, Loaded, Place, Region, Verdict};
use super::socket::{Limits, Socket};
use crate::clock::Clock;
use crate::domain::id::PersonId;
use crate::domain::topic::Topic;
use jiff::Timestamp;
use maud::html;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What there is to show.
#[derive(Debug, Default, Clone)]
struct World {
    parts: BTreeMap<u8, u8>,
    own: BTreeMap<u8, u8>,
    /// What stands outside the root.
    far: BTreeMap<u8, u8>,
    rows: BTreeSet<u8>,
    /// Lines by number, of which only the newest are shown.
    log: BTreeMap<u32, u8>,
    said: u32,
    /// A new title is another structure.
    title: u8,
    base_version: i64,
    own_version: i64,
    far_version: i64,
    until: Option<Timestamp>,
    /// What the database does not answer loads of now.
    barred: Vec<Toy>,
    /// How long it takes to say where topics stand.
    delay: Duration,
}

const PARTS: u8 = 4;
const FAR: u8 = 3;
const ROWS: List = List {
    id: "rows",
    newest_first: true,
    windowed: false,
};
const LOG: List = List {
    id: "log",
    newest_first: false,
    windowed: true,
};
/// Lines of the log that are shown.
const WINDOW: usize = 4;

impl World {
    fn base(&self) -> Whole {
        let mut parts = Parts::default();
        let html = html! {
            i { (self.title) }
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
    fn window(&self) -> impl Iterator<Item = (u32, u8)> {
        let skipped = self.log.len().saturating_sub(WINDOW);
        self.log.iter().skip(skipped).map(|(n, value)| (*n, *value))
    }

    fn change(&mut self, step: &Step) {
        let version = match step {
            Step::Own(..) => &mut self.own_version,
            Step::Far(..) => &mut self.far_version,
            _ => &mut self.base_version,
        };
        *version += 1;
        match *step {
            Step::Set(n, value) => drop(self.parts.insert(n, value)),
            Step::Title(title) => self.title = title,
            Step::Row(n) => {
                if !self.rows.remove(&n) {
                    self.rows.insert(n);
                }
            }
            Step::Say(count) => {
                for _ in 0..count {
                    self.said += 1;
                    self.log.insert(self.said, 0);
                }
            }
            Step::Edit(back, value) => {
                if let Some((_, line)) = self.log.iter_mut().nth_back(back) {
                    *line = value;
                }
            }
            Step::Forget(back) => {
                let n = self.log.keys().nth_back(back).copied();
                n.map(|n| self.log.remove(&n));
            }
            Step::Far(n, value) => drop(self.far.insert(n, value)),
            Step::Own(n, Some(value)) => drop(self.own.insert(n, value)),
            Step::Own(n, None) => drop(self.own.remove(&n)),
            _ => unreachable!("not a change of the world"),
        }
    }

    fn over(&self) -> Whole {
        let mut parts = Parts::default();
        for (n, value) in &self.own {
            let _ = parts.part(
                format!("p-{n}"),
                html! { b id={ "p-" (n) } { "own " (value) } },
            );
        }
        parts.overlay()
    }

    fn far(&self) -> Whole {
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
fn line(n: u32) -> String {
    format!("line-{n:03}")
}

type Shared = Arc<Mutex<World>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Toy {
    Base,
    Over,
    Far,
}

impl Region for Toy {
    type Source = Shared;

    fn topics(&self) -> Vec<Topic> {
        vec![match self {
            Self::Base => Topic::Settings,
            Self::Over => Topic::Clients,
            Self::Far => Topic::Outbox,
        }]
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
        let (version, whole) = match self {
            Self::Base => (world.base_version, world.base()),
            Self::Over => (world.own_version, world.over()),
            Self::Far => (world.far_version, world.far()),
        };
        Ok(Loaded {
            version,
            whole,
            valid_until: world.until,
        })
    }

    async fn versions(source: &Shared, _: &[Topic]) -> Result<HashMap<Topic, i64>, LoadError> {
        let world = source.lock().unwrap().clone();
        tokio::time::sleep(world.delay).await;
        Ok([
            (Topic::Settings, world.base_version),
            (Topic::Clients, world.own_version),
            (Topic::Outbox, world.far_version),
        ]
        .into())
    }
}

/// A browser's page: elements in their order, as far as pushes reach them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Dom {
    elements: Vec<(String, String)>,
    title: String,
    /// Of the log, in their order: what was sent whole, and what came since.
    lines: Vec<(String, String)>,
    /// The number before which older lines are.
    edge: u32,
    /// Outside the root.
    far: Vec<(String, String)>,
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

    /// A page of this world, loaded anew.
    fn fresh(world: &World) -> Self {
        let far = Filled::all(&world.far(), None);
        let far = far.iter().map(|part| html! { (part) }.into_string());
        Self {
            far: far.flat_map(|html| elements(&html)).collect(),
            ..Self::of(&world.base().html(Some(&world.over())))
        }
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

    fn apply(&mut self, content: &str) {
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

/// A page with its cursor, connected to one of two instances.
struct Page {
    hubs: [Hub<Toy>; 2],
    at: usize,
    socket: u64,
    bell: Arc<Bell>,
    watched: Watched<Toy>,
    far: Watched<Toy>,
    cursor: Cursor,
    dom: Dom,
}

impl Page {
    fn open(hubs: [Hub<Toy>; 2]) -> Self {
        let bell = Arc::new(Bell::default());
        let cursor = Cursor::default();
        let watched = attach(&hubs[0], 1, &bell, &cursor);
        let far = attach_far(&hubs[0], 1, &bell, &cursor);
        // As an empty world has it, and with no cursor that says so.
        let dom = Dom {
            far: Dom::fresh(&World::default()).far,
            ..Dom::default()
        };
        Self {
            hubs,
            at: 0,
            socket: 1,
            bell,
            watched,
            far,
            cursor,
            dom,
        }
    }

    fn entries(&self) -> impl Iterator<Item = &Arc<Entry<Toy>>> {
        self.watched.entries().chain(self.far.entries())
    }

    /// Lets go of everything that it watches.
    fn leave(&self) {
        for entry in self.entries() {
            self.hubs[self.at].detach(entry, self.socket);
        }
    }

    fn reconnect(&mut self, to: usize) {
        self.leave();
        self.at = to;
        self.socket += 1;
        self.watched = attach(&self.hubs[to], self.socket, &self.bell, &self.cursor);
        self.far = attach_far(&self.hubs[to], self.socket, &self.bell, &self.cursor);
    }

    /// Whether it was up to date already.
    fn pull(&mut self) -> bool {
        let near = self.pull_one(false);
        self.pull_one(true) && near
    }

    fn pull_one(&mut self, far: bool) -> bool {
        let hub = &self.hubs[self.at];
        let watched = if far { &self.far } else { &self.watched };
        let pulled = watched.pull(&self.cursor, self.socket, |entry| hub.dirty(entry));
        let Pull::Ready {
            content,
            base,
            over,
        } = pulled
        else {
            return false;
        };
        for mark in std::iter::once(base).chain(over) {
            self.cursor.marks.retain(|old| old.region != mark.region);
            self.cursor.marks.push(mark);
        }
        if let Some(content) = &content {
            self.dom.apply(&html(content));
        }
        content.is_none()
    }

    /// Pulls until there is nothing more, with every load done.
    async fn settle(&mut self) {
        for _ in 0..200 {
            let idle = self
                .entries()
                .all(|entry| entry.state().stale_for() == Duration::ZERO);
            if self.pull() && idle {
                return;
            }
            let _ = tokio::time::timeout(Duration::from_millis(20), rung(&self.bell)).await;
        }
        panic!("the page never comes to rest");
    }
}

fn attach(hub: &Hub<Toy>, socket: u64, bell: &Arc<Bell>, cursor: &Cursor) -> Watched<Toy> {
    let seen = |region: &Toy| cursor.mark(super::cursor::Mark::name(region));
    Watched {
        base: hub.attach(&Toy::Base, socket, watcher(bell, 0), seen(&Toy::Base)),
        over: Some(hub.attach(&Toy::Over, socket, watcher(bell, 0), seen(&Toy::Over))),
    }
}

/// Waits until it rings.
async fn rung(bell: &Bell) -> u32 {
    std::future::poll_fn(|cx| bell.poll(cx)).await
}

fn watcher(bell: &Arc<Bell>, n: usize) -> Watcher {
    Watcher {
        bell: Arc::clone(bell),
        place: Bell::place(n),
        has: 0,
    }
}

/// What a browser makes of a frame's content.
fn html(content: &str) -> String {
    serde_json::from_str(&format!("\"{content}\"")).unwrap()
}

fn attach_far(hub: &Hub<Toy>, socket: u64, bell: &Arc<Bell>, cursor: &Cursor) -> Watched<Toy> {
    let seen = cursor.mark(super::cursor::Mark::name(&Toy::Far));
    Watched {
        base: hub.attach(&Toy::Far, socket, watcher(bell, 1), seen),
        over: None,
    }
}

/// What may happen, one at a time.
#[derive(Debug, Clone)]
enum Step {
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
    /// Word of a change reaches an instance; without it, it was lost.
    Tell(usize),
    Pull,
    /// The page comes back, here or elsewhere.
    Reconnect(usize),
    /// Time enough for the loads under way.
    Rest,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..PARTS, 0u8..3).prop_map(|(n, value)| Step::Set(n, value)),
        2 => (0..PARTS, prop::option::of(0u8..3)).prop_map(|(n, value)| Step::Own(n, value)),
        2 => (0..FAR, 0u8..3).prop_map(|(n, value)| Step::Far(n, value)),
        3 => (0u8..12).prop_map(Step::Row),
        4 => (1u8..4).prop_map(Step::Say),
        1 => (0..WINDOW, 1u8..4).prop_map(|(back, value)| Step::Edit(back, value)),
        1 => (0..WINDOW).prop_map(Step::Forget),
        1 => (0u8..3).prop_map(Step::Title),
        4 => (0usize..2).prop_map(Step::Tell),
        3 => Just(Step::Pull),
        2 => (0usize..2).prop_map(Step::Reconnect),
        2 => Just(Step::Rest),
    ]
}

async fn live_through(steps: Vec<Step>) {
    let world: Shared = Arc::default();
    let clock = Clock::standing(Timestamp::UNIX_EPOCH);
    let hubs = [0, 1].map(|_| Hub::new(Arc::clone(&world), clock.clone()));
    let mut page = Page::open(hubs.clone());
    for step in steps {
        match step {
            Step::Tell(hub) => hubs[hub].mark_all(),
            Step::Pull => {
                page.pull();
            }
            Step::Reconnect(to) => page.reconnect(to),
            Step::Rest => tokio::time::sleep(Duration::from_millis(2)).await,
            change => world.lock().unwrap().change(&change),
        }
    }
    // The sweep: both instances ask once more.
    hubs.iter().for_each(Hub::mark_all);
    page.settle().await;
    let world = world.lock().unwrap().clone();
    let expected = Dom::fresh(&world);
    assert_eq!(page.dom.elements, expected.elements);
    assert_eq!(page.dom.title, expected.title);
    assert_eq!(page.dom.far, expected.far);
    page.dom.assert_log(&world);
    page.leave();
    assert_eq!(
        page.hubs[0].region_count() + page.hubs[1].region_count(),
        0,
        "what nobody watches is gone"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 64, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_a_page_ends_in_the_exact_state(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(live_through(steps));
    }
}

/// There and back again on one instance while the page was shown something else by the other.
#[tokio::test]
async fn a_state_that_comes_back_is_told_from_the_one_before() {
    use Step::{Pull, Reconnect, Rest, Set, Tell};
    let rest = || std::iter::repeat_n(Rest, 40);
    let mut steps = vec![Set(0, 1), Tell(0), Tell(1)];
    steps.extend(rest());
    steps.extend([Pull, Set(0, 2), Tell(1), Reconnect(1)]);
    steps.extend(rest());
    steps.extend([Pull, Set(0, 1), Tell(0), Reconnect(0)]);
    steps.extend(rest());
    steps.extend([Pull, Reconnect(1)]);
    live_through(steps).await;
}

#[tokio::test]
async fn ones_own_html_is_let_go_once_everyone_has_it() {
    let world: Shared = Arc::default();
    world.lock().unwrap().own.insert(1, 7);
    let hub = Hub::new(Arc::clone(&world), Clock::standing(Timestamp::UNIX_EPOCH));
    let mut page = Page::open([hub.clone(), hub]);
    page.settle().await;
    let over = page.watched.over.clone().unwrap();
    assert!(over.state().whole.is_none() && page.watched.base.state().whole.is_some());
    // And is made anew for whoever comes without it.
    page.cursor = Cursor::default();
    page.reconnect(0);
    page.settle().await;
    assert!(
        page.dom
            .elements
            .contains(&("p-1".to_owned(), "own 7".to_owned()))
    );
}

/// A page that is up to date, and an instance that has never heard of it.
async fn page_and_another_instance(until: Option<Timestamp>) -> (Shared, Page) {
    let world: Shared = Arc::default();
    world.lock().unwrap().own.insert(1, 7);
    world.lock().unwrap().until = until;
    let clock = Clock::standing(Timestamp::UNIX_EPOCH);
    let hubs = [0, 1].map(|_| Hub::new(Arc::clone(&world), clock.clone()));
    let mut page = Page::open(hubs);
    page.settle().await;
    (world, page)
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_back_up_to_date_waits_for_no_load() {
    let (world, mut page) = page_and_another_instance(None).await;
    world.lock().unwrap().barred = vec![Toy::Base, Toy::Over, Toy::Far];
    page.reconnect(1);
    page.settle().await;
    let dom = page.dom.clone();
    assert_eq!(dom.elements[1], ("p-1".to_owned(), "own 7".to_owned()));

    // And it is pushed parts, not the whole, once the instance has got to know what it adopted.
    world.lock().unwrap().barred.clear();
    while page
        .watched
        .entries()
        .any(|entry| entry.state().history.is_adopted())
    {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.lock().unwrap().change(&Step::Set(2, 9));
    page.hubs[1].mark(Topic::Settings);
    let content = loop {
        rung(&page.bell).await;
        let pulled = page.watched.pull(&page.cursor, page.socket, |_| ());
        if let Pull::Ready {
            content: Some(content),
            ..
        } = pulled
        {
            break content;
        }
    };
    let pushed =
        r##"<hx-partial hx-target="#p-2" hx-swap="outerMorph"><b id="p-2">9</b></hx-partial>"##;
    assert_eq!(html(&content), pushed);
}

/// Comes back to the other instance while nothing can be loaded there, and waits for what can only be loaded.
async fn come_back_in_vain(world: &Shared, page: &mut Page) {
    world.lock().unwrap().barred = vec![Toy::Base, Toy::Over, Toy::Far];
    page.reconnect(1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!page.pull(), "it was taken from the cursor");
    world.lock().unwrap().barred.clear();
    page.settle().await;
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_is_not_taken_from_a_cursor() {
    let (world, mut page) = page_and_another_instance(None).await;
    world.lock().unwrap().change(&Step::Set(2, 9));
    come_back_in_vain(&world, &mut page).await;
    assert_eq!(page.dom.elements[2], ("p-2".to_owned(), "9".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_the_clock_may_have_changed_is_not_taken_from_a_cursor() {
    let (world, mut page) = page_and_another_instance(Some(Timestamp::UNIX_EPOCH)).await;
    come_back_in_vain(&world, &mut page).await;
}

#[tokio::test(start_paused = true)]
async fn a_region_is_adopted_however_many_come_back_meanwhile() {
    let (world, page) = page_and_another_instance(None).await;
    world.lock().unwrap().barred = vec![Toy::Base, Toy::Over];
    world.lock().unwrap().delay = Duration::from_millis(5);
    let [_, hub] = &page.hubs;
    let first = attach(hub, 100, &page.bell, &page.cursor);
    for socket in 101..150 {
        attach(hub, socket, &page.bell, &page.cursor);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(first.entries().all(|entry| entry.state().history.at() == 1));
}

/// Of two who come with the same rendering one may lie about the clock, or come from an instance whose clock is behind.
#[tokio::test(start_paused = true)]
async fn what_was_adopted_ends_when_the_first_of_its_watchers_says_so() {
    let (world, page) = page_and_another_instance(None).await;
    world.lock().unwrap().barred = vec![Toy::Base, Toy::Over];
    let [_, hub] = &page.hubs;
    let watched = attach(hub, 100, &page.bell, &page.cursor);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut honest = page.cursor.clone();
    for mark in &mut honest.marks {
        mark.until = 60;
    }
    attach(hub, 101, &page.bell, &honest);
    for entry in watched.entries() {
        assert_eq!(entry.state().valid_until, Timestamp::from_second(60).ok());
    }
}

/// What lies over was taken from a cursor: which parts it covers is not known here.
#[tokio::test(start_paused = true)]
async fn no_shared_part_is_sent_over_ones_own() {
    let (world, mut page) = page_and_another_instance(None).await;
    world.lock().unwrap().barred = vec![Toy::Over];
    page.reconnect(1);
    page.settle().await;
    // Time enough for what is shared to be known.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!page.watched.base.state().history.is_adopted());
    world.lock().unwrap().change(&Step::Set(1, 5));
    page.hubs[1].mark(Topic::Settings);
    tokio::time::sleep(Duration::from_secs(1)).await;
    page.pull();
    assert_eq!(page.dom.elements[1].1, "own 7");
    world.lock().unwrap().barred.clear();
    page.settle().await;
    assert_eq!(page.dom.elements[1].1, "own 7");
}

/// What comes with a change: the first one after a page came here, and the one after that.
#[tokio::test(start_paused = true)]
async fn of_scattered_parts_all_are_sent_where_nobody_knows_them_and_else_the_changed_ones() {
    let (world, mut page) = page_and_another_instance(None).await;
    page.reconnect(1);
    page.settle().await;
    let mut sent = Vec::new();
    for value in [7, 8] {
        world.lock().unwrap().change(&Step::Far(1, value));
        page.hubs[1].mark(Topic::Outbox);
        let content = loop {
            rung(&page.bell).await;
            let pulled = page.far.pull(&page.cursor, page.socket, |_| ());
            if let Pull::Ready {
                content: Some(content),
                ..
            } = pulled
            {
                break content;
            }
        };
        sent.push(html(&content));
        page.settle().await;
        assert_eq!(page.dom, Dom::fresh(&world.lock().unwrap()));
    }
    let part = |n: u8, value: u8| {
        format!(
            r##"<hx-partial hx-target="#far-{n}" hx-swap="outerMorph"><b id="far-{n}">{value}</b></hx-partial>"##
        )
    };
    assert_eq!(sent[0], part(0, 0) + &part(1, 7) + &part(2, 0));
    assert_eq!(sent[1], part(1, 8));
}

#[tokio::test(start_paused = true)]
async fn a_socket_whose_page_reads_nothing_is_freed() {
    let hub = Hub::new(Shared::default(), Clock::standing(Timestamp::UNIX_EPOCH));
    let places = vec![Place {
        base: Toy::Base,
        over: Some(Toy::Over),
    }];
    let grant = Grant {
        person: PersonId::new(),
        viewer: 1,
        is_staff: false,
        places,
        until: Timestamp::MAX,
    };
    let socket = Socket {
        hub: hub.clone(),
        rights: Arc::new(move || {
            let verdict = Verdict::Granted(grant.clone());
            Box::pin(async { Some(verdict) })
        }),
        limits: Limits {
            sockets_per_person: 1,
        },
        epoch: 1,
        since: None,
    };
    // Room for less than the first frame, and nobody takes anything out.
    let (ours, _theirs) = tokio::io::duplex(16);
    let began = tokio::time::Instant::now();
    socket.run(ours).await;
    let freed = began.elapsed().as_secs();
    assert!((30..35).contains(&freed), "after {freed} s");
    assert_eq!((hub.socket_count(), hub.region_count()), (0, 0));
}

#[tokio::test]
async fn a_burst_of_changes_is_few_loads() {
    let world: Shared = Arc::default();
    let hub = Hub::new(Arc::clone(&world), Clock::standing(Timestamp::UNIX_EPOCH));
    let mut page = Page::open([hub.clone(), hub.clone()]);
    page.settle().await;
    let before = hub.load_count();
    for n in 0..100 {
        world.lock().unwrap().parts.insert(0, n);
        hub.mark(Topic::Settings);
    }
    page.settle().await;
    assert_eq!(page.dom.elements[0].1, "99");
    let loads = hub.load_count() - before;
    assert!(loads <= 3, "{loads} loads for one burst");
}
