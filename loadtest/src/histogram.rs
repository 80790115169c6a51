//! Times of thousands, counted in steps of two percent: small enough to send from one process to another and to add up.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Steps in each doubling.
const STEPS: f64 = 32.0;
/// Milliseconds below which all is one step.
const FINEST: f64 = 0.01;

/// Milliseconds, each as the upper end of its step.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Histogram {
    steps: BTreeMap<u16, u64>,
    max: f64,
}

impl Histogram {
    pub(crate) fn push(&mut self, ms: f64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float's cast stops at the ends"
        )]
        let step = ((ms / FINEST).log2() * STEPS).ceil() as u16;
        *self.steps.entry(step).or_default() += 1;
        self.max = self.max.max(ms);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (step, count) in &other.steps {
            *self.steps.entry(*step).or_default() += count;
        }
        self.max = self.max.max(other.max);
    }

    pub(crate) fn count(&self) -> u64 {
        self.steps.values().sum()
    }

    pub(crate) fn max(&self) -> f64 {
        self.max
    }

    /// A value that `percent` of all do not exceed, and hardly more; `NaN` of nothing.
    pub(crate) fn percentile(&self, percent: u64) -> f64 {
        let rank = (self.count() * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (step, count) in &self.steps {
            seen += count;
            if seen >= rank {
                return (FINEST * (f64::from(*step) / STEPS).exp2()).min(self.max);
            }
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_off_by_two_percent_and_the_greatest_by_nothing() {
        let mut all = Histogram::default();
        let mut half = Histogram::default();
        for n in 1..=1000u32 {
            let to = if n % 2 == 0 { &mut all } else { &mut half };
            to.push(f64::from(n));
        }
        all.add(&half);
        for percent in [1, 50, 99] {
            let exact = f64::from(u32::try_from(percent).unwrap()) * 10.0;
            let read = all.percentile(percent);
            assert!((1.0..1.025).contains(&(read / exact)), "{percent}: {read}");
        }
        assert_eq!((all.count(), all.max()), (1000, 1000.0));
        assert!(Histogram::default().percentile(50).is_nan());
    }
}
