//! What came of sessions: said by staff, or by the clock where the business has it so; and looking back at them.

use super::{Row, find, occupied, select};
use crate::domain::activity::Kind;
use crate::domain::booking::{Booking, Refusal, Status};
use crate::domain::id::{BookingId, ClientId, StaffId};
use crate::domain::outcome::{Back, Filter, Outcome};
use crate::domain::topic::Topic;
use crate::domain::viewer::{StaffViewer, Viewer};
use crate::store::activity::NewActivity;
use crate::store::{Error, Tx, activity, business, scope};
use jiff::Timestamp;

/// What came of a session.
#[derive(Debug, Clone)]
pub struct Settle {
    pub by: StaffViewer,
    pub booking: BookingId,
    /// The version that the person saw.
    pub version: i64,
    pub outcome: Outcome,
    pub now: Timestamp,
}

/// Says what came of a session that has begun. Saying so again is no change and no error; something else sets it right.
pub async fn settle(tx: &mut Tx, settle: &Settle) -> Result<(), Error> {
    let viewer = Viewer::Staff(settle.by.clone());
    let from = find(tx, &viewer, settle.booking).await?;
    if Outcome::of(&from) == Some(settle.outcome) && from.version == settle.version + 1 {
        return Ok(());
    }
    if from.version != settle.version {
        return Err(Refusal::Stale.into());
    }
    from.may_settle(settle.now)?;
    if Outcome::of(&from) == Some(settle.outcome) {
        return Ok(());
    }
    let (status, late) = settle.outcome.status();
    let done = tx
        .q(
            "UPDATE bookings SET status = $3, late = $4, version = version + 1
            WHERE id = $1 AND version = $2 AND status <> 'cancelled'",
        )
        .bind(from.id.0)
        .bind(settle.version)
        .bind(status.as_str())
        .bind(late)
        .run()
        .await?;
    if done == 0 {
        return Err(Refusal::Stale.into());
    }
    let kind = match settle.outcome {
        Outcome::Completed => Kind::Completed,
        Outcome::NoShow => Kind::Missed,
        Outcome::CancelledLate => {
            occupied::free(tx, from.id).await?;
            Kind::CancelledLate
        }
    };
    let fact = NewActivity {
        staff: Some(from.staff),
        booking: Some(from.id),
        starts_at: Some(from.starts_at),
        ..NewActivity::of(kind, Some(settle.by.person), from.client, settle.now)
    };
    activity::add(tx, &fact).await?;
    tx.touch(Topic::Calendar(from.staff));
    tx.touch(Topic::Client(from.client));
    Ok(())
}

/// Where the business has it so, every session that is over and of which nobody said anything was completed. Some hundreds
/// at a time: how many that were.
pub async fn complete_ended(tx: &mut Tx, now: Timestamp) -> Result<usize, Error> {
    if !business::load(tx).await?.completes {
        return Ok(0);
    }
    let done: Vec<(uuid::Uuid, uuid::Uuid)> = tx
        .q(
            "UPDATE bookings SET status = 'completed', version = version + 1
            WHERE status = 'confirmed' AND id IN (
                SELECT id FROM bookings WHERE status = 'confirmed' AND starts_at <= $1
                AND starts_at + minutes * 60000 <= $1 ORDER BY starts_at LIMIT 200)
            RETURNING staff_id, client_id",
        )
        .bind(now.as_millisecond())
        .all()
        .await?;
    for (staff, client) in &done {
        tx.touch(Topic::Calendar(StaffId(*staff)));
        tx.touch(Topic::Client(ClientId(*client)));
    }
    Ok(done.len())
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
