//! Offering what became free. An offer is a hold for the first in line who can book the time. Nothing is remembered of what
//! became free: what is free and who waits is asked of the database each time, so that no offer is lost with an instance.

use super::{close, list, moved};
use crate::domain::booking::{Booking, QUANTUM, objections};
use crate::domain::business::Business;
use crate::domain::email;
use crate::domain::hold::{Kept, check, with};
use crate::domain::id::{ClientId, HoldId, PersonId, StaffId, WaitId};
use crate::domain::notification::{About, Kind};
use crate::domain::service::Service;
use crate::domain::slot::{Busy, Calendar, Hours};
use crate::domain::topic::Topic;
use crate::domain::viewer::{ClientViewer, Viewer};
use crate::domain::wait::{Wait, Wish, offer};
use crate::store::booking::occupied::{self, Taker};
use crate::store::notification::{NewNotification, tell_client};
use crate::store::outbox::{self, NewEmail};
use crate::store::{Error, Tx, booking, business, hold, service, staff};
use jiff::Timestamp;
use jiff::civil::Date;

/// Someone's time over some days, and everything that the one rule asks for.
struct Around {
    business: Business,
    hours: Hours,
    busy: Vec<Busy>,
    holds: Vec<Kept>,
    now: Timestamp,
}

impl Around {
    async fn read(tx: &mut Tx, staff: StaffId, to: Date, now: Timestamp) -> Result<Self, Error> {
        let business = business::load(tx).await?;
        let hours = staff::hours(tx, staff, business.today(now)).await?;
        let end = business.starts(to.tomorrow().unwrap_or(to)).max(now);
        Ok(Self {
            busy: booking::busy(tx, staff, now, end, None).await?,
            holds: hold::list(tx, staff, now, end, None, None, now).await?,
            business,
            hours,
            now,
        })
    }

    /// Every start that suits and that can be booked, by the rule that also draws the grid.
    fn starts(&self, service: &Service, wish: &Wish, staff: StaffId) -> Vec<Timestamp> {
        if !service.is_offered_by(staff) || wish.staff.is_some_and(|wanted| wanted != staff) {
            return Vec::new();
        }
        let calendar = Calendar {
            zone: &self.business.zone,
            hours: &self.hours,
            busy: &self.busy,
            now: Some(self.now),
        };
        let held = Calendar {
            busy: &with(&self.busy, &self.holds),
            ..calendar.clone()
        };
        let from = wish.from.max(self.business.today(self.now));
        let mut starts = held.slots(&service.terms(), from, wish.to);
        starts.retain(|start| {
            wish.suits(&self.business, staff, *start)
                && check(&self.business, &calendar, &self.holds, service, *start).is_ok()
        });
        starts
    }
}

/// The first start that a client could book instead of waiting for it.
pub(super) async fn free(
    tx: &mut Tx,
    viewer: &ClientViewer,
    wish: &Wish,
    staff: StaffId,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let service = service::find(tx, wish.service).await?;
    let service = service.asked_by(&Viewer::Client(viewer.clone()));
    let around = Around::read(tx, staff, wish.to, now).await?;
    let starts = around.starts(&service, wish, staff);
    unhindered(tx, viewer.client, &service, &starts, now).await
}

/// The first of `starts` at which a client has no session of their own.
async fn unhindered(
    tx: &mut Tx,
    client: ClientId,
    service: &Service,
    starts: &[Timestamp],
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    if starts.is_empty() {
        return Ok(None);
    }
    let own = booking::upcoming(tx, client, now).await?;
    let is_apart = |start: &&Timestamp| {
        let end = service.busy(**start).end;
        own.iter()
            .all(|own| own.ends_at() <= **start || end <= own.starts_at)
    };
    Ok(starts.iter().find(is_apart).copied())
}

/// The first in line with a time of this member of staff that they can book, and what to keep for them.
async fn first(
    tx: &mut Tx,
    staff: StaffId,
    now: Timestamp,
) -> Result<Option<(Wait, Service, Kept)>, Error> {
    let today = business::load(tx).await?.today(now);
    let mut waits = list(tx, None, today, now).await?;
    waits.retain(|wait| {
        wait.offer.is_none() && wait.wish.staff.is_none_or(|wanted| wanted == staff)
    });
    let Some(last) = waits.iter().map(|wait| wait.wish.to).max() else {
        return Ok(None);
    };
    let around = Around::read(tx, staff, last, now).await?;
    let services = service::list(tx).await?;
    for wait in waits {
        let Some(service) = services.iter().find(|one| one.id == wait.wish.service) else {
            continue;
        };
        let mut starts = around.starts(service, &wait.wish, staff);
        if starts.is_empty() {
            continue;
        }
        let open_count = booking::open_count(tx, wait.client, now).await?;
        let rules = &around.business.rules;
        if !objections(rules, service, staff, wait.client, open_count).is_empty() {
            continue;
        }
        let passed: Vec<(i64,)> = tx
            .q(
                "SELECT offered.starts_at FROM offered JOIN waits ON waits.id = offered.wait_id
                WHERE waits.client_id = $1 AND offered.staff_id = $2",
            )
            .bind(wait.client.0)
            .bind(staff.0)
            .all()
            .await?;
        starts.retain(|start| !passed.contains(&(start.as_millisecond(),)));
        let start = unhindered(tx, wait.client, service, &starts, now).await?;
        let kept = start.and_then(|start| offer(&around.business, service, start, now));
        if let Some(kept) = kept {
            return Ok(Some((wait, service.clone(), kept)));
        }
    }
    Ok(None)
}

/// Whether there is something to offer of this member of staff's time. Asked before [`next`], which locks it.
pub async fn is_due(tx: &mut Tx, staff: StaffId, now: Timestamp) -> Result<bool, Error> {
    Ok(first(tx, staff, now).await?.is_some())
}

/// Offers one time of a member of staff to the first in line, and tells whether there was one to offer.
pub async fn next(tx: &mut Tx, staff: StaffId, now: Timestamp) -> Result<bool, Error> {
    // Against everyone who books or offers there: who is first is decided by one at a time.
    staff::lock(tx, staff).await?;
    staff::find(tx, staff).await?;
    hold::expire(tx, staff, now).await?;
    let Some((wait, service, kept)) = first(tx, staff, now).await? else {
        return Ok(false);
    };
    let start = kept.busy.start;
    // Locks the entry: another's time may be offered for it just now, or it may be withdrawn.
    let version: Option<(i64,)> = tx
        .q("UPDATE waits SET version = version + 1 WHERE id = $1 AND status = 'open'
              AND NOT EXISTS (SELECT 1 FROM holds WHERE holds.wait_id = waits.id AND expires_at > $2)
            RETURNING version")
        .bind(wait.id.0)
        .bind(now.as_millisecond())
        .opt()
        .await?;
    let Some((version,)) = version else {
        return Ok(true);
    };
    tx.q("DELETE FROM holds WHERE wait_id = $1")
        .bind(wait.id.0)
        .run()
        .await?;
    let (person,): (uuid::Uuid,) = tx
        .q("SELECT person_id FROM clients WHERE id = $1")
        .bind(wait.client.0)
        .one()
        .await?;
    let id = HoldId::new();
    tx.q("INSERT INTO holds (id, person_id, staff_id, starts_at, minutes, before_minutes, after_minutes,
                             expires_at, key, wait_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9)")
        .bind(id.0)
        .bind(person)
        .bind(staff.0)
        .bind(start.as_millisecond())
        .bind(service.minutes)
        .bind(service.before)
        .bind(service.after)
        .bind(kept.until.as_millisecond())
        .bind(wait.id.0)
        .run()
        .await?;
    occupied::take(tx, Taker::Hold(id), staff, &kept.busy).await?;
    tx.q("INSERT INTO offered (wait_id, staff_id, starts_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(wait.id.0)
        .bind(staff.0)
        .bind(start.as_millisecond())
        .run()
        .await?;
    tell(tx, &wait, person.into(), start, version, now).await?;
    tx.touch(Topic::Calendar(staff));
    moved(tx, wait.client);
    Ok(true)
}

async fn tell(
    tx: &mut Tx,
    wait: &Wait,
    person: PersonId,
    start: Timestamp,
    version: i64,
    now: Timestamp,
) -> Result<(), Error> {
    let mail = NewEmail {
        subject: format!("wait/{}", wait.id),
        version,
        kind: email::Kind::Offer,
        person,
        booking: None,
        wait: Some(wait.id),
        token: None,
        now,
    };
    outbox::add(tx, &mail).await?;
    let notice = NewNotification {
        kind: Kind::Offered,
        about: About::Wait(wait.id),
        version,
        client: wait.client,
        starts_at: Some(start),
        amount: None,
        now,
    };
    tell_client(tx, &notice, None).await
}

/// An offer that its client does not want.
#[derive(Debug, Clone)]
pub struct Decline {
    pub viewer: ClientViewer,
    pub hold: HoldId,
}

/// Lets an offer go: the next in line gets it. The client goes on waiting for another time.
pub async fn decline(tx: &mut Tx, decline: &Decline) -> Result<(), Error> {
    let (wait,): (uuid::Uuid,) = tx
        .q("SELECT wait_id FROM holds WHERE id = $1 AND person_id = $2 AND wait_id IS NOT NULL")
        .bind(decline.hold.0)
        .bind(decline.viewer.person.0)
        .one()
        .await?;
    let_go(tx, wait.into()).await?;
    moved(tx, decline.viewer.client);
    Ok(())
}

/// Ends what is offered for an entry.
pub(super) async fn let_go(tx: &mut Tx, wait: WaitId) -> Result<(), Error> {
    let freed: Vec<(uuid::Uuid,)> = tx
        .q("DELETE FROM holds WHERE wait_id = $1 RETURNING staff_id")
        .bind(wait.0)
        .all()
        .await?;
    for (staff,) in freed {
        tx.touch(Topic::Calendar(staff.into()));
        // The mail says until when an offer stands.
        tx.touch(Topic::Outbox);
    }
    Ok(())
}

/// After a booking: whoever has what they waited for waits no longer, and once a time was somebody's, those who let it go are
/// asked again when it is free again.
pub(in crate::store) async fn met(
    tx: &mut Tx,
    booking: &Booking,
    now: Timestamp,
) -> Result<(), Error> {
    let business = business::load(tx).await?;
    let own = list(tx, Some(booking.client), business.today(now), now).await?;
    for wait in own {
        if wait.wish.is_met_by(&business, booking) {
            close(tx, wait.id, wait.client, "booked").await?;
        }
    }
    let from = booking.starts_at.as_millisecond();
    tx.q("DELETE FROM offered WHERE staff_id = $1 AND starts_at >= $2 AND starts_at < $3")
        .bind(booking.staff.0)
        .bind(from)
        .bind(from + booking.minutes.max(QUANTUM) * 60_000)
        .run()
        .await?;
    Ok(())
}
