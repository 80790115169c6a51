//! What is counted of connections and requests, for each instance apart. Labels come from a list of ours, never from what a
//! visitor sent: a path or a name in one would be personal, and without end.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// Upper bounds in seconds: from a page out of memory to one that was given up.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0,
];

/// What an instance counts; clones count together.
#[derive(Debug, Clone)]
pub struct Meter {
    requests: Family<Answered, Counter>,
    request_seconds: Family<Timed, Histogram, fn() -> Histogram>,
    /// Connections that are open now, sockets among them.
    pub connections: Gauge,
    refused: Family<Refused, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Timed {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: Refusal,
}

/// Why a connection was closed before it could ask for anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Refusal {
    /// There are as many as may be.
    Full,
    /// One address has as many as it may.
    Address,
    /// What it said of whom it speaks for was wrong.
    Proxy,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            connections: Gauge::default(),
            refused: Family::default(),
        }
    }
}

impl Meter {
    /// Counts an answer. `route` is a template from the table of routes.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let answered = Answered {
            method: known(method),
            route: route.to_owned(),
            status: class(status),
        };
        self.requests.get_or_create(&answered).inc();
        let timed = Timed {
            route: route.to_owned(),
        };
        self.request_seconds
            .get_or_create(&timed)
            .observe(took.as_secs_f64());
    }

    /// Counts a connection that was closed at once.
    pub fn refused(&self, reason: Refusal) {
        self.refused.get_or_create(&Refused { reason }).inc();
    }

    /// Lists everything in `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests answered, by route and class of status",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "http_request",
            "Time until an answer's head was ready",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register(
            "connections",
            "Open connections, sockets among them",
            self.connections.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections closed before they could ask for anything",
            self.refused.clone(),
        );
    }
}

/// A method by its name, if it is one that anybody uses: a visitor may send any word.
pub fn known(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

fn class(status: u16) -> &'static str {
    match status {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
