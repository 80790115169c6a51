//! What the hours of a practice mean, sentence by sentence, and a second, slow slot function that asks the
//! zone about every minute: the two must agree around every change of clocks.

use jiff::SignedDuration;
use jiff::civil::{DateTime, Time};
use jiff::tz::AmbiguousOffset;
use proptest::prelude::*;

use super::*;

const HOUR: Terms = Terms {
    minutes: 60,
    step: 60,
    before: 0,
    after: 0,
    notice: 0,
};

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// `"09:00-17:00"`.
fn window(text: &str) -> Window {
    let minutes = |time: &str| {
        let (hours, minutes) = time.split_once(':').unwrap();
        hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap()
    };
    let (start, end) = text.split_once('-').unwrap();
    Window {
        start: minutes(start),
        end: minutes(end),
    }
}

fn daily(windows: &[&str]) -> Hours {
    let windows: Vec<Window> = windows.iter().map(|text| window(text)).collect();
    Hours {
        weekly: std::array::from_fn(|_| windows.clone()),
        ..Hours::default()
    }
}

fn only(day: Date, windows: &[&str]) -> Hours {
    let windows = windows.iter().map(|text| window(text)).collect();
    Hours {
        overrides: BTreeMap::from([(day, windows)]),
        ..Hours::default()
    }
}

/// Slots of an hour as the clock on the wall shows them: `"29T23:00"`.
fn shown(name: &str, hours: &Hours, from: Date, to: Date) -> Vec<String> {
    shown_for(name, hours, &HOUR, from, to)
}

fn shown_for(name: &str, hours: &Hours, terms: &Terms, from: Date, to: Date) -> Vec<String> {
    let zone = zone(name);
    Calendar {
        zone: &zone,
        hours,
        busy: &[],
        now: None,
    }
    .slots(terms, from, to)
    .into_iter()
    .map(|start| zone.to_datetime(start).strftime("%dT%H:%M").to_string())
    .collect()
}

/// Slots of 9 to 17 UTC on 2026-12-07, in hours, beside what is busy.
fn beside(terms: &Terms, busy: &[Busy], now: Option<&str>) -> Vec<String> {
    let hours = daily(&["09:00-17:00"]);
    let day = date(2026, 12, 7);
    Calendar {
        zone: &TimeZone::UTC,
        hours: &hours,
        busy,
        now: now.map(at),
    }
    .slots(terms, day, day)
    .into_iter()
    .map(|start| start.strftime("%H:%M").to_string())
    .collect()
}

fn busy(start: &str, end: &str, before: i64, after: i64) -> Busy {
    let on = |time| at(&format!("2026-12-07T{time}Z"));
    Busy {
        start: on(start),
        end: on(end),
        before,
        after,
    }
}

#[test]
fn a_session_never_runs_into_time_off() {
    let mut hours = daily(&["22:00-02:00"]);
    hours.time_off.push((date(2026, 12, 5), date(2026, 12, 5)));
    let terms = Terms { step: 30, ..HOUR };
    assert_eq!(
        shown_for(
            "Africa/Johannesburg",
            &hours,
            &terms,
            date(2026, 12, 4),
            date(2026, 12, 6)
        ),
        // The window that began on the day off goes on after it.
        [
            "04T00:00", "04T00:30", "04T01:00", "04T22:00", "04T22:30", "04T23:00", "06T00:00",
            "06T00:30", "06T01:00", "06T22:00", "06T22:30", "06T23:00", "06T23:30"
        ]
    );
}

#[test]
fn time_off_includes_its_first_and_its_last_day() {
    let mut hours = daily(&["09:00-10:00"]);
    hours.time_off.push((date(2026, 12, 2), date(2026, 12, 3)));
    hours.time_off.push((date(2026, 12, 6), date(2026, 12, 5)));
    assert_eq!(
        shown(
            "Europe/London",
            &hours,
            date(2026, 12, 1),
            date(2026, 12, 5)
        ),
        ["01T09:00", "04T09:00", "05T09:00"]
    );
}

#[test]
fn an_override_does_not_cut_the_evening_before() {
    let mut hours = daily(&["23:00-02:00"]);
    hours.overrides.insert(date(2026, 12, 5), vec![]);
    assert_eq!(
        shown(
            "Europe/London",
            &hours,
            date(2026, 12, 4),
            date(2026, 12, 6)
        ),
        [
            "04T00:00", "04T01:00", "04T23:00", "05T00:00", "05T01:00", "06T23:00"
        ]
    );
}

#[test]
fn sunday_night_runs_into_monday() {
    let mut hours = Hours::default();
    hours.weekly[6].push(window("23:00-01:00"));
    assert_eq!(
        shown(
            "Europe/London",
            &hours,
            date(2026, 12, 7),
            date(2026, 12, 7)
        ),
        ["07T00:00"]
    );
    assert_eq!(
        shown(
            "Europe/London",
            &hours,
            date(2026, 12, 6),
            date(2026, 12, 6)
        ),
        ["06T23:00"]
    );
}

#[test]
fn a_whole_day_is_written_in_three_ways() {
    let day = date(2026, 12, 7);
    for (text, count) in [
        ("00:00-24:00", 24),
        ("00:00-00:00", 24),
        ("09:00-09:00", 15),
    ] {
        assert_eq!(
            shown("Europe/London", &only(day, &[text]), day, day).len(),
            count,
            "{text}"
        );
    }
    // The other nine hours are on the next date.
    let next = date(2026, 12, 8);
    assert_eq!(
        shown("Europe/London", &only(day, &["09:00-09:00"]), next, next).len(),
        9
    );
}

#[test]
fn a_day_of_changing_clocks_has_as_many_hours_as_it_has() {
    let hours = daily(&["00:00-24:00"]);
    for (name, day, count) in [
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("Asia/Beirut", date(2026, 3, 29), 23),
        ("Africa/Johannesburg", date(2026, 3, 29), 24),
    ] {
        assert_eq!(shown(name, &hours, day, day).len(), count, "{name} {day}");
    }
}

#[test]
fn a_window_inside_the_missing_hour_is_no_time_at_all() {
    let day = date(2026, 3, 29);
    let terms = Terms {
        minutes: 15,
        step: 15,
        ..HOUR
    };
    let shown = |text| shown_for("Europe/London", &only(day, &[text]), &terms, day, day);
    assert!(shown("01:00-02:00").is_empty());
    assert!(shown("01:10-01:50").is_empty());
    assert_eq!(shown("00:30-01:30"), ["29T00:30", "29T00:45"]);
    assert_eq!(shown("01:20-02:30"), ["29T02:00", "29T02:15"]);
}

#[test]
fn a_window_may_start_in_the_hour_that_comes_twice() {
    let day = date(2026, 10, 25);
    let shown = |text| shown("Europe/London", &only(day, &[text]), day, day);
    assert_eq!(shown("01:00-02:00"), ["25T01:00", "25T01:00"]);
    assert_eq!(shown("00:30-01:30"), ["25T00:30"]);
    assert_eq!(shown("01:30-03:30"), ["25T01:30", "25T01:30", "25T02:30"]);
}

#[test]
fn a_night_into_the_change_of_clocks_keeps_its_length_in_hours() {
    let shown = |from, to| shown("Europe/London", &only(from, &["22:00-03:00"]), from, to);
    assert_eq!(
        shown(date(2026, 3, 28), date(2026, 3, 29)),
        ["28T22:00", "28T23:00", "29T00:00", "29T02:00"]
    );
    assert_eq!(
        shown(date(2026, 10, 24), date(2026, 10, 25)),
        [
            "24T22:00", "24T23:00", "25T00:00", "25T01:00", "25T01:00", "25T02:00"
        ]
    );
}

#[test]
fn a_day_that_never_was_has_no_slots() {
    let (from, to) = (date(2011, 12, 29), date(2011, 12, 31));
    assert_eq!(
        shown("Pacific/Apia", &daily(&["09:00-11:00"]), from, to),
        ["29T09:00", "29T10:00", "31T09:00", "31T10:00"]
    );
    assert_eq!(
        shown("Pacific/Apia", &daily(&["22:00-24:00"]), from, to).len(),
        4
    );
    let never = date(2011, 12, 30);
    assert!(shown("Pacific/Apia", &daily(&["00:00-24:00"]), never, never).is_empty());
    // A night goes straight on, whether or not there is time off on the day that is not there.
    let mut hours = only(from, &["23:00-02:00"]);
    hours.time_off.push((never, never));
    let terms = Terms {
        minutes: 30,
        step: 30,
        ..HOUR
    };
    assert_eq!(
        shown_for("Pacific/Apia", &hours, &terms, from, to),
        ["29T23:00", "29T23:30"]
    );
}

#[test]
fn a_clock_that_goes_back_over_midnight_takes_slots_to_the_day_before() {
    // At 00:01 on the 7th it became 23:01 on the 6th.
    let terms = Terms {
        minutes: 15,
        step: 30,
        ..HOUR
    };
    let hours = only(date(2010, 11, 7), &["00:00-01:00"]);
    let mut sixth = hours.clone();
    sixth.time_off.push((date(2010, 11, 6), date(2010, 11, 6)));
    let shown = |hours, day| shown_for("America/St_Johns", hours, &terms, day, day);
    assert_eq!(shown(&hours, date(2010, 11, 6)), ["06T23:30"]);
    assert_eq!(
        shown(&hours, date(2010, 11, 7)),
        ["07T00:00", "07T00:00", "07T00:30"]
    );
    // The first of them, a minute past midnight, is on the 6th again.
    assert_eq!(shown(&sixth, date(2010, 11, 7)), ["07T00:00", "07T00:30"]);
}

#[test]
fn overlapping_windows_give_each_start_once() {
    let day = date(2026, 12, 7);
    let hours = only(
        day,
        &[
            "13:00-15:00",
            "09:00-11:00",
            "10:00-12:00",
            "10:30-12:00",
            "09:00-11:00",
        ],
    );
    assert_eq!(
        shown("Europe/London", &hours, day, day),
        // Between them an hour from 11:30 would fit no window.
        [
            "07T09:00", "07T10:00", "07T10:30", "07T11:00", "07T13:00", "07T14:00"
        ]
    );
}

#[test]
fn the_larger_of_two_buffers_is_enough() {
    let terms = Terms {
        step: 15,
        before: 30,
        after: 15,
        ..HOUR
    };
    let taken = [busy("12:00", "13:00", 45, 15)];
    let shown = beside(&terms, &taken, None);
    assert_eq!(
        shown[shown.iter().position(|start| start == "10:15").unwrap() + 1],
        "13:30"
    );
}

#[test]
fn back_to_back_needs_no_gap() {
    let taken = [busy("10:00", "11:00", 0, 0), busy("12:00", "13:00", 0, 0)];
    assert_eq!(
        beside(&HOUR, &taken, None),
        ["09:00", "11:00", "13:00", "14:00", "15:00", "16:00"]
    );
    let taken = taken.map(|busy| Busy { before: 5, ..busy });
    assert_eq!(
        beside(&HOUR, &taken, None),
        ["13:00", "14:00", "15:00", "16:00"]
    );
}

#[test]
fn busy_time_may_come_unsorted_nested_and_empty() {
    let taken = [
        busy("14:00", "15:00", 0, 0),
        busy("09:00", "13:00", 0, 0),
        busy("10:00", "10:30", 0, 0),
        // Nothing, in the middle of an hour; nothing, between two; and one that ends before it starts.
        busy("13:30", "13:30", 0, 0),
        busy("16:00", "16:00", 0, 0),
        busy("15:30", "14:30", 0, 0),
    ];
    assert_eq!(beside(&HOUR, &taken, None), ["16:00"]);
}

#[test]
fn part_of_a_second_is_as_good_as_the_whole() {
    let taken = [busy("10:59:59.5", "12:00:00.001", 0, 0)];
    assert_eq!(
        beside(&HOUR, &taken, None),
        ["09:00", "13:00", "14:00", "15:00", "16:00"]
    );
    assert_eq!(
        beside(&HOUR, &[], Some("2026-12-07T14:59:59.999Z")),
        ["15:00", "16:00"]
    );
    let early = Terms { notice: 60, ..HOUR };
    assert_eq!(
        beside(&early, &[], Some("2026-12-07T14:00:00.001Z")),
        ["16:00"]
    );
    // Half a second before 1970, where seconds count down.
    let (hours, day) = (daily(&["00:00-01:00"]), date(1970, 1, 1));
    let now = Some(at("1969-12-31T23:59:59.5Z"));
    let calendar = Calendar {
        zone: &TimeZone::UTC,
        hours: &hours,
        busy: &[],
        now,
    };
    assert_eq!(calendar.slots(&HOUR, day, day), [Timestamp::UNIX_EPOCH]);
}

#[test]
fn now_has_passed_and_notice_is_kept_to_the_minute() {
    let now = Some("2026-12-07T14:00:00Z");
    assert_eq!(beside(&HOUR, &[], now), ["15:00", "16:00"]);
    assert_eq!(
        beside(
            &Terms {
                notice: 120,
                ..HOUR
            },
            &[],
            now
        ),
        ["16:00"]
    );
    assert_eq!(
        beside(
            &Terms {
                notice: 121,
                ..HOUR
            },
            &[],
            now
        ),
        [""; 0]
    );
    assert_eq!(
        beside(
            &Terms {
                notice: -600,
                ..HOUR
            },
            &[],
            now
        ),
        ["15:00", "16:00"]
    );
}

#[test]
fn a_refusal_says_why() {
    let mut hours = daily(&["09:00-17:00"]);
    hours.time_off.push((date(2026, 12, 8), date(2026, 12, 8)));
    let taken = [busy("15:00", "16:00", 0, 0)];
    let now = Some(at("2026-12-07T10:00:00Z"));
    let calendar = Calendar {
        zone: &TimeZone::UTC,
        hours: &hours,
        busy: &taken,
        now,
    };
    let terms = Terms {
        notice: 120,
        ..HOUR
    };
    for (start, expected) in [
        ("2026-12-07T12:00:00Z", Ok(())),
        ("2026-12-07T16:00:00Z", Ok(())),
        ("2026-12-07T08:00:00Z", Err(Refusal::OutsideHours)),
        ("2026-12-07T13:30:00Z", Err(Refusal::OutsideHours)),
        ("2026-12-07T13:00:00.5Z", Err(Refusal::OutsideHours)),
        ("2026-12-07T17:00:00Z", Err(Refusal::OutsideHours)),
        ("2026-12-08T12:00:00Z", Err(Refusal::OutsideHours)),
        ("2026-12-07T10:00:00Z", Err(Refusal::Passed)),
        ("2026-12-07T11:00:00Z", Err(Refusal::TooSoon)),
        ("2026-12-07T15:00:00Z", Err(Refusal::Taken)),
    ] {
        assert_eq!(calendar.check(&terms, at(start)), expected, "{start}");
    }
}

#[test]
fn nonsense_is_answered_with_nothing() {
    let (from, to) = (date(2026, 12, 7), date(2026, 12, 8));
    let hours = daily(&["09:00-17:00"]);
    let zone = zone("Europe/London");
    let taken = [busy("10:00", "11:00", i64::MAX, i64::MAX)];
    let calendar = Calendar {
        zone: &zone,
        hours: &hours,
        busy: &[],
        now: Some(at("2026-12-07T10:00:00Z")),
    };
    assert!(calendar.slots(&HOUR, to, from).is_empty());
    assert!(calendar.slots(&HOUR, Date::MAX, Date::MIN).is_empty());
    for size in [0, -60, i64::MIN, i64::MAX] {
        assert!(
            calendar
                .slots(
                    &Terms {
                        minutes: size,
                        ..HOUR
                    },
                    from,
                    to
                )
                .is_empty()
        );
    }
    for size in [0, -60, i64::MIN] {
        assert!(
            calendar
                .slots(&Terms { step: size, ..HOUR }, from, to)
                .is_empty()
        );
    }
    assert!(
        calendar
            .slots(
                &Terms {
                    notice: i64::MAX,
                    ..HOUR
                },
                from,
                to
            )
            .is_empty()
    );
    let full = Calendar {
        busy: &taken,
        ..calendar.clone()
    };
    assert!(
        full.slots(
            &Terms {
                before: i64::MIN,
                after: i64::MAX,
                ..HOUR
            },
            from,
            to
        )
        .is_empty()
    );
    for window in [(-60, 600), (600, 1500), (i64::MAX, 0), (0, i64::MIN)] {
        let window = Window {
            start: window.0,
            end: window.1,
        };
        let hours = Hours {
            weekly: std::array::from_fn(|_| vec![window]),
            ..Hours::default()
        };
        assert!(
            Calendar {
                hours: &hours,
                ..calendar.clone()
            }
            .slots(&HOUR, from, to)
            .is_empty()
        );
    }
    // Dates reach a little further than instants.
    for (edge, count) in [
        (date(-9999, 1, 1), 0),
        (date(-9999, 1, 3), 8),
        (date(9999, 12, 29), 8),
        (Date::MAX, 0),
    ] {
        let calendar = Calendar {
            now: None,
            ..calendar.clone()
        };
        assert_eq!(calendar.slots(&HOUR, edge, edge).len(), count, "{edge}");
    }
    assert_eq!(
        calendar.check(&HOUR, Timestamp::MIN),
        Err(Refusal::OutsideHours)
    );
    assert_eq!(
        calendar.check(&HOUR, Timestamp::MAX),
        Err(Refusal::OutsideHours)
    );
}

/// The slow one: every fifth minute of the range, asked of the zone and of each booking in turn.
fn slow(calendar: &Calendar<'_>, terms: &Terms, from: Date, to: Date) -> Vec<Timestamp> {
    let zone = calendar.zone;
    let wall = |day: Date, minutes: i64| -> Timestamp {
        let shown: DateTime = day
            .to_datetime(Time::midnight())
            .checked_add(SignedDuration::from_mins(minutes))
            .unwrap();
        match zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(shown).unwrap(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(shown).unwrap(),
            AmbiguousOffset::Gap { before, .. } => {
                let after = before.to_timestamp(shown).unwrap() + SignedDuration::from_secs(1);
                zone.preceding(after).next().unwrap().timestamp()
            }
        }
    };
    let mut opened: Vec<(Timestamp, Timestamp)> = Vec::new();
    for offset in -3..=days(from, to) + 3 {
        let day = later(from, offset);
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap();
        for window in calendar
            .hours
            .overrides
            .get(&day)
            .unwrap_or(&calendar.hours.weekly[weekday])
        {
            let past = if window.end <= window.start { 1440 } else { 0 };
            opened.push((wall(day, window.start), wall(day, window.end + past)));
        }
    }
    let off = |at: Timestamp| {
        let day = zone.to_datetime(at).date();
        calendar
            .hours
            .time_off
            .iter()
            .any(|&(first, last)| first <= day && day <= last)
    };
    every_five_minutes(from, to)
        .into_iter()
        .filter(|&start| {
            let end = start + SignedDuration::from_mins(terms.minutes);
            let day = zone.to_datetime(start).date();
            let notice = SignedDuration::from_mins(terms.notice);
            from <= day
                && day <= to
                && opened.iter().any(|&(open, close)| {
                    open <= start
                        && end <= close
                        && start.duration_since(open).as_secs() % (terms.step * 60) == 0
                })
                && !(0..terms.minutes).any(|minute| off(start + SignedDuration::from_mins(minute)))
                && calendar
                    .now
                    .is_none_or(|now| start > now && start >= now + notice)
                && keeps_its_distance(calendar.busy, terms, start)
        })
        .collect()
}

fn keeps_its_distance(busy: &[Busy], terms: &Terms, start: Timestamp) -> bool {
    let end = start + SignedDuration::from_mins(terms.minutes);
    busy.iter().all(|other| {
        start.duration_since(other.end) >= SignedDuration::from_mins(other.after.max(terms.before))
            || other.start.duration_since(end)
                >= SignedDuration::from_mins(terms.after.max(other.before))
    })
}

fn days(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

fn later(day: Date, days: i64) -> Date {
    day.checked_add(SignedDuration::from_hours(days * 24))
        .unwrap()
}

fn every_five_minutes(from: Date, to: Date) -> Vec<Timestamp> {
    let midnight = later(from, -2)
        .at(0, 0, 0, 0)
        .to_zoned(TimeZone::UTC)
        .unwrap()
        .timestamp();
    let count = (days(from, to) + 5) * 288;
    (0..count)
        .map(|n| midnight + SignedDuration::from_mins(5 * n))
        .collect()
}

#[derive(Debug)]
struct Practice {
    zone: TimeZone,
    hours: Hours,
    busy: Vec<Busy>,
    now: Option<Timestamp>,
    terms: Terms,
    from: Date,
    to: Date,
}

impl Practice {
    fn calendar(&self) -> Calendar<'_> {
        Calendar {
            zone: &self.zone,
            hours: &self.hours,
            busy: &self.busy,
            now: self.now,
        }
    }
}

/// A place, and a day next to which its clocks change.
fn place() -> impl Strategy<Value = (&'static str, Date)> {
    prop::sample::select(vec![
        ("Europe/London", date(2026, 3, 29)),
        ("Europe/London", date(2026, 10, 25)),
        ("America/New_York", date(2026, 3, 8)),
        ("America/New_York", date(2026, 11, 1)),
        ("Africa/Johannesburg", date(2026, 3, 29)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),
        ("Australia/Lord_Howe", date(2026, 10, 4)),
        ("Pacific/Apia", date(2011, 12, 30)),
        ("America/Sao_Paulo", date(2018, 11, 4)),
        ("America/Sao_Paulo", date(2018, 2, 18)),
        ("Asia/Beirut", date(2026, 3, 29)),
        ("America/Havana", date(2026, 11, 1)),
        ("Asia/Kathmandu", date(2026, 1, 1)),
    ])
}

prop_compose! {
    fn some_window()(start in 0..=288i64, end in 0..=288i64) -> Window {
        Window { start: start * 5, end: end * 5 }
    }
}

prop_compose! {
    fn some_practice()(
        (zone, change) in place(),
        weekly in prop::array::uniform7(prop::collection::vec(some_window(), 0..3)),
        overrides in prop::collection::btree_map(-3..4i64, prop::collection::vec(some_window(), 0..3), 0..3),
        time_off in prop::collection::vec((-3..4i64, 0..2i64), 0..2),
        busy in prop::collection::vec((-800..800i64, 0..30i64, 0..8i64, 0..8i64), 0..12),
        now in prop::option::of(-600..600i64),
        (minutes, step, before, after, notice) in (1..30i64, 1..20i64, 0..8i64, 0..8i64, 0..200i64),
        (first, length) in (-2..2i64, 0..3i64),
    ) -> Practice {
        let noon = change.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let instant = |fives: i64| noon + SignedDuration::from_mins(fives * 5);
        let from = later(change, first);
        Practice {
            zone: TimeZone::get(zone).unwrap(),
            hours: Hours {
                weekly,
                overrides: overrides.into_iter().map(|(day, list)| (later(change, day), list)).collect(),
                time_off: time_off
                    .into_iter()
                    .map(|(day, more)| (later(change, day), later(change, day + more)))
                    .collect(),
            },
            busy: busy
                .into_iter()
                .map(|(start, length, before, after)| Busy {
                    start: instant(start),
                    end: instant(start + length),
                    before: before * 5,
                    after: after * 5,
                })
                .collect(),
            now: now.map(instant),
            terms: Terms {
                minutes: minutes * 5,
                step: step * 5,
                before: before * 5,
                after: after * 5,
                notice: notice * 5,
            },
            from,
            to: later(from, length),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_slow_way_shows_the_same_slots(practice in some_practice()) {
        let Practice { terms, from, to, .. } = &practice;
        let calendar = practice.calendar();
        prop_assert_eq!(calendar.slots(terms, *from, *to), slow(&calendar, terms, *from, *to));
    }

    #[test]
    fn no_slot_comes_closer_to_busy_time_than_the_larger_buffer(practice in some_practice()) {
        let Practice { terms, from, to, .. } = &practice;
        for start in practice.calendar().slots(terms, *from, *to) {
            prop_assert!(keeps_its_distance(&practice.busy, terms, start), "{}", start);
        }
    }

    #[test]
    fn a_week_shows_what_its_days_show(practice in some_practice()) {
        let Practice { terms, from, to, .. } = &practice;
        let calendar = practice.calendar();
        let days: Vec<Timestamp> = (0..=days(*from, *to))
            .map(|n| later(*from, n))
            .flat_map(|day| calendar.slots(terms, day, day))
            .collect();
        prop_assert_eq!(calendar.slots(terms, *from, *to), days);
    }

    #[test]
    fn a_start_can_be_booked_exactly_when_it_is_shown(practice in some_practice()) {
        let Practice { terms, from, to, zone, .. } = &practice;
        let calendar = practice.calendar();
        let shown = calendar.slots(terms, *from, *to);
        for start in every_five_minutes(*from, *to) {
            let day = zone.to_datetime(start).date();
            if *from <= day && day <= *to {
                let booked = calendar.check(terms, start);
                prop_assert_eq!(booked.is_ok(), shown.contains(&start), "{} {:?}", start, booked);
            }
        }
    }
}
