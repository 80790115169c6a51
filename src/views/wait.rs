//! The waiting list: what a client waits for and is offered, the form that asks, and the list that staff read. An offer is
//! accepted by the form that books any time.

use crate::domain::business::Business;
use crate::domain::id::StaffId;
use crate::domain::service::Service;
use crate::domain::staff::Staff;
use crate::domain::wait::{Offer, Part, Wait, Wish};
use crate::realtime::part::{List, Parts, Whole};
use crate::views::icon::{icon, name};
use crate::views::layout::{self, Live, Page};
use crate::views::{text, url};
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

/// The root that a client's own region fills.
pub const ROOT: &str = "waits";
/// The root that staff's list fills.
pub const LINE: &str = "line";

const OWN: List = List {
    id: "wait-list",
    newest_first: false,
    windowed: false,
};

/// What one client waits for, or nothing at all when they wait for nothing.
pub fn own(business: &Business, waits: &[Wait], for_staff: bool, now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let html = html! {
        @if !waits.is_empty() {
            section.card aria-labelledby="waits-title" {
                header { h2 #waits-title { "Waiting list" } }
                div.body {
                    ul.list #wait-list {
                        @for wait in waits {
                            (parts.item(OWN, row_id(wait), row(business, wait, for_staff, now)))
                        }
                    }
                }
            }
        }
    };
    parts.whole(ROOT, &html)
}

/// In the order in which they asked.
fn row_id(wait: &Wait) -> String {
    format!(
        "wait-{:015}-{:039}",
        wait.asked_at.as_millisecond(),
        wait.id.0.as_u128()
    )
}

fn row(business: &Business, wait: &Wait, for_staff: bool, now: Timestamp) -> Markup {
    let offer = wait.offer.as_ref();
    html! {
        li id=(row_id(wait)) data-wait=(wait.id) data-offer=[offer.map(|offer| offer.hold)] {
            @match offer {
                Some(offer) if !for_staff => (offered(business, wait, offer)),
                _ => {
                    span.what {
                        b { (days(&wait.wish, business.today(now))) }
                        small { (wanted(wait)) }
                        @if let Some(offer) = offer { small { (standing(business, offer)) } }
                    }
                    div.acts { (withdraw(wait, for_staff)) }
                }
            }
        }
    }
}

/// `Tue 24 Nov`, `Tue 24 Nov – Fri 27 Nov`.
fn days(wish: &Wish, today: Date) -> String {
    let day = |day| text::short_date(day, today);
    if wish.from == wish.to {
        day(wish.from)
    } else {
        format!("{} – {}", day(wish.from), day(wish.to))
    }
}

fn wanted(wait: &Wait) -> String {
    let with = wait.staff_name.as_deref().unwrap_or("anyone");
    let part = match wait.wish.part {
        Part::Any => "",
        Part::Morning => ", in the morning",
        Part::Afternoon => ", in the afternoon",
        Part::Evening => ", in the evening",
    };
    format!("{} with {with}{part}", wait.service_name)
}

fn standing(business: &Business, offer: &Offer) -> String {
    format!(
        "Offered {} with {}, until {}",
        text::moment(business, offer.start),
        offer.staff_name,
        text::time(&business.local(offer.until))
    )
}

fn withdraw(wait: &Wait, for_staff: bool) -> Markup {
    html! {
        form method="post" action=(url::withdraw(wait.id)) {
            button.btn.quiet type="submit" {
                @if for_staff { "Remove" } @else { "Withdraw" }
                span.visually-hidden { " from the waiting list: " (wait.client_name) ", " (wanted(wait)) }
            }
        }
    }
}

/// What is offered, with its limit, and the two answers. The key names the offer: pressed twice, it books once.
pub fn offered(business: &Business, wait: &Wait, offer: &Offer) -> Markup {
    let when = text::moment(business, offer.start);
    html! {
        span.tile.ok { (icon(name::CLOCK)) }
        span.what {
            b { (when) " is free" }
            small {
                (wait.service_name) " with " (offer.staff_name) ". Kept for you until "
                span.nowrap { (text::time(&business.local(offer.until))) } "."
            }
        }
        div.acts {
            form method="post" action=(url::BOOKINGS) hx-post=(url::BOOKINGS) hx-target="#sheet" hx-swap="innerHTML" hx-sync="this:drop" {
                input type="hidden" name="start" value=(offer.start);
                input type="hidden" name="staff" value=(offer.staff);
                input type="hidden" name="service" value=(wait.wish.service);
                input type="hidden" name="key" value={ "offer-" (offer.hold) };
                button.btn.primary type="submit" { "Accept" span.visually-hidden { " " (when) } }
            }
            form method="post" action=(url::decline(offer)) {
                button.btn.quiet type="submit" { "Decline" span.visually-hidden { " " (when) } }
            }
        }
    }
}

/// What the form that asks offers to choose from.
#[derive(Debug)]
pub struct Ask<'a> {
    pub services: &'a [Service],
    pub everyone: &'a [Staff],
    /// Whose calendar is shown.
    pub staff: StaffId,
    /// The day to begin with, and the first that makes sense.
    pub day: Date,
    pub today: Date,
    pub key: &'a str,
}

/// The form that asks for a time that is not free.
pub fn ask(view: &Ask<'_>) -> Markup {
    html! {
        details.sure #ask {
            summary.btn { "Nothing suits? Wait for a time" }
            section.card.stack aria-labelledby="ask-title" {
                header { h2 #ask-title { "Wait for a time" } }
                div.body {
                    form.form method="post" action=(url::WAITS) {
                        p.small { "When such a time becomes free, it is offered to you here and by mail, in the order of asking." }
                        input type="hidden" name="key" value=(view.key);
                        div.pair {
                            div.field { label for="wait-service" { "Session" } select #wait-service name="service" { @for one in view.services { option value=(one.id) { (one.name) } } } }
                            div.field {
                                label for="wait-staff" { "With" }
                                select #wait-staff name="staff" {
                                    option value="" { "Anyone" }
                                    @for one in view.everyone { option value=(one.id) selected[one.id == view.staff] { (one.name) } }
                                }
                            }
                        }
                        div.pair {
                            div.field { label for="wait-from" { "From" } input #wait-from type="date" name="from" required min=(view.today) value=(view.day); }
                            div.field { label for="wait-to" { "Until" } input #wait-to type="date" name="to" required min=(view.today) value=(view.day); }
                            div.field {
                                label for="wait-part" { "Time of day" }
                                select #wait-part name="part" {
                                    @for part in Part::ALL { option value=(part.as_str()) { (part_words(part)) } }
                                }
                            }
                        }
                        div.acts { button.btn.primary type="submit" { "Wait for it" } }
                    }
                }
            }
        }
    }
}

fn part_words(part: Part) -> &'static str {
    match part {
        Part::Any => "Any time",
        Part::Morning => "Before 12:00",
        Part::Afternoon => "12:00 to 17:00",
        Part::Evening => "From 17:00",
    }
}

/// Everyone in line, by the first day that they wait for.
pub fn line(business: &Business, waits: &[Wait], now: Timestamp) -> Whole {
    let today = business.today(now);
    // Whoever began to wait for a day that has passed waits for today.
    let first = |wait: &Wait| wait.wish.from.max(today);
    let mut sorted: Vec<&Wait> = waits.iter().collect();
    sorted.sort_by_key(|wait| first(wait));
    let mut parts = Parts::default();
    let html = html! {
        @if sorted.is_empty() { p.empty { "Nobody waits." } }
        @for day in sorted.chunk_by(|a, b| first(a) == first(b)) {
            section.card aria-label=(text::long_date(first(day[0]))) {
                header { h2 { (text::long_date(first(day[0]))) } }
                div.body { ul.list { @for wait in day {
                    (parts.part(row_id(wait), in_line(business, wait, today)))
                } } }
            }
        }
    };
    parts.whole(LINE, &html)
}

fn in_line(business: &Business, wait: &Wait, today: Date) -> Markup {
    let asked = business.local(wait.asked_at);
    html! {
        li id=(row_id(wait)) data-wait=(wait.id) {
            span.what {
                b { a href=(url::client(wait.client)) { (wait.client_name) } }
                small { (days(&wait.wish, today)) ": " (wanted(wait)) }
                small {
                    @match &wait.offer {
                        Some(offer) => (standing(business, offer)),
                        None => { "Asked " (text::short_date(asked.date(), today)) ", " (text::time(&asked)) },
                    }
                }
            }
            div.acts { (withdraw(wait, true)) }
        }
    }
}

/// Staff's page.
pub fn page(frame: &Page<'_>, live: &Live) -> Markup {
    let body = html! {
        div.page-head {
            div { h1 { "Waiting list" } p.small { (layout::zone_line(frame.business)) " What becomes free is offered in the order of asking." } }
            div.acts { a.btn href=(url::CALENDAR) { "Calendar" } }
        }
        (layout::region(live, LINE, "stack-l"))
    };
    layout::page(frame, &body)
}
