//! The clients whose accounts are printed: what they had, and the one session that each has coming.

use super::super::people::KNOWN;
use super::{DAY, HOUR, History};
use crate::domain::booking::{Status, plus};
use jiff::civil::{Date, Time, time};
use jiff::{Span, Timestamp};

/// How a known client comes: with whom, every how many days, how often so far, at about what time, and the next
/// time at least how many hours from now.
struct Habit {
    staff: usize,
    every: i32,
    count: i32,
    at: Time,
    next: i64,
}

const HABITS: [Habit; KNOWN.len()] = [
    Habit {
        staff: 0,
        every: 5,
        count: 10,
        at: time(9, 30, 0, 0),
        next: 26,
    },
    Habit {
        staff: 1,
        every: 8,
        count: 6,
        at: time(14, 45, 0, 0),
        next: 4 * 24,
    },
    Habit {
        staff: 0,
        every: 13,
        count: 4,
        at: time(11, 0, 0, 0),
        next: 6 * 24,
    },
];

impl History<'_> {
    /// The known clients' sessions are a story that hardly any chance changes.
    pub(super) fn keep_habits(&mut self, today: Date) {
        for (client, habit) in HABITS.iter().enumerate() {
            self.keep_habit(client, habit, today);
        }
    }

    fn keep_habit(&mut self, client: usize, habit: &Habit, today: Date) {
        for n in 1..=habit.count {
            let service = match n {
                n if n == habit.count => 1,
                n if n % 4 == 3 => 2,
                _ => 0,
            };
            let back = today.saturating_sub(Span::new().days(n * habit.every));
            let days = (0..7).map(|n| back.saturating_sub(Span::new().days(n)));
            let Some(start) = self.nearest(habit, service, days, Timestamp::MIN) else {
                continue;
            };
            let status = if n == 4 {
                Status::Cancelled
            } else {
                Status::Completed
            };
            let created_at = plus(start, -6 * DAY - 200);
            self.put(client, habit.staff, service, start, created_at, status);
        }
        let from = plus(self.plan.now, habit.next * HOUR);
        let day = from.to_zoned(self.zone.clone()).date();
        let days = (0..10).map(|n| day.saturating_add(Span::new().days(n)));
        if let Some(start) = self.nearest(habit, 0, days, from) {
            let created_at = plus(self.plan.now, -2 * DAY - 37 * (habit.next % 11));
            self.put(client, habit.staff, 0, start, created_at, Status::Confirmed);
        }
    }

    /// The first weekday of these that has the habit's time free, or nearly.
    fn nearest(
        &self,
        habit: &Habit,
        service: usize,
        mut days: impl Iterator<Item = Date>,
        from: Timestamp,
    ) -> Option<Timestamp> {
        days.find_map(|day| {
            if day.weekday().to_monday_zero_offset() > 4 {
                return None;
            }
            let wanted = day
                .to_datetime(habit.at)
                .to_zoned(self.zone.clone())
                .ok()?
                .timestamp();
            let free = self.diaries[habit.staff].free(&self.services[service], day);
            let start = free
                .into_iter()
                .min_by_key(|at| at.duration_since(wanted).abs())?;
            let near = start.duration_since(wanted).abs().as_mins() <= HOUR;
            (near && start >= from).then_some(start)
        })
    }
}
