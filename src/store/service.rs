//! What can be booked: reading it. How the business changes it is in the folder beside this file.

mod change;

pub use change::{Offer, Save, create, offer, save};

use super::{Error, Tx};
use crate::domain::id::{ClientId, ServiceId, StaffId};
use crate::domain::service::{Colour, Service};

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    name: String,
    price: i64,
    step: i64,
    minutes: i64,
    before_minutes: i64,
    after_minutes: i64,
    notice_minutes: i64,
    horizon_weeks: Option<i64>,
    video_url: Option<String>,
    colour: String,
    version: i64,
    active: bool,
    staff_id: Option<uuid::Uuid>,
    client_id: Option<uuid::Uuid>,
}

impl From<Row> for Service {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            price: row.price,
            step: row.step,
            minutes: row.minutes,
            before: row.before_minutes,
            after: row.after_minutes,
            notice: row.notice_minutes,
            horizon_weeks: row.horizon_weeks.and_then(|weeks| weeks.try_into().ok()),
            staff: Vec::new(),
            clients: Vec::new(),
            video_url: row.video_url,
            colour: Colour::parse(&row.colour).expect("colour has a CHECK"),
            version: row.version,
        }
    }
}

/// Every service there ever was, each with whether it is on offer, in the order of the business.
pub async fn all(tx: &mut Tx) -> Result<Vec<(Service, bool)>, Error> {
    // A row for each of its staff and clients: one statement, because every calendar asks.
    let rows: Vec<Row> = tx
        .q("SELECT id, name, price, step, minutes, before_minutes, after_minutes, notice_minutes, horizon_weeks,
                   video_url, colour, version, active, named.staff_id, named.client_id
            FROM services LEFT JOIN (
                SELECT service_id, staff_id, NULL AS client_id FROM service_staff
                UNION ALL SELECT service_id, NULL, client_id FROM service_clients
            ) AS named ON named.service_id = services.id
            ORDER BY position, id, named.staff_id, named.client_id")
        .all()
        .await?;
    let mut services: Vec<(Service, bool)> = Vec::new();
    for row in rows {
        let (staff, client, active) = (row.staff_id, row.client_id, row.active);
        let service = Service::from(row);
        if services
            .last()
            .is_none_or(|(last, _)| last.id != service.id)
        {
            services.push((service, active));
        }
        if let Some((last, _)) = services.last_mut() {
            last.staff.extend(staff.map(StaffId::from));
            last.clients.extend(client.map(ClientId::from));
        }
    }
    Ok(services)
}

/// The services on offer, in the order of the business.
pub async fn list(tx: &mut Tx) -> Result<Vec<Service>, Error> {
    let services = all(tx).await?.into_iter();
    Ok(services
        .filter_map(|(service, active)| active.then_some(service))
        .collect())
}

/// A service on offer.
pub async fn find(tx: &mut Tx, id: ServiceId) -> Result<Service, Error> {
    match any(tx, id).await? {
        (service, true) => Ok(service),
        _ => Err(Error::NotFound),
    }
}

/// A service, and whether it is on offer: sessions that were booked can be moved when it is no longer.
pub async fn any(tx: &mut Tx, id: ServiceId) -> Result<(Service, bool), Error> {
    let services = all(tx).await?;
    services
        .into_iter()
        .find(|(service, _)| service.id == id)
        .ok_or(Error::NotFound)
}
