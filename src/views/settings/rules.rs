//! The booking rules, for the owner: one form. What is wrong stands beside its field.

use crate::domain::business::Business;
use crate::domain::rule::Rules;
use crate::views::layout::{self, Page, note};
use crate::views::{text, url};
use maud::{Markup, html};

/// The rules as they were typed.
#[derive(Debug, Clone)]
pub struct Typed {
    pub cancel: String,
    pub moving: String,
    pub most: String,
    pub fee: String,
    pub offer: String,
    pub completes: bool,
}

impl Typed {
    /// What rules say.
    pub fn of(rules: &Rules) -> Self {
        Self {
            cancel: rules.cancel_minutes.to_string(),
            moving: rules.move_minutes.to_string(),
            most: rules.most_open.to_string(),
            fee: format!("{}.{:02}", rules.late_fee / 100, rules.late_fee % 100),
            offer: rules.offer_minutes.to_string(),
            completes: rules.completes,
        }
    }
}

/// The form, and what was wrong with it.
#[derive(Debug)]
pub struct Form {
    pub typed: Typed,
    /// The rules that it was made from, as [`Rules::line`] writes them.
    pub seen: String,
    /// A field's name, and the sentence that stands beside it.
    pub wrong: Vec<(&'static str, String)>,
    pub note: Option<String>,
}

/// The form's page.
pub fn page(frame: &Page<'_>, form: &Form) -> Markup {
    let typed = &form.typed;
    let fee = format!("Late fee in {}", frame.business.symbol.0);
    let body = html! {
        p { a.link href=(url::SETTINGS) { "Settings" } }
        div.page-head { div { h1 { (frame.title) } } }
        div.card {
            div.body {
                form.form method="post" action=(url::RULES) {
                    @if let Some(words) = &form.note { (note("bad", words)) }
                    input type="hidden" name="seen" value=(form.seen);
                    div.pair {
                        (field(form, "cancel", "Free to cancel until, minutes before", "numeric", &typed.cancel, "1440 is a day. Later than that counts as late."))
                        (field(form, "fee", &fee, "decimal", &typed.fee, "What a late cancellation costs; 0 for nothing."))
                    }
                    div.pair {
                        (field(form, "move", "Can be moved until, minutes before", "numeric", &typed.moving, "After that only staff move a session."))
                        (field(form, "most", "Sessions ahead at once", "numeric", &typed.most, "The most that a client can have booked; 0 for as many as they like."))
                    }
                    (field(form, "offer", "Minutes in which to accept a time that became free", "numeric", &typed.offer, "It is kept that long for whoever waits for it, then offered to the next in line."))
                    label.check {
                        input type="checkbox" name="completes" value="1" checked[typed.completes];
                        span { "Sessions that are over count as completed, unless staff say otherwise" }
                    }
                    p.small { "A booking can be undone for three minutes, whatever these say. They hold for all sessions, those already booked too." }
                    div.acts {
                        button.btn.primary type="submit" { "Save" }
                        a.btn href=(url::SETTINGS) { "Not now" }
                    }
                }
            }
        }
    };
    layout::page(frame, &body)
}

/// What someone else's rules say.
pub fn differs(business: &Business, stands: &Rules) -> String {
    format!(
        "Someone else changed the rules meanwhile. They say now: free to cancel until {} before, moved until {} before, late fee {}, sessions ahead {}, {} to accept an offer, {}. Save again to put yours in their place.",
        text::length(stands.cancel_minutes),
        text::length(stands.move_minutes),
        business.money(stands.late_fee),
        stands.most_open,
        text::length(stands.offer_minutes),
        if stands.completes {
            "over is completed"
        } else {
            "staff say what came of a session"
        },
    )
}

fn field(
    form: &Form,
    name: &'static str,
    label: &str,
    mode: &str,
    value: &str,
    hint: &str,
) -> Markup {
    let wrong = form.wrong.iter().find(|(field, _)| *field == name);
    let id = format!("{name}-wrong");
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) value=(value) inputmode=(mode) autocomplete="off"
                aria-invalid=[wrong.map(|_| "true")] aria-describedby=[wrong.map(|_| &id)];
            p.hint { (hint) }
            @if let Some((_, words)) = wrong { p.error id=(id) { (words) } }
        }
    }
}
