//! Invoices: a client's own, staff's ledger, the paper itself, and the form that makes one.

pub mod form;
pub mod ledger;
pub mod own;
pub mod paper;

use crate::domain::business::Business;
use crate::domain::invoice::{Invoice, Standing};
use crate::views::text;
use jiff::civil::Date;
use maud::{Markup, html};

/// Its number, as people name it.
pub fn name(business: &Business, invoice: &Invoice) -> String {
    invoice
        .number
        .map_or_else(|| "Draft".to_owned(), |n| business.invoice_number(n))
}

/// What it is for, in one line.
pub fn purpose(invoice: &Invoice) -> String {
    match invoice.line_count {
        0 | 1 => invoice.words.clone(),
        n => format!("{} and {} more", invoice.words, n - 1),
    }
}

/// Where it stands, in a word and a colour.
pub fn badge(invoice: &Invoice, today: Date) -> Markup {
    let (class, words) = match invoice.standing(today) {
        Standing::Draft => ("", "Draft".to_owned()),
        Standing::Open => ("warn", due(invoice, today)),
        Standing::Overdue => ("bad", due(invoice, today)),
        Standing::Paid => ("ok", "Paid".to_owned()),
        Standing::Void => ("", "Void".to_owned()),
    };
    html! { span.badge.(class) { (words) } }
}

/// `Due today`, `Due Fri 27 Nov`, `Overdue 9 days`.
fn due(invoice: &Invoice, today: Date) -> String {
    let days = (invoice.due_on - today).get_days();
    match days {
        0 => "Due today".to_owned(),
        1 => "Due tomorrow".to_owned(),
        2.. => format!("Due {}", text::short_date(invoice.due_on, today)),
        _ => {
            let late = usize::try_from(-days).unwrap_or(0);
            format!("Overdue {}", text::count(late, "day", "days"))
        }
    }
}
