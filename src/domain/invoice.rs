//! What a client owes: lines, the sum with its tax, and what may become of it. Refuses what adds up to no amount.

use super::id::{BookingId, ClientId, InvoiceId};
use super::money::{Money, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Lines that one invoice may have.
pub const LINES: usize = 50;
/// Characters that say what a line is for.
const WORDS: usize = 200;
/// The most that an invoice may come to, in minor units: ten thousand million.
const MOST: i128 = 1_000_000_000_000;

/// What is charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub words: String,
    /// Hundredths: 150 is one and a half.
    pub quantity: i64,
    /// Minor units.
    pub unit_price: i64,
    /// Hundredths of a percent: 1500 is 15 %.
    pub tax_rate: i64,
}

/// Why lines are no invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("An invoice needs at least one line.")]
    Empty,
    #[error("An invoice has at most {LINES} lines.")]
    TooMany,
    #[error("Say what each line is for, in {WORDS} characters at most.")]
    Words,
    #[error("A quantity is a figure above 0 with at most two decimals.")]
    Quantity,
    #[error("A price is an amount like 850.00, not below 0.")]
    Price,
    #[error("A tax rate lies between 0 and 100 percent.")]
    Rate,
    #[error("The invoice comes to nothing, or to more than can be charged.")]
    Amount,
}

/// The part of an invoice that is taxed at one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taxed {
    /// Hundredths of a percent.
    pub rate: i64,
    /// Without tax, in minor units.
    pub net: i64,
    pub tax: i64,
}

/// Reads the day on which an invoice is due. `None` for what is no day, and for one of another century: days are compared
/// as they are written, in four digits of a year.
pub fn due_on(text: &str) -> Option<Date> {
    let day: Option<Date> = text.parse().ok();
    day.filter(|day| (2000..2100).contains(&day.year()))
}

/// What lines come to, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// By rate, the lowest first.
    pub taxed: Vec<Taxed>,
    pub tax: i64,
    pub total: i64,
}

/// Rounds half away from zero, as tax offices do; both are positive here.
fn divide(value: i128, by: i128) -> i128 {
    (value + by / 2) / by
}

impl Line {
    /// Quantity times price, in minor units.
    pub fn amount(&self) -> i64 {
        let amount = divide(i128::from(self.quantity) * i128::from(self.unit_price), 100);
        i64::try_from(amount).unwrap_or(i64::MAX)
    }

    fn check(&self) -> Result<(), Wrong> {
        let length = self.words.chars().count();
        if !(1..=WORDS).contains(&length) || self.words.chars().any(char::is_control) {
            return Err(Wrong::Words);
        }
        if !(1..=10_000_000).contains(&self.quantity) {
            return Err(Wrong::Quantity);
        }
        if !(0..=i64::try_from(MOST).unwrap_or(i64::MAX)).contains(&self.unit_price) {
            return Err(Wrong::Price);
        }
        if !(0..=10_000).contains(&self.tax_rate) {
            return Err(Wrong::Rate);
        }
        Ok(())
    }
}

impl Totals {
    /// Tax is computed on the sum of the lines of one rate, never line by line: fifty times 241.67 at 20 % is 2416.70 of
    /// tax, and not fifty times 48.33.
    pub fn of(lines: &[Line], tax_included: bool) -> Result<Self, Wrong> {
        if lines.is_empty() {
            return Err(Wrong::Empty);
        }
        if lines.len() > LINES {
            return Err(Wrong::TooMany);
        }
        let mut sums: BTreeMap<i64, i128> = BTreeMap::new();
        for line in lines {
            line.check()?;
            *sums.entry(line.tax_rate).or_default() += i128::from(line.amount());
        }
        let mut totals = Self {
            taxed: Vec::new(),
            tax: 0,
            total: 0,
        };
        for (rate, sum) in sums {
            let (net, tax) = if tax_included {
                let tax = divide(sum * i128::from(rate), 10_000 + i128::from(rate));
                (sum - tax, tax)
            } else {
                (sum, divide(sum * i128::from(rate), 10_000))
            };
            if i128::from(totals.total) + net + tax > MOST {
                return Err(Wrong::Amount);
            }
            let minor = |value: i128| i64::try_from(value).map_err(|_| Wrong::Amount);
            let part = Taxed {
                rate,
                net: minor(net)?,
                tax: minor(tax)?,
            };
            totals.tax += part.tax;
            totals.total += part.net + part.tax;
            totals.taxed.push(part);
        }
        if totals.total == 0 {
            return Err(Wrong::Amount);
        }
        Ok(totals)
    }
}

/// What the database keeps of where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Draft,
    Open,
    Paid,
    Void,
}

impl Status {
    const ALL: [Self; 4] = [Self::Draft, Self::Open, Self::Paid, Self::Void];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Void => "void",
        }
    }

    /// Reads [`Status::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// What it may become next. Money that came in is never undone by a change of mind.
    pub fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Draft, Self::Open) | (Self::Open, Self::Paid | Self::Void)
        )
    }
}

/// Where an invoice stands, as people see it: an open one is overdue from the day after it was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Draft,
    Open,
    Overdue,
    Paid,
    Void,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Paid => "paid",
            Self::Void => "void",
        }
    }
}

/// An invoice without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub id: InvoiceId,
    pub client: ClientId,
    pub client_name: String,
    pub booking: Option<BookingId>,
    /// Given when it is issued.
    pub number: Option<i64>,
    pub status: Status,
    pub tax_included: bool,
    /// An ISO 4217 code.
    pub currency: String,
    /// Minor units.
    pub tax: i64,
    pub total: i64,
    /// What its first line is for, and how many lines there are.
    pub words: String,
    pub line_count: i64,
    pub issued_on: Option<Date>,
    pub due_on: Date,
    /// Money that came in when nothing was owed, in minor units.
    pub unapplied: i64,
    pub version: i64,
    pub created_at: Timestamp,
}

impl Invoice {
    /// Where it stands on a day.
    pub fn standing(&self, today: Date) -> Standing {
        match self.status {
            Status::Draft => Standing::Draft,
            Status::Open if self.due_on < today => Standing::Overdue,
            Status::Open => Standing::Open,
            Status::Paid => Standing::Paid,
            Status::Void => Standing::Void,
        }
    }

    /// What is still to be paid, in minor units.
    pub fn due(&self) -> i64 {
        if self.status == Status::Open {
            self.total
        } else {
            0
        }
    }

    /// An amount in its own currency, whatever the business's is now.
    pub fn money(&self, minor: i64) -> Money {
        Money {
            minor,
            symbol: Symbol::of(&self.currency),
        }
    }
}

/// Money that came in for an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub reference: String,
    pub amount: i64,
    pub at: Timestamp,
    /// Whether it settled the invoice. What did not came too late, and is to be given back.
    pub applied: bool,
}

/// Which invoices staff look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    All,
    /// Issued and not paid, due or not.
    Open,
    Overdue,
    Paid,
    Draft,
    Void,
    /// With money that came too late.
    Unapplied,
}

impl Filter {
    pub const ALL: [Self; 7] = [
        Self::All,
        Self::Open,
        Self::Overdue,
        Self::Paid,
        Self::Draft,
        Self::Void,
        Self::Unapplied,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Paid => "paid",
            Self::Draft => "draft",
            Self::Void => "void",
            Self::Unapplied => "unapplied",
        }
    }

    /// Reads [`Filter::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.as_str() == text)
    }
}

/// How many invoices stand in some way, and what they come to in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    pub count: i64,
    pub amount: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(quantity: i64, unit_price: i64, tax_rate: i64) -> Line {
        Line {
            words: "Follow-up treatment".to_owned(),
            quantity,
            unit_price,
            tax_rate,
        }
    }

    #[test]
    fn tax_is_on_the_sum_and_not_on_each_line() {
        let totals = Totals::of(&[line(5_000, 24_167, 2_000)], false).unwrap();
        assert_eq!((totals.tax, totals.total), (241_670, 1_450_020));
        let fifty = vec![line(100, 24_167, 2_000); 50];
        assert_eq!(Totals::of(&fifty, false).unwrap(), totals);
    }

    #[test]
    fn a_price_that_holds_its_tax_is_what_the_client_pays() {
        let totals = Totals::of(&[line(100, 85_000, 1_500)], true).unwrap();
        assert_eq!((totals.tax, totals.total), (11_087, 85_000));
    }

    #[test]
    fn each_rate_is_taxed_by_itself() {
        let lines = [line(100, 10, 2_000), line(300, 10, 500), line(150, 3, 0)];
        let totals = Totals::of(&lines, false).unwrap();
        let parts: Vec<_> = totals
            .taxed
            .iter()
            .map(|t| (t.rate, t.net, t.tax))
            .collect();
        assert_eq!(parts, [(0, 5, 0), (500, 30, 2), (2_000, 10, 2)]);
        assert_eq!(totals.total, 49);
    }

    #[test]
    fn an_invoice_is_due_on_a_day_of_this_century() {
        assert_eq!(due_on("2026-11-30"), Some(jiff::civil::date(2026, 11, 30)));
        for text in [
            "",
            "soon",
            "2026-02-30",
            "30/11/2026",
            "0026-11-30",
            "9999-12-31",
            "-009999-01-01",
        ] {
            assert_eq!(due_on(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_invoice_is_refused() {
        assert_eq!(Totals::of(&[], false), Err(Wrong::Empty));
        assert_eq!(
            Totals::of(&vec![line(1, 1, 0); 51], false),
            Err(Wrong::TooMany)
        );
        assert_eq!(Totals::of(&[line(0, 1, 0)], false), Err(Wrong::Quantity));
        assert_eq!(Totals::of(&[line(100, -1, 0)], false), Err(Wrong::Price));
        assert_eq!(Totals::of(&[line(100, 1, 10_001)], false), Err(Wrong::Rate));
        assert_eq!(Totals::of(&[line(100, 0, 0)], false), Err(Wrong::Amount));
        let much = line(10_000_000, 1_000_000_000, 0);
        assert_eq!(Totals::of(&[much], false), Err(Wrong::Amount));
        let wordless = Line {
            words: "a\nb".to_owned(),
            ..line(100, 1, 0)
        };
        assert_eq!(Totals::of(&[wordless], false), Err(Wrong::Words));
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole_and_order_does_not_matter(
            mut lines in prop::collection::vec((1i64..100_000, 0i64..1_000_000, 0i64..=10_000), 1..20),
            included: bool,
        ) {
            let of = |lines: &[(i64, i64, i64)]| {
                let lines: Vec<Line> = lines.iter().map(|(q, p, r)| line(*q, *p, *r)).collect();
                Totals::of(&lines, included)
            };
            if let Ok(totals) = of(&lines) {
                let sum: i64 = totals.taxed.iter().map(|part| part.net + part.tax).sum();
                prop_assert_eq!(sum, totals.total);
                let gross: i64 = lines.iter().map(|(q, p, r)| line(*q, *p, *r).amount()).sum();
                if included {
                    prop_assert_eq!(gross, totals.total);
                } else {
                    prop_assert_eq!(gross + totals.tax, totals.total);
                }
                lines.reverse();
                prop_assert_eq!(of(&lines), Ok(totals));
            }
        }
    }
}
