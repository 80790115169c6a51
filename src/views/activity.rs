//! What just happened, newest first.

use crate::domain::activity::{Activity, Kind};
use crate::domain::business::Business;
use crate::realtime::part::{List, Parts, Whole};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "activity";

const LINES: List = List {
    id: "activity-lines",
    newest_first: true,
    windowed: false,
};

/// The region.
pub fn list(business: &Business, lines: &[Activity], now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let html = html! {
        @if lines.is_empty() {
            p.empty { "Bookings, moves and cancellations will be listed here as they happen." }
        } @else {
            ul.list #activity-lines {
                @for line in lines { (parts.item(LINES, line_id(line), self::line(business, line, now))) }
            }
        }
    };
    parts.whole(ROOT, &html)
}

fn line_id(line: &Activity) -> String {
    format!(
        "did-{:015}-{:039}",
        line.at.as_millisecond(),
        line.id.0.as_u128()
    )
}

fn line(business: &Business, line: &Activity, now: Timestamp) -> Markup {
    let did = match line.kind {
        Kind::Booked => "booked",
        Kind::Moved => "moved to",
        Kind::Cancelled | Kind::CancelledLate => "cancelled",
        Kind::Completed => "came",
        Kind::Missed => "did not come",
        Kind::Invited => "was invited",
        Kind::Invoiced => "was sent",
        Kind::Voided => "no longer owes",
        Kind::Paid => "paid",
        Kind::PaidLate => "paid what was not owed,",
        Kind::PaymentFailed => "could not pay",
        Kind::ServiceAdded => "added the service",
        Kind::ServiceChanged => "changed the service",
        Kind::ServiceRetired => "retired the service",
        Kind::ServiceOffered => "offers again the service",
        Kind::HoursChanged => "changed the hours of",
        Kind::RulesChanged => "changed",
    };
    let amount = line.amount.map(|minor| business.money(minor));
    let at = business.local(line.at);
    let is_today = at.date() == business.today(now);
    html! {
        li id=(line_id(line)) {
            span.what.flow {
                b { (line.name) } " " (did)
                @if let Some(about) = &line.about { " " (about) }
                @if let Some((id, number)) = line.invoice {
                    " " a href=(url::invoice(id)) { (number.map_or_else(String::new, |n| business.invoice_number(n))) }
                }
                @if let Some(amount) = amount { ", " (amount) }
                @if let Some(start) = line.starts_at { " " (text::short_moment(business, start, now)) }
                @if let Some(staff) = &line.staff_name {
                    small { @if line.kind == Kind::CancelledLate { "late, " } "with " (staff) }
                }
                @if let Some(reason) = &line.reason { small { (text::set_aside(&line.rules)) ": " (reason) } }
            }
            time datetime=(line.at) {
                @if is_today { (text::time(&at)) } @else { (text::short_date(at.date(), business.today(now))) }
            }
        }
    }
}
