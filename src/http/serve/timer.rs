//! When a connection on which nothing is asked is closed. A newcomer has to ask soon; one that was answered may rest, so that
//! a balancer's kept connection is not cut in the moment it is used.

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The timer of one connection: hyper sets it whenever it waits for a request's head.
#[derive(Debug)]
pub(super) struct HeadTimer {
    rest: Duration,
    has_asked: AtomicBool,
}

impl HeadTimer {
    /// `rest` is added to the time for a head, before every request but the first.
    pub(super) fn new(rest: Duration) -> Self {
        Self {
            rest,
            has_asked: AtomicBool::new(false),
        }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let has_asked = self.has_asked.swap(true, Ordering::Relaxed);
        let rest = if has_asked { self.rest } else { Duration::ZERO };
        TokioTimer::new().sleep_until(deadline + rest)
    }
}
