//! What happened in the invented business: who booked what, came, moved, cancelled, and what is still to come.

mod known;

use super::Plan;
use super::diary::Diary;
use super::dice::Dice;
use super::people::{Guest, Helper, KNOWN};
use crate::domain::activity::Kind;
use crate::domain::booking::{Status, plus};
use crate::domain::id::{BookingId, ClientId};
use crate::domain::service::Service;
use crate::domain::week::Week;
use crate::store::seed::Seeded;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::collections::HashSet;

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;
/// Minutes before now at which the newest things happened. Everything else is older than the last of them.
const NEWEST: [i64; 8] = [6, 21, 44, 73, 118, 176, 251, 338];
const OLDER: i64 = 6 * HOUR;
/// More than the horizon cannot be booked.
const MOST_WEEKS: usize = 26;

pub(super) struct History<'a> {
    plan: &'a Plan,
    zone: &'a TimeZone,
    staff: &'a [Helper],
    services: &'a [Service],
    clients: &'a [Guest],
    dice: &'a mut Dice,
    diaries: Vec<Diary<'a>>,
    /// Nobody comes twice a day.
    seen: HashSet<(ClientId, Date)>,
    made: Vec<Seeded>,
}

impl<'a> History<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        zone: &'a TimeZone,
        staff: &'a [Helper],
        services: &'a [Service],
        clients: &'a [Guest],
        dice: &'a mut Dice,
    ) -> Self {
        let diaries = staff
            .iter()
            .map(|helper| Diary::new(zone, &helper.hours))
            .collect();
        let (seen, made) = (HashSet::new(), Vec::new());
        Self {
            plan,
            zone,
            staff,
            services,
            clients,
            dice,
            diaries,
            seen,
            made,
        }
    }

    /// Every booking there is.
    pub(super) fn write(mut self) -> Vec<Seeded> {
        let today = self.plan.now.to_zoned(self.zone.clone()).date();
        self.keep_habits(today);
        let weeks = |n: usize| i32::try_from(n.min(MOST_WEEKS)).unwrap_or(0);
        let first = Week::of(today).plus(-weeks(self.plan.past_weeks())).first();
        let last = Week::of(today).plus(weeks(self.plan.weeks)).last();
        for staff in 0..self.staff.len() {
            for day in first
                .series(Span::new().days(1))
                .take_while(|day| *day <= last)
            {
                let passed = day < today && !self.plan.numbered;
                let wanted = if passed {
                    self.dice.between(30, 55)
                } else {
                    self.dice.between(44, 74)
                };
                self.fill_day(staff, day, wanted);
            }
        }
        self.tell_newest();
        self.made
    }

    /// Books until about `wanted` of a hundred is taken.
    fn fill_day(&mut self, staff: usize, day: Date, wanted: i64) {
        // Each try takes some of the grid or is cancelled again, so that a day is full long before.
        for _ in 0..40 {
            let full = self.diaries[staff].fullness(&self.services[0], day);
            // One more of a day's nine is eleven of a hundred: on the average half of that too much.
            if full.is_none_or(|full| full + 5 >= wanted) {
                return;
            }
            let service = any_service(self.dice);
            let free = self.diaries[staff].free(&self.services[service], day);
            let Some(&start) = self.dice.pick(&free) else {
                continue;
            };
            let Some(client) = self.any_client(staff, day) else {
                continue;
            };
            let created_at = self.booked_at(start);
            let status = self.fate(plus(start, self.services[service].minutes));
            self.put(client, staff, service, start, created_at, status);
        }
    }

    /// Someone who has not come that day, mostly one of the staff member's own.
    fn any_client(&mut self, staff: usize, day: Date) -> Option<usize> {
        let count = self.clients.len();
        (0..12).find_map(|_| {
            let last = i64::try_from(count).ok()? - 1;
            let any =
                usize::try_from(self.dice.between(i64::try_from(KNOWN.len()).ok()?, last)).ok()?;
            let own = any - any % self.staff.len() + staff;
            let n = if self.dice.chance(75) { own } else { any };
            let client = self
                .clients
                .get(n)
                .filter(|client| client.joined && n >= KNOWN.len())?;
            (!self.seen.contains(&(client.id, day))).then_some(n)
        })
    }

    fn booked_at(&mut self, start: Timestamp) -> Timestamp {
        let ahead = plus(start, -self.dice.between(3 * HOUR, 14 * DAY));
        let latest = plus(self.plan.now, -OLDER);
        if ahead <= latest {
            ahead
        } else {
            plus(latest, -self.dice.between(0, 14 * DAY))
        }
    }

    fn fate(&mut self, end: Timestamp) -> Status {
        let roll = self.dice.between(0, 99);
        match roll {
            0..7 => Status::Cancelled,
            _ if end > self.plan.now => Status::Confirmed,
            7..11 => Status::NoShow,
            _ => Status::Completed,
        }
    }

    fn put(
        &mut self,
        client: usize,
        staff: usize,
        service: usize,
        start: Timestamp,
        created_at: Timestamp,
        status: Status,
    ) {
        let (guest, helper) = (&self.clients[client], &self.staff[staff]);
        let by_phone = client >= KNOWN.len() && self.dice.chance(15);
        let booker = if by_phone {
            helper.person
        } else {
            guest.person
        };
        let mut seeded = Seeded {
            id: BookingId::new(),
            client: guest.id,
            staff: helper.id,
            service: self.services[service].clone(),
            start,
            status,
            late: false,
            version: if status == Status::Confirmed { 1 } else { 2 },
            created_at,
            facts: vec![(Kind::Booked, booker, created_at)],
        };
        if status == Status::Cancelled {
            let latest = plus(start, -HOUR).min(plus(self.plan.now, -OLDER));
            let back = if self.dice.chance(30) {
                (HOUR, DAY)
            } else {
                (DAY + HOUR, 4 * DAY)
            };
            let wanted = plus(start, -self.dice.between(back.0, back.1));
            cancel(
                &mut seeded,
                wanted.min(latest).max(plus(created_at, 2)),
                guest,
            );
        }
        if let Some(busy) = seeded.busy() {
            let day = start.to_zoned(self.zone.clone()).date();
            self.diaries[staff].put(day, busy);
            self.seen.insert((guest.id, day));
        }
        self.made.push(seeded);
    }

    /// Some of what is to come happened just now: most was booked, one moved, one cancelled.
    fn tell_newest(&mut self) {
        let soon = plus(self.plan.now, 2 * DAY);
        let known: Vec<ClientId> = self
            .clients
            .iter()
            .take(KNOWN.len())
            .map(|known| known.id)
            .collect();
        let mut coming: Vec<usize> = (0..self.made.len())
            .filter(|&n| {
                let made = &self.made[n];
                made.status == Status::Confirmed
                    && made.start > soon
                    && !known.contains(&made.client)
            })
            .collect();
        for (n, minutes) in NEWEST.into_iter().enumerate() {
            let Some(&chosen) = self.dice.pick(&coming) else {
                return;
            };
            coming.retain(|&left| left != chosen);
            let at = plus(self.plan.now, -minutes);
            let made = &mut self.made[chosen];
            let Some(guest) = self.clients.iter().find(|guest| guest.id == made.client) else {
                continue;
            };
            match n {
                2 => cancel(made, at, guest),
                5 => {
                    made.version += 1;
                    made.facts.push((Kind::Moved, guest.person, at));
                }
                _ => {
                    made.created_at = at;
                    made.facts = vec![(Kind::Booked, guest.person, at)];
                }
            }
        }
    }
}

fn cancel(seeded: &mut Seeded, at: Timestamp, guest: &Guest) {
    seeded.status = Status::Cancelled;
    seeded.version = 2;
    seeded.late = at > plus(seeded.start, -DAY);
    let kind = if seeded.late {
        Kind::CancelledLate
    } else {
        Kind::Cancelled
    };
    seeded.facts.push((kind, guest.person, at));
}

/// Which of the three services: most come again, some for the first time.
pub(super) fn any_service(dice: &mut Dice) -> usize {
    match dice.between(0, 99) {
        0..64 => 0,
        64..80 => 1,
        _ => 2,
    }
}
