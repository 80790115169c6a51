//! From a request to an answer. One table of routes builds the router, and the matrix that tests who may do what.

mod account;
mod admin;
mod assets;
mod booking;
mod client;
mod error;
mod extract;
mod guard;
mod health;
mod hold;
mod home;
mod invoice;
mod live;
mod message;
mod metrics;
mod notification;
mod origin;
mod payment;
mod receive;
pub mod routes;
mod secure;
mod serve;
mod settings;
mod sign_in;
mod trace;
mod visitor;
mod wait;

pub use metrics::serve as serve_metrics;
pub use serve::{Patience, listen, serve, serve_within};
pub use visitor::Visitor;

use crate::app::App;
use crate::store::session::Sessions;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};
use std::time::Duration;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};

/// The longest form that anyone has a reason to send.
const FORM_BYTES: usize = 64 * 1024;
/// After this a request is answered with a way on rather than kept: what waits for the database is told after five seconds
/// that it is not there, and what waited for a connection first should not wait twice as long.
const PATIENCE: Duration = Duration::from_secs(6);

/// Everything that an instance answers.
pub fn router(app: &App) -> Router {
    let base = &app.config.base_url;
    let sessions = SessionManagerLayer::new(Sessions::new(app.db.clone(), app.clock.clone()))
        .with_name(origin::cookie_name(base))
        .with_secure(base.is_https())
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        // The browser's copy; how long a session really lives is the database's to say.
        .with_expiry(Expiry::OnInactivity(time::Duration::days(30)));
    let mut router = Router::new();
    for route in routes::table() {
        let gate = guard::Gate {
            app: app.clone(),
            who: route.who,
            in_sheet: route.in_sheet,
        };
        let guard = from_fn_with_state(gate, guard::guard);
        router = router.route(route.path, route.handler.layer(guard));
    }
    router
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(sessions)
        .layer(
            CompressionLayer::new()
                // A page is small and made for one reader: the next level saves bytes that cost more than they bring.
                .quality(CompressionLevel::Fastest)
                .compress_when(compress_when()),
        )
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            PATIENCE,
        ))
        .layer(from_fn(receive::whole))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(app.clone(), origin::check))
        .layer(from_fn_with_state(app.clone(), error::explain))
        .layer(from_fn_with_state(app.clone(), secure::headers))
        .layer(Extension(health::Health::default()))
        .layer(from_fn_with_state(app.clone(), trace::log))
        .with_state(app.clone())
}

/// What is compressed already stays as it is.
fn compress_when() -> impl tower_http::compression::Predicate {
    use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
    DefaultPredicate::new().and(NotForContentType::new("font/"))
}
