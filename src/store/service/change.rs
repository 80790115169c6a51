//! How the business changes what can be booked. Sessions stay as they were booked: whoever would be left with one that is no
//! longer on offer is named first, and the change is made only by whoever has seen those names.

use super::any;
use crate::domain::activity::Kind;
use crate::domain::booking::Booking;
use crate::domain::id::ServiceId;
use crate::domain::service::Service;
use crate::domain::topic::Topic;
use crate::domain::viewer::StaffViewer;
use crate::store::activity::{self, NewActivity};
use crate::store::stranded::Outcome;
use crate::store::{Error, Tx, booking, staff};
use jiff::Timestamp;

/// Adds a service at the end of the list.
pub async fn create(tx: &mut Tx, service: &Service) -> Result<(), Error> {
    tx.q("INSERT INTO services (id, name, price, minutes, step, before_minutes, after_minutes, notice_minutes,
                                horizon_weeks, video_url, colour, version, position, active)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, (SELECT COUNT(*) FROM services), TRUE)")
        .bind(service.id.0)
        .bind(service.name.clone())
        .bind(service.price)
        .bind(service.minutes)
        .bind(service.step)
        .bind(service.before)
        .bind(service.after)
        .bind(service.notice)
        .bind(service.horizon_weeks.map(i64::from))
        .bind(service.video_url.clone())
        .bind(service.colour.as_str())
        .run()
        .await?;
    name(tx, service).await?;
    tx.touch(Topic::Settings);
    Ok(())
}

/// Names who offers it, and who may book it.
async fn name(tx: &mut Tx, service: &Service) -> Result<(), Error> {
    tx.q("DELETE FROM service_staff WHERE service_id = $1")
        .bind(service.id.0)
        .run()
        .await?;
    for one in &service.staff {
        let named = tx
            .q("INSERT INTO service_staff (service_id, staff_id) SELECT $1, id FROM staff WHERE id = $2")
            .bind(service.id.0)
            .bind(one.0)
            .run()
            .await?;
        if named == 0 {
            return Err(Error::NotFound);
        }
    }
    tx.q("DELETE FROM service_clients WHERE service_id = $1")
        .bind(service.id.0)
        .run()
        .await?;
    for one in &service.clients {
        let named = tx
            .q("INSERT INTO service_clients (service_id, client_id) SELECT $1, id FROM clients WHERE id = $2")
            .bind(service.id.0)
            .bind(one.0)
            .run()
            .await?;
        if named == 0 {
            return Err(Error::NotFound);
        }
    }
    Ok(())
}

/// A service as it shall be: new where the form is the first of its id, else in place of the version that the person saw.
#[derive(Debug, Clone)]
pub struct Save {
    pub by: StaffViewer,
    pub service: Service,
    pub is_new: bool,
    /// Of the sessions that the person was shown, and agreed to leave as they are.
    pub agreed: Option<String>,
    pub now: Timestamp,
}

/// Adds or changes a service. The same form again is no change: its id is its key.
pub async fn save(tx: &mut Tx, save: &Save) -> Result<Outcome<Service>, Error> {
    let wanted = &save.service;
    if save.is_new {
        let stands = match any(tx, wanted.id).await {
            Err(Error::NotFound) => None,
            found => Some(found?.0),
        };
        if let Some(stands) = stands {
            return Ok(same(stands, wanted));
        }
        create(tx, wanted).await?;
        note(tx, Kind::ServiceAdded, &save.by, &wanted.name, save.now).await?;
        return Ok(Outcome::Done);
    }
    keep_bookings_out(tx).await?;
    let (stands, active) = any(tx, wanted.id).await?;
    if stands.version != wanted.version {
        return Ok(same(stands, wanted));
    }
    if active {
        let mut left = booking::coming_of(tx, wanted.id, save.now).await?;
        let has = |service: &Service, one: &Booking| {
            service.is_offered_by(one.staff) && service.is_open_to(one.client)
        };
        left.retain(|one| has(&stands, one) && !has(wanted, one));
        if let Some(ask) = Outcome::asking(left, save.agreed.as_deref()) {
            return Ok(ask);
        }
    }
    tx.q("UPDATE services SET name = $2, price = $3, minutes = $4, step = $5, before_minutes = $6, after_minutes = $7,
                              notice_minutes = $8, horizon_weeks = $9, video_url = $10, colour = $11,
                              version = version + 1
          WHERE id = $1")
        .bind(wanted.id.0)
        .bind(wanted.name.clone())
        .bind(wanted.price)
        .bind(wanted.minutes)
        .bind(wanted.step)
        .bind(wanted.before)
        .bind(wanted.after)
        .bind(wanted.notice)
        .bind(wanted.horizon_weeks.map(i64::from))
        .bind(wanted.video_url.clone())
        .bind(wanted.colour.as_str())
        .run()
        .await?;
    name(tx, wanted).await?;
    note(tx, Kind::ServiceChanged, &save.by, &wanted.name, save.now).await?;
    Ok(Outcome::Done)
}

/// Sent twice it stands already; otherwise someone else was faster.
fn same(stands: Service, wanted: &Service) -> Outcome<Service> {
    let as_wanted = Service {
        version: stands.version,
        ..wanted.clone()
    };
    if stands == as_wanted {
        Outcome::Done
    } else {
        Outcome::Stale(stands)
    }
}

/// A service to be taken off the list, or put back on it.
#[derive(Debug, Clone)]
pub struct Offer {
    pub by: StaffViewer,
    pub service: ServiceId,
    /// The version that the person saw.
    pub version: i64,
    pub on: bool,
    /// Of the sessions that the person was shown, and agreed to leave as they are.
    pub agreed: Option<String>,
    pub now: Timestamp,
}

/// Retires a service or offers it again. Doing it again is no change.
pub async fn offer(tx: &mut Tx, offer: &Offer) -> Result<Outcome<Service>, Error> {
    keep_bookings_out(tx).await?;
    let (stands, active) = any(tx, offer.service).await?;
    if active == offer.on {
        return Ok(Outcome::Done);
    }
    if stands.version != offer.version {
        return Ok(Outcome::Stale(stands));
    }
    if !offer.on {
        let left = booking::coming_of(tx, offer.service, offer.now).await?;
        if let Some(ask) = Outcome::asking(left, offer.agreed.as_deref()) {
            return Ok(ask);
        }
    }
    tx.q("UPDATE services SET active = $2, version = version + 1 WHERE id = $1")
        .bind(offer.service.0)
        .bind(offer.on)
        .run()
        .await?;
    let kind = if offer.on {
        Kind::ServiceOffered
    } else {
        Kind::ServiceRetired
    };
    note(tx, kind, &offer.by, &stands.name, offer.now).await?;
    Ok(Outcome::Done)
}

/// Whoever books relies on their staff's row: until the commit nobody books by terms that are about to change.
async fn keep_bookings_out(tx: &mut Tx) -> Result<(), Error> {
    let mut everyone = staff::list(tx).await?;
    everyone.sort_unstable_by_key(|one| one.id);
    for one in everyone {
        staff::lock(tx, one.id).await?;
    }
    Ok(())
}

async fn note(
    tx: &mut Tx,
    kind: Kind,
    by: &StaffViewer,
    name: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = NewActivity::of_settings(kind, by.person, name, now);
    activity::add(tx, &fact).await?;
    tx.touch(Topic::Settings);
    Ok(())
}
