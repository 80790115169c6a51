//! The mails that the business sends, readable as they are written. For the owner: a link in one lets its reader in.

use super::email::letter;
use crate::domain::business::Business;
use crate::domain::email::Email;
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

fn mail_id(mail: &Email) -> String {
    format!(
        "mail-{:015}-{:039}",
        mail.created_at.as_millisecond(),
        mail.id.0.as_u128()
    )
}

fn mail(business: &Business, base_url: &str, mail: &Email, now: Timestamp) -> Markup {
    let letter = letter(business, base_url, mail);
    html! {
        li id=(mail_id(mail)) {
            div.what {
                b { (letter.subject) }
                small { "To " (mail.to_name) ", " (mail.to_address) }
                details { summary { "Read" } pre { (letter.text) } }
            }
            time datetime=(mail.created_at) { (text::short_moment(business, mail.created_at, now)) }
        }
    }
}

/// The page.
pub fn page(frame: &Page<'_>, live: &Live) -> Markup {
    let body = html! {
        div.page-head {
            div { h1 { "Outbox" } p.small { "The latest mails to clients and staff. No mail server is set up: read them here." } }
            div.acts { a.btn href=(url::SETTINGS) { "Settings" } }
        }
        section.card aria-label="Mails" { (layout::region(live, ROOT, "body")) }
    };
    layout::page(frame, &body)
}
