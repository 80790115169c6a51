//! For load balancers: whether the process lives, and whether it can serve. One line a dependency, and nothing about it that
//! an outsider could use. A flood of questions costs the database one answer in two seconds.

use super::error::Plain;
use crate::app::App;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long an answer of the database counts, and how long one is waited for.
const FRESH: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(2);
/// Without a sweep for so long, the pages here may miss what others see. Five sweeps; a page itself says so after fifteen
/// seconds.
const LATE: Duration = Duration::from_secs(10);

/// What the database answered last, and when; shared by all who ask.
#[derive(Debug, Clone, Default)]
pub(super) struct Health(Arc<Mutex<Option<(Instant, bool)>>>);

impl Health {
    /// Whether the database answers. Those who ask while it is being asked wait for that.
    async fn database(&self, app: &App) -> bool {
        let mut known = Arc::clone(&self.0).lock_owned().await;
        if let Some((at, answers)) = *known
            && at.elapsed() < FRESH
        {
            return answers;
        }
        let db = app.db.clone();
        // In a task of its own: a balancer that hangs up before the answer would leave nothing known, time after time.
        let asked = tokio::spawn(async move {
            let asked = db.q("SELECT CAST(1 AS BIGINT)").one::<(i64,)>();
            let answers = matches!(timeout(PATIENCE, asked).await, Ok(Ok(_)));
            *known = Some((Instant::now(), answers));
            answers
        });
        asked.await.unwrap_or(false)
    }
}

pub(super) async fn alive() -> &'static str {
    "ok"
}

/// How the bus is, if there is one. Without it everything is right, only later: an instance stays ready.
fn bus(app: &App) -> Option<String> {
    let age = app.bus.health().age?;
    Some(if app.hub.is_slow() {
        format!("bus down {} s", age.as_secs())
    } else {
        format!("bus ok {} ms", age.as_millis())
    })
}

/// One line a dependency.
pub(super) async fn ready(
    State(app): State<App>,
    Extension(health): Extension<Health>,
) -> impl IntoResponse {
    let answers = health.database(&app).await;
    let age = app.hub.sweep_age();
    let is_swept = age < LATE;
    let is_leaving = app.leaving.is_cancelled();
    let mut lines = vec![
        if answers {
            "database ok".to_owned()
        } else {
            "database does not answer".to_owned()
        },
        if is_swept {
            format!("sweep ok {} ms", age.as_millis())
        } else {
            "sweep late".to_owned()
        },
    ];
    lines.extend(bus(&app));
    lines.extend(is_leaving.then(|| "draining".to_owned()));
    let status = if answers && is_swept && !is_leaving {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Extension(Plain), lines.join("\n") + "\n")
}
