//! How each region is read from one snapshot, and until when that reading holds.

use super::{Reading, Region, money, wait};
use crate::domain::booking::Booking;
use crate::domain::business::Business;
use crate::domain::id::{ClientId, StaffId};
use crate::domain::invoice::{Filter, Sum};
use crate::domain::topic::Topic;
use crate::domain::week::Week;
use crate::realtime::{Loaded, Region as _, Whole};
use crate::store::{self, Error, activity, badge, client, invoice, notification, outbox, thread};
use crate::views;
use crate::views::badge::Waiting;
use crate::views::booking::sessions::Sessions;
use crate::views::message::thread::{SHOWN, Stretch};
use crate::views::today::Numbers;
use jiff::{Span, Timestamp};
use std::collections::HashMap;

/// Past sessions that a page lists.
const PAST: i64 = 20;
/// Lines of activity on staff's first page.
const LINES: i64 = 12;
/// Threads that staff's list shows.
const THREADS: i64 = 1000;
/// Mails that the outbox lists.
const MAILS: i64 = 50;
/// Facts that the list behind the bell tells.
const TOLD: i64 = 50;
/// Days without a session after which a client has gone quiet.
const QUIET_DAYS: i32 = 45;

impl Region {
    /// Reads and renders it. `versions` are its topics' in the same snapshot, and perhaps more.
    pub(super) async fn read(
        &self,
        reading: &mut Reading,
        versions: &HashMap<Topic, i64>,
    ) -> Result<Loaded, Error> {
        let now = reading.now;
        let midnight = reading.business.next_midnight(now);
        let (whole, valid_until) = match self {
            Self::Slots { staff, week, named } => {
                let grid = reading.grid(*staff, *week, named).await?;
                let business = &reading.business;
                let whole =
                    views::booking::calendar::week(business, *staff, &grid, business.today(now));
                (whole, grid.valid_until)
            }
            Self::OwnSlots {
                client,
                staff,
                week,
                limited,
            } => own_slots(reading, *client, *staff, *week, *limited).await?,
            Self::Next { client } => {
                let coming = store::booking::upcoming(&mut reading.tx, *client, now).await?;
                let until = next_turn(&reading.business, &coming, now);
                (views::home::next(&reading.business, &coming, now), until)
            }
            Self::Sessions { client, for_staff } => sessions(reading, *client, *for_staff).await?,
            Self::Numbers { .. } => numbers(reading).await?,
            Self::Agenda { .. } => agenda(reading).await?,
            Self::Timetable { staff, week, .. } => timetable(reading, *staff, *week).await?,
            Self::Activity { .. } => {
                let lines = activity::list(&mut reading.tx, LINES).await?;
                let whole = views::activity::list(&reading.business, &lines, now);
                (whole, midnight)
            }
            Self::Clients { quiet, .. } => {
                let mut clients = client::list(&mut reading.tx, now).await?;
                if *quiet {
                    let since = quiet_since(reading);
                    clients.retain(|client| client.is_quiet(since));
                }
                let next = clients.iter().filter_map(|client| client.next_at).min();
                let until = next.map_or(midnight, |next| next.min(midnight));
                (
                    views::client::list(&reading.business, &clients, *quiet, now),
                    until,
                )
            }
            Self::Thread { client, for_staff } => {
                let messages = thread::newest(&mut reading.tx, *client, SHOWN + 1).await?;
                let marks = thread::marks(&mut reading.tx, *client).await?;
                let stretch = Stretch::of(for_staff.then_some(*client), &messages);
                let whole = views::message::thread::thread(&reading.business, &stretch, marks, now);
                (whole, midnight)
            }
            Self::Threads { waiting } => {
                let threads = thread::list(&mut reading.tx, *waiting, THREADS).await?;
                let business = &reading.business;
                let whole = views::message::threads::threads(business, &threads, *waiting, now);
                (whole, midnight)
            }
            Self::Waits { client, for_staff } => wait::own(reading, *client, *for_staff).await?,
            Self::Line => wait::line(reading).await?,
            Self::Outbox => {
                let mails = outbox::list(&mut reading.tx, MAILS).await?;
                let until = mails
                    .iter()
                    .filter_map(|mail| mail.offer.as_ref().map(|offer| offer.until))
                    .fold(midnight, Timestamp::min);
                let whole =
                    views::outbox::list(&reading.business, &reading.source.base_url, &mails, now);
                (whole, until)
            }
            Self::Invoices { client } => money::own(reading, *client).await?,
            Self::Invoice {
                invoice, for_staff, ..
            } => money::paper(reading, *invoice, *for_staff).await?,
            Self::Ledger { filter, before } => money::ledger(reading, *filter, *before).await?,
            Self::Todo { client } => money::todo(reading, *client).await?,
            Self::Notifications { person, for_staff } => {
                let told = notification::list(&mut reading.tx, *person, TOLD).await?;
                let business = &reading.business;
                let whole = views::notification::list(business, &told, *for_staff, now);
                (whole, midnight)
            }
            Self::Badges { person, client } => {
                let today = reading.business.today(now);
                let waiting = badge::waiting(&mut reading.tx, *person, *client, today).await?;
                let view = Waiting {
                    unseen: waiting.unseen,
                    invoices: waiting.invoices,
                    messages: waiting.messages,
                    for_staff: client.is_none(),
                };
                // An invoice falls due at midnight.
                (views::badge::badges(&view), midnight)
            }
        };
        Ok(Loaded {
            version: version(&self.topics(), versions),
            whole,
            valid_until: Some(valid_until),
        })
    }
}

/// The sum of the topics' versions: it grows with every change to any of them.
fn version(topics: &[Topic], versions: &HashMap<Topic, i64>) -> i64 {
    topics.iter().filter_map(|topic| versions.get(topic)).sum()
}

/// Who had no session since then, and has none coming, has gone quiet.
fn quiet_since(reading: &Reading) -> Timestamp {
    let today = reading.business.today(reading.now);
    let first = today.saturating_sub(Span::new().days(QUIET_DAYS));
    reading.business.starts(first)
}

async fn own_slots(
    reading: &mut Reading,
    client: ClientId,
    staff: StaffId,
    week: Week,
    limited: bool,
) -> Result<(Whole, Timestamp), Error> {
    let now = reading.now;
    let (from, to) = reading.span(week);
    let own = store::booking::own_times(&mut reading.tx, client, staff, from, to).await?;
    let held = store::hold::of_client(&mut reading.tx, client, now).await?;
    let held = held.filter(|hold| hold.staff == staff);
    let midnight = reading.business.next_midnight(now);
    let until = held.as_ref().map_or(midnight, |hold| hold.until);
    let mut until = until.min(midnight);
    let mut closed = None;
    if limited && reading.is_limited(client).await? {
        // A session that begins makes room.
        let coming = store::booking::upcoming(&mut reading.tx, client, now).await?;
        let starts = coming.iter().map(|booking| booking.starts_at);
        until = starts
            .filter(|start| *start > now)
            .fold(until, Timestamp::min);
        let named = reading.named(client).await?;
        closed = Some(reading.grid(staff, week, &named).await?);
    }
    let view = views::booking::calendar::Own {
        times: &own,
        held: held.map(|hold| hold.start),
        closed: closed.as_deref(),
    };
    let whole = views::booking::calendar::own(&reading.business, staff, &view);
    Ok((whole, until))
}

async fn sessions(
    reading: &mut Reading,
    client: ClientId,
    for_staff: bool,
) -> Result<(Whole, Timestamp), Error> {
    let now = reading.now;
    let coming = store::booking::upcoming(&mut reading.tx, client, now).await?;
    let (past, past_count) = store::booking::history(&mut reading.tx, client, now, PAST).await?;
    let until = next_turn(&reading.business, &coming, now);
    let view = Sessions {
        client,
        coming,
        past,
        past_count,
        for_staff,
    };
    Ok((
        views::booking::sessions::sessions(&reading.business, &view, now),
        until,
    ))
}

/// When the clock alone next changes what is said of coming sessions: a window for changes closes, one begins or ends,
/// a day begins.
fn next_turn(business: &Business, coming: &[Booking], now: Timestamp) -> Timestamp {
    let turns = coming.iter().flat_map(|booking| {
        // One millisecond later: until the last instant of its window a session may still be moved.
        let closes = booking.move_until(&business.rules) + Span::new().milliseconds(1);
        [closes, booking.starts_at, booking.ends_at()]
    });
    turns
        .filter(|turn| *turn > now)
        .fold(business.next_midnight(now), Timestamp::min)
}

async fn agenda(reading: &mut Reading) -> Result<(Whole, Timestamp), Error> {
    let everyone = reading.everyone().await?;
    let (business, now) = (&reading.business, reading.now);
    let first = business.today(now);
    let end = business.starts(first.saturating_add(Span::new().days(7)));
    let bookings = store::booking::agenda(&mut reading.tx, business.starts(first), end).await?;
    let days = views::agenda::Days {
        first,
        today: first,
        staff: &everyone,
        bookings: &bookings,
        free: None,
    };
    Ok((
        views::agenda::days(views::agenda::AGENDA, business, &days),
        business.next_midnight(now),
    ))
}

async fn timetable(
    reading: &mut Reading,
    one: Option<StaffId>,
    week: Week,
) -> Result<(Whole, Timestamp), Error> {
    let everyone = reading.everyone().await?;
    let (from, to) = reading.span(week);
    let mut bookings = store::booking::agenda(&mut reading.tx, from, to).await?;
    let mut until = reading.business.next_midnight(reading.now);
    let grid = match one {
        Some(one) => {
            bookings.retain(|booking| booking.staff == one);
            // Staff book without notice: what they see as free is what they may take.
            let mut services = reading.services().await?.to_vec();
            for service in &mut services {
                service.notice = 0;
            }
            let grid = reading.grid_for(one, week, &services).await?;
            until = until.min(grid.valid_until);
            Some((one, grid))
        }
        None => None,
    };
    let business = &reading.business;
    let days = views::agenda::Days {
        first: week.first(),
        today: business.today(reading.now),
        staff: &everyone,
        bookings: &bookings,
        free: grid.as_ref().map(|(one, grid)| (*one, grid)),
    };
    Ok((
        views::agenda::days(views::agenda::TIMETABLE, business, &days),
        until,
    ))
}

async fn numbers(reading: &mut Reading) -> Result<(Whole, Timestamp), Error> {
    let now = reading.now;
    let today = reading.business.today(now);
    let (from, tomorrow, to) = {
        let day = |n: i32| {
            let day = today.saturating_add(Span::new().days(n));
            reading.business.starts(day)
        };
        (day(0), day(1), day(7))
    };
    let bookings = store::booking::agenda(&mut reading.tx, from, to).await?;
    let of_today = || {
        bookings
            .iter()
            .filter(|booking| booking.starts_at < tomorrow)
    };
    let next_at = of_today()
        .map(|booking| booking.starts_at)
        .find(|start| *start > now);
    let since = quiet_since(reading);
    let (clients, quiet) = client::counts(&mut reading.tx, since).await?;
    let (waiting, waiting_since) = thread::waiting(&mut reading.tx).await?;
    let sums = invoice::sums(&mut reading.tx, today).await?;
    let sum = |filter: Filter| {
        let found = sums.iter().find(|(of, _)| *of == filter);
        found.map_or_else(Sum::default, |(_, sum)| *sum)
    };
    let until = next_at.unwrap_or(tomorrow).min(tomorrow);
    let count = |n: i64| usize::try_from(n).unwrap_or(0);
    let numbers = Numbers {
        today: of_today().count(),
        next_at,
        week: bookings.len(),
        open: sum(Filter::Open),
        overdue: sum(Filter::Overdue),
        waiting: count(waiting),
        waiting_since,
        clients: count(clients),
        quiet: count(quiet),
    };
    let whole = views::today::numbers(&reading.business, &numbers, now);
    Ok((whole, until))
}
