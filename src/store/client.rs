//! Clients: the list that staff read, and inviting a new one.

use super::{Error, Tx, activity, person, token};
use crate::domain::activity::Kind;
use crate::domain::client::Client;
use crate::domain::id::{ClientId, PersonId, StaffId};
use crate::domain::topic::Topic;
use crate::domain::viewer::StaffViewer;
use jiff::Timestamp;

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    person_id: uuid::Uuid,
    name: String,
    email: String,
    joined: bool,
    next_at: Option<i64>,
    last_at: Option<i64>,
}

impl From<Row> for Client {
    fn from(row: Row) -> Self {
        let at = |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Self {
            id: row.id.into(),
            person: row.person_id.into(),
            name: row.name,
            email: row.email,
            joined: row.joined,
            next_at: at(row.next_at),
            last_at: at(row.last_at),
        }
    }
}

/// The columns of a [`Row`], and the condition that closes the statement.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT clients.id, clients.person_id, people.name, people.email,
                    people.password_hash IS NOT NULL AS joined,
                    (SELECT MIN(starts_at) FROM bookings WHERE client_id = clients.id AND status = 'confirmed'
                     AND starts_at > $1) AS next_at,
                    (SELECT MAX(starts_at) FROM bookings WHERE client_id = clients.id AND status <> 'cancelled'
                     AND starts_at <= $1) AS last_at
             FROM clients JOIN people ON people.id = clients.person_id ",
            $tail
        )
    };
}

/// Every client by name. Read by the region that only staff may watch.
pub async fn list(tx: &mut Tx, now: Timestamp) -> Result<Vec<Client>, Error> {
    let rows: Vec<Row> = tx
        .q(select!("ORDER BY people.name, clients.id"))
        .bind(now.as_millisecond())
        .all()
        .await?;
    Ok(rows.into_iter().map(Client::from).collect())
}

/// One client. For staff.
pub async fn find(
    tx: &mut Tx,
    _viewer: &StaffViewer,
    id: ClientId,
    now: Timestamp,
) -> Result<Client, Error> {
    let row: Row = tx
        .q(select!("WHERE clients.id = $2"))
        .bind(now.as_millisecond())
        .bind(id.0)
        .one()
        .await?;
    Ok(row.into())
}

/// Names and ids, for choosing one. For staff.
pub async fn names(tx: &mut Tx, _viewer: &StaffViewer) -> Result<Vec<(ClientId, String)>, Error> {
    let rows: Vec<(uuid::Uuid, String)> = tx
        .q("SELECT clients.id, people.name FROM clients JOIN people ON people.id = clients.person_id
            WHERE NOT people.disabled ORDER BY people.name, clients.id")
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, name)| (id.into(), name))
        .collect())
}

/// Addresses and ids, for naming several. For staff.
pub async fn addresses(
    tx: &mut Tx,
    _viewer: &StaffViewer,
) -> Result<Vec<(ClientId, String)>, Error> {
    let rows: Vec<(uuid::Uuid, String)> = tx
        .q("SELECT clients.id, people.email FROM clients JOIN people ON people.id = clients.person_id
            ORDER BY people.email")
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, email)| (id.into(), email))
        .collect())
}

/// Adds a client who has an account already, or will be invited.
pub async fn create(tx: &mut Tx, id: ClientId, new: &person::NewPerson) -> Result<(), Error> {
    person::create(tx, new).await?;
    tx.q("INSERT INTO clients (id, person_id, created_at) VALUES ($1, $2, $3)")
        .bind(id.0)
        .bind(new.id.0)
        .bind(new.now.as_millisecond())
        .run()
        .await?;
    tx.touch(Topic::Clients);
    tx.touch(Topic::Client(id));
    Ok(())
}

/// An invitation by staff.
#[derive(Debug, Clone)]
pub struct Invite {
    pub by: PersonId,
    pub client: ClientId,
    pub person: person::NewPerson,
    /// From the system's random source; goes into the link.
    pub secret: String,
}

/// Adds a client and sends the link with which they set a password. [`Error::Conflict`] when the address is taken:
/// an existing account never gets a password this way.
pub async fn invite(tx: &mut Tx, invite: &Invite) -> Result<(), Error> {
    create(tx, invite.client, &invite.person).await?;
    let link = token::Issue {
        person: invite.person.id,
        kind: token::Kind::Invitation,
        secret: invite.secret.clone(),
        now: invite.person.now,
    };
    token::issue(tx, &link).await?;
    let (by, now) = (Some(invite.by), invite.person.now);
    let fact = activity::NewActivity::of(Kind::Invited, by, invite.client, now);
    activity::add(tx, &fact).await
}

/// How many clients there are, and how many of them had no session since `since` and have none coming.
pub async fn counts(tx: &mut Tx, since: Timestamp) -> Result<(i64, i64), Error> {
    tx.q("SELECT COUNT(*), COUNT(CASE WHEN NOT EXISTS (
                SELECT 1 FROM bookings WHERE client_id = clients.id AND status <> 'cancelled' AND starts_at >= $1
            ) THEN 1 END) FROM clients")
        .bind(since.as_millisecond())
        .one()
        .await
}

/// The member of staff whom a client saw or booked last, to show their calendar first.
pub async fn last_staff(tx: &mut Tx, client: ClientId) -> Result<Option<StaffId>, Error> {
    let row: Option<(uuid::Uuid,)> = tx
        .q(
            "SELECT staff_id FROM bookings WHERE client_id = $1 AND status <> 'cancelled'
            ORDER BY created_at DESC, id DESC LIMIT 1",
        )
        .bind(client.0)
        .opt()
        .await?;
    Ok(row.map(|(id,)| id.into()))
}
