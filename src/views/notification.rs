//! What someone should know, newest first, and the form by which they have seen it.

use crate::domain::business::Business;
use crate::domain::notification::{About, Kind, Line, Notification, lines};
use crate::realtime::part::{List, Parts, Whole};
use crate::views::icon::{icon, name};
use crate::views::layout::{self, Live, Page};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "notifications";

const LINES: List = List {
    id: "notification-lines",
    newest_first: true,
    windowed: false,
};

/// The region. `told` is what the person was told, newest first.
pub fn list(business: &Business, told: &[Notification], for_staff: bool, now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let html = html! {
        (parts.part("seen".to_owned(), seen(told)))
        @if told.is_empty() {
            p.empty { "Nothing yet. What others book, move or cancel will be listed here as it happens." }
        } @else {
            ul.list #notification-lines {
                @for line in lines(told) {
                    (parts.item(LINES, line_id(&line), item(business, &line, for_staff, now)))
                }
            }
        }
    };
    parts.whole(ROOT, &html)
}

/// A script presses its button once the list was looked at. Always the same tag, so that a morph finds it.
fn seen(told: &[Notification]) -> Markup {
    let newest = told.first().filter(|_| told.iter().any(|one| !one.is_seen));
    html! {
        form #seen method="post" action=(url::SEEN) hx-post=(url::SEEN) hx-swap="none" hidden[newest.is_none()] {
            @if let Some(newest) = newest {
                input type="hidden" name="upto" value=(newest.id);
                button.btn.unscripted type="submit" { "Mark all as seen" }
            }
        }
    }
}

fn line_id(line: &Line<'_>) -> String {
    let newest = line.newest;
    format!(
        "told-{:015}-{:039}",
        newest.at.as_millisecond(),
        newest.id.0.as_u128()
    )
}

fn item(business: &Business, line: &Line<'_>, for_staff: bool, now: Timestamp) -> Markup {
    let told = line.newest;
    let at = business.local(told.at);
    let today = business.today(now);
    let (drawing, tone) = drawing(told.kind);
    html! {
        li id=(line_id(line)) data-notification=(told.id) class=[(!told.is_seen).then_some("unseen")] {
            @let sheet = matches!(told.about, About::Booking(_)).then_some("#sheet");
            @let href = link(told, for_staff);
            a.row href=(href) hx-get=[sheet.and(Some(&href))] hx-target=[sheet] {
                span.tile.(tone) aria-hidden="true" { (icon(drawing)) }
                span.what.flow {
                    @if for_staff { (for_staff_words(business, line, now)) } @else { (for_client_words(business, line, now)) }
                }
                @if !told.is_seen { " " span.badge.new { "New" } }
                " "
                time datetime=(told.at) {
                    @if at.date() == today { (text::time(&at)) } @else { (text::short_date(at.date(), today)) }
                }
            }
        }
    }
}

fn drawing(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Booked => (name::CALENDAR_PLUS, "plain"),
        Kind::Moved => (name::CALENDAR_DAYS, "plain"),
        Kind::Cancelled => (name::X, "plain"),
        Kind::Paid => (name::RECEIPT, "ok"),
        Kind::Unapplied | Kind::Failed => (name::TRIANGLE_ALERT, "warn"),
        Kind::Message => (name::MESSAGE_CIRCLE, "plain"),
        Kind::Offered => (name::CLOCK, "ok"),
    }
}

fn link(told: &Notification, for_staff: bool) -> String {
    match told.about {
        About::Booking(id) => url::booking(id),
        About::Invoice(id) => url::invoice(id),
        About::Thread if for_staff => url::thread(told.client),
        About::Thread => url::MESSAGES.to_owned(),
        About::Wait(_) => url::OWN_WAITS.to_owned(),
    }
}

fn for_staff_words(business: &Business, line: &Line<'_>, now: Timestamp) -> Markup {
    let told = line.newest;
    let start = session(business, told, now);
    let amount = amount(business, told);
    html! {
        b { (told.client_name) }
        @match told.kind {
            Kind::Booked => { " booked " (start) }
            Kind::Moved => { " moved to " (start) }
            Kind::Cancelled => { " cancelled " (start) }
            Kind::Paid => { " paid " (amount) }
            Kind::Unapplied => { " paid " (amount) " when nothing was owed: give it back" }
            Kind::Failed => { " tried to pay " (amount) ", and it did not go through" }
            Kind::Message if line.count > 1 => { " sent " (line.count) " " (fresh(told)) "messages" }
            Kind::Message => { " sent a " (fresh(told)) "message" }
            Kind::Offered => { " was offered " (start) }
        }
    }
}

fn for_client_words(business: &Business, line: &Line<'_>, now: Timestamp) -> Markup {
    let told = line.newest;
    let start = session(business, told, now);
    let amount = amount(business, told);
    html! {
        @match told.kind {
            Kind::Booked => { "A session was booked for you: " b { (start) } }
            Kind::Moved => { "Your session was moved to " b { (start) } }
            Kind::Cancelled => { "Your session on " b { (start) } " was cancelled" }
            Kind::Paid => { "Payment of " b { (amount) } " received" }
            Kind::Unapplied => { "You paid " b { (amount) } " when nothing was owed: you will get it back" }
            Kind::Failed => { "Your payment of " b { (amount) } " did not go through" }
            Kind::Message if line.count > 1 => {
                (line.count) " " (fresh(told)) "messages from " b { (business.name) }
            }
            Kind::Message if told.is_seen => { "Message from " b { (business.name) } }
            Kind::Message => { "New message from " b { (business.name) } }
            Kind::Offered => { "A time you wait for became free: " b { (start) } }
        }
    }
}

fn fresh(told: &Notification) -> &'static str {
    if told.is_seen { "" } else { "new " }
}

fn session(business: &Business, told: &Notification, now: Timestamp) -> Markup {
    html! {
        @if let Some(start) = told.starts_at {
            span.nowrap { (text::short_moment(business, start, now)) }
        }
    }
}

fn amount(business: &Business, told: &Notification) -> String {
    told.amount
        .map(|minor| business.money(minor).to_string())
        .unwrap_or_default()
}

/// The page.
pub fn page(frame: &Page<'_>, live: &Live) -> Markup {
    let body = html! {
        div.page-head { div { h1 { "Notifications" } p.small { "What others did that concerns you." } } }
        section.card.told aria-label="Notifications" { (layout::region(live, ROOT, "body")) }
    };
    layout::page(frame, &body)
}
