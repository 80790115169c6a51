//! The week of free times: one shared region of slots, one's own sessions laid over it, and the page around both.

use crate::domain::booking::{Booking, QUANTUM, Refusal, plus};
use crate::domain::business::Business;
use crate::domain::grid::{self, Day, Grid};
use crate::domain::id::{BookingId, StaffId};
use crate::domain::staff::Staff;
use crate::domain::week::Week;
use crate::realtime::part::{Parts, Whole};
use crate::views::icon::{icon, name};
use crate::views::layout::{self, Live, Page};
use crate::views::{text, url, wait};
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "calendar";

/// What a slot may be to whoever looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Held,
    Taken,
    Mine,
    /// Whoever looks may book no more just now.
    Closed,
    /// Held by whoever looks.
    Kept,
}

impl From<grid::State> for State {
    fn from(state: grid::State) -> Self {
        match state {
            grid::State::Free => Self::Free,
            grid::State::Held => Self::Held,
            grid::State::Taken => Self::Taken,
        }
    }
}

/// The shared week: what is free and what is taken, the same for everybody.
pub fn week(business: &Business, staff: StaffId, grid: &Grid, today: Date) -> Whole {
    let mut parts = Parts::default();
    let full = !grid
        .days
        .iter()
        .flat_map(|day| &day.cells)
        .any(|cell| cell.state != grid::State::Taken);
    let html = html! {
            (parts.part(LIMIT.to_owned(), limit("")))
            @if full { p.full { "Nothing is free this week. Turn to a later one." } }
            @for (n, day) in (1..).zip(&grid.days) {
                section.day.{"d" (n)}.today[day.date == today] id={"day-" (n)} aria-label=(text::long_date(day.date)) {
                    header { (day.date.strftime("%a")) b { (day.date.day()) } }
                    @if day.cells.is_empty() {
                        p.closed { "Closed" }
                    } @else {
                        div.slots {
                            @for cell in &day.cells {
                                (parts.part(slot_id(cell.start), slot(business, staff, cell.start, cell.state.into())))
                            }
                        }
                    }
                }
            }
    };
    parts.whole(ROOT, &html)
}

/// What one's own slots are made of.
#[derive(Debug)]
pub struct Own<'a> {
    /// Start and end of each of one's sessions.
    pub times: &'a [(Timestamp, Timestamp)],
    /// The start that one holds: nobody else can take it, and oneself may.
    pub held: Option<Timestamp>,
    /// The week, for whoever may book no more: to them nothing of it is free.
    pub closed: Option<&'a Grid>,
}

const LIMIT: &str = "slots-limit";

/// Why nothing is free to whoever looks; empty in the shared week.
fn limit(words: &str) -> Markup {
    html! { p.full id=(LIMIT) hidden[words.is_empty()] { (words) } }
}

/// One's own sessions, as they lie over the shared week: a part for every five minutes of them, of which the shared week
/// shows those that are starts. So nobody's own part has to be made anew when somebody else books.
pub fn own(business: &Business, staff: StaffId, view: &Own<'_>) -> Whole {
    let mut parts = Parts::default();
    if let Some(grid) = view.closed {
        let most = business.rules.most_open;
        let words = Refusal::TooMany(most).to_string();
        let _ = parts.part(LIMIT.to_owned(), limit(&words));
        let own = |start: &Timestamp| {
            let mut times = view.times.iter();
            view.held == Some(*start) || times.any(|(from, to)| (from..to).contains(&start))
        };
        let cells = grid.days.iter().flat_map(|day| &day.cells);
        for start in cells.map(|cell| cell.start).filter(|start| !own(start)) {
            let _ = parts.part(slot_id(start), slot(business, staff, start, State::Closed));
        }
    }
    if let Some(start) = view.held {
        let _ = parts.part(slot_id(start), slot(business, staff, start, State::Kept));
    }
    for (start, end) in view.times {
        let mut at = *start;
        while at < *end {
            let _ = parts.part(slot_id(at), slot(business, staff, at, State::Mine));
            at = plus(at, QUANTUM);
        }
    }
    parts.overlay()
}

/// Minutes since the epoch: an id may hold neither colons nor dots.
fn slot_id(start: Timestamp) -> String {
    format!("slot-{}", start.as_second() / 60)
}

/// The same tag in every state: a change of tag would drop the focus of whoever stands on it.
fn slot(business: &Business, staff: StaffId, start: Timestamp, state: State) -> Markup {
    let (word, spoken) = match state {
        State::Free => ("free", ", free"),
        State::Kept => ("free", ", kept for you"),
        State::Held => ("held", " · held"),
        State::Taken => ("taken", ", taken"),
        State::Closed => ("taken", ", not to be booked now"),
        State::Mine => ("mine", " · you"),
    };
    let local = business.local(start);
    html! {
        button.slot id=(slot_id(start)) type="submit" form="pick" name="start" value=(start) data-slot=(start)
            data-staff=(staff) data-state=(word) aria-disabled=[matches!(state, State::Taken | State::Closed).then_some("true")]
            aria-label={ (text::moment(business, start)) (spoken) } {
            (text::time(&local))
            @match state { State::Mine | State::Held => (spoken), _ => {} }
        }
    }
}

/// What the calendar's page shows besides its regions.
#[derive(Debug)]
pub struct View<'a> {
    pub week: Week,
    pub first: Week,
    pub last: Week,
    pub staff: &'a Staff,
    pub everyone: &'a [Staff],
    pub days: &'a [Day],
    pub today: Date,
    /// A booking for which a new time is being chosen.
    pub moving: Option<&'a Booking>,
    /// Of the form that holds a time.
    pub key: &'a str,
    /// What can be waited for.
    pub ask: wait::Ask<'a>,
}

/// The page.
pub fn page(frame: &Page<'_>, live: &Live, view: &View<'_>) -> Markup {
    let moving = view.moving.map(|booking| booking.id);
    let turn = |week: Week| {
        (view.first..=view.last)
            .contains(&week)
            .then(|| url::bookings(week, view.staff.id, moving))
    };
    let (earlier, later) = (turn(view.week.plus(-1)), turn(view.week.plus(1)));
    // On a phone: the first day with a free time, else today.
    let free = |day: &Day| day.cells.iter().any(|cell| cell.state == grid::State::Free);
    let chosen = view.days.iter().position(free);
    let chosen = chosen.or_else(|| view.days.iter().position(|day| day.date == view.today));
    let body = html! {
        div.page-head {
            div {
                h1 { @if moving.is_some() { "Choose a new time" } @else { "Book a session" } }
                p.small { (layout::zone_line(frame.business)) span.scripted { " Free times update as others book." } }
            }
            (layout::week_nav(&text::span(view.week.first(), view.week.last()), earlier.as_deref(), later.as_deref()))
        }
        @if let Some(booking) = view.moving {
            (moving_note(frame.business, booking, &url::booking(booking.id)))
        }
        @if view.everyone.len() > 1 {
            nav.chips aria-label="With" {
                @for staff in view.everyone {
                    a href=(url::bookings(view.week, staff.id, moving))
                        aria-current=[(staff.id == view.staff.id).then_some("true")] { (staff.name) }
                }
            }
        }
        (layout::region(live, wait::ROOT, ""))
        (pick(view.staff.id, moving, view.key))
        div.stack data-days data-day=(chosen.unwrap_or(0) + 1) {
            nav.daypick aria-label="Day" {
                @for (n, day) in (1..).zip(view.days) {
                    a.{"d" (n)}.none[day.cells.is_empty()] href={"#day-" (n)} data-d=(n) {
                        (day.date.strftime("%a")) b { (day.date.day()) }
                    }
                }
            }
            section.card aria-label="Free times" { div.body { (layout::region(live, ROOT, "week")) } }
        }
        p.legend aria-hidden="true" {
            span { i {} "Available" } span { i.h {} "Held for someone" } span { i.t {} "Taken" } span { i.m {} "Yours" }
        }
        @if moving.is_none() { (wait::ask(&view.ask)) }
        (layout::region(live, super::sessions::ROOT, "stack-l"))
    };
    layout::page(frame, &body)
}

/// The form that the slots belong to: it holds the time that is chosen, and opens its sheet. A session that moves keeps its
/// own time meanwhile, and holds no second one.
pub fn pick(staff: StaffId, moving: Option<BookingId>, key: &str) -> Markup {
    html! {
        @if let Some(id) = moving {
            form #pick hidden method="get" action=(url::NEW_BOOKING) hx-get=(url::NEW_BOOKING) hx-target="#sheet"
                hx-swap="innerHTML" hx-sync="this:replace" {
                input type="hidden" name="staff" value=(staff);
                input type="hidden" name="move" value=(id);
            }
        } @else {
            form #pick hidden method="post" action=(url::HOLDS) hx-post=(url::HOLDS) hx-target="#sheet"
                hx-swap="innerHTML" hx-sync="this:replace" {
                input type="hidden" name="staff" value=(staff);
                input type="hidden" name="key" value=(key);
            }
        }
    }
}

/// Says which session is being moved, above the free times.
pub fn moving_note(business: &Business, booking: &Booking, back: &str) -> Markup {
    html! {
        div.note {
            (icon(name::REPEAT))
            p {
                "Moving the " (booking.service_name.to_lowercase()) " of "
                b { (text::moment(business, booking.starts_at)) }
                ". It keeps that time until you confirm another."
            }
            a.btn href=(back) { "Keep it" }
        }
    }
}
