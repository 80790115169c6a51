//! Services, for the owner. Each write reads the form, does it, and leads to the list; a refusal shows the form again with all
//! that was typed, and a change that strands sessions asks first.

mod form;

use self::form::{Sheet, differs, read};
use super::super::error::Error;
use super::super::extract::{Fields, Htmx, Me, Named, StaffMe};
use super::{Sent, again, ask, frame, open};
use crate::app::App;
use crate::domain::id::ServiceId;
use crate::domain::viewer::{StaffViewer, Viewer};
use crate::live::Reading;
use crate::store::client;
use crate::store::service::{self, Offer, Save};
use crate::store::stranded::Outcome;
use crate::views::settings::service as views;
use crate::views::settings::stranded::Question;
use crate::views::url;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;

pub(in crate::http) async fn list(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let services = service::all(&mut reading.tx).await?;
    let everyone = reading.everyone().await?;
    let live = open(&mut reading, &viewer).await?;
    let frame = frame(&reading, &viewer, &live, "Services");
    Ok(views::list(&frame, &services, &everyone))
}

/// `GET /admin/settings/services/new`: the form with what most services begin with.
pub(in crate::http) async fn form(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let everyone = reading.everyone().await?;
    let sheet = Sheet::fresh(&everyone);
    sheet.page(&mut reading, &viewer).await
}

pub(in crate::http) async fn show(
    State(app): State<App>,
    Me(viewer): Me,
    StaffMe(me): StaffMe,
    Named(id): Named<ServiceId>,
) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let (service, _) = service::any(&mut reading.tx, id).await?;
    let everyone = reading.everyone().await?;
    let addresses = client::addresses(&mut reading.tx, &me).await?;
    let sheet = Sheet::of(service, &everyone, &addresses);
    sheet.page(&mut reading, &viewer).await
}

/// `POST /admin/settings/services`: a new one, whose id the form brings, so that it is added once.
pub(in crate::http) async fn add(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Htmx(htmx): Htmx,
    Fields(sent): Fields<Sent>,
) -> Result<Response, Error> {
    let id = sent.get("id").and_then(|id| id.parse().ok());
    let mut reading = Reading::open(&app.source).await?;
    let sheet = Sheet::new(
        id.unwrap_or_default(),
        None,
        read(&mut reading, &sent).await?,
    );
    save(&app, &mut reading, &by, htmx, &sent, sheet).await
}

/// `POST /admin/settings/services/{id}`.
pub(in crate::http) async fn change(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Htmx(htmx): Htmx,
    Named(id): Named<ServiceId>,
    Fields(sent): Fields<Sent>,
) -> Result<Response, Error> {
    let mut reading = Reading::open(&app.source).await?;
    service::any(&mut reading.tx, id).await?;
    let typed = read(&mut reading, &sent).await?;
    let sheet = Sheet::new(id, Some(version(&sent)?), typed);
    save(&app, &mut reading, &by, htmx, &sent, sheet).await
}

async fn save(
    app: &App,
    reading: &mut Reading,
    by: &StaffViewer,
    htmx: bool,
    sent: &Sent,
    mut sheet: Sheet,
) -> Result<Response, Error> {
    let viewer = Viewer::Staff(by.clone());
    let everyone = reading.everyone().await?.len();
    let addresses = client::addresses(&mut reading.tx, by).await?;
    let status = match sheet.wish(everyone, &addresses) {
        Err(wrong) => {
            sheet.wrong = wrong;
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Ok(service) => {
            let save = Save {
                by: by.clone(),
                service: service.clone(),
                is_new: sheet.version.is_none(),
                agreed: sent.get("agreed").cloned(),
                now: reading.now,
            };
            let saved = app.transact(save, |tx, save| Box::pin(service::save(tx, save)));
            match saved.await? {
                Outcome::Done => return Ok(Redirect::to(url::SERVICES).into_response()),
                Outcome::Strands(bookings, seal) => {
                    let question = Question {
                        action: &url::service(sheet.id),
                        back: url::SERVICES,
                        fields: &again(sent),
                        bookings: &bookings,
                        seal: &seal,
                        now: reading.now,
                    };
                    return ask(reading, &viewer, htmx, "Change a service", &question).await;
                }
                Outcome::Stale(stands) => {
                    sheet.note = Some(differs(&reading.business, &stands, &service));
                    sheet.version = Some(stands.version);
                    StatusCode::CONFLICT
                }
            }
        }
    };
    if htmx {
        // The form's page is live, and no fragment.
        let words = sheet.note.or(sheet.wrong.pop().map(|(_, words)| words));
        return Err(Error::Invalid(words.unwrap_or_default()));
    }
    let page = sheet.page(reading, &viewer).await?;
    Ok((status, page).into_response())
}

/// `POST /admin/settings/services/{id}/retire`.
pub(in crate::http) async fn retire(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Htmx(htmx): Htmx,
    Named(id): Named<ServiceId>,
    Fields(sent): Fields<Sent>,
) -> Result<Response, Error> {
    put(&app, by, htmx, id, &sent, false).await
}

/// `POST /admin/settings/services/{id}/offer`: back on the list.
pub(in crate::http) async fn offer(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Htmx(htmx): Htmx,
    Named(id): Named<ServiceId>,
    Fields(sent): Fields<Sent>,
) -> Result<Response, Error> {
    put(&app, by, htmx, id, &sent, true).await
}

async fn put(
    app: &App,
    by: StaffViewer,
    htmx: bool,
    id: ServiceId,
    sent: &Sent,
    on: bool,
) -> Result<Response, Error> {
    let mut reading = Reading::open(&app.source).await?;
    service::any(&mut reading.tx, id).await?;
    let viewer = Viewer::Staff(by.clone());
    let offer = Offer {
        by,
        service: id,
        version: version(sent)?,
        on,
        agreed: sent.get("agreed").cloned(),
        now: reading.now,
    };
    let put = app.transact(offer, |tx, offer| Box::pin(service::offer(tx, offer)));
    match put.await? {
        Outcome::Done => Ok(Redirect::to(url::SERVICES).into_response()),
        Outcome::Stale(_) => Err(Error::Conflict(
            "Someone else changed this service meanwhile. Go back and look at it again.".to_owned(),
        )),
        Outcome::Strands(bookings, seal) => {
            let question = Question {
                action: &url::service_act(id, "retire"),
                back: url::SERVICES,
                fields: &again(sent),
                bookings: &bookings,
                seal: &seal,
                now: reading.now,
            };
            ask(&mut reading, &viewer, htmx, "Retire a service", &question).await
        }
    }
}

fn version(sent: &Sent) -> Result<i64, Error> {
    let version = sent.get("version").and_then(|text| text.parse().ok());
    version.ok_or_else(|| Error::Invalid("The form is not complete. Open it again.".to_owned()))
}
