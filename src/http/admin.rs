//! Staff's first page and their calendar.

use super::error::Error;
use super::extract::{Asked, Me};
use crate::app::App;
use crate::domain::booking::Booking;
use crate::domain::week::Week;
use crate::live::{self, Page, Reading};
use crate::store;
use crate::views::{agenda, layout, today};
use axum::extract::State;
use maud::Markup;
use serde::Deserialize;

pub(super) async fn today(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let everyone = reading.everyone().await?;
    let live = live::open(&mut reading, &viewer, &Page::Today).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Today,
        title: "Today",
        live: Some(&live),
    };
    Ok(today::page(&frame, &live, &everyone, reading.now))
}

/// The fields of a calendar's link.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    week: Option<String>,
    staff: Option<String>,
    #[serde(rename = "move")]
    moving: Option<String>,
}

pub(super) async fn calendar(
    State(app): State<App>,
    Me(viewer): Me,
    Asked(which): Asked<Which>,
) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let everyone = reading.everyone().await?;
    let moving: Option<Booking> = match which.moving.as_deref() {
        Some(id) => {
            let id = id.parse().map_err(|_| Error::NotFound)?;
            Some(store::booking::find(&mut reading.tx, &viewer, id).await?)
        }
        None => None,
    };
    let chosen = match which.staff.as_deref() {
        Some(id) => Some(id.parse().map_err(|_| Error::NotFound)?),
        None => moving.as_ref().map(|booking| booking.staff),
    };
    if chosen.is_some_and(|id| everyone.iter().all(|one| one.id != id)) {
        return Err(Error::NotFound);
    }
    let current = Week::of(reading.business.today(reading.now));
    let asked = which.week.as_deref().and_then(Week::parse);
    let moved_from = moving
        .as_ref()
        .map(|booking| Week::of(reading.business.local(booking.starts_at).date()));
    // As far back as staff look things up, as far ahead as anything can be booked.
    let week = asked.or(moved_from).unwrap_or(current).clamp(
        current.plus(-520),
        current.plus(reading.business.horizon_weeks),
    );
    let page = Page::Calendar {
        staff: chosen,
        week,
    };
    let live = live::open(&mut reading, &viewer, &page).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Calendar,
        title: "Calendar",
        live: Some(&live),
    };
    let view = agenda::View {
        week,
        staff: chosen,
        everyone: &everyone,
        moving: moving.as_ref(),
        key: &crate::secret::token(),
    };
    Ok(agenda::page(&frame, &live, &view))
}
