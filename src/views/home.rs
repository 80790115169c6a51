//! A client's home: what is next, and how to book the one after it.

use crate::domain::booking::Booking;
use crate::domain::business::Business;
use crate::domain::invoice::{Invoice, Standing};
use crate::domain::message::Message;
use crate::domain::person::first_name;
use crate::domain::wait::{Offer, Wait};
use crate::realtime::part::{List, Parts, Whole};
use crate::views::icon::{icon, name};
use crate::views::layout::{self, Live, Page};
use crate::views::{self, text, url};
use jiff::Timestamp;
use jiff::civil::Date;
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

/// What the client has to do.
#[derive(Debug)]
pub struct Todo<'a> {
    /// Times that are offered to them, each with its limit.
    pub offers: &'a [Wait],
    /// What is due first first.
    pub unpaid: &'a [Invoice],
    /// What staff wrote and the client has not read.
    pub unread: Option<&'a Message>,
    pub can_pay: bool,
    pub today: Date,
}

/// The root that the to-dos fill.
pub const TODO: &str = "todo";

const TODOS: List = List {
    id: "todos",
    newest_first: false,
    windowed: false,
};

/// What to do, or nothing at all when there is nothing.
pub fn todo(business: &Business, view: &Todo<'_>) -> Whole {
    let mut parts = Parts::default();
    let count = view.offers.len() + view.unpaid.len() + usize::from(view.unread.is_some());
    let html = html! {
        @if count > 0 {
            section.card aria-labelledby="todo-title" {
                header {
                    h2 #todo-title { "To do" }
                    (parts.part("todo-count".to_owned(), html! {
                        span.badge.warn #todo-count { (text::count(count, "thing", "things")) }
                    }))
                }
                div.body {
                    ul.list #todos {
                        @for wait in view.offers {
                            @if let Some(offer) = &wait.offer { (parts.item(TODOS, offer_id(offer), accept(business, wait, offer))) }
                        }
                        @if let Some(message) = view.unread {
                            (parts.item(TODOS, "todo-1".to_owned(), answer(business, view, message)))
                        }
                        @for invoice in view.unpaid { (parts.item(TODOS, pay_id(invoice), pay(business, view, invoice))) }
                    }
                }
            }
        }
    };
    parts.whole(TODO, &html)
}

fn answer(business: &Business, view: &Todo<'_>, message: &Message) -> Markup {
    let at = business.local(message.at);
    html! {
        li #todo-1 data-todo="answer" {
            span.tile { (icon(name::MESSAGE_CIRCLE)) }
            span.what {
                b { "New message from " (message.author_name) }
                small dir="auto" { (text::excerpt(&message.body)) }
            }
            time datetime=(message.at) {
                @if at.date() == view.today { (text::time(&at)) } @else { (text::short_date(at.date(), view.today)) }
            }
            div.acts { a.btn href=(url::MESSAGES) { "Read and answer" } }
        }
    }
}

/// What is offered stands first: it is over the soonest. In order of time, then of the ids as decimals.
fn offer_id(offer: &Offer) -> String {
    format!(
        "todo-0-{:015}-{:039}",
        offer.start.as_millisecond(),
        offer.hold.0.as_u128()
    )
}

fn accept(business: &Business, wait: &Wait, offer: &Offer) -> Markup {
    html! {
        li id=(offer_id(offer)) data-todo="offer" data-offer=(offer.hold) { (views::wait::offered(business, wait, offer)) }
    }
}

/// Invoices stand after the message, by the day on which they are due.
fn pay_id(invoice: &Invoice) -> String {
    let number = invoice.number.unwrap_or_default();
    format!("todo-2-{}-{number:012}", invoice.due_on.strftime("%Y%m%d"))
}

fn pay(business: &Business, view: &Todo<'_>, invoice: &Invoice) -> Markup {
    let overdue = invoice.standing(view.today) == Standing::Overdue;
    let name = views::invoice::name(business, invoice);
    html! {
        li id=(pay_id(invoice)) data-todo="pay" {
            span.tile.(if overdue { "bad" } else { "warn" }) { (icon(name::RECEIPT)) }
            span.what {
                b { "Pay invoice " a href=(url::invoice(invoice.id)) { (name) } }
                small {
                    (invoice.money(invoice.total)) ", "
                    @if overdue { "was due " } @else { "due " }
                    (text::long_date(invoice.due_on))
                }
            }
            div.acts { (views::invoice::own::pay(invoice, view.can_pay)) }
        }
    }
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
                        @if let Some(room) = &next.video_url { ", " (text::room(room)) }
                        @else if !business.address.is_empty() { " at " (business.address) }
                        @if more > 0 { ". " (text::count(more, "more session", "more sessions")) " booked" }
                    }
                }
                div.acts {
                    @if next.may_move(&business.rules, now).is_ok() {
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
        (layout::region(live, TODO, ""))
        (layout::region(live, super::booking::sessions::ROOT, "overview"))
    };
    layout::page(frame, &body)
}
