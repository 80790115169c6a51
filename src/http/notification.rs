//! What someone should know: the list, and the form by which they have seen it. Looking alone changes nothing.

use super::error::Error;
use super::extract::{Fields, Htmx, Me};
use crate::app::App;
use crate::domain::id::NotificationId;
use crate::live::{self, Page, Reading};
use crate::store::notification::{self, See};
use crate::views::{layout, notification as views, url};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;

pub(super) async fn list(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let live = live::open(&mut reading, &viewer, &Page::Notifications).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Notifications,
        title: "Notifications",
        live: Some(&live),
    };
    Ok(views::page(&frame, &live))
}

/// The form's field.
#[derive(Debug, Deserialize)]
pub(super) struct Looked {
    /// The newest that was shown.
    upto: NotificationId,
}

pub(super) async fn see(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Fields(form): Fields<Looked>,
) -> Result<Response, Error> {
    let see = See {
        person: viewer.person().ok_or(Error::NotFound)?,
        upto: form.upto,
        now: app.clock.now(),
    };
    app.transact(see, |tx, see| Box::pin(notification::see(tx, see)))
        .await?;
    if htmx {
        // The push says it, to every page that is open.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Redirect::to(url::NOTIFICATIONS).into_response())
}
