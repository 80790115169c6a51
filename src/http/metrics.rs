//! The numbers of this instance for Prometheus, on an address of their own: how much a business has to do is not the public's
//! to know. Nothing here names a person, an id or a path as typed.

use super::serve::{Patience, alone};
use crate::app::App;
use crate::store::outbox;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// How long the database is waited for; without its answer the rest is told.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a scraper asks for (`OpenMetrics` 1.0.0).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves `/metrics` and nothing else, until it is dropped.
pub async fn serve(app: App, listener: TcpListener) {
    let router = Router::new()
        .route("/metrics", get(show))
        .with_state(app.clone());
    alone(Patience::default(), &app, router, listener).await;
}

async fn show(State(app): State<App>) -> impl IntoResponse {
    let text = text(&app).await;
    ([(header::CONTENT_TYPE, OPEN_METRICS)], text)
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    pool: &'static str,
}

/// Everything that is counted, and how things stand now.
async fn text(app: &App) -> String {
    let mut registry = Registry::with_prefix("portico");
    app.meter.register(&mut registry);
    app.hub.meter().register(&mut registry);
    gauge(
        &mut registry,
        "sockets",
        "Open sockets",
        app.hub.socket_count(),
    );
    gauge(
        &mut registry,
        "regions",
        "Regions that someone watches",
        app.hub.region_count(),
    );
    registry.register_with_unit(
        "sweep_age",
        "Time since the last good sweep",
        Unit::Seconds,
        ConstGauge::new(app.hub.sweep_age().as_secs_f64()),
    );
    let bus = app.bus.health();
    if let Some(age) = bus.age {
        registry.register_with_unit(
            "bus_age",
            "Time since a message to itself came back through Redis",
            Unit::Seconds,
            ConstGauge::new(age.as_secs_f64()),
        );
    }
    gauge(
        &mut registry,
        "bus_queued",
        "Topics that wait to be told to other instances",
        bus.queued,
    );
    for (name, help, count) in [
        (
            "bus_dropped",
            "Topics that were left to the sweep",
            bus.dropped,
        ),
        (
            "bus_heard",
            "Messages of other instances that marked something",
            bus.heard,
        ),
        (
            "bus_ignored",
            "Messages that nobody understands",
            bus.ignored,
        ),
    ] {
        registry.register(name, help, ConstCounter::new(count));
    }
    let (size, idle) = (
        Family::<Pool, Gauge>::default(),
        Family::<Pool, Gauge>::default(),
    );
    for (pool, open, free) in app.db.pools() {
        size.get_or_create(&Pool { pool }).set(open.into());
        idle.get_or_create(&Pool { pool }).set(whole(free));
    }
    registry.register("database_connections", "Connections to the database", size);
    registry.register(
        "database_connections_idle",
        "Those that nobody uses now",
        idle,
    );
    if let Ok(Ok(depth)) = timeout(PATIENCE, outbox::count(&app.db)).await {
        registry.register(
            "outbox_mails",
            "Mails in the outbox",
            ConstGauge::new(depth),
        );
    }
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes everything");
    text
}

fn gauge(registry: &mut Registry, name: &str, help: &str, count: usize) {
    registry.register(name, help, ConstGauge::new(whole(count)));
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
