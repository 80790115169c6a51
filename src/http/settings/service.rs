//! Services, for the owner. Each write reads the form, does it, and leads to the list; a refusal shows the form again with all
//! that was typed, and a change that strands sessions asks first.

use super::super::error::Error;
use super::super::extract::{Fields, Htmx, Me, Named, StaffMe};
use super::{Sent, again, ask, frame, open};
use crate::app::App;
use crate::domain::business::Business;
use crate::domain::id::ServiceId;
use crate::domain::money::hundredths;
use crate::domain::service::{Colour, Service, Wrong};
use crate::domain::viewer::{StaffViewer, Viewer};
use crate::live::Reading;
use crate::store::service::{self, Offer, Save};
use crate::store::stranded::Outcome;
use crate::views::settings::service::{self as views, Form, Typed};
use crate::views::settings::stranded::Question;
use crate::views::{text, url};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;

/// What is wrong: a field's name, and its sentence.
type Wrongs = Vec<(&'static str, String)>;

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
    let typed = Typed {
        minutes: "45".to_owned(),
        step: "15".to_owned(),
        before: "0".to_owned(),
        after: "0".to_owned(),
        notice: "120".to_owned(),
        staff: everyone.iter().map(|one| one.id).collect(),
        ..Typed::default()
    };
    let sheet = Sheet::new(ServiceId::new(), None, typed);
    sheet.page(&mut reading, &viewer).await
}

pub(in crate::http) async fn show(
    State(app): State<App>,
    Me(viewer): Me,
    Named(id): Named<ServiceId>,
) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let (service, _) = service::any(&mut reading.tx, id).await?;
    let everyone = reading.everyone().await?;
    let staff = if service.staff.is_empty() {
        everyone.iter().map(|one| one.id).collect()
    } else {
        service.staff.clone()
    };
    let number = |minutes: i64| minutes.to_string();
    let typed = Typed {
        name: service.name,
        price: format!("{}.{:02}", service.price / 100, service.price % 100),
        minutes: number(service.minutes),
        step: number(service.step),
        before: number(service.before),
        after: number(service.after),
        notice: number(service.notice),
        horizon: service
            .horizon_weeks
            .map_or_else(String::new, |weeks| weeks.to_string()),
        staff,
        by_video: service.video_url.is_some(),
        video_url: service.video_url.unwrap_or_default(),
        colour: service.colour,
    };
    let sheet = Sheet::new(id, Some(service.version), typed);
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
    let status = match sheet.wish(everyone) {
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

/// What someone else's service says where this one says something else.
fn differs(business: &Business, stands: &Service, wanted: &Service) -> String {
    let minutes = |minutes: i64| format!("{minutes} minutes");
    let weeks =
        |weeks: Option<i32>| weeks.map_or("as far as anything".to_owned(), |n| n.to_string());
    let room = |url: &Option<String>| url.clone().unwrap_or_else(|| "in person".to_owned());
    let all = [
        ("the name", stands.name.clone(), wanted.name.clone()),
        (
            "the price",
            business.money(stands.price).to_string(),
            business.money(wanted.price).to_string(),
        ),
        (
            "the length",
            minutes(stands.minutes),
            minutes(wanted.minutes),
        ),
        (
            "the time before",
            minutes(stands.before),
            minutes(wanted.before),
        ),
        (
            "the time after",
            minutes(stands.after),
            minutes(wanted.after),
        ),
        (
            "the time between starts",
            minutes(stands.step),
            minutes(wanted.step),
        ),
        (
            "the notice",
            text::length(stands.notice),
            text::length(wanted.notice),
        ),
        (
            "weeks ahead",
            weeks(stands.horizon_weeks),
            weeks(wanted.horizon_weeks),
        ),
        (
            "the place",
            room(&stands.video_url),
            room(&wanted.video_url),
        ),
        (
            "the colour",
            stands.colour.as_str().to_owned(),
            wanted.colour.as_str().to_owned(),
        ),
    ];
    let mut now: Vec<String> = all
        .into_iter()
        .filter(|(_, stands, wanted)| stands != wanted)
        .map(|(what, stands, _)| format!("{what}: {stands}"))
        .collect();
    if stands.staff != wanted.staff {
        now.push("who offers it: others".to_owned());
    }
    if now.is_empty() {
        now.push("whether it is on offer".to_owned());
    }
    format!(
        "Someone else changed this service meanwhile. Where it differs from yours it says now: {}. Save again to put yours in its place.",
        now.join("; ")
    )
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

/// The form as it was typed, whatever was.
async fn read(reading: &mut Reading, sent: &Sent) -> Result<Typed, Error> {
    let field = |name: &str| sent.get(name).map_or("", |value| value.trim()).to_owned();
    let everyone = reading.everyone().await?;
    let ticked = everyone
        .iter()
        .filter(|one| sent.contains_key(&format!("staff-{}", one.id)));
    Ok(Typed {
        name: field("name"),
        price: field("price"),
        minutes: field("minutes"),
        step: field("step"),
        before: field("before"),
        after: field("after"),
        notice: field("notice"),
        horizon: field("horizon"),
        staff: ticked.map(|one| one.id).collect(),
        by_video: field("place") == "video",
        video_url: field("video_url"),
        colour: Colour::parse(&field("colour")).unwrap_or_default(),
    })
}

/// A form on its way through a save.
struct Sheet {
    id: ServiceId,
    version: Option<i64>,
    typed: Typed,
    wrong: Wrongs,
    note: Option<String>,
}

impl Sheet {
    fn new(id: ServiceId, version: Option<i64>, typed: Typed) -> Self {
        Self {
            id,
            version,
            typed,
            wrong: Vec::new(),
            note: None,
        }
    }

    async fn page(&self, reading: &mut Reading, viewer: &Viewer) -> Result<Markup, Error> {
        let everyone = reading.everyone().await?;
        let live = open(reading, viewer).await?;
        let title = if self.version.is_some() {
            "Change a service"
        } else {
            "Add a service"
        };
        let form = Form {
            id: self.id,
            version: self.version,
            typed: &self.typed,
            wrong: &self.wrong,
            note: self.note.as_deref(),
            everyone: &everyone,
        };
        Ok(views::page(&frame(reading, viewer, &live, title), &form))
    }

    /// The service that the form asks for, or what is wrong with it, each beside its field.
    fn wish(&self, everyone: usize) -> Result<Service, Wrongs> {
        let typed = &self.typed;
        // What is no number is as wrong as one out of range, and gets the same sentence.
        let number = |text: &str| text.parse().unwrap_or(-1);
        let mut staff = typed.staff.clone();
        staff.sort_unstable();
        let is_nobodys = staff.is_empty();
        if staff.len() == everyone {
            staff.clear();
        }
        let service = Service {
            id: self.id,
            name: typed.name.clone(),
            price: hundredths(&typed.price).unwrap_or(-1),
            step: number(&typed.step),
            minutes: number(&typed.minutes),
            before: number(&typed.before),
            after: number(&typed.after),
            notice: number(&typed.notice),
            horizon_weeks: (!typed.horizon.is_empty()).then(|| typed.horizon.parse().unwrap_or(0)),
            staff,
            video_url: typed.by_video.then(|| typed.video_url.clone()),
            colour: typed.colour,
            version: self.version.unwrap_or(1),
        };
        let mut wrong = service.wrongs();
        wrong.extend(is_nobodys.then_some(Wrong::Staff));
        if wrong.is_empty() {
            return Ok(service);
        }
        let beside = |wrong: Wrong| (field(wrong), wrong.to_string());
        Err(wrong.into_iter().map(beside).collect())
    }
}

fn field(wrong: Wrong) -> &'static str {
    match wrong {
        Wrong::Name => "name",
        Wrong::Price => "price",
        Wrong::Minutes => "minutes",
        Wrong::Step => "step",
        Wrong::Before => "before",
        Wrong::After => "after",
        Wrong::Notice => "notice",
        Wrong::Horizon => "horizon",
        Wrong::Staff => "staff",
        Wrong::Video => "video_url",
    }
}
