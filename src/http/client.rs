//! Clients, for staff: the list, one of them, inviting another.

use super::error::Error;
use super::extract::{Asked, Fields, Htmx, Me, Named, StaffMe};
use crate::app::App;
use crate::domain::id::{ClientId, PersonId};
use crate::domain::person;
use crate::domain::viewer::Viewer;
use crate::live::{self, Page, Reading};
use crate::secret;
use crate::store::client::Invite;
use crate::store::person::NewPerson;
use crate::store::{self, client};
use crate::views::{client as views, layout, url};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;

/// What the list's link tells.
#[derive(Debug, Default, Deserialize)]
pub(super) struct News {
    invited: Option<String>,
    show: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    Me(viewer): Me,
    Asked(news): Asked<News>,
) -> Result<Markup, Error> {
    page(
        &app,
        &viewer,
        &views::Invite {
            sent: news.invited.is_some(),
            ..views::Invite::default()
        },
        news.show.as_deref() == Some("quiet"),
    )
    .await
}

async fn page(
    app: &App,
    viewer: &Viewer,
    form: &views::Invite<'_>,
    quiet: bool,
) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let live = live::open(&mut reading, viewer, &Page::Clients { quiet }).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer,
        tab: layout::Tab::Clients,
        title: "Clients",
        live: Some(&live),
    };
    Ok(views::page(&frame, &live, form, quiet))
}

pub(super) async fn show(
    State(app): State<App>,
    Me(viewer): Me,
    StaffMe(me): StaffMe,
    Named(id): Named<ClientId>,
) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let client = client::find(&mut reading.tx, &me, id, reading.now).await?;
    let live = live::open(&mut reading, &viewer, &Page::Client { client: id }).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Clients,
        title: &client.name,
        live: Some(&live),
    };
    Ok(views::detail(&frame, &live, &client))
}

/// The fields of an invitation.
#[derive(Debug, Deserialize)]
pub(super) struct NewClient {
    name: String,
    email: String,
}

pub(super) async fn invite(
    State(app): State<App>,
    Me(viewer): Me,
    StaffMe(me): StaffMe,
    Htmx(htmx): Htmx,
    Fields(form): Fields<NewClient>,
) -> Result<Response, Error> {
    let refused = |error: &'static str| {
        let (app, viewer, form) = (app.clone(), viewer.clone(), &form);
        async move {
            if htmx {
                return Err(Error::Invalid(error.to_owned()));
            }
            let view = views::Invite {
                name: &form.name,
                email: &form.email,
                error: Some(error),
                sent: false,
            };
            let page = page(&app, &viewer, &view, false).await?;
            Ok::<_, Error>((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    };
    let Ok(name) = person::name(&form.name) else {
        return refused("Enter a name of 1 to 100 characters on one line.").await;
    };
    let Ok(email) = person::email(&form.email) else {
        return refused("Enter an e-mail address like name@example.com.").await;
    };
    let now = app.clock.now();
    let invite = Invite {
        by: me.person,
        client: ClientId::new(),
        person: NewPerson {
            id: PersonId::new(),
            email,
            name,
            password_hash: None,
            now,
        },
        secret: secret::token(),
    };
    match app
        .transact(invite, |tx, invite| Box::pin(client::invite(tx, invite)))
        .await
    {
        Ok(()) => Ok(Redirect::to(&format!("{}?invited=1", url::CLIENTS)).into_response()),
        Err(store::Error::Conflict) => {
            refused("Someone with this address has an account already.").await
        }
        Err(error) => Err(error.into()),
    }
}
