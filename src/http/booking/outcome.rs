//! What came of a session, said by staff, and looking back at all of them.

use super::super::error::Error;
use super::super::extract::{Asked, Fields, Htmx, Me, Named, StaffMe};
use super::change::{done, stands};
use crate::app::App;
use crate::domain::id::BookingId;
use crate::domain::outcome::{Back, Filter, Outcome};
use crate::domain::viewer::Viewer;
use crate::live::{self, Page, Reading};
use crate::store::booking::Settle;
use crate::store::{self, client, staff};
use crate::views::booking::history;
use crate::views::layout;
use axum::extract::State;
use axum::response::Response;
use maud::Markup;
use serde::Deserialize;

/// The fields of an outcome.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Said {
    version: i64,
    outcome: String,
}

/// `POST /bookings/{id}/outcome`, for staff.
pub(in crate::http) async fn settle(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Htmx(htmx): Htmx,
    Named(id): Named<BookingId>,
    Fields(form): Fields<Said>,
) -> Result<Response, Error> {
    let Some(outcome) = Outcome::parse(&form.outcome) else {
        let words = "Say whether they came, did not come, or cancelled too late.";
        return Err(Error::Invalid(words.to_owned()));
    };
    let viewer = Viewer::Staff(by.clone());
    let settle = Settle {
        by,
        booking: id,
        version: form.version,
        outcome,
        now: app.clock.now(),
    };
    let settled = app
        .transact(settle, |tx, settle| {
            Box::pin(store::booking::settle(tx, settle))
        })
        .await;
    match settled {
        Ok(()) => {
            let words = match outcome {
                Outcome::Completed => "Noted: they came.",
                Outcome::NoShow => "Noted: they did not come.",
                Outcome::CancelledLate => "Noted: cancelled too late.",
            };
            done(&app, &viewer, htmx, id, words).await
        }
        Err(store::Error::Refused(refusal)) => stands(&app, &viewer, htmx, id, refusal).await,
        Err(error) => Err(error.into()),
    }
}

/// Which sessions are looked back at.
#[derive(Debug, Default, Deserialize)]
pub(in crate::http) struct Which {
    show: Option<String>,
    staff: Option<String>,
    client: Option<String>,
    before: Option<String>,
}

/// `GET /bookings/history` for a client, `GET /admin/bookings` for staff: a filter that does not exist shows all.
pub(in crate::http) async fn back(
    State(app): State<App>,
    Me(viewer): Me,
    Asked(which): Asked<Which>,
) -> Result<Markup, Error> {
    let by_staff = matches!(viewer, Viewer::Staff(_));
    let filter = which.show.as_deref().and_then(Filter::parse);
    // A form sends what was not chosen as an empty text.
    let named = |text: Option<String>| text.filter(|text| !text.is_empty());
    let now = app.clock.now();
    let client = match named(which.client).filter(|_| by_staff) {
        Some(id) => Some(id.parse().map_err(|_| Error::NotFound)?),
        None => None,
    };
    let wish = Back {
        filter: filter.unwrap_or(Filter::All),
        staff: match named(which.staff) {
            Some(id) => Some(id.parse().map_err(|_| Error::NotFound)?),
            None => None,
        },
        before: match named(which.before) {
            Some(id) => Some(id.parse().map_err(|_| Error::NotFound)?),
            None => None,
        },
        ..Back::all(client, now)
    };
    let mut reading = Reading::open(&app.source).await?;
    let live = live::open(&mut reading, &viewer, &Page::Plain).await?;
    let tx = &mut reading.tx;
    let mut sessions = store::booking::back(tx, &viewer, &wish).await?;
    let page = usize::try_from(Back::PAGE).expect("a page is short");
    let has_earlier = sessions.len() > page;
    sessions.truncate(page);
    let counts = store::booking::counts(tx, &viewer, &wish).await?;
    let everyone = staff::list(tx).await?;
    let of = match (&viewer, wish.client) {
        (Viewer::Staff(me), Some(id)) => Some(client::find(tx, me, id, now).await?),
        _ => None,
    };
    let frame = layout::Page {
        business: &reading.business,
        viewer: &viewer,
        tab: if by_staff {
            layout::Tab::Calendar
        } else {
            layout::Tab::Bookings
        },
        title: "Past and cancelled",
        live: Some(&live),
    };
    let view = history::View {
        sessions: &sessions,
        has_earlier,
        counts: &counts,
        wish: &wish,
        everyone: &everyone,
        of: of.as_ref().map(|client| client.name.as_str()),
        by_staff,
        now,
    };
    Ok(history::page(&frame, &view))
}
