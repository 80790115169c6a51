//! Every error as people see it: one sentence, a way on, and for a fault of ours an id that the log knows too.
//!
//! Nothing of the inside is ever shown: no statement, no path, no version.

use super::origin::is_htmx;
use super::trace::RequestId;
use crate::app::App;
use crate::domain::business::Business;
use crate::store;
use crate::views::error::{self as views, Problem};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::Markup;
use std::any::Any;

/// Seconds after which it is worth trying again, where the database is not there: about what it needs to come back.
const PAUSE: i64 = 5;

/// Why a request was not answered as it wished.
#[derive(Debug)]
pub(super) enum Error {
    /// Not there, or not the viewer's: nobody can tell which.
    NotFound,
    /// Unusable input; the sentence says what to do about it.
    Invalid(String),
    /// Another state than the one the person saw.
    Conflict(String),
    /// Wait so many seconds.
    TooMany(i64),
    /// The database is not there now.
    Busy,
    /// Ours; told to the log already.
    Internal,
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::NotFound,
            store::Error::Refused(refusal) => Self::Invalid(refusal.to_string()),
            store::Error::Unusable(wrong) => Self::Invalid(wrong.to_string()),
            store::Error::Conflict => {
                Self::Conflict("Something else stands there already.".to_owned())
            }
            store::Error::KeyReused => Self::Invalid(
                "This form was sent before with other choices. Open it again.".to_owned(),
            ),
            error if error.is_passing() => {
                tracing::error!(%error, "the database is not there now");
                Self::Busy
            }
            store::Error::Database(error) => {
                tracing::error!(%error, "the database refused a statement");
                Self::Internal
            }
        }
    }
}

/// What a response wants to say, until [`explain`] has put it into a page.
#[derive(Debug, Clone)]
struct Explained {
    words: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, words, wait) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, String::new(), None),
            Self::Invalid(words) => (StatusCode::UNPROCESSABLE_ENTITY, words, None),
            Self::Conflict(words) => (StatusCode::CONFLICT, words, None),
            Self::TooMany(wait) => (StatusCode::TOO_MANY_REQUESTS, String::new(), Some(wait)),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, String::new(), Some(PAUSE)),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, String::new(), None),
        };
        let mut response = status.into_response();
        if let Some(wait) = wait {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response.extensions_mut().insert(Explained { words });
        response
    }
}

pub(super) async fn not_found() -> Error {
    Error::NotFound
}

pub(super) async fn method_not_allowed() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

/// A panic in a handler is one request's failure, and the process lives.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no words");
    tracing::error!(panic = words, "a handler panicked");
    Error::Internal.into_response()
}

/// Says in a page, or in the sheet, what a bare status would not.
pub(super) async fn explain(State(app): State<App>, request: Request, next: Next) -> Response {
    let htmx = is_htmx(request.headers());
    let id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.to_string())
        .unwrap_or_default();
    let response = next.run(request).await;
    let status = response.status();
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| {
            let kind = kind.to_str().unwrap_or_default();
            kind.starts_with("text/html") || response.extensions().get::<Plain>().is_some()
        });
    if !(status.is_client_error() || status.is_server_error()) || is_page {
        return response;
    }
    let explained = response
        .extensions()
        .get::<Explained>()
        .map(|explained| explained.words.clone());
    let (title, words) = say(status, explained.unwrap_or_default());
    let problem = Problem {
        code: status.as_u16(),
        title,
        words: &words,
        request: &id,
    };
    let body: Markup = if htmx {
        views::fragment(&problem)
    } else if status == StatusCode::SERVICE_UNAVAILABLE {
        // Who has waited for the database already does not wait for its name as well.
        views::page(&Business::unnamed(), &problem)
    } else {
        views::page(&business(&app).await, &problem)
    };
    let mut answer = (status, body).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let headers = answer.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(PAUSE));
    }
    for name in [
        header::RETRY_AFTER,
        header::ALLOW,
        HeaderName::from_static("hx-redirect"),
    ] {
        if let Some(value) = response.headers().get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

/// Marks an error's plain text as meant so: machines read it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

async fn business(app: &App) -> Business {
    let read = async {
        let mut tx = app.db.snapshot().await?;
        store::business::load(&mut tx).await
    };
    read.await.unwrap_or_else(|_| Business::unnamed())
}

fn say(status: StatusCode, words: String) -> (&'static str, String) {
    let (title, plain) = match status {
        StatusCode::NOT_FOUND => (
            "There is nothing here",
            "The link may be old, or it is not yours to see.",
        ),
        StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::BAD_REQUEST
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "That did not work",
            "The form could not be read. Go back and send it again.",
        ),
        StatusCode::CONFLICT => (
            "That has changed meanwhile",
            "Go back and look at it as it is now.",
        ),
        StatusCode::FORBIDDEN => (
            "Not from there",
            "Forms are taken only from our own pages. Open the page and send it again.",
        ),
        StatusCode::TOO_MANY_REQUESTS => ("Too many tries", "Wait a moment, then try again."),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "That is too long",
            "A form may hold 64 kilobytes. Shorten it and send it again.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Not that way", "This address cannot be used like that.")
        }
        StatusCode::MISDIRECTED_REQUEST => {
            ("Not under this name", "This portal has another address.")
        }
        StatusCode::SERVICE_UNAVAILABLE => (
            "Saving is paused",
            "We cannot reach our records just now. Wait a few seconds, then try again: what is sent twice is done once.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "That took too long",
            "The form arrived only in part: it took too long. Check the connection and send it again.",
        ),
        StatusCode::URI_TOO_LONG => (
            "That address is too long",
            "Go to the start and look from there.",
        ),
        _ if status.is_client_error() => ("That did not work", "The request could not be read."),
        _ => (
            "Something broke on our side",
            "Nothing was changed. Try again; if it stays so, write to us.",
        ),
    };
    (
        title,
        if words.is_empty() {
            plain.to_owned()
        } else {
            words
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_nobody_what_it_was() {
        let secrets: [Box<dyn Any + Send>; 3] = [
            Box::new("SELECT name FROM people"),
            Box::new("/src/store/db.rs".to_owned()),
            Box::new(7),
        ];
        for secret in secrets {
            let response = panicked(secret);
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let explained: &Explained = response.extensions().get().unwrap();
            assert_eq!(explained.words, "");
        }
    }
}
