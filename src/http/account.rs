//! Someone's own page, the link in mails that stops reminders, and the calendar that programs fetch. The last two come without a
//! sign-in: the secret in their path is the right to them.

use super::error::Error;
use super::extract::{Fields, Me, Named};
use crate::app::App;
use crate::domain::id::PersonId;
use crate::live::{self, Page, Reading};
use crate::secret;
use crate::store::feed::NewFeed;
use crate::store::{self, business, feed, reminder};
use crate::views::account::{self as views, View};
use crate::views::{ical, layout, url};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::SignedDuration;
use maud::Markup;
use serde::Deserialize;

/// How far back a calendar goes: what was months ago is on the pages.
const PAST: SignedDuration = SignedDuration::from_hours(90 * 24);

/// `GET /account`.
pub(super) async fn show(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let person = viewer.person().ok_or(Error::NotFound)?;
    let mut reading = Reading::open(&app.source).await?;
    let view = View {
        wants_reminders: reminder::is_wanted(&mut reading.tx, person).await?,
        has_feed: feed::exists(&mut reading.tx, person).await?,
    };
    let live = live::open(&mut reading, &viewer, &Page::Plain).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Account,
        title: "Your account",
        live: Some(&live),
    };
    Ok(views::page(&frame, &view))
}

/// The form's field: there when ticked.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    reminders: Option<String>,
}

/// `POST /account/reminders`.
pub(super) async fn remind(
    State(app): State<App>,
    Me(viewer): Me,
    Fields(form): Fields<Wish>,
) -> Result<Redirect, Error> {
    let person = viewer.person().ok_or(Error::NotFound)?;
    want(&app, person, form.reminders.is_some()).await?;
    Ok(Redirect::to(url::ACCOUNT))
}

async fn want(app: &App, person: PersonId, wanted: bool) -> Result<(), Error> {
    let noted = app.transact((person, wanted), |tx, (person, wanted)| {
        Box::pin(reminder::want(tx, *person, *wanted))
    });
    Ok(noted.await?)
}

/// `POST /account/feed`: the answer is the only page that ever shows the address.
pub(super) async fn make(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let new = NewFeed {
        person: viewer.person().ok_or(Error::NotFound)?,
        secret: secret::token(),
        now: app.clock.now(),
    };
    let address = format!("{}{}", app.config.base_url.as_str(), url::feed(&new.secret));
    app.transact(new, |tx, new| Box::pin(feed::create(tx, new)))
        .await?;
    let business = business::load(&mut app.db.snapshot().await?).await?;
    Ok(views::made(&business, &address))
}

/// `POST /account/feed/revoke`.
pub(super) async fn revoke(State(app): State<App>, Me(viewer): Me) -> Result<Redirect, Error> {
    let person = viewer.person().ok_or(Error::NotFound)?;
    app.transact(person, |tx, person| Box::pin(feed::revoke(tx, *person)))
        .await?;
    Ok(Redirect::to(url::ACCOUNT))
}

/// `GET /calendar/{token}/feed.ics`.
pub(super) async fn calendar(
    State(app): State<App>,
    Named(token): Named<String>,
) -> Result<Response, Error> {
    let mut tx = app.db.snapshot().await?;
    let viewer = feed::find(&mut tx, &token).await?;
    let business = business::load(&mut tx).await?;
    let now = app.clock.now();
    let bookings = store::booking::own(&mut tx, &viewer, now - PAST).await?;
    let text = ical::feed(
        &business,
        app.config.base_url.as_str(),
        &viewer,
        &bookings,
        now,
    );
    let kind = [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")];
    Ok((kind, text).into_response())
}

/// Whose reminders a link stops.
fn reminded(app: &App, token: &str) -> Result<PersonId, Error> {
    let person = secret::signed(&app.mail_key, token);
    let person = person.and_then(|person| person.parse().ok());
    person.ok_or(Error::NotFound)
}

/// `GET /unsubscribe/{token}`: asks. A mail program that looks at every link must not stop anything.
pub(super) async fn ask(
    State(app): State<App>,
    Named(token): Named<String>,
) -> Result<Markup, Error> {
    reminded(&app, &token)?;
    let business = business::load(&mut app.db.snapshot().await?).await?;
    Ok(views::unsubscribe(&business, &token, false))
}

/// `POST /unsubscribe/{token}`: by the page's button, or by a mail program for its reader (RFC 8058).
pub(super) async fn stop(
    State(app): State<App>,
    Named(token): Named<String>,
) -> Result<Markup, Error> {
    want(&app, reminded(&app, &token)?, false).await?;
    let business = business::load(&mut app.db.snapshot().await?).await?;
    Ok(views::unsubscribe(&business, &token, true))
}
