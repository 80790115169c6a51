//! Staff's first page: today's numbers, seven days, and what just happened.

use crate::domain::business::Business;
use crate::domain::invoice::{Filter, Sum};
use crate::domain::staff::Staff;
use crate::realtime::part::{Parts, Whole};
use crate::views::layout::{self, Live, Page};
use crate::views::{activity, agenda, text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// The root that the numbers fill.
pub const ROOT: &str = "numbers";

/// The numbers of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub today: usize,
    /// The next session of today that has not begun.
    pub next_at: Option<Timestamp>,
    /// Sessions of seven days from today.
    pub week: usize,
    /// Invoices that are not paid, and those of them that are overdue.
    pub open: Sum,
    pub overdue: Sum,
    /// Clients who wait for an answer, and since when the first of them does.
    pub waiting: usize,
    pub waiting_since: Option<Timestamp>,
    /// Clients, and those who had no session for long and have none coming.
    pub clients: usize,
    pub quiet: usize,
}

/// The region. Each number leads to exactly what it counts.
pub fn numbers(business: &Business, numbers: &Numbers, now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let next = match numbers.next_at {
        Some(at) => format!("next at {}", text::time(&business.local(at))),
        None if numbers.today == 0 => "nothing booked".to_owned(),
        None => "none still to come".to_owned(),
    };
    let count = |n: i64| usize::try_from(n).unwrap_or(0);
    let invoices = |sum: Sum| text::count(count(sum.count), "invoice", "invoices");
    let since = numbers.waiting_since.map_or_else(
        || "nobody waits".to_owned(),
        |at| format!("the first since {}", text::short_moment(business, at, now)),
    );
    let tiles = [
        (
            "today",
            "#day-0".to_owned(),
            "Today",
            text::count(numbers.today, "session", "sessions"),
            next,
        ),
        (
            "week",
            format!("#{}", agenda::AGENDA),
            "Seven days",
            text::count(numbers.week, "session", "sessions"),
            "from today".to_owned(),
        ),
        (
            "waiting",
            url::WAITING.to_owned(),
            "Waiting for an answer",
            text::count(numbers.waiting, "client", "clients"),
            since,
        ),
        (
            "outstanding",
            url::ledger(Filter::Open),
            "Outstanding",
            business.money(numbers.open.amount).to_string(),
            invoices(numbers.open),
        ),
        (
            "overdue",
            url::ledger(Filter::Overdue),
            "Overdue",
            business.money(numbers.overdue.amount).to_string(),
            invoices(numbers.overdue),
        ),
        (
            "quiet",
            url::QUIET.to_owned(),
            "Gone quiet",
            text::count(numbers.quiet, "client", "clients"),
            format!("of {}, no session in 45 days", numbers.clients),
        ),
    ];
    let html = html! {
        @for (id, href, label, figure, more) in tiles {
            (parts.part(format!("kpi-{id}"), tile(id, &href, label, &figure, &more)))
        }
    };
    parts.whole(ROOT, &html)
}

fn tile(id: &str, href: &str, label: &str, figure: &str, more: &str) -> Markup {
    html! {
        a.card.kpi id={ "kpi-" (id) } href=(href) {
            span.eyebrow { (label) } b { (figure) } span.small { (more) }
        }
    }
}

/// The page.
pub fn page(frame: &Page<'_>, live: &Live, staff: &[Staff], now: Timestamp) -> Markup {
    let local = frame.business.local(now);
    let body = html! {
        div.page-head {
            div {
                p.small { (text::long_date(local.date())) }
                h1 { "This week at " (frame.business.name) }
            }
            div.acts { a.btn.primary href=(url::CALENDAR) { "Book for a client" } }
        }
        (layout::region(live, ROOT, "kpis"))
        div.cols.lead {
            section.card aria-labelledby="agenda-title" {
                header { h2 #agenda-title { "Agenda" } (agenda::legend(staff)) }
                div.body { (layout::region(live, agenda::AGENDA, "")) }
            }
            section.card aria-labelledby="activity-title" {
                header { h2 #activity-title { "Just now" } }
                div.body { (layout::region(live, activity::ROOT, "")) }
            }
        }
    };
    layout::page(frame, &body)
}
