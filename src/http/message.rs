//! Messages: a client's own thread, and for staff all of them. The writes answer with the form to write in, never with the
//! thread: that changes by the push.

use super::error::Error;
use super::extract::{Asked, Fields, Htmx, Me, Named, StaffMe};
use crate::app::App;
use crate::domain::id::ClientId;
use crate::domain::message::{Body, readable, wanted};
use crate::domain::viewer::{StaffViewer, Viewer};
use crate::live::{self, Page, Reading};
use crate::secret;
use crate::store::thread::{NewMessage, Read};
use crate::store::{self, client, thread};
use crate::views::message::thread::{SHOWN, Stretch};
use crate::views::message::{self as views, Draft, Search, Whose};
use crate::views::{layout, url};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;

/// A message of 10,000 characters of four bytes each, as a form spells it, and the rest of the form.
pub(super) const LONGEST_FORM: usize = 128 * 1024;
/// Messages that a search shows.
const FOUND: usize = 50;

/// The fields of a thread's link.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    q: Option<String>,
    before: Option<i64>,
    show: Option<String>,
    /// From staff: whose thread.
    client: Option<String>,
}

/// `GET /messages`.
pub(super) async fn own(
    State(app): State<App>,
    Me(viewer): Me,
    Asked(which): Asked<Which>,
) -> Result<Response, Error> {
    let Viewer::Client(me) = &viewer else {
        return Ok(Redirect::to(url::THREADS).into_response());
    };
    let reading = Reading::open(&app.source).await?;
    let talk = Talk {
        client: me.client,
        name: None,
    };
    show(reading, &viewer, &talk, &which).await
}

/// `GET /admin/messages`: all threads, or what was found in them.
pub(super) async fn list(
    State(app): State<App>,
    Me(viewer): Me,
    Asked(which): Asked<Which>,
) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    if let Some(wanted) = which.q.as_deref().and_then(wanted) {
        let found = search(&mut reading, &viewer, None, &wanted).await?;
        let live = live::open(&mut reading, &viewer, &Page::Plain).await?;
        let frame = frame(&reading, &viewer, "Messages", Some(&live));
        return Ok(views::found_in_all(
            &frame,
            &found.view(&wanted),
            reading.now,
        ));
    }
    let waiting = which.show.as_deref() == Some("waiting");
    let live = live::open(&mut reading, &viewer, &Page::Threads { waiting }).await?;
    let frame = frame(&reading, &viewer, "Messages", Some(&live));
    Ok(views::list(&frame, &live, waiting))
}

/// `GET /admin/messages/{client}`.
pub(super) async fn one(
    State(app): State<App>,
    Me(viewer): Me,
    StaffMe(me): StaffMe,
    Named(id): Named<ClientId>,
    Asked(which): Asked<Which>,
) -> Result<Response, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let talk = Talk::of(&mut reading, &me, id).await?;
    show(reading, &viewer, &talk, &which).await
}

/// Whose thread it is, and for staff the client's name.
struct Talk {
    client: ClientId,
    name: Option<String>,
}

impl Talk {
    async fn of(reading: &mut Reading, me: &StaffViewer, id: ClientId) -> Result<Self, Error> {
        let client = client::find(&mut reading.tx, me, id, reading.now).await?;
        Ok(Self {
            client: id,
            name: Some(client.name),
        })
    }

    /// The thread that a form or a link names. A client has but one, whatever is named.
    async fn named(
        reading: &mut Reading,
        viewer: &Viewer,
        named: Option<&str>,
    ) -> Result<Self, Error> {
        match viewer {
            Viewer::Client(me) => Ok(Self {
                client: me.client,
                name: None,
            }),
            Viewer::Staff(me) => {
                let id = named.and_then(|id| id.parse().ok());
                Self::of(reading, me, id.ok_or(Error::NotFound)?).await
            }
            Viewer::Guest => Err(Error::NotFound),
        }
    }

    /// The client, where the reader is staff.
    fn for_staff(&self) -> Option<ClientId> {
        self.name.is_some().then_some(self.client)
    }

    fn whose<'a>(&'a self, staff: &'a [String]) -> Whose<'a> {
        Whose {
            client: self.name.as_deref().map(|name| (self.client, name)),
            staff,
        }
    }

    fn title(&self) -> &str {
        self.name.as_deref().unwrap_or("Messages")
    }
}

fn frame<'a>(
    reading: &'a Reading,
    viewer: &'a Viewer,
    title: &'a str,
    live: Option<&'a layout::Live>,
) -> layout::Page<'a> {
    layout::Page {
        business: &reading.business,
        viewer,
        tab: layout::Tab::Messages,
        title,
        live,
    }
}

async fn staff_names(reading: &mut Reading) -> Result<Vec<String>, Error> {
    let everyone = reading.everyone().await?;
    Ok(everyone.iter().map(|one| one.name.clone()).collect())
}

/// The thread as it is now, older messages, or what was searched for.
async fn show(
    mut reading: Reading,
    viewer: &Viewer,
    talk: &Talk,
    which: &Which,
) -> Result<Response, Error> {
    let now = reading.now;
    if let Some(wanted) = which.q.as_deref().and_then(wanted) {
        let found = search(&mut reading, viewer, Some(talk.client), &wanted).await?;
        let staff = staff_names(&mut reading).await?;
        let live = live::open(&mut reading, viewer, &Page::Plain).await?;
        let frame = frame(&reading, viewer, talk.title(), Some(&live));
        let page = views::found(&frame, &talk.whose(&staff), &found.view(&wanted), now);
        return Ok(page.into_response());
    }
    if let Some(before) = which.before {
        let messages =
            thread::page(&mut reading.tx, viewer, talk.client, before, SHOWN + 1).await?;
        let staff = staff_names(&mut reading).await?;
        let live = live::open(&mut reading, viewer, &Page::Plain).await?;
        let frame = frame(&reading, viewer, talk.title(), Some(&live));
        let stretch = Stretch::of(talk.for_staff(), &messages);
        let page = views::earlier(&frame, &talk.whose(&staff), &stretch, now);
        return Ok(page.into_response());
    }
    let key = secret::token();
    let draft = Draft {
        client: talk.for_staff(),
        key: &key,
        text: "",
        error: None,
    };
    Ok(page(reading, viewer, talk, &draft).await?.into_response())
}

async fn page(
    mut reading: Reading,
    viewer: &Viewer,
    talk: &Talk,
    draft: &Draft<'_>,
) -> Result<Markup, Error> {
    let staff = staff_names(&mut reading).await?;
    let page = match talk.for_staff() {
        Some(client) => Page::Thread { client },
        None => Page::Messages,
    };
    let live = live::open(&mut reading, viewer, &page).await?;
    let frame = frame(&reading, viewer, talk.title(), Some(&live));
    Ok(views::page(&frame, &live, &talk.whose(&staff), draft))
}

/// What a search found, one more than is shown if there is.
struct Found(Vec<crate::domain::message::Found>);

impl Found {
    fn view<'a>(&'a self, wanted: &'a str) -> Search<'a> {
        Search {
            wanted,
            found: self.0.get(..FOUND).unwrap_or(&self.0),
            more: self.0.len() > FOUND,
        }
    }
}

async fn search(
    reading: &mut Reading,
    viewer: &Viewer,
    client: Option<ClientId>,
    wanted: &str,
) -> Result<Found, Error> {
    let limit = i64::try_from(FOUND + 1).unwrap_or(i64::MAX);
    let found = thread::search(&mut reading.tx, viewer, client, wanted, limit).await?;
    Ok(Found(found))
}

/// `GET /messages/older`: what was written before a message, for a page that is open; without htmx a page of its own.
pub(super) async fn older(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Asked(which): Asked<Which>,
) -> Result<Response, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let talk = Talk::named(&mut reading, &viewer, which.client.as_deref()).await?;
    let before = which.before.unwrap_or(i64::MAX);
    if !htmx {
        let page = url::messages_before(talk.for_staff(), before);
        return Ok(Redirect::to(&page).into_response());
    }
    let messages = thread::page(&mut reading.tx, &viewer, talk.client, before, SHOWN + 1).await?;
    let stretch = Stretch::of(talk.for_staff(), &messages);
    let fragment = views::thread::earlier(&reading.business, &stretch, false, reading.now);
    Ok(fragment.into_response())
}

/// The fields of a message.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    body: String,
    key: String,
    client: Option<String>,
}

/// `POST /messages`.
pub(super) async fn send(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Fields(form): Fields<Written>,
) -> Result<Response, Error> {
    if form.key.is_empty() || form.key.len() > 100 {
        return Err(Error::Invalid(
            "The form is not complete. Open it again.".to_owned(),
        ));
    }
    let mut reading = Reading::open(&app.source).await?;
    let talk = Talk::named(&mut reading, &viewer, form.client.as_deref()).await?;
    drop(reading);
    let (words, key) = match Body::parse(&form.body) {
        Err(invalid) => (invalid.to_string(), form.key),
        Ok(body) => {
            let message = NewMessage {
                viewer: viewer.clone(),
                client: talk.client,
                body,
                key: form.key,
                now: app.clock.now(),
            };
            let sent = app
                .transact(message, |tx, message| Box::pin(thread::send(tx, message)))
                .await;
            match sent {
                Ok(_) => return Ok(done(&talk, htmx)),
                Err(store::Error::KeyReused) => {
                    let words = "An earlier message was sent with this form. Send this one again.";
                    (words.to_owned(), secret::token())
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    let draft = Draft {
        client: talk.for_staff(),
        key: &key,
        text: &readable(&form.body),
        error: Some(&words),
    };
    let answer = if htmx {
        views::composer(&draft)
    } else {
        let reading = Reading::open(&app.source).await?;
        page(reading, &viewer, &talk, &draft).await?
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, answer).into_response())
}

/// Sent: the form is empty and has another key.
fn done(talk: &Talk, htmx: bool) -> Response {
    if !htmx {
        return Redirect::to(&url::messages(talk.for_staff())).into_response();
    }
    let draft = Draft {
        client: talk.for_staff(),
        key: &secret::token(),
        text: "",
        error: None,
    };
    views::composer(&draft).into_response()
}

/// The fields of a mark.
#[derive(Debug, Deserialize)]
pub(super) struct Upto {
    upto: i64,
    client: Option<String>,
}

/// `POST /messages/read`: the open page hears of it by the push.
pub(super) async fn read(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Fields(form): Fields<Upto>,
) -> Result<Response, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let talk = Talk::named(&mut reading, &viewer, form.client.as_deref()).await?;
    drop(reading);
    let read = Read {
        viewer,
        client: talk.client,
        upto: form.upto,
        now: app.clock.now(),
    };
    app.transact(read, |tx, read| Box::pin(thread::read(tx, read)))
        .await?;
    if htmx {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Redirect::to(&url::messages(talk.for_staff())).into_response())
}
