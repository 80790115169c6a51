//! Staff's invoices: what each filter comes to, and the rows behind the one that is chosen.

use super::{badge, name, purpose};
use crate::domain::business::Business;
use crate::domain::invoice::{Filter, Invoice, Sum};
use crate::realtime::part::{List, Parts, Whole};
use crate::views::layout::{self, Live, Page};
use crate::views::url;
use jiff::civil::Date;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "ledger";

const ROWS: List = List {
    id: "ledger-rows",
    newest_first: true,
    windowed: false,
};

/// What the region shows.
#[derive(Debug)]
pub struct View<'a> {
    pub invoices: &'a [Invoice],
    /// There are more than these, made before.
    pub has_earlier: bool,
    pub sums: &'a [(Filter, Sum)],
    pub filter: Filter,
    pub today: Date,
}

/// The region.
pub fn list(business: &Business, view: &View<'_>) -> Whole {
    let mut parts = Parts::default();
    let sum = |filter: Filter| {
        let found = view.sums.iter().find(|(of, _)| *of == filter);
        found.map_or_else(Sum::default, |(_, sum)| *sum)
    };
    let html = html! {
        nav.chips aria-label="Show" {
            @for filter in Filter::ALL {
                // Money that came too late is rare, and nobody should wonder what an empty list of it means.
                @if filter != Filter::Unapplied || view.filter == filter || sum(filter).count > 0 {
                    (parts.part(chip_id(filter), chip(business, filter, view.filter, sum(filter))))
                }
            }
        }
        section.card aria-label=(words(view.filter)) {
            div.body {
                @if view.invoices.is_empty() {
                    p.empty { (nothing(view.filter)) }
                } @else {
                    table {
                        thead { tr { th scope="col" { "Invoice" } th scope="col" { "Client" } th scope="col" { "For" } th.num scope="col" { "Amount" } th scope="col" { "Status" } } }
                        tbody #ledger-rows {
                            @for invoice in view.invoices {
                                (parts.item(ROWS, row_id(invoice), row(business, invoice, view)))
                            }
                        }
                    }
                }
                @if let Some(last) = view.invoices.last().filter(|_| view.has_earlier) {
                    p { a.link href=(url::ledger_before(view.filter, last.id)) { "Earlier invoices" } }
                }
            }
        }
    };
    parts.whole(ROOT, &html)
}

fn words(filter: Filter) -> &'static str {
    match filter {
        Filter::All => "All",
        Filter::Open => "Outstanding",
        Filter::Overdue => "Overdue",
        Filter::Paid => "Paid",
        Filter::Draft => "Drafts",
        Filter::Void => "Void",
        Filter::Unapplied => "To give back",
    }
}

fn nothing(filter: Filter) -> &'static str {
    match filter {
        Filter::All => "No invoices yet. Issue the first one.",
        Filter::Open => "Nothing is outstanding.",
        Filter::Overdue => "Nothing is overdue.",
        Filter::Paid => "Nothing has been paid yet.",
        Filter::Draft => "There are no drafts.",
        Filter::Void => "Nothing was withdrawn.",
        Filter::Unapplied => "No money has to be given back.",
    }
}

fn chip_id(filter: Filter) -> String {
    format!("show-{}", filter.as_str())
}

fn chip(business: &Business, filter: Filter, chosen: Filter, sum: Sum) -> Markup {
    html! {
        a id=(chip_id(filter)) href=(url::ledger(filter)) aria-current=[(filter == chosen).then_some("true")]
            data-count=(sum.count) data-amount=(sum.amount) {
            (words(filter)) " " (sum.count)
            // What drafts, paid and void ones come to together says nothing.
            @if sum.count > 0 && filter != Filter::All { span.small { (business.money(sum.amount)) } }
        }
    }
}

/// By the time at which it was made: a draft has no number. The id after it tells two of one millisecond apart.
fn row_id(invoice: &Invoice) -> String {
    let made = invoice.created_at.as_millisecond();
    format!("bill-{made:015}-{:039}", invoice.id.0.as_u128())
}

fn row(business: &Business, invoice: &Invoice, view: &View<'_>) -> Markup {
    let today = view.today;
    let amount = if view.filter == Filter::Unapplied {
        invoice.unapplied
    } else {
        invoice.total
    };
    html! {
        tr id=(row_id(invoice)) data-invoice=(invoice.id) data-status=(invoice.standing(today).as_str()) {
            td { a href=(url::invoice(invoice.id)) { (name(business, invoice)) } }
            td { a href=(url::client(invoice.client)) { (invoice.client_name) } }
            td { (purpose(invoice)) }
            td.num { (invoice.money(amount)) }
            td { (badge(invoice, today)) }
        }
    }
}

/// The page.
pub fn page(frame: &Page<'_>, live: &Live) -> Markup {
    let body = html! {
        div.page-head {
            div { h1 { "Invoices" } p.small { "Payments show here as they come in." } }
            div.acts { a.btn.primary href=(url::NEW_INVOICE) { "New invoice" } }
        }
        (layout::region(live, ROOT, "stack-l"))
    };
    layout::page(frame, &body)
}
