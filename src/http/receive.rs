//! A form is read whole before the time for its answer begins: a slow phone is not a slow database. What is longer than
//! anything that is taken is refused here; each route's own limit is checked later. What providers post is no form: its
//! route reads it, and answers them in their own way.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::time::Duration;
use tokio::time::timeout;
use tower_http::timeout::TimeoutError;

/// The most that any form holds.
const MOST: usize = super::message::LONGEST_FORM;
/// How long that may take: 10 KB a second are a phone at the edge of its network.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn whole(request: Request, next: Next) -> Response {
    if request.method() != Method::POST || request.uri().path().starts_with("/webhooks/") {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match timeout(PATIENCE, to_bytes(body, MOST)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(error)) if !is_late(&error) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        _ => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// Whether the visitor stopped in its middle, which the connection noticed.
fn is_late(error: &axum::Error) -> bool {
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        if error.is::<TimeoutError>() {
            return true;
        }
        next = error.source();
    }
    false
}
