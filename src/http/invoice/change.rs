//! What staff do with invoices. Each write reads the form, does it, and leads to the invoice; a refusal shows the form again
//! with all that was typed.

use super::super::error::Error;
use super::super::extract::{Asked, Fields, Htmx, Me, Named, StaffMe};
use crate::app::App;
use crate::domain::business::Business;
use crate::domain::id::{BookingId, ClientId, InvoiceId};
use crate::domain::invoice::{LINES, Line, Wrong, due_on};
use crate::domain::money::hundredths;
use crate::domain::viewer::{StaffViewer, Viewer};
use crate::live::{self, Page, Reading};
use crate::secret;
use crate::store::invoice::{self, Discard, Issue, IssueDraft, Void};
use crate::store::{self, booking, client};
use crate::views::invoice::form::{self as views, Form, Typed};
use crate::views::{layout, text, url};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Span;
use maud::Markup;
use serde::Deserialize;
use std::collections::HashMap;

/// Lines that the empty form has, and that "More lines" adds.
const ROWS: usize = 4;

/// What the form begins with.
#[derive(Debug, Default, Deserialize)]
pub(in crate::http) struct From {
    client: Option<String>,
    booking: Option<String>,
}

/// `GET /admin/invoices/new`: empty, or filled in from a session. A session that has its invoice leads to it.
pub(in crate::http) async fn form(
    State(app): State<App>,
    Me(viewer): Me,
    StaffMe(me): StaffMe,
    Asked(from): Asked<From>,
) -> Result<Response, Error> {
    let mut reading = Reading::open(&app.source).await?;
    let business = &reading.business;
    let due = business
        .today(reading.now)
        .saturating_add(Span::new().days(business.due_days));
    let mut form = Form {
        lines: vec![empty(business); ROWS],
        tax_included: true,
        due_on: due.to_string(),
        key: secret::token(),
        ..Form::default()
    };
    if let Some(id) = from.booking.as_deref() {
        let id: BookingId = id.parse().map_err(|_| Error::NotFound)?;
        let session = booking::find(&mut reading.tx, &viewer, id).await?;
        if let Some(invoice) = invoice::of_booking(&mut reading.tx, &me, id).await? {
            return Ok(Redirect::to(&url::invoice(invoice)).into_response());
        }
        let price = booking::price(&mut reading.tx, &me, id).await?;
        let day = reading.business.local(session.starts_at).date();
        form.client = Some(session.client);
        form.booking = Some(id);
        form.lines[0].words = format!("{}, {}", session.service_name, text::long_date(day));
        form.lines[0].price = plain(price);
    } else if let Some(id) = from.client.as_deref() {
        form.client = Some(id.parse().map_err(|_| Error::NotFound)?);
    }
    let page = page(&mut reading, &viewer, &me, &form).await?;
    Ok(page.into_response())
}

/// A line that nobody has filled in.
fn empty(business: &Business) -> Typed {
    Typed {
        quantity: "1".to_owned(),
        tax: plain(business.tax_rate),
        ..Typed::default()
    }
}

/// Hundredths as a figure that the form reads back.
fn plain(value: i64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

async fn page(
    reading: &mut Reading,
    viewer: &Viewer,
    me: &StaffViewer,
    form: &Form,
) -> Result<Markup, Error> {
    let clients = client::names(&mut reading.tx, me).await?;
    let live = live::open(reading, viewer, &Page::Plain).await?;
    let frame = layout::Page {
        business: &reading.business,
        viewer,
        tab: layout::Tab::Invoices,
        title: "New invoice",
        live: Some(&live),
    };
    Ok(views::page(&frame, form, &clients))
}

/// `POST /admin/invoices`.
pub(in crate::http) async fn create(
    State(app): State<App>,
    Me(viewer): Me,
    StaffMe(me): StaffMe,
    Htmx(htmx): Htmx,
    Fields(fields): Fields<HashMap<String, String>>,
) -> Result<Response, Error> {
    let mut form = read(&fields)?;
    let act = fields.get("act").map_or("issue", String::as_str);
    let mut reading = Reading::open(&app.source).await?;
    let refused = if act == "more" {
        form.lines.extend(vec![empty(&reading.business); ROWS]);
        form.lines.truncate(LINES);
        None
    } else {
        match wish(&form, &me, act == "draft", app.clock.now()) {
            Err(words) => Some(words),
            Ok(issue) => {
                let made = app
                    .transact(issue, |tx, issue| Box::pin(invoice::issue(tx, issue)))
                    .await;
                match made {
                    Ok(id) => return Ok(Redirect::to(&url::invoice(id)).into_response()),
                    Err(store::Error::Unusable(wrong)) => Some(wrong.to_string()),
                    Err(store::Error::KeyReused) => {
                        form.key = secret::token();
                        let words = "This form was sent before with other words or amounts. Check them, then send it again.";
                        Some(words.to_owned())
                    }
                    Err(store::Error::Conflict) if form.booking.is_some() => {
                        Some("This session has an invoice already.".to_owned())
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    };
    if htmx {
        // The form's page is live, and no fragment.
        let words = refused.unwrap_or_else(|| "Add lines on the form's own page.".to_owned());
        return Err(Error::Invalid(words));
    }
    let status = if refused.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    if !is_key(&form.key) {
        form.key = secret::token();
    }
    form.error = refused;
    let page = page(&mut reading, &viewer, &me, &form).await?;
    Ok((status, page).into_response())
}

/// The form as it was typed, whatever was.
fn read(fields: &HashMap<String, String>) -> Result<Form, Error> {
    let field = |name: &str| fields.get(name).map_or("", |value| value.trim());
    let typed = |n: usize| {
        let field = |name: &str| field(&format!("{name}-{n}")).to_owned();
        Typed {
            words: field("words"),
            quantity: field("quantity"),
            price: field("price"),
            tax: field("tax"),
        }
    };
    // One more than there may be: what is too much is refused, and not left out.
    let rows = (0..=LINES)
        .rev()
        .find(|n| fields.contains_key(&format!("words-{n}")));
    let booking = match field("booking") {
        "" => None,
        id => Some(id.parse().map_err(|_| Error::NotFound)?),
    };
    Ok(Form {
        client: field("client").parse().ok(),
        booking,
        lines: (0..=rows.unwrap_or(0)).map(typed).collect(),
        tax_included: field("prices") != "added",
        due_on: field("due_on").to_owned(),
        key: field("key").to_owned(),
        error: None,
    })
}

fn is_key(key: &str) -> bool {
    (1..=100).contains(&key.len())
}

/// What the form asks for, or the first thing that is wrong with it.
fn wish(
    form: &Form,
    me: &StaffViewer,
    as_draft: bool,
    now: jiff::Timestamp,
) -> Result<Issue, String> {
    let client: ClientId = form
        .client
        .ok_or("Choose the client whom the invoice is for.")?;
    let due_on = due_on(&form.due_on).ok_or("Say on which day the invoice is due.")?;
    if !is_key(&form.key) {
        return Err("The form was too old to be sent. Check it, then send it again.".to_owned());
    }
    // A row without words and price is one that nobody filled in.
    let filled = form
        .lines
        .iter()
        .filter(|line| !line.words.is_empty() || !line.price.is_empty());
    let lines = filled.map(line).collect::<Result<Vec<Line>, Wrong>>();
    Ok(Issue {
        by: me.clone(),
        client,
        booking: form.booking,
        lines: lines.map_err(|wrong| wrong.to_string())?,
        tax_included: form.tax_included,
        due_on,
        as_draft,
        key: form.key.clone(),
        now,
    })
}

fn line(typed: &Typed) -> Result<Line, Wrong> {
    let or = |text: &str, usual: i64| {
        if text.is_empty() {
            Some(usual)
        } else {
            hundredths(text)
        }
    };
    Ok(Line {
        words: typed.words.clone(),
        quantity: or(&typed.quantity, 100).ok_or(Wrong::Quantity)?,
        unit_price: hundredths(&typed.price).ok_or(Wrong::Price)?,
        tax_rate: or(&typed.tax, 0).ok_or(Wrong::Rate)?,
    })
}

/// The version that the person saw.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Seen {
    version: i64,
}

/// `POST /admin/invoices/{id}/issue`.
pub(in crate::http) async fn issue(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Named(invoice): Named<InvoiceId>,
    Fields(seen): Fields<Seen>,
) -> Result<Redirect, Error> {
    let issue = IssueDraft {
        by,
        invoice,
        version: seen.version,
        now: app.clock.now(),
    };
    app.transact(issue, |tx, issue| Box::pin(invoice::issue_draft(tx, issue)))
        .await
        .map_err(moved_on)?;
    Ok(Redirect::to(&url::invoice(invoice)))
}

/// `POST /admin/invoices/{id}/discard`.
pub(in crate::http) async fn discard(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Named(invoice): Named<InvoiceId>,
    Fields(seen): Fields<Seen>,
) -> Result<Redirect, Error> {
    let discard = Discard {
        by,
        invoice,
        version: seen.version,
    };
    app.transact(discard, |tx, discard| {
        Box::pin(invoice::discard(tx, discard))
    })
    .await
    .map_err(moved_on)?;
    Ok(Redirect::to(url::LEDGER))
}

/// `POST /admin/invoices/{id}/void`.
pub(in crate::http) async fn void(
    State(app): State<App>,
    StaffMe(by): StaffMe,
    Named(invoice): Named<InvoiceId>,
    Fields(seen): Fields<Seen>,
) -> Result<Redirect, Error> {
    let void = Void {
        by,
        invoice,
        version: seen.version,
        now: app.clock.now(),
    };
    app.transact(void, |tx, void| Box::pin(invoice::void(tx, void)))
        .await
        .map_err(moved_on)?;
    Ok(Redirect::to(&url::invoice(invoice)))
}

/// Someone paid, issued or withdrew it between the look and the click.
fn moved_on(error: store::Error) -> Error {
    match error {
        store::Error::Conflict => Error::Conflict(
            "The invoice has changed meanwhile. Go back and look at it again.".to_owned(),
        ),
        error => error.into(),
    }
}
