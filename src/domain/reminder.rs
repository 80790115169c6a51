//! When clients are reminded of a session: a few moments before it, which the business chooses.

/// What the business can choose: minutes before a session, and the words for it.
pub const CHOICES: [(&str, &str); 6] = [
    ("", "Never"),
    ("120", "2 hours before"),
    ("1440", "A day before"),
    ("2880", "Two days before"),
    ("1440,120", "A day and 2 hours before"),
    ("2880,120", "Two days and 2 hours before"),
];

/// Reads what the settings keep: minutes, with commas between. What is no number of minutes is left out.
pub fn times(text: &str) -> Vec<i64> {
    let mut times: Vec<i64> = text
        .split(',')
        .filter_map(|minutes| minutes.parse().ok())
        .filter(|minutes| *minutes > 0)
        .collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    times
}

/// What [`times`] reads.
pub fn text(times: &[i64]) -> String {
    let times: Vec<String> = times.iter().map(i64::to_string).collect();
    times.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_reads_back() {
        for (choice, words) in CHOICES {
            assert_eq!(text(&times(choice)), choice, "{words}");
        }
        assert_eq!(times("120,x,-5,1440"), [1440, 120]);
    }
}
