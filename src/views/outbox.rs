//! The mails that the business sends, readable as they are written. For the owner: a link in one lets its reader in.

use super::email::letter;
use crate::domain::business::Business;
use crate::domain::email::{Email, Progress};
use crate::realtime::part::{List, Parts, Whole};
use crate::views::layout::{self, Live, Page};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "outbox";

const MAILS: List = List {
    id: "outbox-mails",
    newest_first: true,
    windowed: false,
};

/// The region.
pub fn list(business: &Business, base_url: &str, mails: &[Email], now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let html = html! {
        @if mails.is_empty() {
            p.empty { "No mail has been written yet." }
        } @else {
            ul.list.outbox #outbox-mails {
                @for mail in mails {
                    (parts.item(MAILS, mail_id(mail), self::mail(business, base_url, mail, now)))
                }
            }
        }
    };
    parts.whole(ROOT, &html)
}

/// What failed stands first, then what waits: it sorts after what is done.
fn mail_id(mail: &Email) -> String {
    let rank = match mail.progress {
        Progress::Failed => 2,
        Progress::Waiting => 1,
        Progress::Sent | Progress::Dropped => 0,
    };
    format!(
        "mail-{rank}-{:015}-{:039}",
        mail.created_at.as_millisecond(),
        mail.id.0.as_u128()
    )
}

fn mail(business: &Business, base_url: &str, mail: &Email, now: Timestamp) -> Markup {
    let letter = letter(business, base_url, mail, None);
    html! {
        li id=(mail_id(mail)) {
            div.what {
                b { (letter.subject) }
                small { "To " (mail.to_name) ", " (mail.to_address) }
                p.small { (progress(business, mail, now)) }
                details { summary { "Read" } pre { (letter.text) } }
            }
            time datetime=(mail.created_at) { (text::short_moment(business, mail.created_at, now)) }
            @if mail.progress == Progress::Failed {
                // The form stands outside the list: what is pushed must not replace one that is being sent.
                div.acts {
                    button.btn type="submit" form=(RETRY) formaction=(url::retry(mail.id)) {
                        "Send again" span.visually-hidden { ": " (letter.subject) ", to " (mail.to_name) }
                    }
                }
            }
        }
    }
}

/// The form of every button that tries again.
const RETRY: &str = "retry-mail";

fn progress(business: &Business, mail: &Email, now: Timestamp) -> Markup {
    let reason = mail.reason.as_deref().unwrap_or_default();
    let ended = mail.ended_at.unwrap_or(mail.created_at);
    html! {
        @match mail.progress {
            Progress::Waiting if mail.reason.is_some() => {
                span.badge.warn { "Waiting" } " " (reason) " Tried again from " (text::time(&business.local(mail.due_at))) "."
            }
            Progress::Waiting => span.badge { "Waiting" },
            Progress::Sent => { span.badge.ok { "Sent" } " " (text::short_moment(business, ended, now)) }
            Progress::Failed => { span.badge.bad { "Failed" } " " (reason) }
            Progress::Dropped => { span.badge { "Not sent" } " " (reason) }
        }
    }
}

/// The page.
pub fn page(frame: &Page<'_>, live: &Live, has_server: bool) -> Markup {
    let body = html! {
        div.page-head {
            div { h1 { "Outbox" } p.small {
                "The latest mails to clients and staff: what failed, what waits, what is done. "
                @if !has_server { "No mail server is set up: read them here." }
            } }
            div.acts { a.btn href=(url::SETTINGS) { "Settings" } }
        }
        form #(RETRY) method="post" action=(url::OUTBOX) {}
        section.card aria-label="Mails" { (layout::region(live, ROOT, "body")) }
    };
    layout::page(frame, &body)
}
