//! Clients, for staff: the list, and one of them.

use crate::domain::business::Business;
use crate::domain::client::Client;
use crate::domain::person::initials;
use crate::realtime::part::{Parts, Whole};
use crate::views::layout::{self, Live, Page, note};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// The root that the list fills.
pub const ROOT: &str = "clients";

/// The region.
pub fn list(business: &Business, clients: &[Client], quiet: bool, now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let html = html! {
        @if clients.is_empty() {
            p.empty { @if quiet { "Nobody has gone quiet." } @else { "No clients yet. Invite the first one below." } }
        } @else {
            table {
                thead { tr { th scope="col" { "Client" } th scope="col" { "E-mail" } th scope="col" { "Last session" } th scope="col" { "Next session" } } }
                tbody {
                    @for client in clients {
                        (parts.part(row_id(client), row(business, client, now)))
                    }
                }
            }
        }
    };
    parts.whole(ROOT, &html)
}

fn row_id(client: &Client) -> String {
    format!("client-{}", client.id)
}

fn row(business: &Business, client: &Client, now: Timestamp) -> Markup {
    let date = |at: Timestamp| text::short_date(business.local(at).date(), business.today(now));
    html! {
        tr id=(row_id(client)) {
            td { a href=(url::client(client.id)) { (client.name) } @if !client.joined { " " span.badge { "Invited" } } }
            td { (client.email) }
            td data-label="Last session" { (client.last_at.map_or_else(|| "–".to_owned(), date)) }
            td { @match client.next_at { Some(at) => (text::short_moment(business, at, now)), None => span.small { "None booked" } } }
        }
    }
}

/// An invitation as it was filled in, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Invite<'a> {
    pub name: &'a str,
    pub email: &'a str,
    pub error: Option<&'a str>,
    pub sent: bool,
}

/// The list's page.
pub fn page(frame: &Page<'_>, live: &Live, form: &Invite<'_>, quiet: bool) -> Markup {
    let body = html! {
        div.page-head { div { h1 { "Clients" } } div.acts { a.btn.primary href="#invite" { "Invite a client" } } }
        @if form.sent { (note("ok", "Invited. The link to set a password is on its way.")) }
        (layout::choice("Show", &[(url::CLIENTS, "All", !quiet), (url::QUIET, "Gone quiet", quiet)]))
        section.card aria-label=(if quiet { "Clients who have gone quiet" } else { "All clients" }) { (layout::region(live, ROOT, "body")) }
        section.card #invite aria-labelledby="invite-title" {
            header { h2 #invite-title { "Invite a client" } }
            div.body {
                form.form method="post" action=(url::CLIENTS) {
                    @if let Some(words) = form.error { (note("bad", words)) }
                    div.pair {
                        div.field { label for="name" { "Name" } input #name name="name" required maxlength="100" autocomplete="off" value=(form.name); }
                        div.field { label for="email" { "E-mail" } input #email name="email" type="email" required maxlength="254" autocomplete="off" value=(form.email); }
                    }
                    div.acts { button.btn.primary type="submit" { "Send invitation" } }
                }
            }
        }
    };
    layout::page(frame, &body)
}

/// One client's page.
pub fn detail(frame: &Page<'_>, live: &Live, client: &Client) -> Markup {
    let body = html! {
        div.page-head {
            div.row {
                span.avatar aria-hidden="true" { (initials(&client.name)) }
                div { h1 { (client.name) } p.small { (client.email) @if !client.joined { " · invited, has not set a password yet" } } }
            }
            div.acts { a.btn href=(url::CLIENTS) { "All clients" } a.btn href=(url::thread(client.id)) { "Message" } a.btn href=(url::new_invoice(Some(client.id), None)) { "New invoice" } a.btn.primary href=(url::CALENDAR) { "Book a session" } }
        }
        (layout::region(live, super::wait::ROOT, ""))
        (layout::region(live, super::booking::sessions::ROOT, "stack-l"))
    };
    layout::page(frame, &body)
}
