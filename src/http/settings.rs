//! How the business is set up, and the mails that it sends.

use super::error::Error;
use super::extract::{Me, StaffMe};
use crate::app::App;
use crate::domain::viewer::Role;
use crate::live::{self, Page};
use crate::store::{business, service, staff};
use crate::views::{layout, outbox, settings};
use axum::extract::State;
use maud::Markup;

pub(super) async fn show(
    State(app): State<App>,
    Me(viewer): Me,
    StaffMe(me): StaffMe,
) -> Result<Markup, Error> {
    let mut tx = app.db.snapshot().await?;
    let business = business::load(&mut tx).await?;
    let services = service::list(&mut tx).await?;
    let everyone = staff::list(&mut tx).await?;
    let frame = layout::Page {
        business: &business,
        viewer: &viewer,
        tab: layout::Tab::Settings,
        title: "Settings",
        live: None,
    };
    Ok(settings::page(
        &frame,
        &services,
        &everyone,
        me.role == Role::Owner,
    ))
}

pub(super) async fn outbox(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let mut tx = app.db.snapshot().await?;
    let business = business::load(&mut tx).await?;
    let live = live::open(&mut tx, &app.source, &business, &viewer, &Page::Outbox).await?;
    let frame = layout::Page {
        business: &business,
        viewer: &viewer,
        tab: layout::Tab::Settings,
        title: "Outbox",
        live: Some(&live),
    };
    Ok(outbox::page(&frame, &live))
}
