//! For load balancers: whether the process lives, and whether it can serve.

use super::error::Plain;
use crate::app::App;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

pub(super) async fn alive() -> &'static str {
    "ok"
}

/// One line a dependency.
pub(super) async fn ready(State(app): State<App>) -> impl IntoResponse {
    let (status, words) = match app.db.q("SELECT CAST(1 AS BIGINT)").one::<(i64,)>().await {
        Ok(_) => (StatusCode::OK, "ok\ndatabase: ok\n"),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready\ndatabase: does not answer\n",
        ),
    };
    (status, Extension(Plain), words)
}
