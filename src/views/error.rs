//! What people see when something is not there or did not work: what happened, what to do, and a way on.

use crate::domain::business::Business;
use crate::views::layout::{lone, note};
use crate::views::url;
use maud::{Markup, html};

/// What went wrong, in people's words.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// The HTTP status.
    pub code: u16,
    pub title: &'a str,
    pub words: &'a str,
    /// Names this request in the log.
    pub request: &'a str,
}

/// A whole page.
pub fn page(business: &Business, problem: &Problem<'_>) -> Markup {
    let body = html! {
        section.card {
            header { h1 { (problem.title) } span.code { (problem.code) } }
            div.body.stack {
                p { (problem.words) }
                div.acts { a.btn.primary href=(url::HOME) { "Go to the start" } }
                @if problem.code >= 500 { p.small { "If you write to us about this, mention " (problem.request) "." } }
            }
        }
    };
    lone(business, problem.title, &body)
}

/// The same inside the sheet.
pub fn fragment(problem: &Problem<'_>) -> Markup {
    html! {
        div.stack {
            h2 #sheet-title { (problem.title) }
            (note("bad", problem.words))
            @if problem.code >= 500 { p.small { "If you write to us about this, mention " (problem.request) "." } }
            div.acts { a.btn href=(url::HOME) data-close { "Close" } }
        }
    }
}
