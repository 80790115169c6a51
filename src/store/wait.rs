//! The waiting list: asking, giving up, and reading who waits. What is offered to them is in the folder beside this file.

mod offer;

use offer::let_go;
pub(super) use offer::met;
pub use offer::{Decline, decline, is_due, next};

use super::answer::{self, Form};
use super::{Error, Tx, at, business, scope, service, staff};
use crate::domain::id::{ClientId, StaffId, WaitId};
use crate::domain::topic::Topic;
use crate::domain::viewer::{ClientViewer, Viewer};
use crate::domain::wait::{MOST, Offer, Part, Wait, Wish, Wrong};
use jiff::Timestamp;
use jiff::civil::Date;

/// A wish to be put in line.
#[derive(Debug, Clone)]
pub struct Ask {
    pub viewer: ClientViewer,
    pub wish: Wish,
    /// The form's key: sent twice, it asks once.
    pub key: String,
    pub now: Timestamp,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Waits,
    Wrong(Wrong),
    /// Nobody has to wait: this is free now.
    Free(StaffId, Timestamp),
}

/// Puts a client in line, behind everyone who asked before.
pub async fn ask(tx: &mut Tx, ask: &Ask) -> Result<Outcome, Error> {
    let wish = &ask.wish;
    let form = Form {
        person: ask.viewer.person,
        key: ask.key.clone(),
        fields: format!("wait {wish:?}"),
        now: ask.now,
    };
    if answer::begin(tx, &form).await?.is_some() {
        return Ok(Outcome::Waits);
    }
    // Locks the client: of two forms sent at once, both would find room for one more.
    tx.q("UPDATE clients SET created_at = created_at WHERE id = $1")
        .bind(ask.viewer.client.0)
        .run()
        .await?;
    let business = business::load(tx).await?;
    let service = service::find(tx, wish.service).await?;
    let everyone = staff::list(tx).await?;
    if wish
        .staff
        .is_some_and(|id| everyone.iter().all(|one| one.id != id))
    {
        return Err(Error::NotFound);
    }
    if let Err(wrong) = wish.check(&business, &service, ask.now) {
        return refuse(tx, &form, Outcome::Wrong(wrong)).await;
    }
    let (count,): (i64,) = tx
        .q("SELECT COUNT(*) FROM waits WHERE client_id = $1 AND status = 'open' AND to_on >= $2")
        .bind(ask.viewer.client.0)
        .bind(business.today(ask.now).to_string())
        .one()
        .await?;
    if count >= MOST {
        return refuse(tx, &form, Outcome::Wrong(Wrong::TooMany)).await;
    }
    for one in everyone {
        if let Some(start) = offer::free(tx, &ask.viewer, wish, one.id, ask.now).await? {
            return refuse(tx, &form, Outcome::Free(one.id, start)).await;
        }
    }
    let id = WaitId::new();
    tx.q("INSERT INTO waits (id, client_id, service_id, staff_id, from_on, to_on, part, status, version, created_at)
          VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', 0, $8)")
        .bind(id.0)
        .bind(ask.viewer.client.0)
        .bind(wish.service.0)
        .bind(wish.staff.map(|id| id.0))
        .bind(wish.from.to_string())
        .bind(wish.to.to_string())
        .bind(wish.part.as_str())
        .bind(ask.now.as_millisecond())
        .run()
        .await?;
    answer::finish(tx, &form, &id.to_string()).await?;
    moved(tx, ask.viewer.client);
    Ok(Outcome::Waits)
}

/// A form that was refused may be sent again when the reason has gone.
async fn refuse(tx: &mut Tx, form: &Form, outcome: Outcome) -> Result<Outcome, Error> {
    answer::forget(tx, form).await?;
    Ok(outcome)
}

/// A place in line to be given up.
#[derive(Debug, Clone)]
pub struct Withdraw {
    pub viewer: Viewer,
    pub wait: WaitId,
}

/// Takes someone out of line, by themselves or by staff. What is offered to them is free for the next. Again is no change.
pub async fn withdraw(tx: &mut Tx, withdraw: &Withdraw) -> Result<(), Error> {
    let (own, all) = scope(&withdraw.viewer)?;
    let (client,): (uuid::Uuid,) = tx
        .q("SELECT client_id FROM waits WHERE id = $1 AND (client_id = $2 OR $3)")
        .bind(withdraw.wait.0)
        .bind(own)
        .bind(all)
        .one()
        .await?;
    let status = if all { "removed" } else { "withdrawn" };
    close(tx, withdraw.wait, client.into(), status).await
}

/// Closes an entry that is open, and ends what is offered for it.
async fn close(
    tx: &mut Tx,
    wait: WaitId,
    client: ClientId,
    status: &'static str,
) -> Result<(), Error> {
    let closed = tx
        .q("UPDATE waits SET status = $2 WHERE id = $1 AND status = 'open'")
        .bind(wait.0)
        .bind(status)
        .run()
        .await?;
    if closed > 0 {
        let_go(tx, wait).await?;
        moved(tx, client);
    }
    Ok(())
}

fn moved(tx: &mut Tx, client: ClientId) {
    tx.touch(Topic::Waits);
    tx.touch(Topic::Client(client));
}

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    client_id: uuid::Uuid,
    client_name: String,
    service_id: uuid::Uuid,
    service_name: String,
    staff_id: Option<uuid::Uuid>,
    staff_name: Option<String>,
    from_on: String,
    to_on: String,
    part: String,
    created_at: i64,
    hold_id: Option<uuid::Uuid>,
    with_id: Option<uuid::Uuid>,
    with_name: Option<String>,
    starts_at: Option<i64>,
    expires_at: Option<i64>,
}

impl Row {
    fn wait(self) -> Option<Wait> {
        let offer = (|| {
            Some(Offer {
                hold: self.hold_id?.into(),
                staff: self.with_id?.into(),
                staff_name: self.with_name?,
                start: at(self.starts_at?),
                until: at(self.expires_at?),
            })
        })();
        Some(Wait {
            id: self.id.into(),
            client: self.client_id.into(),
            client_name: self.client_name,
            wish: Wish {
                service: self.service_id.into(),
                staff: self.staff_id.map(StaffId::from),
                from: self.from_on.parse().ok()?,
                to: self.to_on.parse().ok()?,
                part: Part::parse(&self.part).expect("part has a CHECK"),
            },
            service_name: self.service_name,
            staff_name: self.staff_name,
            asked_at: at(self.created_at),
            offer,
        })
    }
}

/// Whether anyone waits at all: what is asked most often, and mostly answered with no.
pub async fn is_anyone(tx: &mut Tx) -> Result<bool, Error> {
    let one: Option<(String,)> = tx
        .q("SELECT status FROM waits WHERE status = 'open' LIMIT 1")
        .opt()
        .await?;
    Ok(one.is_some())
}

/// Who waits for a day that has not passed, in the order in which they asked; of one client, or of all.
pub async fn list(
    tx: &mut Tx,
    client: Option<ClientId>,
    today: Date,
    now: Timestamp,
) -> Result<Vec<Wait>, Error> {
    let rows: Vec<Row> = tx
        .q("SELECT waits.id, waits.client_id, people.name AS client_name, waits.service_id,
                   services.name AS service_name, waits.staff_id, wanted.name AS staff_name, waits.from_on, waits.to_on,
                   waits.part, waits.created_at, holds.id AS hold_id, holds.staff_id AS with_id,
                   helper.name AS with_name, holds.starts_at, holds.expires_at
            FROM waits JOIN clients ON clients.id = waits.client_id JOIN people ON people.id = clients.person_id
            JOIN services ON services.id = waits.service_id
            LEFT JOIN staff ON staff.id = waits.staff_id LEFT JOIN people AS wanted ON wanted.id = staff.person_id
            LEFT JOIN holds ON holds.wait_id = waits.id AND holds.expires_at > $3
            LEFT JOIN staff AS giver ON giver.id = holds.staff_id
            LEFT JOIN people AS helper ON helper.id = giver.person_id
            WHERE waits.status = 'open' AND waits.to_on >= $1 AND (waits.client_id = $2 OR $4) AND NOT people.disabled
            ORDER BY waits.created_at, waits.id")
        .bind(today.to_string())
        .bind(client.map(|id| id.0))
        .bind(now.as_millisecond())
        .bind(client.is_none())
        .all()
        .await?;
    Ok(rows.into_iter().filter_map(Row::wait).collect())
}
