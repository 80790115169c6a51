//! Booking: the calendar, the sheet for a time, and the three writes. Each write answers the same way: read the form, do
//! it, then the sheet for htmx or a 303 for a page; a refusal shows the sheet again with what to do instead.

mod around;
mod change;
mod choose;
mod outcome;

pub(super) use change::{cancel, check_key, create, reschedule, status};
pub(super) use choose::{Slot, calendar, open, sheet, show, start};
pub(super) use outcome::{back, settle};

use super::error::Error;
use crate::domain::booking::Booking;
use crate::domain::rule::{LONGEST_REASON, Reason};
use crate::domain::viewer::Viewer;
use crate::store::{Tx, booking, business};
use crate::views::booking::sheet;
use crate::views::layout;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
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

/// The sheet of a booking as it stands.
async fn detail(
    tx: &mut Tx,
    viewer: &Viewer,
    booking: &Booking,
    news: Option<(&str, &str)>,
    now: Timestamp,
) -> Result<Markup, Error> {
    let moves = match viewer {
        Viewer::Staff(me) => booking::moves(tx, me, booking.id).await?,
        _ => Vec::new(),
    };
    Ok(sheet::detail(&sheet::Detail {
        business: &business::load(tx).await?,
        booking,
        by_staff: matches!(viewer, Viewer::Staff(_)),
        moves: &moves,
        news,
        now,
    }))
}

/// Why staff set a rule aside, if they say so. Clients set none aside, whatever they send.
fn reason(viewer: &Viewer, typed: Option<&str>) -> Result<Option<Reason>, Error> {
    let typed = typed.map(str::trim).filter(|typed| !typed.is_empty());
    let (Viewer::Staff(_), Some(typed)) = (viewer, typed) else {
        return Ok(None);
    };
    let words = || format!("Give the reason on one line of at most {LONGEST_REASON} characters.");
    let reason = Reason::parse(typed).ok_or_else(|| Error::Invalid(words()))?;
    Ok(Some(reason))
}
