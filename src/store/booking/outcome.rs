//! What came of sessions: said by staff, or by the clock where the business has it so.

use super::{find, occupied};
use crate::domain::activity::Kind;
use crate::domain::booking::Refusal;
use crate::domain::id::{BookingId, ClientId, StaffId};
use crate::domain::outcome::Outcome;
use crate::domain::topic::Topic;
use crate::domain::viewer::{StaffViewer, Viewer};
use crate::store::activity::NewActivity;
use crate::store::{Error, Tx, activity, business};
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
    let fee = match settle.outcome {
        Outcome::CancelledLate => business::load(tx).await?.rules.late_fee,
        _ => 0,
    };
    let done = tx
        .q(
            "UPDATE bookings SET status = $3, late = $4, late_fee = $5, version = version + 1
            WHERE id = $1 AND version = $2 AND status <> 'cancelled'",
        )
        .bind(from.id.0)
        .bind(settle.version)
        .bind(status.as_str())
        .bind(late)
        .bind(fee)
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
        amount: (fee > 0).then_some(fee),
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
    if !business::load(tx).await?.rules.completes {
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
