//! How the business is set up, and the mails that it sends.

use super::error::Error;
use super::extract::{Me, StaffMe};
use crate::app::App;
use crate::domain::viewer::Role;
use crate::live::{self, Page, Reading};
use crate::views::{layout, outbox, settings};
use axum::extract::State;
use maud::Markup;

pub(super) async fn show(
    State(app): State<App>,
    Me(viewer): Me,
    StaffMe(me): StaffMe,
) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let services = reading.services().await?;
    let everyone = reading.everyone().await?;
    let live = live::open(&mut reading, &viewer, &Page::Plain).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Settings,
        title: "Settings",
        live: Some(&live),
    };
    Ok(settings::page(
        &frame,
        &services,
        &everyone,
        me.role == Role::Owner,
    ))
}

pub(super) async fn outbox(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let live = live::open(&mut reading, &viewer, &Page::Outbox).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Settings,
        title: "Outbox",
        live: Some(&live),
    };
    Ok(outbox::page(&frame, &live))
}
