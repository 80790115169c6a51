//! Holds: keeping a time for whoever is about to book it, and giving it back. What is over keeps nobody out, whether or not
//! its row is still there.

use super::booking::occupied::{self, Taker};
use super::{Error, Tx, at, booking, business, service, staff};
use crate::domain::booking::{Refusal, plus};
use crate::domain::hold::{Hold, Kept, check, keep};
use crate::domain::id::{ClientId, HoldId, PersonId, StaffId};
use crate::domain::slot::{Busy, Calendar};
use crate::domain::topic::Topic;
use crate::domain::viewer::Viewer;
use jiff::Timestamp;

/// A time to be kept.
#[derive(Debug, Clone)]
pub struct Take {
    pub viewer: Viewer,
    pub staff: StaffId,
    pub start: Timestamp,
    /// The form's key: sent twice, it holds once, and no longer.
    pub key: String,
    pub now: Timestamp,
}

/// Keeps a time for the viewer, for each session that fits there. What they held before is given up.
pub async fn take(tx: &mut Tx, take: &Take) -> Result<Hold, Error> {
    let person = take.viewer.person().ok_or(Error::NotFound)?;
    // Locks the person: two forms sent at once would both find nothing to give up, and one would fail on the other.
    tx.q("UPDATE people SET disabled = disabled WHERE id = $1")
        .bind(person.0)
        .run()
        .await?;
    if let Some((own, key)) = own(tx, person, take.now).await?
        && (own.staff, own.start, &key) == (take.staff, take.start, &take.key)
    {
        return Ok(own);
    }
    staff::rely_on(tx, take.staff).await?;
    end(tx, &take.viewer).await?;
    expire(tx, take.staff, take.now).await?;
    let kept = room(tx, take).await?;
    let hold = Hold {
        id: HoldId::new(),
        staff: take.staff,
        start: take.start,
        until: kept.until,
    };
    tx.q("INSERT INTO holds (id, person_id, staff_id, starts_at, minutes, before_minutes, after_minutes,
                             expires_at, key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(hold.id.0)
        .bind(person.0)
        .bind(hold.staff.0)
        .bind(hold.start.as_millisecond())
        .bind(kept.busy.end.duration_since(hold.start).as_mins())
        .bind(kept.busy.before)
        .bind(kept.busy.after)
        .bind(hold.until.as_millisecond())
        .bind(take.key.clone())
        .run()
        .await?;
    occupied::take(tx, Taker::Hold(hold.id), hold.staff, &kept.busy).await?;
    moved(tx, &take.viewer, hold.staff);
    Ok(hold)
}

/// What there is to keep at that time, by the rule that also draws the grid.
async fn room(tx: &mut Tx, take: &Take) -> Result<Kept, Error> {
    // Whoever was disabled meanwhile is not there to be booked.
    staff::find(tx, take.staff).await?;
    let business = business::load(tx).await?;
    let hours = staff::hours(tx, take.staff, business.today(take.start)).await?;
    let end = take
        .start
        .saturating_add(booking::DAY)
        .unwrap_or(take.start);
    let busy = booking::busy(tx, take.staff, take.start, end, None).await?;
    let holds = list(tx, take.staff, take.start, end, None, None, take.now).await?;
    let calendar = Calendar {
        zone: &business.zone,
        hours: &hours,
        busy: &busy,
        now: Some(take.now),
    };
    let mut offered = service::list(tx).await?;
    offered.retain(|service| service.is_offered_by(take.staff));
    let mut fitting = Vec::new();
    let mut refused = Refusal::NotOffered;
    for service in offered.into_iter().rev() {
        let service = service.asked_by(&take.viewer);
        match check(&business, &calendar, &holds, &service, take.start) {
            Ok(()) => fitting.push(service),
            Err(refusal) => refused = refusal,
        }
    }
    Ok(keep(&fitting, take.start, take.now).ok_or(refused)?)
}

/// A hold to be given back.
#[derive(Debug, Clone)]
pub struct Release {
    pub viewer: Viewer,
    pub hold: HoldId,
}

/// Gives a hold back before its time. One whose time somebody has since taken is as unknown as somebody else's.
pub async fn release(tx: &mut Tx, release: &Release) -> Result<Hold, Error> {
    let person = release.viewer.person().ok_or(Error::NotFound)?;
    let row: Row = tx
        .q("DELETE FROM holds WHERE person_id = $1 AND id = $2
            RETURNING id, staff_id, starts_at, expires_at, key")
        .bind(person.0)
        .bind(release.hold.0)
        .one()
        .await?;
    let (freed, _) = row.into_hold();
    moved(tx, &release.viewer, freed.staff);
    Ok(freed)
}

/// Gives up what a client holds of someone's time in the way of `busy`: what staff book for them there is taken from nobody.
pub(super) async fn make_way(
    tx: &mut Tx,
    client: ClientId,
    staff: StaffId,
    busy: &Busy,
) -> Result<(), Error> {
    let freed = tx
        .q("DELETE FROM holds WHERE staff_id = $1
              AND person_id IN (SELECT person_id FROM clients WHERE id = $2)
              AND (starts_at < $4 OR starts_at - before_minutes * 60000 < $3)
              AND (starts_at + minutes * 60000 > $5 OR starts_at + (minutes + after_minutes) * 60000 > $6)")
        .bind(staff.0)
        .bind(client.0)
        .bind(busy.end.as_millisecond())
        .bind(plus(busy.end, busy.after).as_millisecond())
        .bind(plus(busy.start, -busy.before).as_millisecond())
        .bind(busy.start.as_millisecond())
        .run()
        .await?;
    if freed > 0 {
        tx.touch(Topic::Calendar(staff));
        tx.touch(Topic::Client(client));
    }
    Ok(())
}

/// Gives up whatever the viewer holds: for what they do now, or because they look elsewhere.
pub async fn end(tx: &mut Tx, viewer: &Viewer) -> Result<(), Error> {
    let person = viewer.person().ok_or(Error::NotFound)?;
    let freed: Vec<(uuid::Uuid,)> = tx
        .q("DELETE FROM holds WHERE person_id = $1 RETURNING staff_id")
        .bind(person.0)
        .all()
        .await?;
    for (staff,) in freed {
        moved(tx, viewer, staff.into());
    }
    Ok(())
}

fn moved(tx: &mut Tx, viewer: &Viewer, staff: StaffId) {
    tx.touch(Topic::Calendar(staff));
    if let Viewer::Client(me) = viewer {
        tx.touch(Topic::Client(me.client));
    }
}

/// Takes away the rows of someone's holds that are over. No page changes by it: they show none that is over.
pub(super) async fn expire(tx: &mut Tx, staff: StaffId, now: Timestamp) -> Result<(), Error> {
    tx.q("DELETE FROM holds WHERE staff_id = $1 AND expires_at <= $2")
        .bind(staff.0)
        .bind(now.as_millisecond())
        .run()
        .await?;
    Ok(())
}

/// Takes away the rows of all holds that are over. Several instances may do so at once.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    tx.q("DELETE FROM holds WHERE expires_at <= $1")
        .bind(now.as_millisecond())
        .run()
        .await?;
    Ok(())
}

/// What is held of someone's time, for everything that may touch `from..to`. Holds of `except` and of `client`, for whom it is
/// asked, block nothing.
pub async fn list(
    tx: &mut Tx,
    staff: StaffId,
    from: Timestamp,
    to: Timestamp,
    except: Option<PersonId>,
    client: Option<ClientId>,
    now: Timestamp,
) -> Result<Vec<Kept>, Error> {
    let rows: Vec<(i64, i64, i64, i64, i64)> = tx
        .q(
            "SELECT starts_at, minutes, before_minutes, after_minutes, expires_at FROM holds
            WHERE staff_id = $1 AND starts_at >= $2 AND starts_at < $3 AND expires_at > $4
              AND person_id <> $5 AND person_id NOT IN (SELECT person_id FROM clients WHERE id = $6)
            ORDER BY starts_at",
        )
        .bind(staff.0)
        .bind((from - booking::DAY).as_millisecond())
        .bind((to + booking::DAY).as_millisecond())
        .bind(now.as_millisecond())
        .bind(except.map_or(uuid::Uuid::nil(), |id| id.0))
        .bind(client.map_or(uuid::Uuid::nil(), |id| id.0))
        .all()
        .await?;
    let kept = |(start, minutes, before, after, until): (i64, i64, i64, i64, i64)| Kept {
        busy: Busy {
            start: at(start),
            end: at(start + minutes * 60_000),
            before,
            after,
        },
        until: at(until),
    };
    Ok(rows.into_iter().map(kept).collect())
}

/// What the viewer holds now.
pub async fn find(tx: &mut Tx, viewer: &Viewer, now: Timestamp) -> Result<Option<Hold>, Error> {
    let person = viewer.person().ok_or(Error::NotFound)?;
    Ok(own(tx, person, now).await?.map(|(hold, _)| hold))
}

/// What a client holds now. Read by their own regions.
pub async fn of_client(
    tx: &mut Tx,
    client: ClientId,
    now: Timestamp,
) -> Result<Option<Hold>, Error> {
    let row: Option<Row> = tx
        .q(
            "SELECT holds.id, holds.staff_id, holds.starts_at, holds.expires_at, holds.key
            FROM holds JOIN clients ON clients.person_id = holds.person_id
            WHERE clients.id = $1 AND holds.expires_at > $2",
        )
        .bind(client.0)
        .bind(now.as_millisecond())
        .opt()
        .await?;
    Ok(row.map(|row| row.into_hold().0))
}

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    staff_id: uuid::Uuid,
    starts_at: i64,
    expires_at: i64,
    key: String,
}

impl Row {
    fn into_hold(self) -> (Hold, String) {
        let hold = Hold {
            id: self.id.into(),
            staff: self.staff_id.into(),
            start: at(self.starts_at),
            until: at(self.expires_at),
        };
        (hold, self.key)
    }
}

async fn own(
    tx: &mut Tx,
    person: PersonId,
    now: Timestamp,
) -> Result<Option<(Hold, String)>, Error> {
    let row: Option<Row> = tx
        .q("SELECT id, staff_id, starts_at, expires_at, key FROM holds
            WHERE person_id = $1 AND expires_at > $2")
        .bind(person.0)
        .bind(now.as_millisecond())
        .opt()
        .await?;
    Ok(row.map(Row::into_hold))
}
