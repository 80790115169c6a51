//! Latency over time as one SVG file: for each change the median, the 99th percentile and the last watcher.

use crate::histogram::Histogram;
use crate::http::Posted;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 360.0;
/// Room for the scales.
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 40.0;

/// A line of the plot: its name, its colour, and what of a histogram it shows.
type Curve = (&'static str, &'static str, fn(&Histogram) -> f64);

const CURVES: [Curve; 3] = [
    ("max", "#b42318", Histogram::max),
    ("p99", "#b54708", |all| all.percentile(99)),
    ("p50", "#175cd3", |all| all.percentile(50)),
];

/// Draws the changes that came after version `base`, in the order of their answers.
pub(crate) fn write(
    file: &Path,
    series: &BTreeMap<i64, Histogram>,
    base: i64,
    answers: &[Posted],
) -> anyhow::Result<()> {
    let began = answers.first().map_or(0.0, |answer| answer.answered);
    let points: Vec<(f64, &Histogram)> = (base + 1..)
        .zip(answers)
        .filter_map(|(version, answer)| {
            Some(((answer.answered - began) / 1000.0, series.get(&version)?))
        })
        .collect();
    std::fs::write(file, draw(&points))
        .with_context(|| format!("{} cannot be written", file.display()))
}

fn draw(points: &[(f64, &Histogram)]) -> String {
    let seconds = points.last().map_or(0.0, |(at, _)| *at).max(1.0);
    let most = points.iter().map(|(_, all)| all.max()).fold(1.0, f64::max);
    let x = |at: f64| LEFT + at / seconds * (WIDTH - LEFT - 20.0);
    let y = |ms: f64| HEIGHT - BOTTOM - ms / most * (HEIGHT - BOTTOM - 20.0);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
"##
    );
    for n in 0..=4 {
        let part = f64::from(n) / 4.0;
        let (at, ms) = (seconds * part, most * part);
        let _ = writeln!(
            svg,
            r##"<path d="M{LEFT} {0:.1}H{1}" stroke="#ddd"/><text x="{2}" y="{0:.1}" text-anchor="end">{ms:.0} ms</text>
<text x="{3:.1}" y="{4}" text-anchor="middle">{at:.1} s</text>"##,
            y(ms),
            WIDTH - 20.0,
            LEFT - 6.0,
            x(at),
            HEIGHT - 16.0,
        );
    }
    for (n, (name, colour, of)) in (0..).zip(CURVES) {
        let line: Vec<String> = points
            .iter()
            .map(|(at, all)| format!("{:.1},{:.1}", x(*at), y(of(all))))
            .collect();
        let _ = writeln!(
            svg,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="1.5"/><text x="{}" y="14" fill="{colour}">{name}</text>"#,
            line.join(" "),
            LEFT + 50.0 * f64::from(n),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_a_point_of_each_curve() {
        let mut all = Histogram::default();
        (1..=10u8).for_each(|ms| all.push(f64::from(ms)));
        let svg = draw(&[(0.0, &all), (2.0, &all), (4.0, &all)]);
        assert_eq!(svg.matches("<polyline").count(), 3);
        // The greatest stands at the top, and the first change at the left.
        assert!(
            svg.contains(r#"points="60.0,20.0 470.0,20.0 880.0,20.0""#),
            "{svg}"
        );
        assert!(!svg.contains("NaN"));
    }
}
