//! The waiting list: asking for a time, giving a place or an offer up, and the list for staff. An offer is accepted by
//! `POST /bookings`, as any time is booked.

use super::booking;
use super::error::Error;
use super::extract::{Fields, Me, Named};
use crate::app::App;
use crate::domain::id::{HoldId, WaitId};
use crate::domain::viewer::Viewer;
use crate::domain::wait::{Part, Wish};
use crate::live::{self, Page, Reading};
use crate::store::wait::{Ask, Decline, Outcome, Withdraw};
use crate::store::{self, business, staff, wait};
use crate::views::{layout, text, url, wait as views};
use axum::extract::State;
use axum::response::Redirect;
use jiff::civil::Date;
use maud::Markup;
use serde::Deserialize;

/// The fields of a wish.
#[derive(Debug, Deserialize)]
pub(super) struct NewWait {
    service: String,
    /// Empty for anyone.
    staff: String,
    from: String,
    to: String,
    part: String,
    key: String,
}

/// `POST /waits`.
pub(super) async fn create(
    State(app): State<App>,
    Me(viewer): Me,
    Fields(form): Fields<NewWait>,
) -> Result<Redirect, Error> {
    let Viewer::Client(me) = viewer else {
        return Err(Error::NotFound);
    };
    booking::check_key(&form.key)?;
    let wish = Wish {
        service: form.service.parse().map_err(|_| Error::NotFound)?,
        staff: match form.staff.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| Error::NotFound)?),
        },
        from: day(&form.from)?,
        to: day(&form.to)?,
        part: Part::parse(&form.part).ok_or(Error::NotFound)?,
    };
    let ask = Ask {
        viewer: me,
        wish,
        key: form.key,
        now: app.clock.now(),
    };
    let asked = app
        .transact(ask, |tx, ask| Box::pin(wait::ask(tx, ask)))
        .await;
    match asked {
        Ok(Outcome::Waits) => Ok(Redirect::to(url::OWN_WAITS)),
        Ok(Outcome::Wrong(wrong)) => Err(Error::Invalid(wrong.to_string())),
        Ok(Outcome::Free(id, start)) => {
            let mut tx = app.db.snapshot().await?;
            let business = business::load(&mut tx).await?;
            let helper = staff::find(&mut tx, id).await?;
            let when = text::moment(&business, start);
            Err(Error::Invalid(format!(
                "You need not wait: {when} with {} is free. Book it, or ask for another part of the day.",
                helper.name
            )))
        }
        Err(store::Error::KeyReused) => {
            let words = "This form was sent before with other choices. Open it again.";
            Err(Error::Invalid(words.to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Years far from ours would overflow the days that are counted from them.
fn day(text: &str) -> Result<Date, Error> {
    let day = text.parse().ok();
    day.filter(|day: &Date| (2000..=2200).contains(&day.year()))
        .ok_or_else(|| Error::Invalid("Choose the days again: one cannot be read.".to_owned()))
}

/// `POST /waits/{id}/withdraw`: a client's own place, or for staff anyone's.
pub(super) async fn withdraw(
    State(app): State<App>,
    Me(viewer): Me,
    Named(wait): Named<WaitId>,
) -> Result<Redirect, Error> {
    let to = if matches!(viewer, Viewer::Staff(_)) {
        url::LINE
    } else {
        url::OWN_WAITS
    };
    let withdraw = Withdraw { viewer, wait };
    app.transact(withdraw, |tx, withdraw| {
        Box::pin(wait::withdraw(tx, withdraw))
    })
    .await?;
    Ok(Redirect::to(to))
}

/// `POST /offers/{id}/decline`.
pub(super) async fn decline(
    State(app): State<App>,
    Me(viewer): Me,
    Named(hold): Named<HoldId>,
) -> Result<Redirect, Error> {
    let Viewer::Client(viewer) = viewer else {
        return Err(Error::NotFound);
    };
    let decline = Decline { viewer, hold };
    app.transact(decline, |tx, decline| Box::pin(wait::decline(tx, decline)))
        .await?;
    Ok(Redirect::to(url::OWN_WAITS))
}

/// `GET /admin/waits`.
pub(super) async fn list(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let live = live::open(&mut reading, &viewer, &Page::Line).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: layout::Tab::Calendar,
        title: "Waiting list",
        live: Some(&live),
    };
    Ok(views::page(&frame, &live))
}
