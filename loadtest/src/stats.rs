//! Times, and what is said of many of them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix milliseconds by this machine's clock, the one that a browser beside us reads too.
#[expect(
    clippy::disallowed_methods,
    reason = "two processes are compared: they share this clock and no other"
)]
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

/// A column of measurements.
#[derive(Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The smallest value that `percent` of all do not exceed.
    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    /// A row of the table whose head is [`head`].
    pub(crate) fn row(&self, name: &str) {
        let (p50, p99, max) = (
            self.percentile(50),
            self.percentile(99),
            self.percentile(100),
        );
        println!(
            "{name:<34} {:>6} {p50:>9.2} {p99:>9.2} {max:>9.2}",
            self.0.len()
        );
    }
}

/// The head of a table.
pub(crate) fn head(unit: &str) {
    println!(
        "{unit:<34} {:>6} {:>9} {:>9} {:>9}",
        "n", "p50", "p99", "max"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let mut sample = Sample::default();
        (1..=200).for_each(|n| sample.push(f64::from(n)));
        for (percent, value) in [(0, 1.0), (50, 100.0), (99, 198.0), (100, 200.0)] {
            assert!((sample.percentile(percent) - value).abs() < f64::EPSILON);
        }
    }
}
