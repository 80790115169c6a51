//! How each region is read from one snapshot, and until when that reading holds.

use super::{Region, Source};
use crate::domain::booking::Booking;
use crate::domain::business::Business;
use crate::domain::grid::{Grid, grid};
use crate::domain::id::{ClientId, StaffId};
use crate::domain::week::Week;
use crate::realtime::{Loaded, Region as _, Whole};
use crate::store::{self, Error, Tx, activity, client, outbox, service, staff, topic};
use crate::views;
use crate::views::booking::sessions::Sessions;
use crate::views::today::Numbers;
use jiff::{Span, Timestamp};

/// Past sessions that a page lists.
const PAST: i64 = 20;
/// Lines of activity on staff's first page.
const LINES: i64 = 12;
/// Mails that the outbox lists.
const MAILS: i64 = 50;
/// Days without a session after which a client has gone quiet.
const QUIET_DAYS: i32 = 45;

impl Region {
    /// Reads and renders it. The topics come first: whatever is read after them is at least as new.
    pub(super) async fn read(
        &self,
        tx: &mut Tx,
        source: &Source,
        business: &Business,
    ) -> Result<Loaded, Error> {
        let version = topic::version(tx, &self.topics()).await?;
        let now = source.clock.now();
        let midnight = business.next_midnight(now);
        let (whole, valid_until) = match self {
            Self::Slots { staff, week } => {
                let grid = read_grid(tx, business, *staff, *week, now).await?;
                let whole =
                    views::booking::calendar::week(business, *staff, &grid, business.today(now));
                (whole, grid.valid_until)
            }
            Self::OwnSlots {
                client,
                staff,
                week,
            } => {
                let (from, to) = span(business, *week);
                let own = store::booking::own_times(tx, *client, *staff, from, to).await?;
                (
                    views::booking::calendar::own(business, *staff, &own),
                    midnight,
                )
            }
            Self::Next { client } => {
                let coming = store::booking::upcoming(tx, *client, now).await?;
                let until = next_turn(business, &coming, now);
                (views::home::next(business, &coming, now), until)
            }
            Self::Sessions { client, for_staff } => {
                sessions(tx, business, *client, *for_staff, now).await?
            }
            Self::Numbers { .. } => numbers(tx, business, now).await?,
            Self::Agenda { .. } => {
                let everyone = staff::list(tx).await?;
                let first = business.today(now);
                let end = business.starts(first.saturating_add(Span::new().days(7)));
                let bookings = store::booking::agenda(tx, business.starts(first), end).await?;
                let days = views::agenda::Days {
                    first,
                    today: first,
                    staff: &everyone,
                    bookings: &bookings,
                    free: None,
                };
                (
                    views::agenda::days(views::agenda::AGENDA, business, &days),
                    midnight,
                )
            }
            Self::Timetable { staff, week, .. } => {
                timetable(tx, business, *staff, *week, now).await?
            }
            Self::Activity { .. } => (
                views::activity::list(business, &activity::list(tx, LINES).await?, now),
                midnight,
            ),
            Self::Clients { .. } => {
                let clients = client::list(tx, now).await?;
                let next = clients.iter().filter_map(|client| client.next_at).min();
                let until = next.map_or(midnight, |next| next.min(midnight));
                (views::client::list(business, &clients, now), until)
            }
            Self::Outbox => {
                let mails = outbox::list(tx, MAILS).await?;
                (
                    views::outbox::list(business, &source.base_url, &mails, now),
                    midnight,
                )
            }
        };
        Ok(Loaded {
            version,
            whole,
            valid_until: Some(valid_until),
        })
    }
}

/// The instants between which a week's sessions start.
fn span(business: &Business, week: Week) -> (Timestamp, Timestamp) {
    (
        business.starts(week.first()),
        business.starts(week.plus(1).first()),
    )
}

/// A week's starts as clients see them.
pub(crate) async fn read_grid(
    tx: &mut Tx,
    business: &Business,
    staff: StaffId,
    week: Week,
    now: Timestamp,
) -> Result<Grid, Error> {
    let hours = staff::hours(tx, staff, week.first()).await?;
    let (from, to) = span(business, week);
    let busy = store::booking::busy(tx, staff, from, to, None).await?;
    let services = service::list(tx).await?;
    Ok(grid(business, &hours, &busy, &services, week, now))
}

async fn sessions(
    tx: &mut Tx,
    business: &Business,
    client: ClientId,
    for_staff: bool,
    now: Timestamp,
) -> Result<(Whole, Timestamp), Error> {
    let coming = store::booking::upcoming(tx, client, now).await?;
    let (past, past_count) = store::booking::history(tx, client, now, PAST).await?;
    let until = next_turn(business, &coming, now);
    let view = Sessions {
        coming,
        past,
        past_count,
        for_staff,
    };
    Ok((
        views::booking::sessions::sessions(business, &view, now),
        until,
    ))
}

/// When the clock alone next changes what is said of coming sessions: a window for changes closes, one begins or ends,
/// a day begins.
fn next_turn(business: &Business, coming: &[Booking], now: Timestamp) -> Timestamp {
    let turns = coming.iter().flat_map(|booking| {
        // One millisecond later: until the last instant of its window a session may still be moved.
        let closes = booking.change_until(business) + Span::new().milliseconds(1);
        [closes, booking.starts_at, booking.ends_at()]
    });
    turns
        .filter(|turn| *turn > now)
        .fold(business.next_midnight(now), Timestamp::min)
}

async fn timetable(
    tx: &mut Tx,
    business: &Business,
    one: Option<StaffId>,
    week: Week,
    now: Timestamp,
) -> Result<(Whole, Timestamp), Error> {
    let everyone = staff::list(tx).await?;
    let (from, to) = span(business, week);
    let mut bookings = store::booking::agenda(tx, from, to).await?;
    let mut until = business.next_midnight(now);
    let grid = match one {
        Some(one) => {
            bookings.retain(|booking| booking.staff == one);
            // Staff book without notice: what they see as free is what they may take.
            let mut services = service::list(tx).await?;
            for service in &mut services {
                service.notice = 0;
            }
            let hours = staff::hours(tx, one, week.first()).await?;
            let busy = store::booking::busy(tx, one, from, to, None).await?;
            let grid = grid(business, &hours, &busy, &services, week, now);
            until = until.min(grid.valid_until);
            Some((one, grid))
        }
        None => None,
    };
    let days = views::agenda::Days {
        first: week.first(),
        today: business.today(now),
        staff: &everyone,
        bookings: &bookings,
        free: grid.as_ref().map(|(one, grid)| (*one, grid)),
    };
    Ok((
        views::agenda::days(views::agenda::TIMETABLE, business, &days),
        until,
    ))
}

async fn numbers(
    tx: &mut Tx,
    business: &Business,
    now: Timestamp,
) -> Result<(Whole, Timestamp), Error> {
    let today = business.today(now);
    let day = |n: i32| business.starts(today.saturating_add(Span::new().days(n)));
    let bookings = store::booking::agenda(tx, day(0), day(7)).await?;
    let of_today = || bookings.iter().filter(|booking| booking.starts_at < day(1));
    let next_at = of_today()
        .map(|booking| booking.starts_at)
        .find(|start| *start > now);
    let (cancelled, late) = activity::cancelled_since(tx, day(-6)).await?;
    let (clients, quiet) = client::counts(tx, day(-QUIET_DAYS)).await?;
    let mut until = next_at.unwrap_or(day(1)).min(day(1));
    let mut free = 0;
    for one in staff::list(tx).await? {
        for week in [Week::of(today), Week::of(today).plus(1)] {
            let grid = read_grid(tx, business, one.id, week, now).await?;
            until = until.min(grid.valid_until);
            let cells = grid.days.iter().flat_map(|day| &day.cells);
            free += cells
                .filter(|cell| cell.free && cell.start < day(7))
                .count();
        }
    }
    let count = |n: i64| usize::try_from(n).unwrap_or(0);
    let numbers = Numbers {
        today: of_today().count(),
        next_at,
        week: bookings.len(),
        free,
        cancelled: count(cancelled),
        late: count(late),
        clients: count(clients),
        quiet: count(quiet),
    };
    Ok((views::today::numbers(business, &numbers), until))
}
