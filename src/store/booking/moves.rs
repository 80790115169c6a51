//! Where a booking stood before each of its moves. It is one booking throughout, and nothing of this is ever changed.

use super::super::{Error, Tx, at};
use crate::domain::booking::{Booking, Moved};
use crate::domain::id::{BookingId, PersonId};
use crate::domain::viewer::StaffViewer;
use jiff::Timestamp;

/// The moves of a booking, the first one first. For staff.
pub async fn moves(tx: &mut Tx, _viewer: &StaffViewer, id: BookingId) -> Result<Vec<Moved>, Error> {
    let rows: Vec<(String, i64, String, i64, String, i64)> = tx
        .q("SELECT was.name, booking_moves.from_at, becomes.name, booking_moves.to_at, doer.name, booking_moves.at
            FROM booking_moves JOIN people AS doer ON doer.id = booking_moves.actor_id
            JOIN staff AS from_staff ON from_staff.id = booking_moves.from_staff_id
            JOIN people AS was ON was.id = from_staff.person_id
            JOIN staff AS to_staff ON to_staff.id = booking_moves.to_staff_id
            JOIN people AS becomes ON becomes.id = to_staff.person_id
            WHERE booking_moves.booking_id = $1 ORDER BY booking_moves.version")
        .bind(id.0)
        .all()
        .await?;
    let moved = |(was, from_at, becomes, to_at, by, moved_at)| Moved {
        from: (was, at(from_at)),
        to: (becomes, at(to_at)),
        by,
        at: at(moved_at),
    };
    Ok(rows.into_iter().map(moved).collect())
}

/// Notes that `from` has become `to`.
pub(super) async fn note(
    tx: &mut Tx,
    from: &Booking,
    to: &Booking,
    actor: PersonId,
    now: Timestamp,
) -> Result<(), Error> {
    tx.q("INSERT INTO booking_moves (booking_id, version, from_staff_id, from_at, to_staff_id, to_at, actor_id, at)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(to.id.0)
        .bind(to.version)
        .bind(from.staff.0)
        .bind(from.starts_at.as_millisecond())
        .bind(to.staff.0)
        .bind(to.starts_at.as_millisecond())
        .bind(actor.0)
        .bind(now.as_millisecond())
        .run()
        .await?;
    Ok(())
}
