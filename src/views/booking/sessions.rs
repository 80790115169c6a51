//! A client's sessions: those to come, with what can be done about them, and those that were.

use crate::domain::booking::{Booking, Status};
use crate::domain::business::Business;
use crate::domain::id::ClientId;
use crate::domain::outcome::Back;
use crate::realtime::part::{List, Parts, Whole};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "sessions";

const COMING: List = List {
    id: "coming",
    newest_first: false,
    windowed: false,
};
const PAST: List = List {
    id: "past",
    newest_first: true,
    windowed: false,
};

/// What the region shows.
#[derive(Debug)]
pub struct Sessions {
    pub client: ClientId,
    pub coming: Vec<Booking>,
    pub past: Vec<Booking>,
    /// How many there are in all, of which `past` are the latest.
    pub past_count: i64,
    /// Staff move a session in their own calendar.
    pub for_staff: bool,
}

/// The region.
pub fn sessions(business: &Business, view: &Sessions, now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let html = html! {
        section.card aria-labelledby="coming-title" {
            header { h2 #coming-title { "Coming sessions" } }
            div.body {
                @if view.coming.is_empty() {
                    p.empty { "Nothing booked yet." }
                } @else {
                    ul.list #coming {
                        @for booking in &view.coming {
                            (parts.item(COMING, row_id("coming", booking), coming(business, booking, view.for_staff, now)))
                        }
                    }
                }
            }
        }
        section.card aria-labelledby="past-title" {
            header {
                h2 #past-title { "Past and cancelled" }
                (parts.part("past-count".to_owned(), html! {
                    span.small #past-count { (view.past_count) " in all" }
                }))
            }
            div.body {
                @if view.past.is_empty() {
                    p.empty { "None so far." }
                } @else {
                    table {
                        thead { tr { th scope="col" { "Date" } th scope="col" { "Session" } th scope="col" { "Length" } th scope="col" { "Status" } } }
                        tbody #past {
                            @for booking in &view.past {
                                (parts.item(PAST, row_id("past", booking), past(business, booking, now)))
                            }
                        }
                    }
                    p { a.link href=(url::history(&Back::all(view.for_staff.then_some(view.client), now), view.for_staff, None)) { "All past and cancelled" } }
                }
            }
        }
    };
    parts.whole(ROOT, &html)
}

/// In the order of time, then of the ids as decimals: a UUID's letters and digits would be compared in runs.
pub fn row_id(list: &str, booking: &Booking) -> String {
    format!(
        "{list}-{:010}-{:039}",
        booking.starts_at.as_second() / 60,
        booking.id.0.as_u128()
    )
}

fn coming(business: &Business, booking: &Booking, for_staff: bool, now: Timestamp) -> Markup {
    let start = business.local(booking.starts_at);
    html! {
        li id=(row_id("coming", booking)) {
            div.what {
                b { (text::long_date(start.date())) ", " (text::time(&start)) }
                small { (booking.service_name) ", " (text::length(booking.minutes)) " with " (booking.staff_name) }
            }
            div.acts {
                @if for_staff || booking.may_move(&business.rules, now).is_ok() {
                    a.btn href=(url::moving(booking.id, for_staff)) {
                        "Move" span.visually-hidden { " the session of " (text::moment(business, booking.starts_at)) }
                    }
                }
                a.btn.quiet href=(url::booking(booking.id)) hx-get=(url::booking(booking.id)) hx-target="#sheet" {
                    "Details" span.visually-hidden { " of the session of " (text::moment(business, booking.starts_at)) }
                }
            }
        }
    }
}

fn past(business: &Business, booking: &Booking, now: Timestamp) -> Markup {
    let date = business.local(booking.starts_at).date();
    html! {
        tr id=(row_id("past", booking)) {
            td { (text::short_date(date, business.today(now))) }
            td { (booking.service_name) }
            td data-label="Length" { (booking.minutes) " min" }
            td { (badge(booking)) }
        }
    }
}

/// A status in a word, told apart by more than its colour.
pub fn badge(booking: &Booking) -> Markup {
    let (class, word) = match (booking.status, booking.late) {
        (Status::Confirmed, _) => ("ok", "Confirmed"),
        (Status::Completed, _) => ("", "Completed"),
        (Status::Cancelled, false) => ("", "Cancelled"),
        (Status::Cancelled, true) => ("warn", "Cancelled late"),
        (Status::NoShow, _) => ("bad", "Missed"),
    };
    html! { span.badge.(class) { (word) } }
}
