//! The form of a service on its way from what was typed to a service: each field that is wrong has its own sentence.

use super::super::super::error::Error;
use super::super::{Sent, frame, open};
use crate::domain::business::Business;
use crate::domain::id::{ClientId, ServiceId};
use crate::domain::money::hundredths;
use crate::domain::service::{Colour, Service, Wrong};
use crate::domain::staff::Staff;
use crate::domain::viewer::Viewer;
use crate::live::Reading;
use crate::views::settings::service::{self as views, Form, Typed};
use crate::views::text;
use maud::Markup;

/// What is wrong: a field's name, and its sentence.
type Wrongs = Vec<(&'static str, String)>;

/// The form as it was typed, whatever was.
pub(super) async fn read(reading: &mut Reading, sent: &Sent) -> Result<Typed, Error> {
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
        clients: field("clients"),
        by_video: field("place") == "video",
        video_url: field("video_url"),
        colour: Colour::parse(&field("colour")).unwrap_or_default(),
    })
}

/// A form on its way through a save.
pub(super) struct Sheet {
    pub(super) id: ServiceId,
    /// The one that it was made from; nothing for a new service.
    pub(super) version: Option<i64>,
    typed: Typed,
    pub(super) wrong: Wrongs,
    pub(super) note: Option<String>,
}

impl Sheet {
    pub(super) fn new(id: ServiceId, version: Option<i64>, typed: Typed) -> Self {
        Self {
            id,
            version,
            typed,
            wrong: Vec::new(),
            note: None,
        }
    }

    /// With what most services begin with.
    pub(super) fn fresh(everyone: &[Staff]) -> Self {
        let typed = Typed {
            minutes: "45".to_owned(),
            step: "15".to_owned(),
            before: "0".to_owned(),
            after: "0".to_owned(),
            notice: "120".to_owned(),
            staff: everyone.iter().map(|one| one.id).collect(),
            ..Typed::default()
        };
        Self::new(ServiceId::new(), None, typed)
    }

    /// With what a service says.
    pub(super) fn of(
        service: Service,
        everyone: &[Staff],
        addresses: &[(ClientId, String)],
    ) -> Self {
        let staff = if service.staff.is_empty() {
            everyone.iter().map(|one| one.id).collect()
        } else {
            service.staff.clone()
        };
        let number = |minutes: i64| minutes.to_string();
        let named = addresses
            .iter()
            .filter(|(id, _)| service.clients.contains(id));
        let clients: Vec<&str> = named.map(|(_, address)| &**address).collect();
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
            clients: clients.join("\n"),
            by_video: service.video_url.is_some(),
            video_url: service.video_url.unwrap_or_default(),
            colour: service.colour,
        };
        Self::new(service.id, Some(service.version), typed)
    }

    /// Its page as it stands.
    pub(super) async fn page(
        &self,
        reading: &mut Reading,
        viewer: &Viewer,
    ) -> Result<Markup, Error> {
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
    pub(super) fn wish(
        &self,
        everyone: usize,
        addresses: &[(ClientId, String)],
    ) -> Result<Service, Wrongs> {
        let typed = &self.typed;
        // What is no number is as wrong as one out of range, and gets the same sentence.
        let number = |text: &str| text.parse().unwrap_or(-1);
        let mut staff = typed.staff.clone();
        staff.sort_unstable();
        let is_nobodys = staff.is_empty();
        if staff.len() == everyone {
            staff.clear();
        }
        let clients = clients(&typed.clients, addresses);
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
            clients: clients.clone().unwrap_or_default(),
            video_url: typed.by_video.then(|| typed.video_url.clone()),
            colour: typed.colour,
            version: self.version.unwrap_or(1),
        };
        let mut wrong = service.wrongs();
        wrong.extend(is_nobodys.then_some(Wrong::Staff));
        wrong.extend(clients.is_none().then_some(Wrong::Clients));
        if wrong.is_empty() {
            return Ok(service);
        }
        let beside = |wrong: Wrong| (field(wrong), wrong.to_string());
        Err(wrong.into_iter().map(beside).collect())
    }
}

/// The clients of these addresses, in the order in which they are kept; `None` where one is nobody's.
fn clients(typed: &str, addresses: &[(ClientId, String)]) -> Option<Vec<ClientId>> {
    let lines = typed.split_whitespace().map(str::to_lowercase);
    let named = lines.map(|line| {
        let mut known = addresses.iter();
        known
            .find(|(_, address)| *address == line)
            .map(|(id, _)| *id)
    });
    let mut clients: Vec<ClientId> = named.collect::<Option<_>>()?;
    clients.sort_unstable();
    clients.dedup();
    Some(clients)
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
        Wrong::Clients => "clients",
        Wrong::Video => "video_url",
    }
}

/// What someone else's service says where this one says something else.
pub(super) fn differs(business: &Business, stands: &Service, wanted: &Service) -> String {
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
    if stands.clients != wanted.clients {
        now.push("who may book it: others".to_owned());
    }
    if now.is_empty() {
        now.push("whether it is on offer".to_owned());
    }
    format!(
        "Someone else changed this service meanwhile. Where it differs from yours it says now: {}. Save again to put yours in its place.",
        now.join("; ")
    )
}
