//! When someone works, for the owner. One form a change; each reads the form, does it, and leads back to the page; a refusal
//! shows the page again with what was typed, and a change that strands sessions asks first.

use super::super::error::Error;
use super::super::extract::{Fields, Htmx, Me, Named, StaffMe};
use super::{Sent, again, ask, frame, open};
use crate::app::App;
use crate::domain::holiday::{self, Holiday};
use crate::domain::hours::{Change, Wrong, line, windows, written};
use crate::domain::id::StaffId;
use crate::domain::slot::Window;
use crate::domain::staff::Staff;
use crate::domain::viewer::Viewer;
use crate::live::Reading;
use crate::store::hours::{self, Set};
use crate::store::staff;
use crate::store::stranded::Outcome;
use crate::views::settings::hours::{self as views, View};
use crate::views::settings::stranded::Question;
use crate::views::url;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Span;
use jiff::civil::Date;
use maud::Markup;

/// Fields that are wrong, each with its sentence.
type Wrongs = Vec<(String, String)>;

/// Days of holidays that are suggested: a year, and the week in which people plan the next.
const AHEAD: i32 = 372;

pub(in crate::http) async fn show(
    State(app): State<App>,
    Me(viewer): Me,
    Named(id): Named<StaffId>,
) -> Result<Markup, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let one = staff::find(&mut reading.tx, id).await?;
    page(&mut reading, &viewer, &one, &Refused::default()).await
}

/// Why nothing was saved, and what was typed.
#[derive(Debug, Default)]
struct Refused {
    typed: Vec<(String, String)>,
    wrong: Wrongs,
    note: Option<&'static str>,
}

async fn page(
    reading: &mut Reading,
    viewer: &Viewer,
    one: &Staff,
    refused: &Refused,
) -> Result<Markup, Error> {
    let today = reading.business.today(reading.now);
    let mut hours = staff::hours(&mut reading.tx, one.id, today).await?;
    let seen = line(&hours);
    // Yesterday's is read because it may run into today, and is nobody's to change.
    hours.overrides.retain(|day, _| *day >= today);
    hours.time_off.retain(|(_, to)| *to >= today);
    let country = holiday::country(reading.business.zone.iana_name());
    let last = today.saturating_add(Span::new().days(AHEAD));
    let holidays: Option<(&str, Vec<Holiday>)> =
        country.map(|country| (country.name, country.holidays(today, last)));
    let live = open(reading, viewer).await?;
    let title = format!("Hours of {}", one.name);
    let view = View {
        staff: one,
        hours: &hours,
        seen: &seen,
        typed: &refused.typed,
        wrong: &refused.wrong,
        note: refused.note,
        holidays: holidays.as_ref().map(|(name, days)| (*name, &days[..])),
        today,
    };
    Ok(views::page(&frame(reading, viewer, &live, &title), &view))
}

/// `POST /admin/settings/staff/{id}/hours`.
pub(in crate::http) async fn change(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Htmx(htmx): Htmx,
    Named(id): Named<StaffId>,
    Fields(sent): Fields<Sent>,
) -> Result<Response, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let one = staff::find(&mut reading.tx, id).await?;
    let viewer = Viewer::Staff(by.clone());
    let mut refused = Refused {
        typed: again(&sent),
        ..Refused::default()
    };
    let status = match wish(&sent, reading.business.today(reading.now))? {
        Err(wrong) => {
            refused.wrong = wrong;
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Ok(change) => {
            let wanted = Set {
                by,
                staff: id,
                change,
                seen: sent.get("seen").cloned().unwrap_or_default(),
                agreed: sent.get("agreed").cloned(),
                now: reading.now,
            };
            let done = app.transact(wanted, |tx, wanted| Box::pin(hours::set(tx, wanted)));
            match done.await? {
                Outcome::Done => return Ok(Redirect::to(&url::hours(id)).into_response()),
                Outcome::Strands(bookings, seal) => {
                    let path = url::hours(id);
                    let question = Question {
                        action: &path,
                        back: &path,
                        fields: &refused.typed,
                        bookings: &bookings,
                        seal: &seal,
                        now: reading.now,
                    };
                    let title = format!("Hours of {}", one.name);
                    return ask(&mut reading, &viewer, htmx, &title, &question).await;
                }
                Outcome::Stale(stands) => {
                    refused.note = Some(
                        "Someone else changed these hours meanwhile, and yours are not saved. Check how they stand now, then save again.",
                    );
                    for (n, stands) in stands.weekly.iter().enumerate() {
                        let name = format!("day-{n}");
                        let typed = sent.get(&name).map(|text| windows(text));
                        if typed.is_some_and(|typed| typed.as_ref() != Ok(stands)) {
                            refused.wrong.push((name, stands_now(stands)));
                        }
                    }
                    StatusCode::CONFLICT
                }
            }
        }
    };
    if htmx {
        // The page is live, and no fragment.
        let words = refused.note.map(str::to_owned);
        let words = words.or(refused.wrong.pop().map(|(_, words)| words));
        return Err(Error::Invalid(words.unwrap_or_default()));
    }
    let page = page(&mut reading, &viewer, &one, &refused).await?;
    Ok((status, page).into_response())
}

/// What the week says where someone else changed it.
fn stands_now(windows: &[Window]) -> String {
    if windows.is_empty() {
        "It is closed now.".to_owned()
    } else {
        format!("It is {} now.", written(windows))
    }
}

/// What the form asks for, or what is wrong with it, each beside its field.
fn wish(sent: &Sent, today: Date) -> Result<Result<Change, Wrongs>, Error> {
    let field = |name: &str| sent.get(name).map_or("", |value| value.trim());
    let day = |name: &str| field(name).parse::<Date>();
    let beside = |name: &str, wrong: Wrong| (name.to_owned(), wrong.to_string());
    let made = match field("act") {
        "week" => week(sent),
        "override" => {
            let at = windows(field("hours")).map_err(|wrong| beside("hours", wrong));
            let day = day("day").map_err(|_| beside("day", Wrong::Day));
            both(day, at).map(|(day, at)| Change::Override(day, at))
        }
        "off" => {
            let from = day("from").map_err(|_| beside("from", Wrong::Day));
            let to = day("to").map_err(|_| beside("to", Wrong::Last));
            both(from, to).map(|(from, to)| Change::Off(from, to))
        }
        "plain" => day("day").map(Change::Plain).map_err(|_| Vec::new()),
        "on" => day("day").map(Change::On).map_err(|_| Vec::new()),
        _ => Err(Vec::new()),
    };
    // What no form of ours could hold stands beside no field.
    if made.as_ref().is_err_and(Vec::is_empty) {
        let words = "The form is not complete. Open it again.";
        return Err(Error::Invalid(words.to_owned()));
    }
    Ok(made.and_then(|change| match change.check(today) {
        Ok(()) => Ok(change),
        Err(wrong) => {
            let name = match (&change, wrong) {
                (_, Wrong::Last) => "to",
                (Change::Off(..), _) => "from",
                _ => "day",
            };
            Err(vec![beside(name, wrong)])
        }
    }))
}

fn both<A, B>(
    one: Result<A, (String, String)>,
    other: Result<B, (String, String)>,
) -> Result<(A, B), Wrongs> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => Err(one.err().into_iter().chain(other.err()).collect()),
    }
}

fn week(sent: &Sent) -> Result<Change, Wrongs> {
    let mut wrong = Vec::new();
    let mut weekly: [Vec<Window>; 7] = Default::default();
    for (n, day) in weekly.iter_mut().enumerate() {
        let name = format!("day-{n}");
        // A form without the field is not a closed day.
        let Some(text) = sent.get(&name) else {
            return Err(Vec::new());
        };
        match windows(text) {
            Ok(windows) => *day = windows,
            Err(words) => wrong.push((name, words.to_string())),
        }
    }
    if wrong.is_empty() {
        Ok(Change::Week(weekly))
    } else {
        Err(wrong)
    }
}
