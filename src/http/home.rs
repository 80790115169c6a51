//! `GET /`: a client's home. Staff are shown theirs.

use super::error::Error;
use super::extract::Me;
use crate::app::App;
use crate::domain::viewer::Viewer;
use crate::live::{self, Page, Reading};
use crate::views::{home, layout, url};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

pub(super) async fn show(State(app): State<App>, Me(viewer): Me) -> Result<Response, Error> {
    if matches!(viewer, Viewer::Staff(_)) {
        return Ok(Redirect::to(url::ADMIN).into_response());
    }
    let mut reading = Reading::open(&app.source).await?;
    let live = live::open(&mut reading, &viewer, &Page::Home).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Home,
        title: "Home",
        live: Some(&live),
    };
    Ok(home::page(&frame, &live, reading.now).into_response())
}
