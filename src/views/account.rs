//! Someone's own page: whether they are reminded, and the calendar that they can subscribe to. And the page behind the link that
//! stops reminders, for whom nobody is signed in.

use crate::domain::business::Business;
use crate::domain::viewer::Viewer;
use crate::views::layout::{self, Page, note};
use crate::views::url;
use maud::{Markup, html};

/// The page's values.
#[derive(Debug, Default)]
pub struct View {
    pub wants_reminders: bool,
    pub has_feed: bool,
}

/// The page.
pub fn page(frame: &Page<'_>, view: &View) -> Markup {
    let is_client = matches!(frame.viewer, Viewer::Client(_));
    let body = html! {
        div.page-head { div { h1 { (frame.title) } } }
        div.stack-l {
            @if is_client { (reminders(view.wants_reminders)) }
            (feed(view.has_feed))
        }
    };
    layout::page(frame, &body)
}

fn reminders(wanted: bool) -> Markup {
    html! {
        section.card aria-labelledby="reminders-title" {
            header { h2 #reminders-title { "Reminders" } }
            div.body {
                form.form method="post" action=(url::OWN_REMINDERS) {
                    label.check { input type="checkbox" name="reminders" checked[wanted]; span { "Remind me of my sessions by mail" } }
                    div { button.btn type="submit" { "Save" } }
                }
            }
        }
    }
}

fn feed(has_feed: bool) -> Markup {
    html! {
        section.card aria-labelledby="feed-title" {
            header { h2 #feed-title { "Your calendar" } }
            div.body.stack {
                p { "Subscribe to your sessions in the calendar of your phone or computer. Whoever has the address can read them." }
                div.acts {
                    form method="post" action=(url::OWN_FEED) {
                        button.btn type="submit" { @if has_feed { "Make a new address" } @else { "Make an address" } }
                    }
                    @if has_feed {
                        form method="post" action=(url::REVOKE_FEED) { button.btn type="submit" { "End the address" } }
                    }
                }
                @if has_feed { p.small { "A new address ends the one before." } }
            }
        }
    }
}

/// The address of the calendar that was just made: shown once, as only its hash is kept.
pub fn made(business: &Business, address: &str) -> Markup {
    let body = html! {
        section.card {
            header { h1 { "Your calendar" } }
            div.body.stack {
                (note("ok", "This address is shown only now. Copy it into your calendar."))
                div.field {
                    label for="feed" { "Address of your calendar" }
                    input #feed type="text" readonly value=(address);
                }
                a.btn href=(url::ACCOUNT) { "Your account" }
            }
        }
    };
    layout::lone(business, "Your calendar", &body)
}

/// Asks whether to stop reminders, or says that they are stopped.
pub fn unsubscribe(business: &Business, token: &str, is_done: bool) -> Markup {
    let title = if is_done {
        "No more reminders"
    } else {
        "Stop reminders?"
    };
    let body = html! {
        section.card {
            header { h1 { (title) } }
            div.body.stack {
                @if is_done {
                    p { "You get no more reminders. Confirmations and changes are still sent. Sign in to be reminded again." }
                    a.btn href=(url::ACCOUNT) { "Your account" }
                } @else {
                    p { "You will get no more mails that remind you of sessions. Confirmations and changes are still sent." }
                    form method="post" action=(url::unsubscribe(token)) { button.btn.primary type="submit" { "Stop reminders" } }
                }
            }
        }
    };
    layout::lone(business, title, &body)
}
