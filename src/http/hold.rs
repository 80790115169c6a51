//! Holds: opening the sheet for a time by a form keeps that time for its reader, and leaving it gives it back. A link keeps
//! nothing.

use super::booking::{self, Slot};
use super::error::Error;
use super::extract::{Fields, Htmx, Me, Named};
use crate::app::App;
use crate::domain::id::HoldId;
use crate::domain::viewer::Viewer;
use crate::domain::week::Week;
use crate::store::hold::{self, Release, Take};
use crate::store::{self, business};
use crate::views::url;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// The fields of a hold.
#[derive(Debug, Deserialize)]
pub(super) struct NewHold {
    start: String,
    staff: String,
    key: String,
    /// What was chosen already, when another time is looked at.
    service: Option<String>,
    client: Option<String>,
}

/// `POST /holds`: keeps the time and shows its sheet; a time that cannot be kept shows why, and others close by.
pub(super) async fn create(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Fields(form): Fields<NewHold>,
) -> Result<Response, Error> {
    let start = booking::start(&form.start)?;
    booking::check_key(&form.key)?;
    let staff = form.staff.parse().map_err(|_| Error::NotFound)?;
    let take = Take {
        viewer: viewer.clone(),
        staff,
        start,
        key: form.key,
        now: app.clock.now(),
    };
    let held = app
        .transact(take, |tx, take| Box::pin(hold::take(tx, take)))
        .await;
    let status = match held {
        Ok(_) => StatusCode::OK,
        Err(store::Error::Refused(refusal)) => {
            // The sheet of the time before is left all the same.
            app.transact(viewer.clone(), |tx, viewer| Box::pin(hold::end(tx, viewer)))
                .await?;
            booking::status(refusal)
        }
        Err(error) => return Err(error.into()),
    };
    let slot = Slot {
        start: Some(form.start),
        staff: Some(form.staff),
        service: form.service,
        client: form.client,
        ..Slot::default()
    };
    if !htmx && status == StatusCode::OK {
        let (service, client) = (slot.service(), slot.client());
        let to = url::choose_again(start, staff, service, client);
        return Ok(Redirect::to(&to).into_response());
    }
    booking::open(&app, &viewer, htmx, status, slot).await
}

/// `POST /holds/{id}/release`: back to the week.
pub(super) async fn release(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Named(hold): Named<HoldId>,
) -> Result<Response, Error> {
    let by_staff = matches!(viewer, Viewer::Staff(_));
    let release = Release { viewer, hold };
    let freed = app
        .transact(release, |tx, release| Box::pin(hold::release(tx, release)))
        .await?;
    if htmx {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let business = business::load(&mut app.db.snapshot().await?).await?;
    let week = Week::of(business.local(freed.start).date());
    let to = if by_staff {
        url::calendar(week, Some(freed.staff), None)
    } else {
        url::bookings(week, freed.staff, None)
    };
    Ok(Redirect::to(&to).into_response())
}
