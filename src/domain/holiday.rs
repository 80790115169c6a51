//! Public holidays, to be suggested as days off: never taken by themselves. A country is a table of rules with the source they
//! were read from; holidays that a government proclaims for one year only are not among them.

use jiff::Span;
use jiff::civil::{Date, Weekday, date};

/// A day that most of a country has off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    pub day: Date,
    pub name: &'static str,
}

/// A country whose rules are known.
#[derive(Debug)]
pub struct Country {
    pub name: &'static str,
    zones: &'static [&'static str],
    shift: Shift,
    days: &'static [(&'static str, Rule)],
}

/// When a holiday is.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Month and day.
    On(i8, i8),
    /// Days after Easter Sunday.
    Easter(i32),
    /// The first (1) or last (-1) such weekday of a month.
    Nth(i8, i8, Weekday),
}

/// What happens when a fixed date falls on a day that is off anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shift {
    No,
    /// After a Sunday the Monday is a holiday too.
    SundayToMonday,
    /// Instead of a day of the weekend, the next working day.
    NextWorkingDay,
}

const COUNTRIES: [Country; 3] = [
    // Public Holidays Act 36 of 1994, section 2(1) and schedule 1.
    Country {
        name: "South Africa",
        zones: &["Africa/Johannesburg"],
        shift: Shift::SundayToMonday,
        days: &[
            ("New Year's Day", Rule::On(1, 1)),
            ("Human Rights Day", Rule::On(3, 21)),
            ("Good Friday", Rule::Easter(-2)),
            ("Family Day", Rule::Easter(1)),
            ("Freedom Day", Rule::On(4, 27)),
            ("Workers' Day", Rule::On(5, 1)),
            ("Youth Day", Rule::On(6, 16)),
            ("National Women's Day", Rule::On(8, 9)),
            ("Heritage Day", Rule::On(9, 24)),
            ("Day of Reconciliation", Rule::On(12, 16)),
            ("Christmas Day", Rule::On(12, 25)),
            ("Day of Goodwill", Rule::On(12, 26)),
        ],
    },
    // Banking and Financial Dealings Act 1971, schedule 1, with New Year's Day and the May holiday as proclaimed each year.
    Country {
        name: "England and Wales",
        zones: &["Europe/London"],
        shift: Shift::NextWorkingDay,
        days: &[
            ("New Year's Day", Rule::On(1, 1)),
            ("Good Friday", Rule::Easter(-2)),
            ("Easter Monday", Rule::Easter(1)),
            ("Early May bank holiday", Rule::Nth(1, 5, Weekday::Monday)),
            ("Spring bank holiday", Rule::Nth(-1, 5, Weekday::Monday)),
            ("Summer bank holiday", Rule::Nth(-1, 8, Weekday::Monday)),
            ("Christmas Day", Rule::On(12, 25)),
            ("Boxing Day", Rule::On(12, 26)),
        ],
    },
    // What the holiday laws of all sixteen states have in common; 3 October by article 2(2) of the Unification Treaty.
    Country {
        name: "Germany",
        zones: &["Europe/Berlin", "Europe/Busingen"],
        shift: Shift::No,
        days: &[
            ("New Year's Day", Rule::On(1, 1)),
            ("Good Friday", Rule::Easter(-2)),
            ("Easter Monday", Rule::Easter(1)),
            ("Labour Day", Rule::On(5, 1)),
            ("Ascension Day", Rule::Easter(39)),
            ("Whit Monday", Rule::Easter(50)),
            ("Day of German Unity", Rule::On(10, 3)),
            ("Christmas Day", Rule::On(12, 25)),
            ("Second Day of Christmas", Rule::On(12, 26)),
        ],
    },
];

/// The country of a zone, where its rules are known.
pub fn country(zone: Option<&str>) -> Option<&'static Country> {
    COUNTRIES
        .iter()
        .find(|country| zone.is_some_and(|zone| country.zones.contains(&zone)))
}

impl Country {
    /// Its holidays from `from` to `to`, both included, by date.
    pub fn holidays(&self, from: Date, to: Date) -> Vec<Holiday> {
        let mut found: Vec<Holiday> = (from.year()..=to.year())
            .flat_map(|year| self.of_year(year))
            .filter(|holiday| (from..=to).contains(&holiday.day))
            .collect();
        found.sort_by_key(|holiday| holiday.day);
        found
    }

    fn of_year(&self, year: i16) -> Vec<Holiday> {
        let named = self.days.iter();
        let mut days: Vec<Holiday> = named
            .map(|(name, rule)| Holiday {
                day: rule.day(year),
                name,
            })
            .collect();
        match self.shift {
            Shift::No => {}
            Shift::SundayToMonday => {
                let mondays: Vec<Holiday> = days
                    .iter()
                    .filter(|one| one.day.weekday() == Weekday::Sunday)
                    .map(|one| Holiday {
                        day: after(one.day, 1),
                        ..*one
                    })
                    .collect();
                for monday in mondays {
                    if days.iter().all(|one| one.day != monday.day) {
                        days.push(monday);
                    }
                }
            }
            Shift::NextWorkingDay => {
                for n in 0..days.len() {
                    while is_weekend(days[n].day) || is_taken(&days, n) {
                        days[n].day = after(days[n].day, 1);
                    }
                }
            }
        }
        days
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Whether an earlier one of the list stands there already: Boxing Day gives way to Christmas Day.
fn is_taken(days: &[Holiday], n: usize) -> bool {
    days[..n].iter().any(|one| one.day == days[n].day)
}

impl Rule {
    fn day(self, year: i16) -> Date {
        match self {
            Self::On(month, day) => date(year, month, day),
            Self::Easter(days) => after(easter(year), days),
            Self::Nth(nth, month, weekday) => date(year, month, 1)
                .nth_weekday_of_month(nth, weekday)
                .expect("each month has a first and a last of every weekday"),
        }
    }
}

fn after(day: Date, days: i32) -> Date {
    day.saturating_add(Span::new().days(days))
}

/// Easter Sunday by the Gregorian reckoning of Meeus, Jones and Butcher.
fn easter(year: i16) -> Date {
    let year_ad = i32::from(year);
    let (golden, century, rest) = (year_ad % 19, year_ad / 100, year_ad % 100);
    let lunar = century - century / 4 - (century - (century + 8) / 25 + 1) / 3;
    let moon = (19 * golden + lunar + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    let late = (golden + 11 * moon + 22 * sunday) / 451;
    let days = moon + sunday - 7 * late + 114;
    let small = |n: i32| i8::try_from(n).expect("a month or a day of one");
    date(year, small(days / 31), small(days % 31 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(zone: &str, from: &str, to: &str) -> Vec<(String, &'static str)> {
        let country = country(Some(zone)).unwrap();
        let holidays = country.holidays(from.parse().unwrap(), to.parse().unwrap());
        holidays
            .into_iter()
            .map(|holiday| (holiday.day.to_string(), holiday.name))
            .collect()
    }

    #[test]
    fn easter_is_where_the_almanac_has_it() {
        for (year, month, day) in [
            (1961, 4, 2),
            (2000, 4, 23),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
        ] {
            assert_eq!(easter(year), date(year, month, day));
        }
    }

    #[test]
    fn south_africa_has_the_monday_after_a_sunday_too() {
        let year = days("Africa/Johannesburg", "2026-01-01", "2026-12-31");
        assert_eq!(year.len(), 13, "{year:?}");
        let women: Vec<_> = year
            .iter()
            .filter(|one| one.1 == "National Women's Day")
            .collect();
        assert_eq!(
            [women[0].0.as_str(), women[1].0.as_str()],
            ["2026-08-09", "2026-08-10"]
        );
        // Christmas on a Sunday: the Monday is a holiday already.
        let christmas = days("Africa/Johannesburg", "2022-12-25", "2022-12-31");
        assert_eq!(christmas.len(), 2, "{christmas:?}");
    }

    #[test]
    fn england_and_wales_have_the_next_working_day_instead() {
        let turn = days("Europe/London", "2021-12-20", "2022-01-10");
        let turn: Vec<_> = turn.iter().map(|one| one.0.as_str()).collect();
        assert_eq!(turn, ["2021-12-27", "2021-12-28", "2022-01-03"]);
        let may = days("Europe/London", "2026-05-01", "2026-05-31");
        let may: Vec<_> = may.iter().map(|one| one.0.as_str()).collect();
        assert_eq!(may, ["2026-05-04", "2026-05-25"]);
    }

    #[test]
    fn germany_has_what_all_its_states_have() {
        let year = days("Europe/Berlin", "2026-01-01", "2026-12-31");
        assert_eq!(year.len(), 9);
        assert!(year.contains(&("2026-05-14".to_owned(), "Ascension Day")));
        assert!(country(Some("Antarctica/Troll")).is_none() && country(None).is_none());
    }
}
