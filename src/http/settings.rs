//! How the business is set up, and the mails that it sends.

pub(super) mod hours;
pub(super) mod rules;
pub(super) mod service;

use super::error::Error;
use super::extract::{Fields, Me, Named, StaffMe};
use crate::app::App;
use crate::domain::id::EmailId;
use crate::domain::reminder;
use crate::domain::viewer::{Role, Viewer};
use crate::live::{self, Page, Reading};
use crate::store;
use crate::views::settings::stranded::{self, Question};
use crate::views::{layout, outbox, settings, url};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;
use std::collections::BTreeMap;

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
    Ok(outbox::page(&frame, &live, app.config.smtp_url.is_some()))
}

/// `POST /admin/settings/outbox/{id}/retry`.
pub(super) async fn retry(
    State(app): State<App>,
    Named(id): Named<EmailId>,
) -> Result<Redirect, Error> {
    let retried = app.transact((id, app.clock.now()), |tx, (id, now)| {
        Box::pin(store::outbox::retry(tx, *id, *now))
    });
    retried.await?;
    Ok(Redirect::to(url::OUTBOX))
}

/// The form's field.
#[derive(Debug, Deserialize)]
pub(super) struct Reminders {
    times: String,
}

/// `POST /admin/settings/reminders`.
pub(super) async fn remind(
    State(app): State<App>,
    Fields(form): Fields<Reminders>,
) -> Result<Redirect, Error> {
    if !reminder::CHOICES
        .iter()
        .any(|(times, _)| *times == form.times)
    {
        let words = "Choose from the list when clients are reminded.";
        return Err(Error::Invalid(words.to_owned()));
    }
    let times = reminder::times(&form.times);
    app.transact(times, |tx, times| {
        Box::pin(store::business::set_reminders(tx, times))
    })
    .await?;
    Ok(Redirect::to(url::SETTINGS))
}

/// The fields of a form, in one order.
type Sent = BTreeMap<String, String>;

/// What a form held, without the answer to an older question.
fn again(sent: &Sent) -> Vec<(String, String)> {
    let held = sent.iter().filter(|(name, _)| *name != "agreed");
    held.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What is live on every page of the settings: the badges.
async fn open(reading: &mut Reading, viewer: &Viewer) -> Result<layout::Live, Error> {
    Ok(live::open(reading, viewer, &Page::Plain).await?)
}

fn frame<'a>(
    reading: &'a Reading,
    viewer: &'a Viewer,
    live: &'a layout::Live,
    title: &'a str,
) -> layout::Page<'a> {
    layout::Page {
        business: &reading.business,
        viewer,
        tab: layout::Tab::Settings,
        title,
        live: Some(live),
    }
}

/// Names the sessions that a change would strand, and asks for a tick.
async fn ask(
    reading: &mut Reading,
    viewer: &Viewer,
    htmx: bool,
    title: &str,
    question: &Question<'_>,
) -> Result<Response, Error> {
    if htmx {
        let words = "This would leave sessions behind. Save it on the form's own page.";
        return Err(Error::Invalid(words.to_owned()));
    }
    let live = open(reading, viewer).await?;
    let page = stranded::page(&frame(reading, viewer, &live, title), question);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
