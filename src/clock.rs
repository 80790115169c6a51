//! The time, as a value that is handed in: the database's, told by a local monotonic clock between two looks at it.
//!
//! A wall clock that is set back or forward on this machine does not move it. Tests hold one that stands still.

use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// A clock that every part of an instance shares.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    origin: Instant,
    /// Unix milliseconds at `origin`.
    base: AtomicI64,
    stands: AtomicBool,
}

impl Clock {
    /// Starts with this machine's time, until the database's is known.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a wall clock is read"
    )]
    pub fn system() -> Self {
        Self::at(Timestamp::now(), false)
    }

    /// A clock that moves only by [`Clock::advance`].
    pub fn standing(at: Timestamp) -> Self {
        Self::at(at, true)
    }

    fn at(at: Timestamp, stands: bool) -> Self {
        Self(Arc::new(Inner {
            origin: Instant::now(),
            base: AtomicI64::new(at.as_millisecond()),
            stands: AtomicBool::new(stands),
        }))
    }

    /// The time, to the millisecond.
    pub fn now(&self) -> Timestamp {
        let base = self.0.base.load(Ordering::Acquire);
        Timestamp::from_millisecond(base + self.elapsed()).unwrap_or(Timestamp::MAX)
    }

    /// Takes over the database's time, measured just now. A standing clock keeps its own.
    pub fn follow(&self, database: Timestamp) {
        if !self.0.stands.load(Ordering::Acquire) {
            self.0.base.store(
                database.as_millisecond() - self.elapsed(),
                Ordering::Release,
            );
        }
    }

    /// Moves a standing clock on.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.base.fetch_add(by, Ordering::AcqRel);
    }

    /// How long to wait until `at`, if it lies ahead.
    pub fn until(&self, at: Timestamp) -> Duration {
        let ahead = at.as_millisecond() - self.now().as_millisecond();
        Duration::from_millis(u64::try_from(ahead).unwrap_or(0))
    }

    fn elapsed(&self) -> i64 {
        if self.0.stands.load(Ordering::Acquire) {
            return 0;
        }
        i64::try_from(self.0.origin.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}
