//! Amounts in integer minor units. Refuses fractions: there is no way to make one.

use std::fmt;

/// An amount in the minor unit of the business's currency (cents, for the rand).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// What stands before the figure: `R`, `€`.
    pub symbol: Symbol,
}

/// The sign of a currency with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub &'static str);

impl Symbol {
    /// The sign for an ISO 4217 code, where the business's people write one.
    pub fn of(currency: &str) -> Self {
        Self(match currency {
            "ZAR" => "R",
            "EUR" => "€",
            "GBP" => "£",
            "USD" => "$",
            _ => "¤",
        })
    }
}

impl fmt::Display for Money {
    /// `R 7 200.00`, with no-break spaces, so that an amount never wraps.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "−" } else { "" };
        let (major, cents) = (
            self.minor.unsigned_abs() / 100,
            self.minor.unsigned_abs() % 100,
        );
        let digits = major.to_string();
        let mut grouped = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push('\u{a0}');
            }
            grouped.push(digit);
        }
        write!(f, "{sign}{}\u{a0}{grouped}.{cents:02}", self.symbol.0)
    }
}

/// Reads a figure with at most two decimals as hundredths: `850`, `1 200.50`, `3,5`. `None` for what is none, and for
/// what is negative.
pub fn hundredths(text: &str) -> Option<i64> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (whole, cents) = text.split_once(['.', ',']).unwrap_or((&text, ""));
    let is_figure = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || cents.len() > 2 || !is_figure(whole) || !is_figure(cents) {
        return None;
    }
    format!("{whole}{cents:0<2}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_people_type_them() {
        for (text, value) in [
            ("850", 85_000),
            ("850.5", 85_050),
            (" 1 200,05 ", 120_005),
            ("0.07", 7),
            ("1\u{a0}000", 100_000),
        ] {
            assert_eq!(hundredths(text), Some(value), "{text}");
        }
        for text in [
            "",
            ".5",
            "1.234",
            "-1",
            "1e3",
            "1.2.3",
            "R 5",
            "99999999999999999999",
        ] {
            assert_eq!(hundredths(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_written_as_people_write_them() {
        let rand = |minor| {
            Money {
                minor,
                symbol: Symbol::of("ZAR"),
            }
            .to_string()
        };
        assert_eq!(rand(85_000), "R\u{a0}850.00");
        assert_eq!(rand(720_005), "R\u{a0}7\u{a0}200.05");
        assert_eq!(rand(-123_456_789), "−R\u{a0}1\u{a0}234\u{a0}567.89");
        assert_eq!(rand(7), "R\u{a0}0.07");
    }
}
