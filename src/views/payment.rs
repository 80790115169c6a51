//! The sandbox's payment page: what a real provider would show under its own name.

use crate::domain::business::Business;
use crate::domain::invoice::{Invoice, Status};
use crate::domain::payment::Checkout;
use crate::views::layout::{self, lone};
use crate::views::{invoice, url};
use maud::{Markup, html};

/// The page on which a client pays, fails to, or puts it off.
pub fn sandbox(business: &Business, checkout: &Checkout, invoice: &Invoice) -> Markup {
    let name = invoice::name(business, invoice);
    let choice = |value: &str, class: &str, words: &str| {
        html! { button.btn.wide.(class) type="submit" name="outcome" value=(value) { (words) } }
    };
    let body = html! {
        section.card {
            div.body.stack {
                p.eyebrow { "Sandbox: no money moves" }
                h1 { "Pay " (invoice.money(checkout.amount)) }
                p.small { "To " (business.name) ", for invoice " (name) "." }
                @if invoice.status == Status::Open {
                    form.form method="post" action=(url::sandbox(checkout.id)) {
                        (choice("pay", "primary", "Pay"))
                        (choice("fail", "", "Fail"))
                        (choice("later", "", "Pay, and tell the portal later"))
                    }
                } @else {
                    (layout::note("info", "Nothing is owed on this invoice any more."))
                }
                a.link href=(url::invoice(invoice.id)) { "Back to the invoice" }
            }
        }
    };
    lone(business, "Payment", &body)
}
