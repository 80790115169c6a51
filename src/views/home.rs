//! A client's home: what is next, and how to book the one after it.

use crate::domain::booking::Booking;
use crate::domain::business::Business;
use crate::domain::person::first_name;
use crate::realtime::part::{Parts, Whole};
use crate::views::layout::{self, Live, Page};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "next";

/// The next session, and how many more are booked.
pub fn next(business: &Business, coming: &[Booking], now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let card = match coming {
        [] => nothing(),
        [next, rest @ ..] => session(business, next, rest.len(), now),
    };
    let html = html! { (parts.part("next-session".to_owned(), card)) };
    parts.whole(ROOT, &html)
}

fn nothing() -> Markup {
    html! {
        section.card #next-session aria-label="Next session" {
            div.next.bare {
                div {
                    p.eyebrow { "Next session" }
                    p.when { "Nothing booked yet" }
                    p.small { "The free times are up to date to the second." }
                }
                div.acts { a.btn.primary href=(url::BOOKINGS) { "Book a session" } }
            }
        }
    }
}

fn session(business: &Business, next: &Booking, more: usize, now: Timestamp) -> Markup {
    let start = business.local(next.starts_at);
    let end = business.local(next.ends_at());
    let soon = if next.starts_at <= now {
        "now".to_owned()
    } else {
        text::days_until(start.date(), business.today(now))
    };
    html! {
        section.card #next-session aria-label="Next session" {
            div.next {
                div.date aria-hidden="true" {
                    b { (start.strftime("%a")) } span { (start.day()) } i { (start.strftime("%B")) }
                }
                div {
                    p.eyebrow { "Next session · " (soon) }
                    p.when {
                        span.visually-hidden { (text::long_date(start.date())) ", " }
                        (text::time(&start)) " – " (text::time(&end)) ", " (next.service_name.to_lowercase())
                    }
                    p.small {
                        "With " (next.staff_name)
                        @if !business.address.is_empty() { " at " (business.address) }
                        @if more > 0 { ". " (text::count(more, "more session", "more sessions")) " booked" }
                    }
                }
                div.acts {
                    @if next.may_move(business, now).is_ok() {
                        a.btn.primary href=(url::moving(next.id, false)) { "Reschedule" }
                    }
                    a.btn href=(url::booking(next.id)) hx-get=(url::booking(next.id)) hx-target="#sheet" { "Details" }
                }
            }
        }
    }
}

/// The page.
pub fn page(frame: &Page<'_>, live: &Live, now: Timestamp) -> Markup {
    let local = frame.business.local(now);
    let body = html! {
        div.page-head {
            div {
                p.small { (text::long_date(local.date())) }
                h1 { (text::greeting(&local)) ", " (first_name(frame.viewer.name())) }
            }
            div.acts { a.btn href=(url::BOOKINGS) { "Book a session" } }
        }
        (layout::region(live, ROOT, ""))
        (layout::region(live, super::booking::sessions::ROOT, "overview"))
    };
    layout::page(frame, &body)
}
