//! Where a request may come from: our own name, and for everything that writes or listens our own pages. There is no
//! other token: a browser says where a form was sent from, and no page can make it lie.

use crate::app::App;
use crate::config::BaseUrl;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Paths that hold a secret: their pages tell nobody where they are.
pub(super) const SECRET: [&str; 4] = ["/welcome/", "/reset/", "/unsubscribe/", "/calendar/"];

/// The session cookie's name: browsers keep a `__Host-` cookie from being set by a neighbour or sent in clear.
pub(super) fn cookie_name(base: &BaseUrl) -> &'static str {
    if base.is_https() {
        "__Host-portico"
    } else {
        "portico"
    }
}

/// Takes the session cookie back. A browser minds one for a `__Host-` name only with the attributes it was given with.
pub(super) fn ended_cookie(base: &BaseUrl) -> HeaderValue {
    HeaderValue::from_static(if base.is_https() {
        "__Host-portico=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
    } else {
        "portico=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
    })
}

/// Whether htmx asks, and wants a fragment.
pub(super) fn is_htmx(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
}

pub(super) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let base = &app.config.base_url;
    let path = request.uri().path();
    let is_health = matches!(path, "/healthz" | "/readyz");
    if !is_health && !knows_host(base, request.headers()) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    // A provider is no browser, and signs what it sends.
    let is_told = path.starts_with("/webhooks/");
    if !is_told && (!reads || path == "/live") && !is_own(base, path, request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// A page fetched under a foreign name would be of another origin, and on loopback a rebound name reaches in.
fn knows_host(base: &BaseUrl, headers: &HeaderMap) -> bool {
    let Some(host) = text(headers, header::HOST) else {
        return true;
    };
    let scheme = if base.is_https() { "https" } else { "http" };
    base.is_own_origin(
        &format!("{scheme}://{}", host.to_ascii_lowercase()),
        Some(host),
    )
}

fn is_own(base: &BaseUrl, path: &str, headers: &HeaderMap) -> bool {
    let host = text(headers, header::HOST);
    let site = text(headers, "sec-fetch-site");
    let origin = text(headers, header::ORIGIN);
    if site.is_some_and(|site| site != "same-origin") {
        return false;
    }
    match origin {
        Some(origin) if base.is_own_origin(&origin.to_ascii_lowercase(), host) => true,
        // These pages send no referrer, and with it goes the origin; the secret in their path is the right to post.
        Some("null") => site.is_some() && SECRET.iter().any(|begin| path.starts_with(begin)),
        Some(_) => false,
        None if path == "/live" => false,
        None => site.is_some() || !has_session(base, headers),
    }
}

fn has_session(base: &BaseUrl, headers: &HeaderMap) -> bool {
    let name = cookie_name(base);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .any(|cookies| {
            cookies
                .split(';')
                .any(|cookie| cookie.split('=').next().map(str::trim) == Some(name))
        })
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
