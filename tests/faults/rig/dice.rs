//! Chance that can be had again: the seed is printed, and taken from `PORTICO_TEST_SEED`.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::time::Duration;

/// A source of numbers.
#[derive(Debug)]
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn roll() -> Self {
        let given = std::env::var("PORTICO_TEST_SEED").ok();
        let seed = given.map_or_else(rand::random, |seed| seed.parse().expect("a number"));
        println!("PORTICO_TEST_SEED={seed}");
        Self(StdRng::seed_from_u64(seed))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    /// A time below `end`, to the microsecond.
    pub(crate) fn moment(&mut self, end: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(end.as_micros()).unwrap_or(u64::MAX)))
    }
}
