//! What a client owes and owed: what is due stands first, with the button that pays it.

use super::{badge, name, purpose};
use crate::domain::business::Business;
use crate::domain::invoice::Invoice;
use crate::realtime::part::{List, Parts, Whole};
use crate::views::icon::{icon, name as drawing};
use crate::views::layout::{self, Live, Page};
use crate::views::{text, url};
use jiff::civil::Date;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "invoices";

const DUE: List = List {
    id: "due",
    newest_first: false,
    windowed: false,
};
const ROWS: List = List {
    id: "invoice-rows",
    newest_first: true,
    windowed: false,
};

/// What the region shows.
#[derive(Debug)]
pub struct View<'a> {
    /// The newest first.
    pub all: &'a [Invoice],
    /// What is due first first.
    pub unpaid: &'a [Invoice],
    pub can_pay: bool,
    pub today: Date,
}

/// The region.
pub fn list(business: &Business, view: &View<'_>) -> Whole {
    let mut parts = Parts::default();
    let total: i64 = view.unpaid.iter().map(Invoice::due).sum();
    let outstanding = html! {
        p #outstanding {
            @if total == 0 { "Nothing to pay" } @else { (business.money(total)) " outstanding" }
        }
    };
    let html = html! {
        (parts.part("outstanding".to_owned(), outstanding))
        ul.stack #due {
            @for invoice in view.unpaid {
                (parts.item(DUE, due_id(invoice), due(business, view, invoice)))
            }
        }
        section.card aria-labelledby="all-title" {
            header { h2 #all-title { "All invoices" } }
            div.body {
                @if view.all.is_empty() {
                    p.empty { "No invoices yet. They will be listed here when there is something to pay." }
                } @else {
                    table {
                        thead { tr { th scope="col" { "Invoice" } th scope="col" { "For" } th.num scope="col" { "Amount" } th scope="col" { "Status" } } }
                        tbody #invoice-rows {
                            @for invoice in view.all {
                                (parts.item(ROWS, row_id(invoice), row(business, invoice, view.today)))
                            }
                        }
                    }
                }
            }
        }
    };
    parts.whole(ROOT, &html)
}

/// By the day on which it is due, then by its number.
fn due_id(invoice: &Invoice) -> String {
    let number = invoice.number.unwrap_or_default();
    format!("due-{}-{number:012}", invoice.due_on.strftime("%Y%m%d"))
}

fn row_id(invoice: &Invoice) -> String {
    format!("inv-{:012}", invoice.number.unwrap_or_default())
}

fn due(business: &Business, view: &View<'_>, invoice: &Invoice) -> Markup {
    html! {
        li.card.due id=(due_id(invoice)) {
            div {
                p.eyebrow { (name(business, invoice)) " · due " (text::long_date(invoice.due_on)) }
                p.big { (invoice.money(invoice.total)) }
                p.small {
                    (purpose(invoice))
                    @if invoice.tax > 0 { ". Tax of " (invoice.money(invoice.tax)) " included." }
                }
            }
            div.acts {
                (pay(invoice, view.can_pay))
                a.btn href=(url::invoice(invoice.id)) { "View" span.visually-hidden { " " (name(business, invoice)) } }
            }
        }
    }
}

/// The button that pays, where anybody takes money.
pub(in crate::views) fn pay(invoice: &Invoice, can_pay: bool) -> Markup {
    html! {
        @if can_pay {
            form method="post" action=(url::pay(invoice.id)) {
                button.btn.primary type="submit" { (icon(drawing::LOCK)) "Pay now" }
            }
        }
    }
}

fn row(business: &Business, invoice: &Invoice, today: Date) -> Markup {
    html! {
        tr id=(row_id(invoice)) data-invoice=(invoice.id) data-status=(invoice.standing(today).as_str()) {
            td { a href=(url::invoice(invoice.id)) { (name(business, invoice)) } }
            td { (purpose(invoice)) }
            td.num { (invoice.money(invoice.total)) }
            td { (badge(invoice, today)) }
        }
    }
}

/// The page.
pub fn page(frame: &Page<'_>, live: &Live) -> Markup {
    let body = html! {
        div.page-head { div { h1 { "Invoices" } } }
        (layout::region(live, ROOT, "stack-l"))
    };
    layout::page(frame, &body)
}
