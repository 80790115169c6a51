//! How the business is set up, for staff to read.

pub mod hours;
pub mod rules;
pub mod service;
pub mod stranded;

use crate::domain::business::Business;
use crate::domain::reminder;
use crate::domain::service::Service;
use crate::domain::staff::Staff;
use crate::domain::viewer::Role;
use crate::views::layout::{self, Page};
use crate::views::{text, url};
use maud::{Markup, html};

/// The page.
pub fn page(frame: &Page<'_>, services: &[Service], staff: &[Staff], is_owner: bool) -> Markup {
    let business: &Business = frame.business;
    let body = html! {
        div.page-head {
            div { h1 { "Settings" } }
            @if is_owner { div.acts { a.btn href=(url::OUTBOX) { "Outbox" } } }
        }
        div.cols {
            section.card aria-labelledby="services-title" {
                header {
                    h2 #services-title { "Services" }
                    @if is_owner { a.btn.quiet href=(url::SERVICES) { "Change services" } }
                }
                div.body {
                    table {
                        thead { tr { th scope="col" { "Service" } th scope="col" { "Length" } th scope="col" { "Book ahead" } th scope="col" { "Price" } } }
                        tbody {
                            @for service in services {
                                tr {
                                    td { (service.name) }
                                    td data-label="Length" { (service.minutes) " min" }
                                    td data-label="Book ahead" { (text::length(service.notice)) }
                                    td { (business.money(service.price)) }
                                }
                            }
                        }
                    }
                }
            }
            div.stack-l {
                section.card aria-labelledby="business-title" {
                    header {
                        h2 #business-title { "Business" }
                        @if is_owner { a.btn.quiet href=(url::RULES) { "Booking rules" } }
                    }
                    div.body {
                        dl.kv {
                            dt { "Name" } dd { (business.name) }
                            dt { "Address" } dd { (business.address) }
                            dt { "Time zone" } dd { (business.zone.iana_name().unwrap_or("UTC")) }
                            dt { "Free to cancel" } dd { "until " (text::length(business.rules.cancel_minutes)) " before" }
                            dt { "To be moved" } dd { "until " (text::length(business.rules.move_minutes)) " before" }
                            @if business.rules.late_fee > 0 { dt { "Late fee" } dd { (business.money(business.rules.late_fee)) } }
                            @if business.rules.most_open > 0 { dt { "Sessions ahead" } dd { "at most " (business.rules.most_open) } }
                        }
                    }
                }
                (reminders(business, is_owner))
                section.card aria-labelledby="staff-title" {
                    header { h2 #staff-title { "Staff" } }
                    div.body {
                        ul.list {
                            @for one in staff {
                                li {
                                    span.what { b { (one.name) } small { @if one.role == Role::Owner { "Owner" } @else { "Staff" } } }
                                    @if is_owner { a.btn.quiet href=(url::hours(one.id)) { "Hours" span.visually-hidden { " of " (one.name) } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    layout::page(frame, &body)
}

/// When clients are reminded; the owner chooses.
fn reminders(business: &Business, is_owner: bool) -> Markup {
    let current = reminder::text(&business.reminders);
    let words = reminder::CHOICES
        .iter()
        .find(|(times, _)| *times == current)
        .map_or("At other times", |(_, words)| *words);
    html! {
        section.card aria-labelledby="reminders-title" {
            header { h2 #reminders-title { "Reminders" } }
            div.body {
                @if is_owner {
                    form.form method="post" action=(url::REMINDERS) {
                        div.field {
                            label for="times" { "Remind clients by mail" }
                            select #times name="times" {
                                @for (times, words) in reminder::CHOICES {
                                    option value=(times) selected[times == current] { (words) }
                                }
                            }
                        }
                        button.btn type="submit" { "Save reminders" }
                    }
                } @else {
                    p { (words) }
                }
            }
        }
    }
}
