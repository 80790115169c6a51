//! One invoice as it would be printed, with what its reader can do about it beside the paper.

use super::{badge, name, own};
use crate::domain::business::Business;
use crate::domain::invoice::{Invoice, Line, Payment, Status, Totals};
use crate::realtime::part::{Parts, Whole};
use crate::views::layout::{self, Live, Page};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "invoice";

/// What the region shows.
#[derive(Debug)]
pub struct View<'a> {
    pub invoice: &'a Invoice,
    pub lines: &'a [Line],
    pub payments: &'a [Payment],
    /// When a payment last did not go through.
    pub failed_at: Option<Timestamp>,
    pub for_staff: bool,
    pub can_pay: bool,
    pub now: Timestamp,
}

/// The region.
pub fn paper(business: &Business, view: &View<'_>) -> Whole {
    let mut parts = Parts::default();
    let invoice = view.invoice;
    let html = html! {
        (parts.part("invoice-head".to_owned(), head(business, view)))
        (parts.part("invoice-money".to_owned(), money(business, view)))
        section.card.paper aria-label="Invoice" {
            header.letter {
                div { p.brandname { (business.name) } @if !business.address.is_empty() { p.small { (business.address) } } }
                dl.kv {
                    dt { "Invoice" } dd { b { (name(business, invoice)) } }
                    @if let Some(day) = invoice.issued_on { dt { "Issued" } dd { (day.strftime("%-d %B %Y")) } }
                    dt { "Due" } dd { (invoice.due_on.strftime("%-d %B %Y")) }
                    dt { "Billed to" } dd { (invoice.client_name) }
                }
            }
            div.body { (lines(invoice, view.lines)) (sums(invoice, view.lines)) }
        }
    };
    parts.whole(ROOT, &html)
}

/// What is left of a draft that was discarded while somebody looked at it.
pub fn gone() -> Whole {
    let html = layout::note("info", "This draft was discarded.");
    Parts::default().whole(ROOT, &html)
}

fn head(business: &Business, view: &View<'_>) -> Markup {
    let invoice = view.invoice;
    let today = business.today(view.now);
    html! {
        div.page-head #invoice-head data-invoice=(invoice.id) data-status=(invoice.standing(today).as_str()) {
            div {
                p.small { (badge(invoice, today)) }
                h1 { "Invoice " (name(business, invoice)) }
                p.small {
                    @if invoice.due() > 0 { (invoice.money(invoice.due())) " to pay" } @else { "Nothing to pay" }
                    @if !view.for_staff && invoice.status == Status::Open && !view.can_pay {
                        ". Pay by the means that you agreed on, and name the invoice."
                    }
                }
            }
            div.acts.screen-only {
                @if view.for_staff { (staff_acts(invoice)) }
                @else if invoice.status == Status::Open { (own::pay(invoice, view.can_pay)) }
            }
        }
    }
}

fn staff_acts(invoice: &Invoice) -> Markup {
    // What cannot be taken back is asked for twice, without a script too.
    let sure = |act: &str, words: &str, warning: &str| {
        html! {
            details.sure {
                summary.btn.danger { (words) }
                div.stack {
                    p.small { (warning) }
                    form method="post" action=(url::invoice_act(invoice.id, act)) {
                        input type="hidden" name="version" value=(invoice.version);
                        button.btn.danger type="submit" { "Yes, " (words.to_lowercase()) }
                    }
                }
            }
        }
    };
    let act = |act: &str, class: &str, words: &str| {
        html! {
            form method="post" action=(url::invoice_act(invoice.id, act)) {
                input type="hidden" name="version" value=(invoice.version);
                button.btn.(class) type="submit" { (words) }
            }
        }
    };
    html! {
        @match invoice.status {
            Status::Draft => { (sure("discard", "Discard draft", "It is gone for good.")) (act("issue", "primary", "Issue invoice")) }
            Status::Open => (sure("void", "Void invoice", "It keeps its number, and nothing is owed on it any more.")),
            _ => {}
        }
    }
}

/// A figure of hundredths, without the decimals that say nothing.
fn figure(hundredths: i64) -> String {
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) => format!("{whole}.{part:02}")
            .trim_end_matches('0')
            .to_owned(),
    }
}

fn lines(invoice: &Invoice, lines: &[Line]) -> Markup {
    html! {
        table {
            thead { tr { th scope="col" { "For" } th.num scope="col" { "Quantity" } th.num scope="col" { "Price" } th.num scope="col" { "Tax" } th.num scope="col" { "Amount" } } }
            tbody {
                @for line in lines {
                    tr {
                        td { (line.words) }
                        td.num data-label="Quantity" { (figure(line.quantity)) }
                        td.num data-label="Price" { (invoice.money(line.unit_price)) }
                        td.num data-label="Tax" { (figure(line.tax_rate)) " %" }
                        td.num { (invoice.money(line.amount())) }
                    }
                }
            }
        }
    }
}

fn sums(invoice: &Invoice, lines: &[Line]) -> Markup {
    let totals = Totals::of(lines, invoice.tax_included);
    html! {
        dl.sums {
            @if let Ok(totals) = &totals {
                @if !invoice.tax_included { dt { "Before tax" } dd { (invoice.money(invoice.total - invoice.tax)) } }
                @for part in &totals.taxed {
                    @if part.tax > 0 {
                        dt { @if invoice.tax_included { "Included tax, " } @else { "Tax, " } (figure(part.rate)) " %" }
                        dd { (invoice.money(part.tax)) }
                    }
                }
            }
            dt.total { "Total" } dd.total { (invoice.money(invoice.total)) }
        }
    }
}

fn money(business: &Business, view: &View<'_>) -> Markup {
    let invoice = view.invoice;
    html! {
        div.stack #invoice-money {
            @if let Some(at) = view.failed_at.filter(|_| invoice.status == Status::Open) {
                (layout::note("bad", &format!(
                    "The payment of {} did not go through. Nothing was taken.", text::moment(business, at),
                )))
            }
            @for payment in view.payments {
                @if payment.applied {
                    p.small { "Paid " (invoice.money(payment.amount)) " on " (text::moment(business, payment.at)) ". Reference " (payment.reference) "." }
                } @else if view.for_staff {
                    (layout::note("warn", &format!(
                        "{} came in on {} when nothing was owed any more. Give it back: reference {}.",
                        invoice.money(payment.amount), text::moment(business, payment.at), payment.reference,
                    )))
                } @else {
                    (layout::note("info", &format!(
                        "{} came in on {} when nothing was owed any more. We will give it back.",
                        invoice.money(payment.amount), text::moment(business, payment.at),
                    )))
                }
            }
        }
    }
}

/// The page.
pub fn page(frame: &Page<'_>, live: &Live, note: Option<(&str, &str)>, back: &str) -> Markup {
    let body = html! {
        p.screen-only { a.link href=(back) { "All invoices" } }
        @if let Some((kind, words)) = note { div.awaiting { (layout::note(kind, words)) } }
        (layout::region(live, ROOT, "stack-l"))
    };
    layout::page(frame, &body)
}
