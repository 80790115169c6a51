//! Who is asking, and whether this route is there for them. Staff's pages are a 404 to everyone else, the same as any
//! path that does not exist.

use super::error::Error;
use super::origin::is_htmx;
use crate::app::App;
use crate::domain::viewer::{Role, Viewer};
use crate::store::session;
use crate::views::url;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tower_sessions::Session;

/// Who may ask for a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anyone,
    SignedIn,
    Client,
    Staff,
    Owner,
}

impl Who {
    /// Whether this viewer is one of them.
    pub fn admits(self, viewer: &Viewer) -> bool {
        match (self, viewer) {
            (Self::Anyone, _)
            | (Self::SignedIn, Viewer::Client(_) | Viewer::Staff(_))
            | (Self::Client, Viewer::Client(_))
            | (Self::Staff, Viewer::Staff(_)) => true,
            (Self::Owner, Viewer::Staff(staff)) => staff.role == Role::Owner,
            _ => false,
        }
    }
}

/// A request's session, for handlers: extensions carry it.
#[derive(Debug, Clone)]
pub(super) struct SignedIn {
    pub(super) viewer: Viewer,
}

/// A route, as far as its guard has to know it.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    pub(super) app: App,
    pub(super) who: Who,
    pub(super) in_sheet: bool,
}

/// Asks the database who is signed in, and lets them through or not.
pub(super) async fn guard(
    State(Gate { app, who, in_sheet }): State<Gate>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    // Assets, the health checks and the socket do not ask, or ask by themselves.
    let asks = who != Who::Anyone || matches!(request.uri().path(), "/login" | "/logout");
    let viewer = if asks {
        signed_in(&app, &session).await
    } else {
        Ok(Viewer::Guest)
    };
    let viewer = match viewer {
        Ok(viewer) => viewer,
        Err(error) => return error.into_response(),
    };
    if !who.admits(&viewer) {
        return if viewer == Viewer::Guest {
            ask_to_sign_in(&request)
        } else {
            Error::NotFound.into_response()
        };
    }
    if !in_sheet && request.method() == Method::GET && is_htmx(request.headers()) {
        return go_there(&request);
    }
    request.extensions_mut().insert(SignedIn { viewer });
    next.run(request).await
}

async fn signed_in(app: &App, session: &Session) -> Result<Viewer, Error> {
    let Some(id) = session.id() else {
        return Ok(Viewer::Guest);
    };
    let now = app.clock.now();
    let hash = session::hash(&id);
    let Some(signed_in) = session::viewer(&app.db, &hash, now).await? else {
        return Ok(Viewer::Guest);
    };
    if signed_in.wants_extending(now) {
        app.transact((hash, now), |tx, (hash, now)| {
            Box::pin(session::extend(tx, hash, *now))
        })
        .await?;
    }
    Ok(signed_in.viewer)
}

/// A page is no fragment: its live parts would be swapped into the sheet, and be older than a push. The browser goes there
/// instead.
fn go_there(request: &Request) -> Response {
    let path = request.uri().path_and_query();
    let path = path.and_then(|path| HeaderValue::from_str(path.as_str()).ok());
    let redirect = HeaderName::from_static("hx-redirect");
    ([(redirect, path.unwrap_or(HOME))], "").into_response()
}

const HOME: HeaderValue = HeaderValue::from_static(url::HOME);

/// To the sign-in, and for a page back to it afterwards.
fn ask_to_sign_in(request: &Request) -> Response {
    if is_htmx(request.headers()) {
        // A 303 would be followed, and the sign-in page swapped into the sheet.
        let redirect = (
            HeaderName::from_static("hx-redirect"),
            HeaderValue::from_static(url::LOGIN),
        );
        return ([redirect], "").into_response();
    }
    let back = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    if request.method() == Method::GET && back != "/" {
        let next: String = percent(back);
        return Redirect::to(&format!("{}?next={next}", url::LOGIN)).into_response();
    }
    Redirect::to(url::LOGIN).into_response()
}

/// Escapes what would end a query's value.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                (byte as char).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
