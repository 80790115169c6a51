//! The writes. A refusal is a daily outcome: 409 when someone was faster, 422 when a rule says no, both with the sheet as
//! it stands now.

use super::super::error::Error;
use super::super::extract::{Fields, Htmx, Me, Named};
use super::choose::{Wish, book_sheet, move_sheet, start, try_move};
use super::{answer, detail, reason};
use crate::app::App;
use crate::domain::booking::{Booking, Refusal};
use crate::domain::id::BookingId;
use crate::domain::viewer::Viewer;
use crate::secret;
use crate::store::booking::{Book, Cancel, Move};
use crate::store::{self, staff};
use crate::views::url;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// The fields of a booking.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct NewBooking {
    start: String,
    staff: String,
    service: String,
    key: String,
    /// From staff: whom it is for.
    client: Option<String>,
    /// From staff: why they set rules aside.
    reason: Option<String>,
}

/// `POST /bookings`.
pub(in crate::http) async fn create(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Fields(form): Fields<NewBooking>,
) -> Result<Response, Error> {
    let start = start(&form.start)?;
    check_key(&form.key)?;
    let staff = form.staff.parse().map_err(|_| Error::NotFound)?;
    let service = form.service.parse().map_err(|_| Error::NotFound)?;
    let client = match &viewer {
        Viewer::Client(me) => Some(me.client),
        _ => form.client.as_deref().and_then(|id| id.parse().ok()),
    };
    let Some(client) = client else {
        return Err(Error::Invalid(
            "Choose the client whom the session is for.".to_owned(),
        ));
    };
    let now = app.clock.now();
    let book = Book {
        viewer: viewer.clone(),
        client,
        staff,
        service,
        start,
        key: form.key.clone(),
        reason: reason(&viewer, form.reason.as_deref())?,
        now,
    };
    let booked = app
        .transact(book, |tx, book| Box::pin(store::booking::book(tx, book)))
        .await;
    let (refusal, words, key) = match booked {
        Ok(id) => {
            return done(
                &app,
                &viewer,
                htmx,
                id,
                "Booked. A confirmation is on its way.",
            )
            .await;
        }
        Err(store::Error::Refused(refusal)) => (refusal, refusal.to_string(), form.key),
        Err(store::Error::KeyReused) => {
            let words =
                "This form was sent before with other choices. Check them, then book again.";
            (Refusal::OutsideHours, words.to_owned(), secret::token())
        }
        Err(error) => return Err(error.into()),
    };
    let mut tx = app.db.snapshot().await?;
    let staff = staff::find(&mut tx, staff).await?;
    let client = matches!(viewer, Viewer::Staff(_)).then_some(client);
    let wish = Wish {
        staff,
        start,
        service: Some(service),
        client,
        key,
        refused: Some(words),
        reason: form.reason.or_else(|| asks(refusal).then(String::new)),
    };
    let view = book_sheet(&mut tx, &viewer, wish, now).await?;
    answer(&mut tx, &viewer, htmx, status(refusal), view).await
}

/// Whether a form's key is one.
pub(in crate::http) fn check_key(key: &str) -> Result<(), Error> {
    if key.is_empty() || key.len() > 100 {
        let words = "The form is not complete. Open it again.";
        return Err(Error::Invalid(words.to_owned()));
    }
    Ok(())
}

/// The fields of a move.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct NewTime {
    start: String,
    staff: String,
    version: i64,
    /// From staff: why they set rules aside.
    reason: Option<String>,
}

/// `POST /bookings/{id}/reschedule`.
pub(in crate::http) async fn reschedule(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Named(id): Named<BookingId>,
    Fields(form): Fields<NewTime>,
) -> Result<Response, Error> {
    let start = start(&form.start)?;
    let staff = form.staff.parse().map_err(|_| Error::NotFound)?;
    let now = app.clock.now();
    let to = Move {
        viewer: viewer.clone(),
        booking: id,
        version: form.version,
        staff,
        start,
        reason: reason(&viewer, form.reason.as_deref())?,
        now,
    };
    match app
        .transact(to, |tx, to| Box::pin(store::booking::reschedule(tx, to)))
        .await
    {
        Ok(()) => {
            done(
                &app,
                &viewer,
                htmx,
                id,
                "Moved. The old time is free again.",
            )
            .await
        }
        Err(store::Error::Refused(
            refusal @ (Refusal::Stale | Refusal::Ended | Refusal::TooLate),
        )) => stands(&app, &viewer, htmx, id, refusal).await,
        Err(store::Error::Refused(refusal)) => {
            let mut tx = app.db.snapshot().await?;
            let booking = store::booking::find(&mut tx, &viewer, id).await?;
            let staff = staff::find(&mut tx, staff).await?;
            let refused = if asks(refusal) {
                try_move(&mut tx, &viewer, &booking, &staff, start, now).await?
            } else {
                Err(refusal)
            };
            let view = move_sheet(&mut tx, &viewer, &booking, &staff, start, refused, now).await?;
            answer(&mut tx, &viewer, htmx, status(refusal), view).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The fields of a cancellation.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Seen {
    version: i64,
    /// What the sheet said that it costs.
    told: Option<String>,
    /// From staff: why they set rules aside.
    reason: Option<String>,
}

/// `POST /bookings/{id}/cancel`.
pub(in crate::http) async fn cancel(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Named(id): Named<BookingId>,
    Fields(form): Fields<Seen>,
) -> Result<Response, Error> {
    let now = app.clock.now();
    let cancel = Cancel {
        viewer: viewer.clone(),
        booking: id,
        version: form.version,
        told: form.told.and_then(|cost| cost.parse().ok()),
        reason: reason(&viewer, form.reason.as_deref())?,
        now,
    };
    match app
        .transact(cancel, |tx, cancel| {
            Box::pin(store::booking::cancel(tx, cancel))
        })
        .await
    {
        Ok(()) => {
            done(
                &app,
                &viewer,
                htmx,
                id,
                "Cancelled. The time is free for others.",
            )
            .await
        }
        Err(store::Error::Refused(refusal)) => stands(&app, &viewer, htmx, id, refusal).await,
        Err(error) => Err(error.into()),
    }
}

/// Whether a reason would do.
fn asks(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::NeedsReason(_))
}

/// What a refusal is in HTTP: 409 when somebody else was faster, 422 when a rule says no.
pub(in crate::http) fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::Taken | Refusal::Held | Refusal::Stale | Refusal::CostsMore => {
            StatusCode::CONFLICT
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Done: the sheet says so, or the booking's page follows. The calendar changes by the push.
pub(super) async fn done(
    app: &App,
    viewer: &Viewer,
    htmx: bool,
    id: BookingId,
    words: &str,
) -> Result<Response, Error> {
    if !htmx {
        return Ok(Redirect::to(&url::booking(id)).into_response());
    }
    show(app, viewer, htmx, id, StatusCode::OK, ("ok", words)).await
}

/// Not done: the booking as it stands, and why.
pub(super) async fn stands(
    app: &App,
    viewer: &Viewer,
    htmx: bool,
    id: BookingId,
    refusal: Refusal,
) -> Result<Response, Error> {
    show(
        app,
        viewer,
        htmx,
        id,
        status(refusal),
        ("warn", &refusal.to_string()),
    )
    .await
}

async fn show(
    app: &App,
    viewer: &Viewer,
    htmx: bool,
    id: BookingId,
    status: StatusCode,
    news: (&str, &str),
) -> Result<Response, Error> {
    let mut tx = app.db.snapshot().await?;
    let booking: Booking = store::booking::find(&mut tx, viewer, id).await?;
    let view = detail(&mut tx, viewer, &booking, Some(news), app.clock.now()).await?;
    answer(&mut tx, viewer, htmx, status, view).await
}
