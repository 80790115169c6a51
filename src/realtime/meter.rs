//! What the live path counts: loads, and what goes out. Ten thousand sockets count in one tick, so a count is one addition
//! that waits for nobody.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Upper bounds in seconds of loading a region, and of rendering one.
const LOAD: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 6.0];
const RENDER: [f64; 8] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05];

/// What a hub counts; clones count together.
#[derive(Debug, Clone)]
pub struct Meter {
    patches: Counter,
    bytes: Counter,
    failed: Counter,
    load: Histogram,
    render: Histogram,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            patches: Counter::default(),
            bytes: Counter::default(),
            failed: Counter::default(),
            load: Histogram::new(LOAD),
            render: Histogram::new(RENDER),
        }
    }
}

impl Meter {
    /// Counts a frame with changes.
    pub(super) fn patched(&self, bytes: usize) {
        self.patches.inc();
        self.sent(bytes);
    }

    /// Counts any frame's bytes.
    pub(super) fn sent(&self, bytes: usize) {
        self.bytes.inc_by(bytes as u64);
    }

    /// Counts a load that failed.
    pub(super) fn failed(&self) {
        self.failed.inc();
    }

    /// Awaits a load, and tells how long it took, and how much of that was work here: all but the waiting for the database
    /// is reading rows and making html.
    pub(super) async fn timed<T>(&self, load: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let mut worked = Duration::ZERO;
        let mut load = pin!(load);
        let loaded = std::future::poll_fn(|cx| {
            let began = Instant::now();
            let polled = load.as_mut().poll(cx);
            worked += began.elapsed();
            match polled {
                Poll::Ready(loaded) => Poll::Ready(loaded),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        self.load.observe(began.elapsed().as_secs_f64());
        self.render.observe(worked.as_secs_f64());
        loaded
    }

    /// Lists everything in `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "patches",
            "Frames with changes sent to sockets",
            self.patches.clone(),
        );
        registry.register_with_unit(
            "sockets_sent",
            "What sockets were sent, heartbeats included",
            Unit::Bytes,
            self.bytes.clone(),
        );
        registry.register(
            "region_loads_failed",
            "Loads of a region that failed and were tried again",
            self.failed.clone(),
        );
        registry.register_with_unit(
            "region_load",
            "Time to load and render a region",
            Unit::Seconds,
            self.load.clone(),
        );
        registry.register_with_unit(
            "region_render",
            "Part of a load that was work here: reading rows and making html",
            Unit::Seconds,
            self.render.clone(),
        );
    }
}
