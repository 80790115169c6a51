//! Bookings: reading them as a viewer may, and the three ways to change them in the folder beside this file.

mod change;
mod excuse;
mod moves;
pub(super) mod occupied;
mod outcome;

pub use change::{Book, Cancel, Move, book, cancel, reschedule};
pub use moves::moves;
pub use outcome::{Settle, complete_ended, settle};

use super::{Error, Tx, at, scope};
use crate::domain::booking::{Booking, Status};
use crate::domain::id::{BookingId, ClientId, ServiceId, StaffId};
use crate::domain::outcome::{Back, Filter};
use crate::domain::service::Colour;
use crate::domain::slot::Busy;
use crate::domain::viewer::{StaffViewer, Viewer};
use jiff::{SignedDuration, Timestamp};

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    client_id: uuid::Uuid,
    client_name: String,
    staff_id: uuid::Uuid,
    staff_name: String,
    service_id: uuid::Uuid,
    service_name: String,
    colour: String,
    video_url: Option<String>,
    starts_at: i64,
    minutes: i64,
    status: String,
    late: bool,
    late_fee: i64,
    created_at: i64,
    version: i64,
}

impl From<Row> for Booking {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            client: row.client_id.into(),
            client_name: row.client_name,
            staff: row.staff_id.into(),
            staff_name: row.staff_name,
            service: row.service_id.into(),
            service_name: row.service_name,
            colour: Colour::parse(&row.colour).expect("colour has a CHECK"),
            video_url: row.video_url,
            starts_at: at(row.starts_at),
            minutes: row.minutes,
            status: Status::parse(&row.status).expect("status has a CHECK"),
            late: row.late,
            late_fee: row.late_fee,
            created_at: at(row.created_at),
            version: row.version,
        }
    }
}

/// The columns of a [`Row`], and the conditions that close the statement.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT bookings.id, bookings.client_id, people.name AS client_name, bookings.staff_id,
                    helper.name AS staff_name, bookings.service_id, services.name AS service_name,
                    services.colour, services.video_url, bookings.starts_at, bookings.minutes, bookings.status, bookings.late,
                    bookings.late_fee, bookings.created_at, bookings.version
             FROM bookings JOIN clients ON clients.id = bookings.client_id
             JOIN people ON people.id = clients.person_id
             JOIN staff ON staff.id = bookings.staff_id JOIN people AS helper ON helper.id = staff.person_id
             JOIN services ON services.id = bookings.service_id ",
            $tail
        )
    };
}
/// The booking, if it is the viewer's to see.
pub async fn find(tx: &mut Tx, viewer: &Viewer, id: BookingId) -> Result<Booking, Error> {
    let (own, all) = scope(viewer)?;
    let row: Row = tx
        .q(select!(
            "WHERE bookings.id = $1 AND (bookings.client_id = $2 OR $3)"
        ))
        .bind(id.0)
        .bind(own)
        .bind(all)
        .one()
        .await?;
    Ok(row.into())
}

/// What was agreed on for a booking, in minor units. For staff.
pub async fn price(tx: &mut Tx, _viewer: &StaffViewer, id: BookingId) -> Result<i64, Error> {
    let (price,): (i64,) = tx
        .q("SELECT price FROM bookings WHERE id = $1")
        .bind(id.0)
        .one()
        .await?;
    Ok(price)
}

/// A client's confirmed sessions that have not ended, the next one first.
pub async fn upcoming(
    tx: &mut Tx,
    client: ClientId,
    now: Timestamp,
) -> Result<Vec<Booking>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE bookings.client_id = $1 AND bookings.status = 'confirmed'
             AND bookings.starts_at + bookings.minutes * 60000 > $2 ORDER BY bookings.starts_at LIMIT 100"
        ))
        .bind(client.0)
        .bind(now.as_millisecond())
        .all()
        .await?;
    Ok(rows.into_iter().map(Booking::from).collect())
}

/// The confirmed sessions of a service that have not begun, by time. For whoever sets the business up.
pub(super) async fn coming_of(
    tx: &mut Tx,
    service: ServiceId,
    now: Timestamp,
) -> Result<Vec<Booking>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE bookings.service_id = $1 AND bookings.status = 'confirmed' AND bookings.starts_at > $2
             ORDER BY bookings.starts_at, bookings.id"
        ))
        .bind(service.0)
        .bind(now.as_millisecond())
        .all()
        .await?;
    Ok(rows.into_iter().map(Booking::from).collect())
}

/// The confirmed sessions with a member of staff that have not begun, by time. For whoever sets the business up.
pub(super) async fn coming_with(
    tx: &mut Tx,
    staff: StaffId,
    now: Timestamp,
) -> Result<Vec<Booking>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE bookings.staff_id = $1 AND bookings.status = 'confirmed' AND bookings.starts_at > $2
             ORDER BY bookings.starts_at, bookings.id"
        ))
        .bind(staff.0)
        .bind(now.as_millisecond())
        .all()
        .await?;
    Ok(rows.into_iter().map(Booking::from).collect())
}

/// How many sessions a client has ahead.
pub async fn open_count(tx: &mut Tx, client: ClientId, now: Timestamp) -> Result<i64, Error> {
    let (count,): (i64,) = tx
        .q("SELECT COUNT(*) FROM bookings WHERE client_id = $1 AND status = 'confirmed' AND starts_at > $2")
        .bind(client.0)
        .bind(now.as_millisecond())
        .one()
        .await?;
    Ok(count)
}

/// A client's sessions that have ended or were cancelled, the latest first, and how many there are in all.
pub async fn history(
    tx: &mut Tx,
    client: ClientId,
    now: Timestamp,
    limit: i64,
) -> Result<(Vec<Booking>, i64), Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE bookings.client_id = $1 AND (bookings.status <> 'confirmed'
             OR bookings.starts_at + bookings.minutes * 60000 <= $2)
             ORDER BY bookings.starts_at DESC, bookings.id DESC LIMIT CAST($3 AS BIGINT)"
        ))
        .bind(client.0)
        .bind(now.as_millisecond())
        .bind(limit)
        .all()
        .await?;
    let (count,): (i64,) = tx
        .q(
            "SELECT COUNT(*) FROM bookings WHERE client_id = $1 AND (status <> 'confirmed'
            OR starts_at + minutes * 60000 <= $2)",
        )
        .bind(client.0)
        .bind(now.as_millisecond())
        .one()
        .await?;
    Ok((rows.into_iter().map(Booking::from).collect(), count))
}

/// Sessions that have ended or were cancelled, the latest first: a page of them, and one more where there are more.
pub async fn back(tx: &mut Tx, viewer: &Viewer, wish: &Back) -> Result<Vec<Booking>, Error> {
    let (own, all) = scope(viewer)?;
    let client = own.or(wish.client.map(|id| id.0));
    let (start, id) = match wish.before {
        Some(id) => {
            let last = find(tx, viewer, id).await?;
            (last.starts_at.as_millisecond(), last.id.0)
        }
        None => (i64::MAX, uuid::Uuid::max()),
    };
    debug_assert!(all || client.is_some(), "a client sees their own");
    let takes = wish.filter.takes();
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE (CAST($1 AS BOOLEAN) OR bookings.client_id = $2) AND (CAST($3 AS BOOLEAN) OR bookings.staff_id = $4)
             AND (CAST($5 AS BOOLEAN) OR (bookings.status = $6 AND bookings.late = $7))
             AND (bookings.status <> 'confirmed' OR bookings.starts_at + bookings.minutes * 60000 <= $8)
             AND (bookings.starts_at < $9 OR (bookings.starts_at = $9 AND bookings.id < $10))
             ORDER BY bookings.starts_at DESC, bookings.id DESC LIMIT CAST($11 AS BIGINT)"
        ))
        .bind(client.is_none())
        .bind(client.unwrap_or_default())
        .bind(wish.staff.is_none())
        .bind(wish.staff.map(|id| id.0).unwrap_or_default())
        .bind(takes.is_none())
        .bind(takes.map_or("", |(status, _)| status.as_str()))
        .bind(takes.is_some_and(|(_, late)| late))
        .bind(wish.now.as_millisecond())
        .bind(start)
        .bind(id)
        .bind(Back::PAGE + 1)
        .all()
        .await?;
    Ok(rows.into_iter().map(Booking::from).collect())
}

/// How many sessions each filter takes in, of those that `wish` looks back at whatever its filter.
pub async fn counts(
    tx: &mut Tx,
    viewer: &Viewer,
    wish: &Back,
) -> Result<Vec<(Filter, i64)>, Error> {
    let (own, _) = scope(viewer)?;
    let client = own.or(wish.client.map(|id| id.0));
    let rows: Vec<(String, bool, i64)> = tx
        .q("SELECT status, late, COUNT(*) FROM bookings
            WHERE (CAST($1 AS BOOLEAN) OR client_id = $2) AND (CAST($3 AS BOOLEAN) OR staff_id = $4)
              AND (status <> 'confirmed' OR starts_at + minutes * 60000 <= $5)
            GROUP BY status, late")
        .bind(client.is_none())
        .bind(client.unwrap_or_default())
        .bind(wish.staff.is_none())
        .bind(wish.staff.map(|id| id.0).unwrap_or_default())
        .bind(wish.now.as_millisecond())
        .all()
        .await?;
    let count = |filter: Filter| {
        let taken = rows.iter().filter(|(status, late, _)| {
            let takes = filter.takes();
            takes.is_none_or(|taken| Some(taken) == Status::parse(status).map(|one| (one, *late)))
        });
        (filter, taken.map(|(.., count)| count).sum())
    };
    Ok(Filter::ALL.into_iter().map(count).collect())
}

/// Every session of all staff that starts in `from..to` and was not cancelled, by time. Read by regions that only staff
/// may watch.
pub async fn agenda(tx: &mut Tx, from: Timestamp, to: Timestamp) -> Result<Vec<Booking>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE bookings.starts_at >= $1 AND bookings.starts_at < $2 AND bookings.status <> 'cancelled'
             ORDER BY bookings.starts_at, bookings.id"
        ))
        .bind(from.as_millisecond())
        .bind(to.as_millisecond())
        .all()
        .await?;
    Ok(rows.into_iter().map(Booking::from).collect())
}

/// A viewer's own sessions from `since` on that were not cancelled: a client's, or those that staff give themselves.
pub async fn own(tx: &mut Tx, viewer: &Viewer, since: Timestamp) -> Result<Vec<Booking>, Error> {
    let (client, staff) = match viewer {
        Viewer::Guest => return Err(Error::NotFound),
        Viewer::Client(client) => (Some(client.client.0), None),
        Viewer::Staff(staff) => (None, Some(staff.staff.0)),
    };
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE (bookings.client_id = $1 OR bookings.staff_id = $2) AND bookings.starts_at >= $3
             AND bookings.status <> 'cancelled' ORDER BY bookings.starts_at, bookings.id LIMIT 2000"
        ))
        .bind(client)
        .bind(staff)
        .bind(since.as_millisecond())
        .all()
        .await?;
    Ok(rows.into_iter().map(Booking::from).collect())
}

/// When a member of staff is taken, for everything that may touch `from..to`. `except` is a booking about to move.
pub async fn busy(
    tx: &mut Tx,
    staff: StaffId,
    from: Timestamp,
    to: Timestamp,
    except: Option<BookingId>,
) -> Result<Vec<Busy>, Error> {
    let rows: Vec<(i64, i64, i64, i64)> = tx
        .q(
            "SELECT starts_at, minutes, before_minutes, after_minutes FROM bookings
            WHERE staff_id = $1 AND starts_at >= $2 AND starts_at < $3 AND status <> 'cancelled'
              AND id <> $4 ORDER BY starts_at",
        )
        .bind(staff.0)
        .bind((from - DAY).as_millisecond())
        .bind((to + DAY).as_millisecond())
        .bind(except.map_or(uuid::Uuid::nil(), |id| id.0))
        .all()
        .await?;
    let busy = |(start, minutes, before, after): (i64, i64, i64, i64)| Busy {
        start: at(start),
        end: at(start + minutes * 60_000),
        before,
        after,
    };
    Ok(rows.into_iter().map(busy).collect())
}

/// No session with its buffers is longer, so that one which began earlier cannot reach in.
pub(super) const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A client's own time with a member of staff in `from..to`: start and end of each session.
pub async fn own_times(
    tx: &mut Tx,
    client: ClientId,
    staff: StaffId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, Timestamp)>, Error> {
    let rows: Vec<(i64, i64)> = tx
        .q(
            "SELECT starts_at, minutes FROM bookings WHERE client_id = $1 AND staff_id = $2
            AND starts_at >= $3 AND starts_at < $4 AND status <> 'cancelled' ORDER BY starts_at",
        )
        .bind(client.0)
        .bind(staff.0)
        .bind((from - DAY).as_millisecond())
        .bind(to.as_millisecond())
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|(start, minutes)| (at(start), at(start + minutes * 60_000)))
        .collect())
}
