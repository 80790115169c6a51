//! All threads, for staff: who wrote last, what is unread, and who waits for an answer.

use crate::domain::business::Business;
use crate::domain::message::Thread;
use crate::domain::person::{first_name, initials};
use crate::realtime::part::{List, Parts, Whole};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "threads";

/// Characters of the last message.
const EXCERPT: usize = 140;

const ROWS: List = List {
    id: "thread-rows",
    newest_first: true,
    windowed: false,
};

/// The region.
pub fn threads(business: &Business, threads: &[Thread], now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let html = html! {
        @if threads.is_empty() {
            p.empty { "No messages yet. To write the first one, choose a client and press Message." }
        } @else {
            ul.list.threads #thread-rows {
                @for thread in threads { (parts.item(ROWS, row_id(thread), row(business, thread, now))) }
            }
        }
    };
    parts.whole(ROOT, &html)
}

/// Begins with the time, so that who wrote last stands first.
fn row_id(thread: &Thread) -> String {
    format!(
        "thread-{:015}-{:039}",
        thread.last.at.as_millisecond(),
        thread.client.0.as_u128()
    )
}

fn row(business: &Business, thread: &Thread, now: Timestamp) -> Markup {
    let today = business.today(now);
    let moment = |at: Timestamp| {
        let at = business.local(at);
        if at.date() == today {
            text::time(&at)
        } else {
            text::short_date(at.date(), today)
        }
    };
    html! {
        li id=(row_id(thread)) data-message=(thread.last.id) {
            a.row href=(url::thread(thread.client)) {
                span.avatar aria-hidden="true" { (initials(&thread.client_name)) }
                span.what {
                    b { (thread.client_name) }
                    small dir="auto" {
                        @if thread.last.from_staff { (first_name(&thread.last.author_name)) ": " }
                        (excerpt(&thread.last.body))
                    }
                }
                @if let Some(since) = thread.waiting_since { span.badge.warn { "Waits since " (moment(since)) } }
                span.aside {
                    time datetime=(thread.last.at) { (moment(thread.last.at)) }
                    @if thread.unread > 0 { span.count { (thread.unread) span.visually-hidden { " unread" } } }
                }
            }
        }
    }
}

/// The beginning of a message on one line.
fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= EXCERPT {
        return line;
    }
    let cut: String = line.chars().take(EXCERPT - 1).collect();
    format!("{}…", cut.trim_end())
}
