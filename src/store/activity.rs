//! What happened, a line a fact, written in the fact's own transaction.

use super::{Error, Tx};
use crate::domain::activity::{Activity, Kind};
use crate::domain::id::{ActivityId, BookingId, ClientId, InvoiceId, PersonId, StaffId};
use crate::domain::rule::{Reason, Rule};
use jiff::Timestamp;

/// A fact to be noted.
#[derive(Debug, Clone)]
pub struct NewActivity {
    pub kind: Kind,
    pub actor: Option<PersonId>,
    /// Nothing for a change of the settings.
    pub client: Option<ClientId>,
    /// What was changed, where it is about no client.
    pub about: Option<String>,
    pub staff: Option<StaffId>,
    pub booking: Option<BookingId>,
    pub starts_at: Option<Timestamp>,
    pub invoice: Option<InvoiceId>,
    /// Minor units.
    pub amount: Option<i64>,
    /// Which rules staff set aside for it, and why.
    pub aside: Option<(Vec<Rule>, Reason)>,
    pub now: Timestamp,
}

impl NewActivity {
    /// A fact about a client, and nothing else yet.
    pub fn of(kind: Kind, actor: Option<PersonId>, client: ClientId, now: Timestamp) -> Self {
        Self {
            kind,
            actor,
            client: Some(client),
            about: None,
            staff: None,
            booking: None,
            starts_at: None,
            invoice: None,
            amount: None,
            aside: None,
            now,
        }
    }

    /// A change of the settings, and what it was about.
    pub fn of_settings(kind: Kind, actor: PersonId, about: &str, now: Timestamp) -> Self {
        Self {
            kind,
            actor: Some(actor),
            client: None,
            about: Some(about.to_owned()),
            staff: None,
            booking: None,
            starts_at: None,
            invoice: None,
            amount: None,
            aside: None,
            now,
        }
    }
}

/// Notes a fact. The caller touches the calendar, the clients, the invoices or the settings, on which every list of activity depends.
pub async fn add(tx: &mut Tx, new: &NewActivity) -> Result<(), Error> {
    tx.q(
        "INSERT INTO activity (id, at, kind, actor_id, client_id, staff_id, booking_id, starts_at, invoice_id, amount,
                               about, rules, reason)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(ActivityId::new().0)
    .bind(new.now.as_millisecond())
    .bind(new.kind.as_str())
    .bind(new.actor.map(|id| id.0))
    .bind(new.client.map(|id| id.0))
    .bind(new.staff.map(|id| id.0))
    .bind(new.booking.map(|id| id.0))
    .bind(new.starts_at.map(Timestamp::as_millisecond))
    .bind(new.invoice.map(|id| id.0))
    .bind(new.amount)
    .bind(new.about.clone())
    .bind(new.aside.as_ref().map(|(rules, _)| words(rules)))
    .bind(new.aside.as_ref().map(|(_, reason)| reason.as_str().to_owned()))
    .run()
    .await?;
    Ok(())
}

fn words(rules: &[Rule]) -> String {
    let words: Vec<&str> = rules.iter().map(|rule| rule.as_str()).collect();
    words.join(" ")
}

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    at: i64,
    kind: String,
    name: String,
    about: Option<String>,
    staff_name: Option<String>,
    starts_at: Option<i64>,
    invoice_id: Option<uuid::Uuid>,
    number: Option<i64>,
    amount: Option<i64>,
    rules: Option<String>,
    reason: Option<String>,
}

/// The newest facts, newest first.
pub async fn list(tx: &mut Tx, limit: i64) -> Result<Vec<Activity>, Error> {
    let rows: Vec<Row> = tx
        .q("SELECT activity.id, activity.at, activity.kind, COALESCE(people.name, doer.name, '') AS name,
                   activity.about, helper.name AS staff_name,
                   activity.starts_at, activity.invoice_id, invoices.number, activity.amount,
                   activity.rules, activity.reason
            FROM activity LEFT JOIN clients ON clients.id = activity.client_id
            LEFT JOIN people ON people.id = clients.person_id LEFT JOIN people AS doer ON doer.id = activity.actor_id
            LEFT JOIN staff ON staff.id = activity.staff_id LEFT JOIN people AS helper ON helper.id = staff.person_id
            LEFT JOIN invoices ON invoices.id = activity.invoice_id
            ORDER BY activity.at DESC, activity.id DESC LIMIT CAST($1 AS BIGINT)")
        .bind(limit)
        .all()
        .await?;
    let line = |row: Row| {
        Some(Activity {
            id: row.id.into(),
            at: Timestamp::from_millisecond(row.at).ok()?,
            kind: Kind::parse(&row.kind)?,
            name: row.name,
            about: row.about,
            staff_name: row.staff_name,
            starts_at: row
                .starts_at
                .and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            invoice: row.invoice_id.map(|id| (id.into(), row.number)),
            amount: row.amount,
            rules: row
                .rules
                .unwrap_or_default()
                .split(' ')
                .filter_map(Rule::parse)
                .collect(),
            reason: row.reason,
        })
    };
    Ok(rows.into_iter().filter_map(line).collect())
}
