//! Invoices: a client's list, the paper, and what staff do: make, issue, discard, void. Paying is in `payment.rs`.

mod change;

pub(super) use change::{create, discard, form, issue, void};

use super::error::Error;
use super::extract::{Asked, Me, Named};
use crate::app::App;
use crate::domain::id::InvoiceId;
use crate::domain::invoice::{Filter, Status};
use crate::domain::viewer::Viewer;
use crate::live::{self, Page, Reading};
use crate::store::invoice;
use crate::views::invoice::{ledger, own, paper};
use crate::views::{invoice as views, layout, url};
use axum::extract::State;
use maud::Markup;
use serde::Deserialize;

/// `GET /invoices`.
pub(super) async fn list(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let live = live::open(&mut reading, &viewer, &Page::Invoices).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Invoices,
        title: "Invoices",
        live: Some(&live),
    };
    Ok(own::page(&frame, &live))
}

/// What a client comes back with from the payment page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Back {
    from: Option<String>,
}

/// `GET /invoices/{id}`: for its client, and for staff.
pub(super) async fn show(
    State(app): State<App>,
    Me(viewer): Me,
    Named(id): Named<InvoiceId>,
    Asked(back): Asked<Back>,
) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let invoice = invoice::find(&mut reading.tx, &viewer, id).await?;
    let live = live::open(&mut reading, &viewer, &Page::Invoice { invoice: id }).await?;
    let title = format!("Invoice {}", views::name(&reading.business, &invoice));
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Invoices,
        title: &title,
        live: Some(&live),
    };
    let note = match back.from.as_deref() {
        Some("payment") if invoice.status == Status::Open => Some((
            "info",
            "What came of the payment shows here as soon as we are told.",
        )),
        _ => None,
    };
    let all = if matches!(viewer, Viewer::Staff(_)) {
        url::LEDGER
    } else {
        url::INVOICES
    };
    Ok(paper::page(&frame, &live, note, all))
}

/// Which invoices staff look at.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Show {
    show: Option<String>,
    before: Option<String>,
}

/// `GET /admin/invoices`: a filter that does not exist shows all.
pub(super) async fn ledger(
    State(app): State<App>,
    Me(viewer): Me,
    Asked(which): Asked<Show>,
) -> Result<Markup, Error> {
    let filter = which.show.as_deref().and_then(Filter::parse);
    let filter = filter.unwrap_or(Filter::All);
    let before = match which.before.as_deref() {
        Some(id) => Some(id.parse().map_err(|_| Error::NotFound)?),
        None => None,
    };
    let mut reading = Reading::open(&app.source).await?;
    let live = live::open(&mut reading, &viewer, &Page::Ledger { filter, before }).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Invoices,
        title: "Invoices",
        live: Some(&live),
    };
    Ok(ledger::page(&frame, &live))
}
