//! The slots of a week with sixty bookings, for one service and for three: the cost of drawing a calendar.
//! The aim is under 50 µs for one.

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use portico::domain::slot::{Busy, Calendar, Hours, Terms, Window};
use std::hint::black_box;

fn terms(minutes: i64) -> Terms {
    Terms {
        minutes,
        step: 15,
        before: 5,
        after: 10,
        notice: 120,
    }
}

fn week(criterion: &mut Criterion) {
    let zone = TimeZone::get("Europe/London").expect("the zone is in every database");
    let windows = vec![
        Window {
            start: 480,
            end: 750,
        },
        Window {
            start: 810,
            end: 1140,
        },
    ];
    let hours = Hours {
        weekly: std::array::from_fn(|_| windows.clone()),
        ..Hours::default()
    };
    // The week in which the clocks change, so that the bench does not measure the easy case.
    let (from, to) = (date(2026, 3, 23), date(2026, 3, 29));
    let open = from
        .at(8, 0, 0, 0)
        .to_zoned(zone.clone())
        .expect("in range")
        .timestamp();
    let busy: Vec<Busy> = (0..60)
        .map(|n| {
            let start = open + SignedDuration::from_mins((n / 9) * 1440 + (n % 9) * 70);
            let end = start + SignedDuration::from_mins(if n % 3 == 0 { 45 } else { 30 });
            Busy {
                start,
                end,
                before: 5,
                after: 10,
            }
        })
        .collect();
    let now: Timestamp = open - SignedDuration::from_hours(1);
    let calendar = Calendar {
        zone: &zone,
        hours: &hours,
        busy: &busy,
        now: Some(now),
    };

    criterion.bench_function("week_60_bookings", |bench| {
        bench.iter(|| calendar.slots(black_box(&terms(45)), from, to));
    });
    criterion.bench_function("week_60_bookings_3_services", |bench| {
        bench.iter(|| {
            [30, 45, 60].map(|minutes| calendar.slots(black_box(&terms(minutes)), from, to))
        });
    });
    // Nothing is taken: the most starts that such a week can show.
    let empty = Calendar {
        busy: &[],
        ..calendar.clone()
    };
    criterion.bench_function("week_without_bookings", |bench| {
        bench.iter(|| empty.slots(black_box(&terms(45)), from, to));
    });
    let shown = empty.slots(&terms(45), from, to)[100];
    criterion.bench_function("check", |bench| {
        bench.iter(|| calendar.check(black_box(&terms(45)), shown));
    });
}

criterion_group!(benches, week);
criterion_main!(benches);
