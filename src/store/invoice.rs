//! Invoices: reading them as a viewer may. How they are made and withdrawn, and what money does to them, is in the folder
//! beside this file.

mod change;
mod settle;

pub use change::{Discard, Issue, IssueDraft, Void, discard, issue, issue_draft, void};
pub use settle::{Begin, Outcome, Settle, begin, checkout, settle};

use super::{Error, Tx, at, scope};
use crate::domain::id::{ClientId, InvoiceId};
use crate::domain::invoice::{Filter, Invoice, Line, Payment, Status, Sum};
use crate::domain::viewer::{StaffViewer, Viewer};
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(sqlx::FromRow)]
struct Row {
    id: uuid::Uuid,
    client_id: uuid::Uuid,
    client_name: String,
    booking_id: Option<uuid::Uuid>,
    number: Option<i64>,
    status: String,
    tax_included: bool,
    currency: String,
    tax: i64,
    total: i64,
    words: String,
    line_count: i64,
    issued_on: Option<String>,
    due_on: String,
    unapplied: i64,
    version: i64,
    created_at: i64,
}

impl From<Row> for Invoice {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            client: row.client_id.into(),
            client_name: row.client_name,
            booking: row.booking_id.map(Into::into),
            number: row.number,
            status: Status::parse(&row.status).expect("status has a CHECK"),
            tax_included: row.tax_included,
            currency: row.currency,
            tax: row.tax,
            total: row.total,
            words: row.words,
            line_count: row.line_count,
            issued_on: row.issued_on.and_then(|day| day.parse().ok()),
            due_on: row.due_on.parse().unwrap_or(Date::MAX),
            unapplied: row.unapplied,
            version: row.version,
            created_at: at(row.created_at),
        }
    }
}

/// The columns of a [`Row`], and the conditions that close the statement.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT invoices.id, invoices.client_id, people.name AS client_name, invoices.booking_id, invoices.number,
                    invoices.status, invoices.tax_included, invoices.currency, invoices.tax, invoices.total,
                    (SELECT words FROM invoice_lines WHERE invoice_id = invoices.id AND position = 0) AS words,
                    (SELECT COUNT(*) FROM invoice_lines WHERE invoice_id = invoices.id) AS line_count,
                    invoices.issued_on, invoices.due_on,
                    (SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payments
                     WHERE invoice_id = invoices.id AND NOT applied) AS unapplied,
                    invoices.version, invoices.created_at
             FROM invoices JOIN clients ON clients.id = invoices.client_id
             JOIN people ON people.id = clients.person_id ",
            $tail
        )
    };
}

/// The invoice, if it is the viewer's to see. A client has no drafts.
pub async fn find(tx: &mut Tx, viewer: &Viewer, id: InvoiceId) -> Result<Invoice, Error> {
    let (own, all) = scope(viewer)?;
    let row: Row = tx
        .q(select!(
            "WHERE invoices.id = $1 AND ($3 OR (invoices.client_id = $2 AND invoices.status <> 'draft'))"
        ))
        .bind(id.0)
        .bind(own)
        .bind(all)
        .one()
        .await?;
    Ok(row.into())
}

/// An invoice by its id alone, for a region whose watchers were asked before whether they may.
pub async fn read(tx: &mut Tx, id: InvoiceId) -> Result<Invoice, Error> {
    let row: Row = tx
        .q(select!("WHERE invoices.id = $1"))
        .bind(id.0)
        .one()
        .await?;
    Ok(row.into())
}

/// The lines of an invoice that the viewer may see, in their order.
pub async fn lines(tx: &mut Tx, invoice: &Invoice) -> Result<Vec<Line>, Error> {
    let rows: Vec<(String, i64, i64, i64)> = tx
        .q("SELECT words, quantity, unit_price, tax_rate FROM invoice_lines WHERE invoice_id = $1 ORDER BY position")
        .bind(invoice.id.0)
        .all()
        .await?;
    let line = |(words, quantity, unit_price, tax_rate)| Line {
        words,
        quantity,
        unit_price,
        tax_rate,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// The money that came in for an invoice that the viewer may see, the first first.
pub async fn payments(tx: &mut Tx, invoice: &Invoice) -> Result<Vec<Payment>, Error> {
    let rows: Vec<(String, i64, i64, bool)> = tx
        .q("SELECT reference, amount, at, applied FROM payments WHERE invoice_id = $1 ORDER BY at, id")
        .bind(invoice.id.0)
        .all()
        .await?;
    let payment = |(reference, amount, ms, applied)| Payment {
        reference,
        amount,
        at: at(ms),
        applied,
    };
    Ok(rows.into_iter().map(payment).collect())
}

/// When a payment for an invoice last did not go through, if ever.
pub async fn failed_at(tx: &mut Tx, invoice: &Invoice) -> Result<Option<Timestamp>, Error> {
    let (ms,): (Option<i64>,) = tx
        .q("SELECT MAX(at) FROM activity WHERE invoice_id = $1 AND kind = 'payment_failed'")
        .bind(invoice.id.0)
        .one()
        .await?;
    Ok(ms.map(at))
}

/// A client's invoices, the newest first; no drafts.
pub async fn own(tx: &mut Tx, client: ClientId, limit: i64) -> Result<Vec<Invoice>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE invoices.client_id = $1 AND invoices.status <> 'draft'
             ORDER BY invoices.number DESC LIMIT CAST($2 AS BIGINT)"
        ))
        .bind(client.0)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(Invoice::from).collect())
}

/// What a client has still to pay, the one that is due first first.
pub async fn unpaid(tx: &mut Tx, client: ClientId) -> Result<Vec<Invoice>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE invoices.client_id = $1 AND invoices.status = 'open'
             ORDER BY invoices.due_on, invoices.number"
        ))
        .bind(client.0)
        .all()
        .await?;
    Ok(rows.into_iter().map(Invoice::from).collect())
}

/// The invoices behind a filter, the newest first, or those made before one of them. Read by regions that only staff may watch.
pub async fn list(
    tx: &mut Tx,
    filter: Filter,
    before: Option<InvoiceId>,
    today: Date,
    limit: i64,
) -> Result<Vec<Invoice>, Error> {
    let rows: Vec<Row> = tx
        .q(select!(
            "WHERE ($4 OR (invoices.created_at, invoices.id) < (SELECT created_at, id FROM invoices WHERE id = $5))
               AND ($1 = 'all' OR invoices.status = $1
                    OR ($1 = 'overdue' AND invoices.status = 'open' AND invoices.due_on < $2)
                    OR ($1 = 'unapplied' AND EXISTS (
                        SELECT 1 FROM payments WHERE invoice_id = invoices.id AND NOT applied)))
             ORDER BY invoices.created_at DESC, invoices.id DESC LIMIT CAST($3 AS BIGINT)"
        ))
        .bind(filter.as_str())
        .bind(today.to_string())
        .bind(limit)
        .bind(before.is_none())
        .bind(before.map(|id| id.0))
        .all()
        .await?;
    Ok(rows.into_iter().map(Invoice::from).collect())
}

/// How many invoices each filter shows and what they come to; for money that came too late, that money.
pub async fn sums(tx: &mut Tx, today: Date) -> Result<Vec<(Filter, Sum)>, Error> {
    let rows: Vec<(String, bool, i64, i64)> = tx
        .q("SELECT status, status = 'open' AND due_on < $1, COUNT(*), CAST(COALESCE(SUM(total), 0) AS BIGINT)
            FROM invoices GROUP BY 1, 2")
        .bind(today.to_string())
        .all()
        .await?;
    let (count, amount): (i64, i64) = tx
        .q("SELECT COUNT(DISTINCT invoice_id), CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payments WHERE NOT applied")
        .one()
        .await?;
    let of = |filter: Filter| {
        let mut sum = Sum::default();
        for (status, is_overdue, count, amount) in &rows {
            let counts = match filter {
                Filter::All => true,
                Filter::Overdue => *is_overdue,
                other => status == other.as_str(),
            };
            if counts {
                sum.count += count;
                sum.amount += amount;
            }
        }
        sum
    };
    let sums = Filter::ALL.map(|filter| match filter {
        Filter::Unapplied => (filter, Sum { count, amount }),
        _ => (filter, of(filter)),
    });
    Ok(sums.into())
}

/// The invoice that a booking has, if it has one that was not withdrawn. For staff.
pub async fn of_booking(
    tx: &mut Tx,
    _viewer: &StaffViewer,
    booking: crate::domain::id::BookingId,
) -> Result<Option<InvoiceId>, Error> {
    let row: Option<(uuid::Uuid,)> = tx
        .q("SELECT id FROM invoices WHERE booking_id = $1 AND status <> 'void' LIMIT 1")
        .bind(booking.0)
        .opt()
        .await?;
    Ok(row.map(|(id,)| id.into()))
}
