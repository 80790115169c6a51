//! What staff set aside for a reason: the rules they broke, the reason that they owe, and the room that they take from
//! buffers. Clients set nothing aside, and nobody an overlap.

use super::occupied::{self, Taker};
use crate::domain::booking::{QUANTUM, Refusal};
use crate::domain::id::{BookingId, StaffId};
use crate::domain::rule::{Reason, Rule};
use crate::domain::slot::Busy;
use crate::domain::viewer::Viewer;
use crate::store::{Error, Tx, at};

/// The rules that are broken so far.
#[derive(Debug)]
pub(super) struct Excuse<'a> {
    viewer: &'a Viewer,
    reason: Option<&'a Reason>,
    rules: Vec<Rule>,
}

impl<'a> Excuse<'a> {
    pub(super) fn new(viewer: &'a Viewer, reason: Option<&'a Reason>) -> Self {
        Self {
            viewer,
            reason,
            rules: Vec::new(),
        }
    }

    pub(super) fn is_staffs(&self) -> bool {
        matches!(self.viewer, Viewer::Staff(_))
    }

    /// Goes on past what staff may set aside; whoever else is asked, and whatever else it is, ends here.
    pub(super) fn hear(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        match refusal.rule() {
            Some(rule) if self.is_staffs() => self.add([rule]),
            _ => return Err(refusal),
        }
        Ok(())
    }

    pub(super) fn add(&mut self, rules: impl IntoIterator<Item = Rule>) {
        self.rules.extend(rules);
    }

    /// Whether that rule is among them.
    pub(super) fn sets_aside(&self, rule: Rule) -> bool {
        self.rules.contains(&rule)
    }

    /// What the activity says of it: nothing where no rule is broken.
    pub(super) fn end(self) -> Result<Option<(Vec<Rule>, Reason)>, Refusal> {
        match (self.rules.first(), self.reason) {
            (None, _) => Ok(None),
            (Some(rule), None) => Err(Refusal::NeedsReason(*rule)),
            (Some(_), Some(reason)) => Ok(Some((self.rules, reason.clone()))),
        }
    }
}

/// Cuts buffers, of `busy` and of the sessions around it, to the gaps that there are. The caller has locked the schedule.
pub(super) async fn squeeze(
    tx: &mut Tx,
    staff: StaffId,
    mut busy: Busy,
    except: Option<BookingId>,
) -> Result<Busy, Error> {
    let rows: Vec<(uuid::Uuid, i64, i64, i64, i64)> = tx
        .q(
            "SELECT id, starts_at, minutes, before_minutes, after_minutes FROM bookings
            WHERE staff_id = $1 AND starts_at >= $2 AND starts_at < $3 AND status <> 'cancelled'
              AND id <> $4 ORDER BY starts_at",
        )
        .bind(staff.0)
        .bind((busy.start - super::DAY).as_millisecond())
        .bind((busy.end + super::DAY).as_millisecond())
        .bind(except.map_or(uuid::Uuid::nil(), |id| id.0))
        .all()
        .await?;
    for (id, start, minutes, before, after) in rows {
        let was = Busy {
            start: at(start),
            end: at(start + minutes * 60_000),
            before,
            after,
        };
        let mut cut = was;
        let gap = |from: jiff::Timestamp, to: jiff::Timestamp| {
            to.duration_since(from).as_mins() / QUANTUM * QUANTUM
        };
        if was.end <= busy.start {
            cut.after = cut.after.min(gap(was.end, busy.start));
            busy.before = busy.before.min(gap(was.end, busy.start));
        } else {
            cut.before = cut.before.min(gap(busy.end, was.start).max(0));
            busy.after = busy.after.min(gap(busy.end, was.start).max(0));
        }
        if (cut.before, cut.after) == (was.before, was.after) {
            continue;
        }
        tx.q("UPDATE bookings SET before_minutes = $2, after_minutes = $3 WHERE id = $1")
            .bind(id)
            .bind(cut.before)
            .bind(cut.after)
            .run()
            .await?;
        occupied::free(tx, id.into()).await?;
        occupied::take(tx, Taker::Booking(id.into()), staff, &cut).await?;
    }
    Ok(busy)
}
