//! `GET /live`: the upgrade. Whoever may not watch is let in and told so by a close code: a refused upgrade is retried for
//! ever.

use super::extract::Asked;
use super::serve::Stream;
use super::trace::RequestId;
use crate::app::App;
use crate::live::{self, Address, Page, Region};
use crate::realtime::{Cursor, Limits, Rights, Socket, Verdict};
use crate::store::session;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tower_sessions::Session;

pub(super) async fn connect(
    State(app): State<App>,
    Asked(address): Asked<Address>,
    session: Session,
    Extension(id): Extension<RequestId>,
    mut request: Request,
) -> Response {
    let Some(accept) = accept(request.headers()) else {
        let upgrade = [
            (header::UPGRADE, WEBSOCKET),
            (header::CONNECTION, UPGRADE),
            (header::SEC_WEBSOCKET_VERSION, VERSION),
        ];
        return (StatusCode::UPGRADE_REQUIRED, upgrade).into_response();
    };
    let hash = session.id().map(|id| session::hash(&id));
    let socket = Socket {
        hub: app.hub.clone(),
        rights: rights(&app, hash, address.page()),
        limits: Limits {
            sockets_per_person: app.config.sockets_per_person,
        },
        epoch: live::epoch(&app.source),
        since: address.since.as_deref().and_then(Cursor::parse),
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let upgraded = match upgraded.await {
            Ok(upgraded) => upgraded,
            Err(error) => return tracing::debug!(%error, "a connection ended at once"),
        };
        // No span is kept open for this: it would cost each open page more than its name.
        let closed = move |code| tracing::debug!(id = %id.0, code, "a page closed");
        // Without the layers that HTTP needed, and as a task of its own that has room for nothing else: every open page
        // would keep them.
        match upgraded.downcast::<TokioIo<Stream>>() {
            Ok(parts) => {
                let stream = parts.io.into_inner().put_back(parts.read_buf);
                tokio::spawn(socket.run(stream).map(closed))
            }
            Err(upgraded) => tokio::spawn(socket.run(TokioIo::new(upgraded)).map(closed)),
        };
    });
    let answer = [
        (header::UPGRADE, WEBSOCKET),
        (header::CONNECTION, UPGRADE),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, answer, Body::empty()).into_response()
}

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("upgrade");
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// The answer to the key of an opening handshake (RFC 6455, 4.2); `None` when it is no such handshake.
fn accept(headers: &HeaderMap) -> Option<HeaderValue> {
    let says = |name: HeaderName, word: &str| {
        let mut values = headers.get_all(name).iter();
        values.any(|value| {
            let words = value.to_str().unwrap_or_default().split(',');
            words
                .map(str::trim)
                .any(|said| said.eq_ignore_ascii_case(word))
        })
    };
    let is_handshake = says(header::CONNECTION, "upgrade")
        && says(header::UPGRADE, "websocket")
        && says(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|_| is_handshake)?;
    derive_accept_key(key.as_bytes()).parse().ok()
}

/// Asks, each time anew, whether this session may watch this page. It never renews the session: a page that is only open is
/// nobody at work.
fn rights(app: &App, hash: Option<String>, page: Option<Page>) -> Rights<Region> {
    let desk = app.desk.clone();
    let session: Option<Arc<str>> = hash.map(Into::into);
    Arc::new(move || {
        let (desk, session, page) = (desk.clone(), session.clone(), page.clone());
        Box::pin(async move {
            match session {
                Some(session) => desk.ask(session, page).await,
                None => Some(Verdict::SignedOut),
            }
        })
    })
}
