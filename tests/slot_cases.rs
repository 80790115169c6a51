//! Every case of `tests/data/slots.json`, or of the file named in `SLOT_CASES`, against the slot function.
//! Needs no database and no server. It names all cases that fail, not the first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use portico::domain::slot::{Busy, Calendar, Hours, Terms, Window};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    zone: String,
    from: Date,
    to: Date,
    service: Service,
    #[serde(default)]
    notice: i64,
    #[serde(default)]
    weekly: Vec<Weekly>,
    #[serde(default)]
    overrides: BTreeMap<Date, Vec<Span>>,
    #[serde(default)]
    time_off: Vec<(Date, Date)>,
    #[serde(default)]
    busy: Vec<BusySpan>,
    now: Option<Timestamp>,
    expect: Vec<Timestamp>,
}

#[derive(Deserialize)]
struct Service {
    minutes: i64,
    #[serde(default)]
    step: i64,
    #[serde(default)]
    before: i64,
    #[serde(default)]
    after: i64,
    #[serde(default)]
    notice: i64,
}

#[derive(Deserialize)]
struct Weekly {
    day: String,
    #[serde(flatten)]
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    start: String,
    end: String,
}

#[derive(Deserialize)]
struct BusySpan {
    start: Timestamp,
    end: Timestamp,
    #[serde(default)]
    before: i64,
    #[serde(default)]
    after: i64,
}

impl Span {
    fn window(&self) -> Window {
        Window {
            start: minutes(&self.start),
            end: minutes(&self.end),
        }
    }
}

fn minutes(text: &str) -> i64 {
    let (hours, minutes) = text.split_once(':').expect("a time is HH:MM");
    let part = |digits: &str| digits.parse::<i64>().expect("a time is HH:MM");
    part(hours) * 60 + part(minutes)
}

fn weekday(text: &str) -> usize {
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .position(|name| text.to_lowercase().starts_with(name))
        .unwrap_or_else(|| panic!("no such day: {text}"))
}

impl Case {
    fn run(&self) -> Result<(), String> {
        let zone = TimeZone::get(&self.zone).map_err(|error| error.to_string())?;
        let mut hours = Hours {
            time_off: self.time_off.clone(),
            ..Hours::default()
        };
        for weekly in &self.weekly {
            hours.weekly[weekday(&weekly.day)].push(weekly.span.window());
        }
        for (day, spans) in &self.overrides {
            hours
                .overrides
                .insert(*day, spans.iter().map(Span::window).collect());
        }
        let busy: Vec<Busy> = self
            .busy
            .iter()
            .map(
                |&BusySpan {
                     start,
                     end,
                     before,
                     after,
                 }| Busy {
                    start,
                    end,
                    before,
                    after,
                },
            )
            .collect();
        let service = &self.service;
        let terms = Terms {
            minutes: service.minutes,
            step: if service.step == 0 {
                service.minutes
            } else {
                service.step
            },
            before: service.before,
            after: service.after,
            notice: self.notice.max(service.notice),
        };
        let calendar = Calendar {
            zone: &zone,
            hours: &hours,
            busy: &busy,
            now: self.now,
        };

        let got = calendar.slots(&terms, self.from, self.to);
        if got != self.expect {
            return Err(format!("got {got:?}\n  expected {:?}", self.expect));
        }
        for start in got {
            calendar
                .check(&terms, start)
                .map_err(|why| format!("shows {start}, books {why:?}"))?;
        }
        Ok(())
    }
}

#[test]
fn slot_cases() {
    let path = std::env::var("SLOT_CASES").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/slots.json").to_owned()
    });
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases: Vec<Case> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(!cases.is_empty(), "{path} has no case");

    let mut failed = String::new();
    for case in &cases {
        if let Err(why) = case.run() {
            let _ = writeln!(failed, "{}:\n  {why}", case.name);
        }
    }
    assert!(failed.is_empty(), "{path}\n{failed}");
}
