//! Staff's weeks: the agenda of seven days on their first page, and the calendar that they book in.

use super::booking::calendar::{moving_note, pick};
use super::booking::sessions::row_id;
use crate::domain::booking::Booking;
use crate::domain::business::Business;
use crate::domain::grid::{Cell, Grid, State};
use crate::domain::id::StaffId;
use crate::domain::staff::Staff;
use crate::domain::week::Week;
use crate::realtime::part::{List, Parts, Whole};
use crate::views::layout::{self, Live, Page};
use crate::views::{text, url};
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

/// The root of the seven days from today.
pub const AGENDA: &str = "agenda";
/// The root of a week of the calendar.
pub const TIMETABLE: &str = "timetable";

/// The lists of the days: an element of a list is told where it belongs by its list's id.
const DAYS: [List; 7] = [
    List {
        id: "day-0",
        newest_first: false,
        windowed: false,
    },
    List {
        id: "day-1",
        newest_first: false,
        windowed: false,
    },
    List {
        id: "day-2",
        newest_first: false,
        windowed: false,
    },
    List {
        id: "day-3",
        newest_first: false,
        windowed: false,
    },
    List {
        id: "day-4",
        newest_first: false,
        windowed: false,
    },
    List {
        id: "day-5",
        newest_first: false,
        windowed: false,
    },
    List {
        id: "day-6",
        newest_first: false,
        windowed: false,
    },
];

/// What the seven days show.
#[derive(Debug)]
pub struct Days<'a> {
    pub first: Date,
    pub today: Date,
    pub staff: &'a [Staff],
    pub bookings: &'a [Booking],
    /// The free and the held starts of the one member of staff whose calendar it is.
    pub free: Option<(StaffId, &'a Grid)>,
}

/// The seven days in columns, each a list in the order of time.
pub fn days(root: &'static str, business: &Business, view: &Days<'_>) -> Whole {
    let mut parts = Parts::default();
    let class = if root == AGENDA {
        "agenda"
    } else {
        "timetable"
    };
    let html = html! {
        div.(class) {
            ol {
                @for (n, list) in (0..).zip(DAYS) {
                    @let date = view.first.saturating_add(jiff::Span::new().days(n));
                    li.aday.today[date == view.today] {
                        // The agenda has a heading of its own, the calendar's page only its title.
                        @if root == AGENDA { h3 { (heading(date)) } } @else { h2 { (heading(date)) } }
                        ul id=(list.id) {
                            @for entry in entries(business, view, date) {
                                @match entry {
                                    Entry::Booked(booking) => (parts.item(list, row_id("at", booking), event(business, view.staff, booking))),
                                    Entry::Open(staff, cell) => (parts.item(list, open_id(cell.start), open(business, staff, cell))),
                                }
                            }
                        }
                        // Beside the list, which a push fills and empties: the stylesheet shows it while the list is empty.
                        p.none { "Nothing" }
                    }
                }
            }
        }
    };
    parts.whole(root, &html)
}

fn heading(date: Date) -> Markup {
    html! {
        span.visually-hidden { (date.strftime("%A")) " " }
        span aria-hidden="true" { (date.strftime("%a")) " " }
        b { (date.day()) }
    }
}

enum Entry<'a> {
    Booked(&'a Booking),
    Open(StaffId, Cell),
}

/// A day's bookings, free and held starts in the order of their ids, which is that of time.
fn entries<'a>(business: &Business, view: &Days<'a>, date: Date) -> Vec<Entry<'a>> {
    let of_day = |booking: &&Booking| business.local(booking.starts_at).date() == date;
    let booked = view
        .bookings
        .iter()
        .filter(of_day)
        .map(|b| (row_id("at", b), Entry::Booked(b)));
    let mut entries: Vec<(String, Entry<'a>)> = booked.collect();
    if let Some((staff, grid)) = view.free {
        let day = grid.days.iter().find(|day| day.date == date);
        let open = day
            .into_iter()
            .flat_map(|day| &day.cells)
            .filter(|cell| cell.state != State::Taken);
        entries.extend(open.map(|cell| (open_id(cell.start), Entry::Open(staff, *cell))));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.into_iter().map(|(_, entry)| entry).collect()
}

fn open_id(start: Timestamp) -> String {
    format!("at-{:010}-{:039}", start.as_second() / 60, 0)
}

fn event(business: &Business, staff: &[Staff], booking: &Booking) -> Markup {
    let hue = staff
        .iter()
        .position(|one| one.id == booking.staff)
        .unwrap_or(0)
        % 6;
    html! {
        li.ev.{"s" (hue)} id=(row_id("at", booking)) data-booking=(booking.id) data-status=(booking.status.as_str()) {
            a href=(url::booking(booking.id)) hx-get=(url::booking(booking.id)) hx-target="#sheet" {
                time datetime=(booking.starts_at) { (text::time(&business.local(booking.starts_at))) }
                b { (booking.client_name) }
                small { i.swatch.(booking.colour.as_str()) aria-hidden="true" {} (booking.service_name) span.visually-hidden { " with " (booking.staff_name) } }
            }
        }
    }
}

fn open(business: &Business, staff: StaffId, cell: Cell) -> Markup {
    let start = cell.start;
    let (word, spoken) = if cell.state == State::Held {
        ("held", " · held")
    } else {
        ("free", ", free")
    };
    html! {
        li id=(open_id(start)) {
            button.slot type="submit" form="pick" name="start" value=(start) data-slot=(start) data-staff=(staff)
                data-state=(word) aria-label={ (text::moment(business, start)) (spoken) } {
                (text::time(&business.local(start))) @if cell.state == State::Held { (spoken) }
            }
        }
    }
}

/// Which colour is whose.
pub fn legend(staff: &[Staff]) -> Markup {
    html! {
        p.legend {
            @for (n, one) in staff.iter().enumerate() { span { i.s.{"s" (n % 6)} aria-hidden="true" {} (one.name) } }
        }
    }
}

/// What the calendar's page shows besides its region.
#[derive(Debug)]
pub struct View<'a> {
    pub week: Week,
    pub staff: Option<StaffId>,
    pub everyone: &'a [Staff],
    /// A booking for which a new time is being chosen.
    pub moving: Option<&'a Booking>,
    /// Of the form that holds a time.
    pub key: &'a str,
}

/// The calendar's page.
pub fn page(frame: &Page<'_>, live: &Live, view: &View<'_>) -> Markup {
    let moving = view.moving.map(|booking| booking.id);
    let turn = |week, staff| url::calendar(week, staff, moving);
    let (earlier, later) = (
        turn(view.week.plus(-1), view.staff),
        turn(view.week.plus(1), view.staff),
    );
    let body = html! {
        div.page-head {
            div {
                h1 { @if view.moving.is_some() { "Choose a new time" } @else { "Calendar" } }
                p.small {
                    (layout::zone_line(frame.business))
                    @if view.staff.is_none() { " Choose whose calendar to book in." } @else if view.moving.is_none() { " Choose a free time to book it for a client." }
                }
            }
            div.acts { a.btn.quiet href=(url::LINE) { "Waiting list" } }
            (layout::week_nav(&text::span(view.week.first(), view.week.last()), Some(&earlier), Some(&later)))
        }
        @if let Some(booking) = view.moving { (moving_note(frame.business, booking, &url::booking(booking.id))) }
        nav.chips aria-label="Whose calendar" {
            a href=(turn(view.week, None)) aria-current=[view.staff.is_none().then_some("true")] { "Everyone" }
            @for one in view.everyone {
                a href=(turn(view.week, Some(one.id))) aria-current=[(view.staff == Some(one.id)).then_some("true")] { (one.name) }
            }
        }
        @if let Some(staff) = view.staff {
            (pick(staff, moving, view.key))
        }
        section.card aria-label="Week" { div.body { (layout::region(live, TIMETABLE, "")) } }
        @if view.staff.is_none() { (legend(view.everyone)) }
        p { a.link href=(url::SESSIONS) { "Past and cancelled sessions" } }
    };
    layout::page(frame, &body)
}
