//! What can be booked.

use super::{Error, Tx};
use crate::domain::id::ServiceId;
use crate::domain::service::Service;
use crate::domain::topic::Topic;

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
        }
    }
}

/// The services on offer, in the order of the business.
pub async fn list(tx: &mut Tx) -> Result<Vec<Service>, Error> {
    let rows: Vec<Row> = tx
        .q(
            "SELECT id, name, price, step, minutes, before_minutes, after_minutes, notice_minutes
            FROM services WHERE active ORDER BY position, id",
        )
        .all()
        .await?;
    Ok(rows.into_iter().map(Service::from).collect())
}

/// A service on offer.
pub async fn find(tx: &mut Tx, id: ServiceId) -> Result<Service, Error> {
    let services = list(tx).await?;
    services
        .into_iter()
        .find(|service| service.id == id)
        .ok_or(Error::NotFound)
}

/// Adds a service at the end of the list.
pub async fn create(tx: &mut Tx, service: &Service) -> Result<(), Error> {
    tx.q("INSERT INTO services (id, name, price, minutes, step, before_minutes, after_minutes, notice_minutes,
                                position, active)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT COUNT(*) FROM services), TRUE)")
        .bind(service.id.0)
        .bind(service.name.clone())
        .bind(service.price)
        .bind(service.minutes)
        .bind(service.step)
        .bind(service.before)
        .bind(service.after)
        .bind(service.notice)
        .run()
        .await?;
    tx.touch(Topic::Settings);
    Ok(())
}
