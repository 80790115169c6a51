//! The question before a change that would strand sessions: each is named, and saving needs a tick.

use crate::domain::booking::Booking;
use crate::views::layout::{self, Page, note};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// What is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// Where the form goes that asked for the change, and where whoever thinks again goes.
    pub action: &'a str,
    pub back: &'a str,
    /// All that the form held, to be sent again.
    pub fields: &'a [(String, String)],
    pub bookings: &'a [Booking],
    /// Of these sessions as they stand: with others the question is asked anew.
    pub seal: &'a str,
    pub now: Timestamp,
}

/// The page.
pub fn page(frame: &Page<'_>, question: &Question<'_>) -> Markup {
    let count = text::count(question.bookings.len(), "session is", "sessions are");
    let words = format!(
        "Nothing is saved yet. {count} booked already that would no longer be on offer. They stay as they are until you move or cancel them."
    );
    let business = frame.business;
    let body = html! {
        div.page-head { div { h1 { (frame.title) } } }
        section.card aria-labelledby="stranded-title" {
            header { h2 #stranded-title { "Booked already" } }
            div.body.stack {
                (note("warn", &words))
                ul.list #stranded {
                    @for booking in question.bookings {
                        li {
                            span.what {
                                b { a href=(url::booking(booking.id)) { (booking.client_name) } }
                                small { (booking.service_name) " with " (booking.staff_name) }
                            }
                            time datetime=(booking.starts_at) { (text::short_moment(business, booking.starts_at, question.now)) }
                        }
                    }
                }
                form.form method="post" action=(question.action) {
                    @for (name, value) in question.fields { input type="hidden" name=(name) value=(value); }
                    label.check {
                        input type="checkbox" name="agreed" value=(question.seal) required;
                        span { "Leave these sessions as they are, and save" }
                    }
                    div.acts {
                        button.btn.primary type="submit" { "Save" }
                        a.btn href=(question.back) { "Not now" }
                    }
                }
            }
        }
    };
    layout::page(frame, &body)
}
