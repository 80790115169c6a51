//! Signing in and out, and the links that set a password. A wrong pair, an unknown address and a disabled person get the
//! same answer after the same work.

use super::error::Error;
use super::extract::{Asked, Fields, Me, Named};
use super::origin;
use super::visitor::Visitor;
use crate::app::App;
use crate::domain::business::Business;
use crate::domain::id::PersonId;
use crate::domain::viewer::Viewer;
use crate::domain::{password, person};
use crate::secret::{self, Verified};
use crate::store::throttle::{self, Attempt};
use crate::store::token::{self, Issue, Kind, Redeem};
use crate::store::{self, business, session};
use crate::views::{sign_in as views, url};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;
use tower_sessions::Session;

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// A path of ours, or the start: never another site, however it is spelt.
fn local(next: &str) -> &str {
    let safe = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control);
    if safe { next } else { url::HOME }
}

/// Where someone arrives: where they wanted to go, else their own first page.
fn arrival(next: &str, is_staff: bool) -> &str {
    match local(next) {
        url::HOME if is_staff => url::ADMIN,
        next => next,
    }
}

async fn is_staff(app: &App, person: PersonId) -> Result<bool, Error> {
    let mut tx = app.db.snapshot().await?;
    let everyone = store::staff::list(&mut tx).await?;
    Ok(everyone.iter().any(|staff| staff.person == person))
}

async fn business(app: &App) -> Result<Business, Error> {
    let mut tx = app.db.snapshot().await?;
    Ok(business::load(&mut tx).await?)
}

/// `GET /login`.
pub(super) async fn form(
    State(app): State<App>,
    Me(viewer): Me,
    Asked(next): Asked<Next>,
) -> Result<Response, Error> {
    if viewer != Viewer::Guest {
        let to = arrival(&next.next, matches!(viewer, Viewer::Staff(_)));
        return Ok(Redirect::to(to).into_response());
    }
    Ok(views::login(&business(&app).await?, "", local(&next.next), None).into_response())
}

/// The fields of a sign-in.
#[derive(Deserialize)]
pub(super) struct Pair {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`.
pub(super) async fn login(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Fields(form): Fields<Pair>,
) -> Result<Response, Error> {
    let now = app.clock.now();
    let email: String = form.email.trim().to_lowercase().chars().take(254).collect();
    let attempt = Attempt {
        email: email.clone(),
        address: visitor.address.to_string(),
        now,
    };
    let free = app
        .transact(attempt.clone(), |tx, attempt| {
            Box::pin(throttle::begin(tx, attempt))
        })
        .await?;
    if let Err(wait) = free {
        return Err(Error::TooMany(wait));
    }
    let found = {
        let mut tx = app.db.snapshot().await?;
        store::person::find_by_email(&mut tx, &email).await?
    };
    let kept = found.as_ref().and_then(|(_, hash)| hash.as_deref());
    let too_long = form.password.len() > password::MAX_BYTES;
    let typed = if too_long { "" } else { &form.password };
    let verified = app.passwords.verify(typed, kept).await;
    let (Some((person, kept)), Verified::Right { rehash }) = (&found, verified) else {
        return wrong(&app, &form).await;
    };
    if person.disabled {
        return wrong(&app, &form).await;
    }
    begin(&session, person.id).await?;
    let kept = kept.clone().unwrap_or_default();
    let new = rehash.unwrap_or_else(|| kept.clone());
    let done = (attempt, person.id, kept, new);
    let stands = app
        .transact(done, |tx, (attempt, person, kept, new)| {
            Box::pin(async move {
                throttle::succeeded(tx, attempt).await?;
                store::person::rehash(tx, *person, kept, new).await
            })
        })
        .await?;
    // A reset while the old password was being verified ended every session but this one.
    if !stands {
        session.flush().await.map_err(broken)?;
        return wrong(&app, &form).await;
    }
    let to = arrival(&form.next, is_staff(&app, person.id).await?);
    Ok(Redirect::to(to).into_response())
}

/// One message for every wrong pair.
async fn wrong(app: &App, form: &Pair) -> Result<Response, Error> {
    let words =
        "This e-mail and password do not belong together. Check both, or set a new password.";
    let page = views::login(
        &business(app).await?,
        form.email.trim(),
        local(&form.next),
        Some(words),
    );
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// A new session under a new id: one that was planted before is worth nothing now.
async fn begin(session: &Session, person: PersonId) -> Result<(), Error> {
    let made = async {
        session.cycle_id().await?;
        session.insert(session::PERSON, person).await?;
        session.save().await
    };
    made.await.map_err(broken)
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn broken(error: tower_sessions::session::Error) -> Error {
    tracing::error!(%error, "a session could not be kept");
    Error::Internal
}

/// `POST /logout`: here and in every page that this session has open.
pub(super) async fn logout(State(app): State<App>, session: Session) -> Result<Response, Error> {
    if let Some(id) = session.id() {
        let gone = (session::hash(&id), app.clock.now());
        app.transact(gone, |tx, (hash, now)| {
            Box::pin(session::revoke(tx, hash, *now))
        })
        .await?;
    }
    let clear = (
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    // The session's own layer would hand the ended cookie out once more.
    let forget = (
        header::SET_COOKIE,
        origin::ended_cookie(&app.config.base_url),
    );
    Ok(([clear, forget], Redirect::to(url::LOGIN)).into_response())
}

/// `GET /reset`.
pub(super) async fn forgot(State(app): State<App>) -> Result<Markup, Error> {
    Ok(views::forgot(&business(&app).await?, "", None))
}

/// Where to send a link.
#[derive(Deserialize)]
pub(super) struct Address {
    email: String,
}

/// `POST /reset`: the same answer, at once, whether or not there is such an account.
pub(super) async fn send_link(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Fields(form): Fields<Address>,
) -> Result<Response, Error> {
    let business = business(&app).await?;
    let Ok(email) = person::email(&form.email) else {
        let words = "Enter an e-mail address like name@example.com.";
        let page = views::forgot(&business, form.email.trim(), Some(words));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    let now = app.clock.now();
    let attempt = Attempt {
        email: format!("reset {email}"),
        address: format!("reset {}", visitor.address),
        now,
    };
    let free = app
        .transact(attempt, |tx, attempt| {
            Box::pin(throttle::begin(tx, attempt))
        })
        .await?;
    if let Err(wait) = free {
        return Err(Error::TooMany(wait));
    }
    // Behind the answer's back: how long it takes would tell whether there is an account.
    tokio::spawn(async move {
        let sent = app.transact((email, secret::token(), now), |tx, (email, secret, now)| {
            Box::pin(async move {
                match store::person::find_by_email(tx, email).await? {
                    Some((person, password)) if !person.disabled => {
                        // An invitation that ended is asked for again in the same way.
                        let kind = password.map_or(Kind::Invitation, |_| Kind::Reset);
                        let link = Issue {
                            person: person.id,
                            kind,
                            secret: secret.clone(),
                            now: *now,
                        };
                        token::issue(tx, &link).await
                    }
                    _ => Ok(()),
                }
            })
        });
        if let Err(error) = sent.await {
            tracing::error!(%error, "a link could not be written");
        }
    });
    Ok(views::sent(&business).into_response())
}

/// `GET /welcome/{token}`.
pub(super) async fn welcome(
    State(app): State<App>,
    Named(secret): Named<String>,
) -> Result<Response, Error> {
    ask(&app, Kind::Invitation, &secret, None).await
}

/// `GET /reset/{token}`.
pub(super) async fn reset(
    State(app): State<App>,
    Named(secret): Named<String>,
) -> Result<Response, Error> {
    ask(&app, Kind::Reset, &secret, None).await
}

/// The form behind a link, or the news that it has ended.
async fn ask(app: &App, kind: Kind, secret: &str, error: Option<&str>) -> Result<Response, Error> {
    let mut tx = app.db.snapshot().await?;
    let business = business::load(&mut tx).await?;
    let (_, name, email) = match token::find(&mut tx, kind, secret, app.clock.now()).await {
        Err(store::Error::NotFound) => {
            return Ok((StatusCode::NOT_FOUND, views::ended(&business)).into_response());
        }
        found => found?,
    };
    let (action, is_first) = match kind {
        Kind::Invitation => (url::welcome(secret), true),
        Kind::Reset => (url::reset(secret), false),
    };
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let first_name = person::first_name(&name);
    Ok((
        status,
        views::password(&business, &action, first_name, &email, is_first, error),
    )
        .into_response())
}

/// The field of a new password.
#[derive(Deserialize)]
pub(super) struct NewPassword {
    password: String,
}

/// `POST /welcome/{token}`.
pub(super) async fn accept(
    State(app): State<App>,
    session: Session,
    Named(secret): Named<String>,
    Fields(form): Fields<NewPassword>,
) -> Result<Response, Error> {
    set(&app, &session, Kind::Invitation, secret, &form.password).await
}

/// `POST /reset/{token}`.
pub(super) async fn replace(
    State(app): State<App>,
    session: Session,
    Named(secret): Named<String>,
    Fields(form): Fields<NewPassword>,
) -> Result<Response, Error> {
    set(&app, &session, Kind::Reset, secret, &form.password).await
}

async fn set(
    app: &App,
    session: &Session,
    kind: Kind,
    secret: String,
    password: &str,
) -> Result<Response, Error> {
    let now = app.clock.now();
    let (business, about) = {
        let mut tx = app.db.snapshot().await?;
        let business = business::load(&mut tx).await?;
        (business, token::find(&mut tx, kind, &secret, now).await)
    };
    let (_, name, email) = match about {
        Err(store::Error::NotFound) => return ask(app, kind, &secret, None).await,
        found => found?,
    };
    if let Err(weak) = password::check(password, &[&name, &email, &business.name]) {
        return ask(app, kind, &secret, Some(&weak.to_string())).await;
    }
    let password_hash = app.passwords.hash(password).await;
    let redeem = Redeem {
        kind,
        secret,
        password_hash,
        now,
    };
    let redeemed = app
        .transact(redeem.clone(), |tx, redeem| {
            Box::pin(token::redeem(tx, redeem))
        })
        .await;
    let person = match redeemed {
        // Used meanwhile by another tab.
        Err(store::Error::NotFound) => return ask(app, kind, &redeem.secret, None).await,
        done => done?,
    };
    begin(session, person).await?;
    Ok(Redirect::to(arrival(url::HOME, is_staff(app, person).await?)).into_response())
}
