//! The form that makes an invoice: whom for, what for, and when it is due.

use crate::domain::business::Business;
use crate::domain::id::{BookingId, ClientId};
use crate::views::layout::{self, Page};
use crate::views::url;
use maud::{Markup, html};

/// A line as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    pub words: String,
    pub quantity: String,
    pub price: String,
    pub tax: String,
}

/// The form as it was filled in, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Form {
    pub client: Option<ClientId>,
    pub booking: Option<BookingId>,
    pub lines: Vec<Typed>,
    pub tax_included: bool,
    pub due_on: String,
    pub key: String,
    pub error: Option<String>,
}

/// The page.
pub fn page(frame: &Page<'_>, form: &Form, clients: &[(ClientId, String)]) -> Markup {
    let body = html! {
        p { a.link href=(url::LEDGER) { "All invoices" } }
        div.page-head { div { h1 { "New invoice" } } }
        div.card { div.body { (self::form(frame.business, form, clients)) } }
    };
    layout::page(frame, &body)
}

fn form(business: &Business, form: &Form, clients: &[(ClientId, String)]) -> Markup {
    html! {
        form.form method="post" action=(url::LEDGER) {
            @if let Some(words) = &form.error { (layout::note("bad", words)) }
            input type="hidden" name="key" value=(form.key);
            @if let Some(id) = form.booking {
                // A session's invoice is its client's: the choice is shown, and not sent.
                input type="hidden" name="booking" value=(id);
                @if let Some(id) = form.client { input type="hidden" name="client" value=(id); }
            }
            div.pair {
                div.field {
                    label for="client" { "Client" }
                    select #client name="client" required disabled[form.booking.is_some()] {
                        option value="" { "Choose a client" }
                        @for (id, name) in clients {
                            option value=(id) selected[Some(*id) == form.client] { (name) }
                        }
                    }
                }
                div.field { label for="due_on" { "Due on" } input #due_on name="due_on" type="date" required value=(form.due_on); }
                div.field {
                    label for="prices" { "Prices" }
                    select #prices name="prices" {
                        option value="included" selected[form.tax_included] { "hold their tax already" }
                        option value="added" selected[!form.tax_included] { "are without tax" }
                    }
                }
            }
            fieldset.lines {
                legend { "Lines" }
                @for (n, line) in form.lines.iter().enumerate() { (self::line(business, n, line)) }
            }
            div.acts {
                button.btn type="submit" name="act" value="more" formnovalidate { "More lines" }
                button.btn type="submit" name="act" value="draft" { "Save as draft" }
                button.btn.primary type="submit" name="act" value="issue" { "Issue invoice" }
            }
        }
    }
}

fn line(business: &Business, n: usize, line: &Typed) -> Markup {
    let field = |name: &str, label: &str, class: &str, mode: &str, value: &str| {
        let id = format!("{name}-{n}");
        html! {
            div.field.(class) {
                label for=(id) { (label) span.visually-hidden { " of line " (n + 1) } }
                input id=(id) name=(id) value=(value) inputmode=(mode) autocomplete="off";
            }
        }
    };
    html! {
        div.line {
            (field("words", "For", "wide", "text", &line.words))
            (field("quantity", "Quantity", "", "decimal", &line.quantity))
            (field("price", &format!("Price in {}", business.symbol.0), "", "decimal", &line.price))
            (field("tax", "Tax in %", "", "decimal", &line.tax))
        }
    }
}
