//! What handlers take from a request: the viewer, a form, an id. Unusable input becomes one clear sentence.

use super::error::Error;
use super::guard::SignedIn;
use super::origin::is_htmx;
use crate::domain::viewer::{StaffViewer, Viewer};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::str::FromStr;

/// Whoever is signed in, or a guest.
#[derive(Debug, Clone)]
pub(super) struct Me(pub(super) Viewer);

impl<S: Send + Sync> FromRequestParts<S> for Me {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let signed_in = parts.extensions.get::<SignedIn>();
        Ok(Self(signed_in.map_or(Viewer::Guest, |signed_in| {
            signed_in.viewer.clone()
        })))
    }
}

/// A member of staff; nobody else gets as far.
#[derive(Debug, Clone)]
pub(super) struct StaffMe(pub(super) StaffViewer);

impl<S: Send + Sync> FromRequestParts<S> for StaffMe {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Ok(Me(viewer)) = Me::from_request_parts(parts, state).await;
        match viewer {
            Viewer::Staff(staff) => Ok(Self(staff)),
            _ => Err(Error::NotFound),
        }
    }
}

/// Whether htmx asks, and wants a fragment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Htmx(pub(super) bool);

impl<S: Send + Sync> FromRequestParts<S> for Htmx {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(is_htmx(&parts.headers)))
    }
}

/// The one variable of a path. What cannot be one is as unknown as any other.
#[derive(Debug, Clone)]
pub(super) struct Named<T>(pub(super) T);

impl<S: Send + Sync, T: FromStr + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Error;

    #[expect(
        clippy::disallowed_types,
        reason = "wrapped here, so that a wrong id is a 404"
    )]
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let value = path.ok().and_then(|path| path.0.parse().ok());
        value.map(Self).ok_or(Error::NotFound)
    }
}

/// The fields of a link. Fields that are not known are ignored, and one that cannot be read counts as left out.
#[derive(Debug, Clone)]
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequestParts<S> for Asked<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        Ok(Self(query.map(|query| query.0).unwrap_or_default()))
    }
}

/// The fields of a form.
#[derive(Debug, Clone)]
pub(super) struct Fields<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Fields<T> {
    type Rejection = Response;

    #[expect(
        clippy::disallowed_types,
        reason = "wrapped here, so that a wrong form is a sentence"
    )]
    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        if !is_text(&bytes) {
            let words = "The form holds characters that are no text.";
            return Err(Error::Invalid(words.to_owned()).into_response());
        }
        let mut again = Request::new(bytes.into());
        *again.method_mut() = axum::http::Method::POST;
        if let Some(kind) = kind {
            again.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        match axum::Form::<T>::from_request(again, state).await {
            Ok(form) => Ok(Self(form.0)),
            Err(rejection) if rejection.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response())
            }
            Err(_) => {
                let words = "A field of the form is missing or cannot be read.";
                Err(Error::Invalid(words.to_owned()).into_response())
            }
        }
    }
}

/// Whether an encoded form is UTF-8 without NUL once decoded: the decoder would replace what is not, and so accept it.
fn is_text(form: &[u8]) -> bool {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
    let mut decoded = Vec::with_capacity(form.len());
    let mut rest = form;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escaped = if byte == b'%' {
            hex(tail.first()).zip(hex(tail.get(1)))
        } else {
            None
        };
        if let Some((high, low)) = escaped {
            decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
            rest = &tail[2..];
        } else {
            decoded.push(byte);
        }
    }
    !decoded.contains(&0) && std::str::from_utf8(&decoded).is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_text;

    #[test]
    fn a_form_is_text_or_it_is_refused() {
        for right in ["a=b", "a=%C3%A9", "a=%", "a=%zz", "é=1"] {
            assert!(is_text(right.as_bytes()), "{right}");
        }
        for wrong in [&b"a=%ff"[..], b"a=\xff", b"a=%00", b"a=\0", b"a=%C3"] {
            assert!(!is_text(wrong), "{wrong:?}");
        }
    }
}
