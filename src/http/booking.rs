//! Booking: the calendar, the sheet for a time, and the three writes. Each write answers the same way: read the form, do
//! it, then the sheet for htmx or a 303 for a page; a refusal shows the sheet again with what to do instead.

mod change;
mod choose;
mod outcome;

pub(super) use change::{cancel, check_key, create, reschedule, status};
pub(super) use choose::{Slot, calendar, open, sheet, show, start};
pub(super) use outcome::{back, settle};

use super::error::Error;
use crate::domain::viewer::Viewer;
use crate::store::{Tx, business};
use crate::views::layout;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

/// A sheet as a fragment for the dialog, or in a page of its own.
async fn answer(
    tx: &mut Tx,
    viewer: &Viewer,
    htmx: bool,
    status: StatusCode,
    sheet: Markup,
) -> Result<Response, Error> {
    if htmx {
        return Ok((status, sheet).into_response());
    }
    let business = business::load(tx).await?;
    let tab = if matches!(viewer, Viewer::Staff(_)) {
        layout::Tab::Calendar
    } else {
        layout::Tab::Bookings
    };
    let frame = layout::Page {
        business: &business,
        viewer,
        tab,
        title: "Session",
        live: None,
    };
    let body =
        html! { h1.visually-hidden { "Session" } section.card.prose { div.body { (sheet) } } };
    Ok((status, layout::page(&frame, &body)).into_response())
}
