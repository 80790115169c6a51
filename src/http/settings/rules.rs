//! The booking rules, for the owner: until when clients may change their mind, what being late costs, how much they may
//! have booked, and what the clock does by itself. A refusal shows the form again with what was typed.

use super::super::error::Error;
use super::super::extract::{Fields, Htmx, Me, StaffMe};
use super::{Sent, frame, open};
use crate::app::App;
use crate::domain::money::hundredths;
use crate::domain::rule::{Rules, Wrong};
use crate::domain::viewer::Viewer;
use crate::live::Reading;
use crate::store::business::{self, SetRules};
use crate::store::stranded::Outcome;
use crate::views::settings::rules::{self as views, Form, Typed};
use crate::views::url;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;

pub(in crate::http) async fn show(State(app): State<App>, Me(viewer): Me) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let rules = reading.business.rules;
    let form = Form {
        typed: Typed::of(&rules),
        seen: rules.line(),
        wrong: Vec::new(),
        note: None,
    };
    page(&mut reading, &viewer, &form).await
}

async fn page(reading: &mut Reading, viewer: &Viewer, form: &Form) -> Result<Markup, Error> {
    let live = open(reading, viewer).await?;
    let frame = frame(reading, viewer, &live, "Booking rules");
    Ok(views::page(&frame, form))
}

/// `POST /admin/settings/rules`.
pub(in crate::http) async fn change(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Htmx(htmx): Htmx,
    Fields(sent): Fields<Sent>,
) -> Result<Response, Error> {
    let field = |name: &str| sent.get(name).map_or("", |value| value.trim()).to_owned();
    let mut reading = Reading::open(&app.source).await?;
    let viewer = Viewer::Staff(by.clone());
    let mut form = Form {
        typed: Typed {
            cancel: field("cancel"),
            moving: field("move"),
            most: field("most"),
            fee: field("fee"),
            offer: field("offer"),
            completes: !field("completes").is_empty(),
        },
        seen: field("seen"),
        wrong: Vec::new(),
        note: None,
    };
    let rules = wish(&form.typed);
    let beside = |wrong: Wrong| (name(wrong), wrong.to_string());
    form.wrong = rules.wrongs().into_iter().map(beside).collect();
    let status = if form.wrong.is_empty() {
        let change = SetRules {
            by,
            rules,
            seen: form.seen.clone(),
            now: reading.now,
        };
        let done = app.transact(change, |tx, change| {
            Box::pin(business::set_rules(tx, change))
        });
        match done.await? {
            Outcome::Stale(stands) => {
                form.note = Some(views::differs(&reading.business, &stands));
                form.seen = stands.line();
                StatusCode::CONFLICT
            }
            _ => return Ok(Redirect::to(url::SETTINGS).into_response()),
        }
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    if htmx {
        // The form's page is live, and no fragment.
        let words = form.note.or(form.wrong.pop().map(|(_, words)| words));
        return Err(Error::Invalid(words.unwrap_or_default()));
    }
    let page = page(&mut reading, &viewer, &form).await?;
    Ok((status, page).into_response())
}

/// What is no number is as wrong as one out of range, and gets the same sentence.
fn wish(typed: &Typed) -> Rules {
    let number = |text: &str| text.parse().unwrap_or(-1);
    Rules {
        cancel_minutes: number(&typed.cancel),
        move_minutes: number(&typed.moving),
        most_open: number(&typed.most),
        late_fee: hundredths(&typed.fee).unwrap_or(-1),
        offer_minutes: number(&typed.offer),
        completes: typed.completes,
    }
}

fn name(wrong: Wrong) -> &'static str {
    match wrong {
        Wrong::Cancel => "cancel",
        Wrong::Move => "move",
        Wrong::Most => "most",
        Wrong::Fee => "fee",
        Wrong::Offer => "offer",
    }
}
