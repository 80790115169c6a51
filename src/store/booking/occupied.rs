//! The time that bookings and holds take from their staff, as rows under one key: what the database itself refuses to give
//! twice.

use crate::domain::booking::{Occupancy, Refusal};
use crate::domain::id::{BookingId, HoldId, StaffId};
use crate::domain::slot::Busy;
use crate::fault;
use crate::store::{Error, Tx};

/// What takes time.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Taker {
    Booking(BookingId),
    Hold(HoldId),
}

/// Takes a booking's or a hold's quanta in ascending order, so that two who want the same ones cannot deadlock. Fewer rows than asked
/// for is a lost race; the error rolls everything back.
pub(in crate::store) async fn take(
    tx: &mut Tx,
    taker: Taker,
    staff: StaffId,
    busy: &Busy,
) -> Result<(), Error> {
    if fault::is_off("occupancy") {
        return Ok(());
    }
    let wanted = Occupancy::of(busy);
    let (booking, hold) = match taker {
        Taker::Booking(id) => (Some(id.0), None),
        Taker::Hold(id) => (None, Some(id.0)),
    };
    let written = tx
        .q("WITH RECURSIVE quanta (n) AS (
                SELECT CAST($3 AS BIGINT) UNION ALL SELECT n + 1 FROM quanta WHERE n + 1 < $6
            ), sides (side) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT CAST(1 AS BIGINT))
            INSERT INTO occupied (staff_id, quantum, side, booking_id, hold_id)
            SELECT $1, n, side, $2, $7 FROM quanta CROSS JOIN sides
            WHERE (side = 0 AND n >= $4) OR (side = 1 AND n < $5)
            ORDER BY n, side ON CONFLICT DO NOTHING")
        .bind(staff.0)
        .bind(booking)
        .bind(wanted.before)
        .bind(wanted.start)
        .bind(wanted.end)
        .bind(wanted.after)
        .bind(hold)
        .run()
        .await?;
    if i64::try_from(written) == Ok(wanted.rows()) {
        Ok(())
    } else {
        Err(Refusal::Taken.into())
    }
}

/// Gives all of a booking's time back. A hold's goes with its row.
pub(in crate::store) async fn free(tx: &mut Tx, id: BookingId) -> Result<(), Error> {
    tx.q("DELETE FROM occupied WHERE booking_id = $1")
        .bind(id.0)
        .run()
        .await?;
    Ok(())
}
