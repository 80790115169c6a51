//! One line a request: its id, its route, its answer, its time. Never a path as typed, a query, a body or a cookie: links
//! carry secrets, and queries what people look for.

use super::visitor::Visitor;
use crate::app::App;
use crate::meter;
use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest name of a request that is taken over.
const LONGEST_ID: usize = 64;

/// Names a request in the log, and to its sender when something broke.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) Arc<str>);

impl RequestId {
    /// The name that a trusted proxy gave it, else one of our own: anybody else could write what they like into the log.
    fn of(request: &Request) -> Self {
        let is_proxied = request
            .extensions()
            .get::<Visitor>()
            .is_some_and(|visitor| visitor.is_proxied);
        let given = request
            .headers()
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_proxied && is_plain(id));
        Self(given.map_or_else(
            || format!("{:016x}", rand::random::<u64>()).into(),
            Into::into,
        ))
    }
}

fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(plain)
}

pub(super) async fn log(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let RequestId(id) = RequestId::of(&request);
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let method = meter::known(request.method().as_str());
    let began = Instant::now();
    let span = tracing::info_span!("request", %id);
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = began.elapsed();
    let status = response.status().as_u16();
    app.meter.answered(method, &route, status, took);
    let ms = took.as_secs_f64() * 1000.0;
    // Three digits: a float is written with all that it has, which are mostly noise.
    let ms = (ms * 1000.0).round() / 1000.0;
    let bytes = length(&response);
    let _entered = span.enter();
    if is_routine(&route) {
        tracing::debug!(method, route, status, ms, bytes, "answered");
    } else {
        tracing::info!(method, route, status, ms, bytes, "answered");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Asked for all day long by balancers, and many times for each page: a log of these would hide the rest.
fn is_routine(route: &str) -> bool {
    matches!(
        route,
        "/healthz" | "/readyz" | "/assets/{name}" | "/accent/{hue}"
    )
}

/// How long the body is, if that is known before it is sent.
fn length(response: &Response) -> Option<u64> {
    let said = response.headers().get(header::CONTENT_LENGTH);
    let said = said.and_then(|length| length.to_str().ok()?.parse().ok());
    said.or_else(|| response.body().size_hint().exact())
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn a_name_that_could_be_more_than_one_is_not_taken_over() {
        for right in ["a", "0199-ab_c.d", &"x".repeat(64)] {
            assert!(is_plain(right), "{right}");
        }
        for wrong in ["", "a b", "a\nb", "a=b", "é", "\u{1b}[1m", &"x".repeat(65)] {
            assert!(!is_plain(wrong), "{wrong}");
        }
    }
}
