//! Looking back at sessions: a client at their own, staff at everybody's, by what came of them and with whom they were.

use super::sessions::badge;
use crate::domain::booking::{Booking, Status};
use crate::domain::outcome::{Back, Filter};
use crate::domain::staff::Staff;
use crate::views::layout::{self, Page};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// What the page shows.
#[derive(Debug)]
pub struct View<'a> {
    pub sessions: &'a [Booking],
    /// There are more than these, from before.
    pub has_earlier: bool,
    pub counts: &'a [(Filter, i64)],
    pub wish: &'a Back,
    pub everyone: &'a [Staff],
    /// The one client whose sessions these are.
    pub of: Option<&'a str>,
    pub by_staff: bool,
    pub now: Timestamp,
}

/// The page.
pub fn page(frame: &Page<'_>, view: &View<'_>) -> Markup {
    let body = html! {
        div.page-head {
            div {
                h1 { "Past and cancelled" }
                @if let Some(name) = view.of { p.small { "Of " (name) } }
            }
        }
        div.stack-l {
            nav.chips aria-label="Show" { @for (filter, count) in view.counts { (chip(view, *filter, *count)) } }
            @if view.everyone.len() > 1 { (with_whom(view)) }
            section.card aria-label=(words(view.wish.filter, view.by_staff)) {
                div.body {
                    @if view.sessions.is_empty() {
                        p.empty { "No sessions of this kind." }
                    } @else {
                        (table(frame, view))
                    }
                    @if let Some(last) = view.sessions.last().filter(|_| view.has_earlier) {
                        p { a.link href=(url::history(view.wish, view.by_staff, Some(last.id))) { "Earlier sessions" } }
                    }
                }
            }
        }
    };
    layout::page(frame, &body)
}

fn words(filter: Filter, by_staff: bool) -> &'static str {
    match filter {
        Filter::All => "All",
        Filter::Unsettled if by_staff => "To be noted",
        Filter::Unsettled => "Ended",
        Filter::Completed => "Completed",
        Filter::NoShow => "Missed",
        Filter::Cancelled => "Cancelled",
        Filter::CancelledLate => "Cancelled late",
    }
}

fn chip(view: &View<'_>, filter: Filter, count: i64) -> Markup {
    let is_chosen = filter == view.wish.filter;
    let wish = Back {
        filter,
        ..*view.wish
    };
    html! {
        @if count > 0 || is_chosen || filter == Filter::All {
            a href=(url::history(&wish, view.by_staff, None)) aria-current=[is_chosen.then_some("true")] data-count=(count) {
                (words(filter, view.by_staff)) " " (count)
            }
        }
    }
}

/// With everybody, or with one of them.
fn with_whom(view: &View<'_>) -> Markup {
    let wish = |staff| Back {
        staff,
        ..*view.wish
    };
    let chosen = |staff| (view.wish.staff == staff).then_some("true");
    html! {
        nav.chips aria-label="With" {
            a href=(url::history(&wish(None), view.by_staff, None)) aria-current=[chosen(None)] { "Everyone" }
            @for one in view.everyone {
                a href=(url::history(&wish(Some(one.id)), view.by_staff, None)) aria-current=[chosen(Some(one.id))] { (one.name) }
            }
        }
    }
}

fn table(frame: &Page<'_>, view: &View<'_>) -> Markup {
    let business = frame.business;
    let today = business.today(view.now);
    html! {
        table {
            thead { tr {
                th scope="col" { "Date" }
                @if view.by_staff { th scope="col" { "Client" } }
                th scope="col" { "Session" } th scope="col" { "With" } th scope="col" { "Status" }
            } }
            tbody {
                @for booking in view.sessions {
                    @let start = business.local(booking.starts_at);
                    tr data-booking=(booking.id) {
                        td {
                            a href=(url::booking(booking.id)) hx-get=(url::booking(booking.id)) hx-target="#sheet" {
                                (text::short_date(start.date(), today)) ", " (text::time(&start))
                            }
                        }
                        @if view.by_staff { td { a href=(url::client(booking.client)) { (booking.client_name) } } }
                        td { (booking.service_name) ", " (text::length(booking.minutes)) }
                        td data-label="With" { (booking.staff_name) }
                        td { @if booking.status == Status::Confirmed { span.badge { (words(Filter::Unsettled, view.by_staff)) } } @else { (badge(booking)) } }
                    }
                }
            }
        }
    }
}
