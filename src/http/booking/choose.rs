//! What can be chosen: the week of free times, and for one time the sessions that fit. None of it writes.

use super::super::error::Error;
use super::super::extract::{Asked, Htmx, Me, Named};
use super::answer;
use crate::app::App;
use crate::domain::booking::{Booking, Refusal, plus};
use crate::domain::business::Business;
use crate::domain::grid::nearest;
use crate::domain::hold::{self, Kept, check};
use crate::domain::id::{BookingId, ClientId, ServiceId};
use crate::domain::service::Service;
use crate::domain::slot::{Busy, Calendar, Hours};
use crate::domain::staff::Staff;
use crate::domain::viewer::Viewer;
use crate::domain::week::Week;
use crate::live::{self, Page, Reading};
use crate::secret;
use crate::store::{self, Tx, business, client, service, staff};
use crate::views::booking::{calendar as views, sheet};
use crate::views::layout;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Span, Timestamp};
use maud::Markup;
use serde::Deserialize;

/// Free times that a refusal offers instead.
const NEAREST: usize = 4;

/// The fields of a calendar's link.
#[derive(Debug, Default, Deserialize)]
pub(in crate::http) struct Which {
    week: Option<String>,
    staff: Option<String>,
    #[serde(rename = "move")]
    moving: Option<String>,
}

/// `GET /bookings`: a week that cannot be shown becomes one that can; staff who are not there are a 404.
pub(in crate::http) async fn calendar(
    State(app): State<App>,
    Me(viewer): Me,
    Asked(which): Asked<Which>,
) -> Result<Markup, Error> {
    let Viewer::Client(me) = &viewer else {
        return Err(Error::NotFound);
    };
    let mut reading = Reading::open(&app.source).await?;
    let now = reading.now;
    let everyone = reading.everyone().await?;
    let moving = moving(&mut reading.tx, &viewer, which.moving.as_deref()).await?;
    let chosen = match which.staff.as_deref() {
        Some(id) => Some(id.parse().map_err(|_| Error::NotFound)?),
        None => match &moving {
            Some(booking) => Some(booking.staff),
            None => client::last_staff(&mut reading.tx, me.client).await?,
        },
    };
    let staff = match chosen {
        Some(id) if which.staff.is_some() => everyone.iter().find(|one| one.id == id),
        // Whom a client saw last may have left since.
        Some(id) => everyone
            .iter()
            .find(|one| one.id == id)
            .or(everyone.first()),
        None => everyone.first(),
    };
    let staff = staff.ok_or(Error::NotFound)?;
    let asked = which.week.as_deref().and_then(Week::parse);
    let moved_from = moving
        .as_ref()
        .map(|booking| Week::of(reading.business.local(booking.starts_at).date()));
    let mut week = reading.business.week(asked.or(moved_from), now);
    let mut grid = reading.grid(staff.id, week).await?;
    let is_over = grid
        .days
        .iter()
        .flat_map(|day| &day.cells)
        .all(|cell| cell.start <= now);
    if which.week.is_none() && is_over {
        // On a Sunday evening people look for the week that comes.
        week = reading.business.week(Some(week.plus(1)), now);
        grid = reading.grid(staff.id, week).await?;
    }
    let page = Page::Bookings {
        staff: staff.id,
        week,
    };
    let live = live::open(&mut reading, &viewer, &page).await?;
    let business = &reading.business;
    let frame = layout::Page {
        business,
        viewer: &viewer,
        tab: layout::Tab::Bookings,
        title: "Bookings",
        live: Some(&live),
    };
    let first = Week::of(business.today(now));
    let view = views::View {
        week,
        first,
        last: first.plus(business.horizon_weeks),
        staff,
        everyone: &everyone,
        days: &grid.days,
        today: business.today(now),
        moving: moving.as_ref(),
        key: &secret::token(),
    };
    Ok(views::page(&frame, &live, &view))
}

async fn moving(tx: &mut Tx, viewer: &Viewer, id: Option<&str>) -> Result<Option<Booking>, Error> {
    let Some(id) = id else { return Ok(None) };
    let id = id.parse().map_err(|_| Error::NotFound)?;
    Ok(Some(store::booking::find(tx, viewer, id).await?))
}

/// The fields of a slot's link.
#[derive(Debug, Default, Deserialize)]
pub(in crate::http) struct Slot {
    pub(in crate::http) start: Option<String>,
    pub(in crate::http) staff: Option<String>,
    #[serde(rename = "move")]
    pub(in crate::http) moving: Option<String>,
    /// What was chosen already, when another time is looked at.
    pub(in crate::http) service: Option<String>,
    pub(in crate::http) client: Option<String>,
}

impl Slot {
    pub(in crate::http) fn service(&self) -> Option<ServiceId> {
        self.service.as_deref().and_then(|id| id.parse().ok())
    }

    pub(in crate::http) fn client(&self) -> Option<ClientId> {
        self.client.as_deref().and_then(|id| id.parse().ok())
    }
}

/// `GET /bookings/new`: the sheet for a time. It keeps nothing: a link that is followed by a machine holds and books
/// nothing.
pub(in crate::http) async fn sheet(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Asked(slot): Asked<Slot>,
) -> Result<Response, Error> {
    open(&app, &viewer, htmx, StatusCode::OK, slot).await
}

/// The sheet for a time: of the session that the viewer has there, else the one that books or moves, under `status`.
pub(in crate::http) async fn open(
    app: &App,
    viewer: &Viewer,
    htmx: bool,
    status: StatusCode,
    slot: Slot,
) -> Result<Response, Error> {
    let start = start(slot.start.as_deref().unwrap_or_default())?;
    let staff = slot
        .staff
        .as_deref()
        .unwrap_or_default()
        .parse()
        .map_err(|_| Error::NotFound)?;
    let mut tx = app.db.snapshot().await?;
    let now = app.clock.now();
    let staff = staff::find(&mut tx, staff).await?;
    if let Some(booking) = moving(&mut tx, viewer, slot.moving.as_deref()).await? {
        let refused = try_move(&mut tx, viewer, &booking, &staff, start, now).await?;
        let view = move_sheet(&mut tx, viewer, &booking, &staff, start, refused, now).await?;
        return answer(&mut tx, viewer, htmx, StatusCode::OK, view).await;
    }
    if let Viewer::Client(me) = viewer {
        let coming = store::booking::upcoming(&mut tx, me.client, now).await?;
        let own = coming
            .iter()
            .find(|own| own.staff == staff.id && own.starts_at <= start && start < own.ends_at());
        if let Some(own) = own {
            let business = business::load(&mut tx).await?;
            let view = sheet::detail(&business, own, false, None, now);
            return answer(&mut tx, viewer, htmx, StatusCode::OK, view).await;
        }
    }
    let asked = Wish {
        staff,
        start,
        service: slot.service(),
        client: slot.client(),
        key: secret::token(),
        refused: None,
    };
    let view = book_sheet(&mut tx, viewer, asked, now).await?;
    answer(&mut tx, viewer, htmx, status, view).await
}

/// `GET /bookings/{id}`: one session as it stands.
pub(in crate::http) async fn show(
    State(app): State<App>,
    Me(viewer): Me,
    Htmx(htmx): Htmx,
    Named(id): Named<BookingId>,
) -> Result<Response, Error> {
    let mut tx = app.db.snapshot().await?;
    let booking = store::booking::find(&mut tx, &viewer, id).await?;
    let business = business::load(&mut tx).await?;
    let by_staff = matches!(viewer, Viewer::Staff(_));
    let view = sheet::detail(&business, &booking, by_staff, None, app.clock.now());
    answer(&mut tx, &viewer, htmx, StatusCode::OK, view).await
}

/// Reads an instant as a form carries it.
pub(in crate::http) fn start(text: &str) -> Result<Timestamp, Error> {
    let start = text.parse().ok().filter(|start: &Timestamp| {
        // Around the first and the last instant that there are, days cannot be counted.
        let ahead = Timestamp::MAX.duration_since(*start);
        *start > Timestamp::UNIX_EPOCH && ahead > SignedDuration::from_hours(366 * 24)
    });
    start.ok_or_else(|| {
        Error::Invalid("The time of the session cannot be read. Choose it again.".to_owned())
    })
}

/// What someone would like to book.
pub(super) struct Wish {
    pub(super) staff: Staff,
    pub(super) start: Timestamp,
    pub(super) service: Option<ServiceId>,
    pub(super) client: Option<ClientId>,
    pub(super) key: String,
    /// Why the last try was refused.
    pub(super) refused: Option<String>,
}

/// Someone's calendar around a wish: everything that the one rule asks for.
struct Around {
    business: Business,
    hours: Hours,
    busy: Vec<Busy>,
    /// What others hold: one's own hold never blocks oneself, nor staff who book for whoever it is.
    holds: Vec<Kept>,
    now: Timestamp,
}

impl Around {
    async fn read(
        tx: &mut Tx,
        viewer: &Viewer,
        client: Option<ClientId>,
        staff: &Staff,
        start: Timestamp,
        except: Option<BookingId>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        // A client's link may name anybody.
        let client = client.filter(|_| matches!(viewer, Viewer::Staff(_)));
        let business = business::load(tx).await?;
        let day = business.today(start);
        let from = day.saturating_sub(Span::new().days(4));
        let to = day.saturating_add(Span::new().days(5));
        let hours = staff::hours(tx, staff.id, from).await?;
        let (from, to) = (business.starts(from), business.starts(to));
        let busy = store::booking::busy(tx, staff.id, from, to, except).await?;
        let holds = store::hold::list(tx, staff.id, from, to, viewer.person(), client, now).await?;
        Ok(Self {
            business,
            hours,
            busy,
            holds,
            now,
        })
    }

    fn calendar(&self) -> Calendar<'_> {
        Calendar {
            zone: &self.business.zone,
            hours: &self.hours,
            busy: &self.busy,
            now: Some(self.now),
        }
    }

    fn check(&self, service: &Service, start: Timestamp) -> Result<(), Refusal> {
        check(
            &self.business,
            &self.calendar(),
            &self.holds,
            service,
            start,
        )
    }

    fn nearest(&self, service: &Service, start: Timestamp) -> Vec<Timestamp> {
        let calendar = Calendar {
            busy: &hold::with(&self.busy, &self.holds),
            ..self.calendar()
        };
        nearest(&self.business, &calendar, service, start, NEAREST)
    }

    /// Until when the time from `start` is free and open, where it is at all.
    fn free_until(&self, service: &Service, start: Timestamp) -> Option<Timestamp> {
        let lengths = (1..=service.minutes / 5).rev().map(|quanta| quanta * 5);
        let fits = |minutes: &i64| {
            let shorter = Service {
                minutes: *minutes,
                before: 0,
                after: 0,
                notice: 0,
                ..service.clone()
            };
            self.check(&shorter, start).is_ok()
        };
        lengths
            .into_iter()
            .find(fits)
            .map(|minutes| plus(start, minutes))
    }
}

/// The sheet that books.
pub(super) async fn book_sheet(
    tx: &mut Tx,
    viewer: &Viewer,
    wish: Wish,
    now: Timestamp,
) -> Result<Markup, Error> {
    let around = Around::read(tx, viewer, wish.client, &wish.staff, wish.start, None, now).await?;
    let mut choices = Vec::new();
    for service in service::list(tx).await? {
        let service = service.asked_by(viewer);
        let fits = if service.is_offered_by(wish.staff.id) {
            around.check(&service, wish.start)
        } else {
            Err(Refusal::NotOffered)
        };
        let until = if fits.is_err() && fits != Err(Refusal::NotOffered) {
            around.free_until(&service, wish.start)
        } else {
            None
        };
        choices.push(sheet::Choice {
            service,
            fits,
            until,
        });
    }
    choices.sort_by_key(|choice| choice.fits.is_err());
    let none_fits = choices.iter().all(|choice| choice.fits.is_err());
    let wanted = choices
        .iter()
        .find(|choice| Some(choice.service.id) == wish.service)
        .or(choices.first());
    let offer = wish.refused.is_some() || none_fits;
    let nearest = match wanted {
        Some(wanted) if offer && wanted.fits != Err(Refusal::NotOffered) => {
            around.nearest(&wanted.service, wish.start)
        }
        _ => Vec::new(),
    };
    let refused = wish.refused.or_else(|| {
        let reason = wanted.and_then(|choice| choice.fits.err())?;
        none_fits.then(|| reason.to_string())
    });
    let kept = store::hold::find(tx, viewer, now).await?;
    let kept = kept.filter(|hold| (hold.staff, hold.start) == (wish.staff.id, wish.start));
    let clients = match viewer {
        Viewer::Staff(me) => Some(client::names(tx, me).await?),
        _ => None,
    };
    Ok(sheet::confirm(&sheet::Confirm {
        business: &around.business,
        staff: &wish.staff,
        start: wish.start,
        choices: &choices,
        chosen: wish.service,
        key: &wish.key,
        clients: clients.as_deref(),
        client: wish.client,
        refused: refused.as_deref(),
        nearest: &nearest,
        kept: kept.as_ref(),
        now,
    }))
}

/// Why a booking could not move to a time, if so.
async fn try_move(
    tx: &mut Tx,
    viewer: &Viewer,
    booking: &Booking,
    staff: &Staff,
    start: Timestamp,
    now: Timestamp,
) -> Result<Option<Refusal>, Error> {
    let business = business::load(tx).await?;
    let may = match viewer {
        Viewer::Client(_) => booking.may_move(&business, now),
        _ => booking.may_cancel(now),
    };
    if let Err(refusal) = may {
        return Ok(Some(refusal));
    }
    let (client, except) = (Some(booking.client), Some(booking.id));
    let around = Around::read(tx, viewer, client, staff, start, except, now).await?;
    let (service, _) = service::any(tx, booking.service).await?;
    if staff.id != booking.staff && !service.is_offered_by(staff.id) {
        return Ok(Some(Refusal::NotOffered));
    }
    let service = Service {
        minutes: booking.minutes,
        ..service.asked_by(viewer)
    };
    Ok(around.check(&service, start).err())
}

/// The sheet that moves.
pub(super) async fn move_sheet(
    tx: &mut Tx,
    viewer: &Viewer,
    booking: &Booking,
    staff: &Staff,
    start: Timestamp,
    refused: Option<Refusal>,
    now: Timestamp,
) -> Result<Markup, Error> {
    let (client, except) = (Some(booking.client), Some(booking.id));
    let around = Around::read(tx, viewer, client, staff, start, except, now).await?;
    let nearest = if refused.is_some_and(|refusal| refusal != Refusal::NotOffered) {
        let (service, _) = service::any(tx, booking.service).await?;
        let service = service.asked_by(viewer);
        around.nearest(
            &Service {
                minutes: booking.minutes,
                ..service
            },
            start,
        )
    } else {
        Vec::new()
    };
    let words = refused.map(|refusal| refusal.to_string());
    Ok(sheet::confirm_move(&sheet::Moving {
        business: &around.business,
        booking,
        staff,
        start,
        by_staff: matches!(viewer, Viewer::Staff(_)),
        refused: words.as_deref(),
        nearest: &nearest,
        now,
    }))
}
