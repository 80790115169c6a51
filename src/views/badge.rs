//! The badges: how much waits behind the bell, the invoices and the messages, in both places where each of them stands.

use crate::realtime::part::{Parts, Whole};
use maud::{Markup, html};

/// What a badge belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Badge {
    Bell,
    Invoices,
    Messages,
}

/// What waits for someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub unseen: i64,
    /// A client's to pay; for staff those that are overdue.
    pub invoices: i64,
    /// A client's from staff; for staff the conversations with any.
    pub messages: i64,
    pub for_staff: bool,
}

/// A figure in a pill no wider than this; what is spoken is exact.
const MOST: i64 = 99;

/// The region.
pub fn badges(waiting: &Waiting) -> Whole {
    let invoices = if waiting.for_staff {
        "overdue"
    } else {
        "to pay"
    };
    let all = [
        (Badge::Bell, waiting.unseen, "unread"),
        (Badge::Invoices, waiting.invoices, invoices),
        (Badge::Messages, waiting.messages, "unread"),
    ];
    let mut parts = Parts::default();
    for (badge, count, word) in all {
        let wide_id = id(badge, true);
        let narrow_id = id(badge, false);
        let _ = parts.part(wide_id.clone(), pill(&wide_id, count, word));
        let _ = parts.part(narrow_id.clone(), dot(&narrow_id, count, word));
    }
    parts.scattered()
}

/// Of a badge in the side column, or in one of the phone's bars.
pub fn id(badge: Badge, wide: bool) -> String {
    let of = match badge {
        Badge::Bell => "bell",
        Badge::Invoices => "invoices",
        Badge::Messages => "messages",
    };
    format!("{of}-{}", if wide { "side" } else { "bar" })
}

fn pill(id: &str, count: i64, word: &str) -> Markup {
    html! {
        span.count id=(id) data-count=(count) hidden[count == 0] {
            @if count > MOST {
                span aria-hidden="true" { (MOST) "+" } span.visually-hidden { (count) " " (word) }
            } @else if count > 0 {
                (count) span.visually-hidden { " " (word) }
            }
        }
    }
}

fn dot(id: &str, count: i64, word: &str) -> Markup {
    html! {
        span.dot id=(id) data-count=(count) hidden[count == 0] {
            @if count > 0 { span.visually-hidden { (count) " " (word) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html_of(count: i64) -> Vec<String> {
        let whole = badges(&Waiting {
            unseen: count,
            invoices: 0,
            messages: 0,
            for_staff: false,
        });
        let html = |id: &str| whole.find(id).map(|part| part.html.clone());
        ["bell-side", "bell-bar"]
            .into_iter()
            .filter_map(html)
            .collect()
    }

    #[test]
    fn a_badge_says_of_what_and_nothing_where_nothing_waits() {
        assert_eq!(
            html_of(3),
            [
                "<span class=\"count\" id=\"bell-side\" data-count=\"3\">3<span class=\"visually-hidden\"> unread</span></span>",
                "<span class=\"dot\" id=\"bell-bar\" data-count=\"3\"><span class=\"visually-hidden\">3 unread</span></span>",
            ]
        );
        assert_eq!(
            html_of(0),
            [
                "<span class=\"count\" id=\"bell-side\" data-count=\"0\" hidden></span>",
                "<span class=\"dot\" id=\"bell-bar\" data-count=\"0\" hidden></span>",
            ]
        );
        let many = html_of(120);
        assert!(many[0].contains(">99+<") && many[0].contains(">120 unread<"));
    }
}
