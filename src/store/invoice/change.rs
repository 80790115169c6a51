//! Making an invoice, and taking it back: each a change of status that only its predecessor allows. The number is given in
//! the transaction that issues, so that one which fails leaves no gap.

use super::find;
use crate::domain::activity::Kind;
use crate::domain::id::{BookingId, ClientId, InvoiceId};
use crate::domain::invoice::{Invoice, Line, Status, Totals};
use crate::domain::topic::Topic;
use crate::domain::viewer::{StaffViewer, Viewer};
use crate::store::activity::{self, NewActivity};
use crate::store::answer::{self, Form};
use crate::store::{Error, Tx, booking, business};
use jiff::Timestamp;
use jiff::civil::Date;

/// An invoice to be made.
#[derive(Debug, Clone)]
pub struct Issue {
    pub by: StaffViewer,
    pub client: ClientId,
    /// The session that it is for; it must be the client's.
    pub booking: Option<BookingId>,
    pub lines: Vec<Line>,
    pub tax_included: bool,
    pub due_on: Date,
    /// Kept without a number, to be issued later.
    pub as_draft: bool,
    /// The form's key: sent twice, it is made once.
    pub key: String,
    pub now: Timestamp,
}

/// Makes an invoice, and tells which. [`Error::Conflict`] when the session has one already, [`Error::Unusable`] for lines that are none.
pub async fn issue(tx: &mut Tx, issue: &Issue) -> Result<InvoiceId, Error> {
    let totals = Totals::of(&issue.lines, issue.tax_included).map_err(Error::Unusable)?;
    let form = Form {
        person: issue.by.person,
        key: issue.key.clone(),
        fields: format!(
            "invoice {} {:?} {:?} {} {} {}",
            issue.client,
            issue.booking,
            issue.lines,
            issue.tax_included,
            issue.due_on,
            issue.as_draft
        ),
        now: issue.now,
    };
    if let Some(outcome) = answer::begin(tx, &form).await? {
        return outcome.parse().map_err(|_| Error::KeyReused);
    }
    let viewer = Viewer::Staff(issue.by.clone());
    if let Some(id) = issue.booking
        && booking::find(tx, &viewer, id).await?.client != issue.client
    {
        return Err(Error::NotFound);
    }
    let business = business::load(tx).await?;
    let id = InvoiceId::new();
    let made = tx
        .q("INSERT INTO invoices (id, client_id, booking_id, number, status, tax_included, currency, tax, total,
                                  issued_on, due_on, version, created_at)
            SELECT $1, clients.id, $3, NULL, 'draft', $4, $5, $6, $7, NULL, $8, 1, $9 FROM clients WHERE clients.id = $2")
        .bind(id.0)
        .bind(issue.client.0)
        .bind(issue.booking.map(|id| id.0))
        .bind(issue.tax_included)
        .bind(business.currency.clone())
        .bind(totals.tax)
        .bind(totals.total)
        .bind(issue.due_on.to_string())
        .bind(issue.now.as_millisecond())
        .run()
        .await?;
    if made == 0 {
        return Err(Error::NotFound);
    }
    for (position, line) in (0i64..).zip(&issue.lines) {
        tx.q("INSERT INTO invoice_lines (invoice_id, position, words, quantity, unit_price, tax_rate)
              VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(id.0)
            .bind(position)
            .bind(line.words.clone())
            .bind(line.quantity)
            .bind(line.unit_price)
            .bind(line.tax_rate)
            .run()
            .await?;
    }
    tx.touch(Topic::Invoices);
    if !issue.as_draft {
        let draft = find(tx, &viewer, id).await?;
        number(tx, &issue.by, &draft, issue.now).await?;
    }
    answer::finish(tx, &form, &id.to_string()).await?;
    Ok(id)
}

/// A draft to be issued.
#[derive(Debug, Clone)]
pub struct IssueDraft {
    pub by: StaffViewer,
    pub invoice: InvoiceId,
    /// The version that the person saw.
    pub version: i64,
    pub now: Timestamp,
}

/// Issues a draft. Again is no change.
pub async fn issue_draft(tx: &mut Tx, issue: &IssueDraft) -> Result<(), Error> {
    let draft = find(tx, &Viewer::Staff(issue.by.clone()), issue.invoice).await?;
    if draft.status == Status::Open && draft.version == issue.version + 1 {
        return Ok(());
    }
    if draft.version != issue.version || !draft.status.may_become(Status::Open) {
        return Err(Error::Conflict);
    }
    number(tx, &issue.by, &draft, issue.now).await
}

/// Gives a draft the next number, under the counter's lock.
async fn number(
    tx: &mut Tx,
    by: &StaffViewer,
    draft: &Invoice,
    now: Timestamp,
) -> Result<(), Error> {
    let today = business::load(tx).await?.today(now);
    let (next,): (i64,) = tx
        .q("UPDATE counters SET next = next + 1 WHERE name = 'invoice' RETURNING next - 1")
        .one()
        .await?;
    let issued = tx
        .q("UPDATE invoices SET status = 'open', number = $3, issued_on = $4, version = version + 1
            WHERE id = $1 AND version = $2 AND status = 'draft'")
        .bind(draft.id.0)
        .bind(draft.version)
        .bind(next)
        .bind(today.to_string())
        .run()
        .await?;
    if issued == 0 {
        return Err(Error::Conflict);
    }
    note(tx, by, draft, Kind::Invoiced, now).await
}

/// A draft to be thrown away.
#[derive(Debug, Clone)]
pub struct Discard {
    pub by: StaffViewer,
    pub invoice: InvoiceId,
    pub version: i64,
}

/// Throws a draft away: it has no number, and nobody has seen it.
pub async fn discard(tx: &mut Tx, discard: &Discard) -> Result<(), Error> {
    let draft = find(tx, &Viewer::Staff(discard.by.clone()), discard.invoice).await?;
    if draft.status != Status::Draft || draft.version != discard.version {
        return Err(Error::Conflict);
    }
    tx.q("DELETE FROM invoice_lines WHERE invoice_id IN (SELECT id FROM invoices WHERE id = $1 AND status = 'draft')")
        .bind(draft.id.0)
        .run()
        .await?;
    let gone = tx
        .q("DELETE FROM invoices WHERE id = $1 AND status = 'draft' AND version = $2")
        .bind(draft.id.0)
        .bind(discard.version)
        .run()
        .await?;
    if gone == 0 {
        return Err(Error::Conflict);
    }
    tx.touch(Topic::Invoices);
    Ok(())
}

/// An invoice to be withdrawn.
#[derive(Debug, Clone)]
pub struct Void {
    pub by: StaffViewer,
    pub invoice: InvoiceId,
    /// The version that the person saw.
    pub version: i64,
    pub now: Timestamp,
}

/// Withdraws an open invoice: it keeps its number and is owed no more. Again is no change; one that was paid meanwhile is a
/// [`Error::Conflict`].
pub async fn void(tx: &mut Tx, void: &Void) -> Result<(), Error> {
    let open = find(tx, &Viewer::Staff(void.by.clone()), void.invoice).await?;
    if open.status == Status::Void && open.version == void.version + 1 {
        return Ok(());
    }
    let done = tx
        .q("UPDATE invoices SET status = 'void', version = version + 1
            WHERE id = $1 AND version = $2 AND status = 'open'")
        .bind(open.id.0)
        .bind(void.version)
        .run()
        .await?;
    if done == 0 {
        return Err(Error::Conflict);
    }
    note(tx, &void.by, &open, Kind::Voided, void.now).await
}

/// The line of activity that staff's act leaves, and the topics that it moved.
async fn note(
    tx: &mut Tx,
    by: &StaffViewer,
    invoice: &Invoice,
    kind: Kind,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = NewActivity {
        invoice: Some(invoice.id),
        amount: Some(invoice.total),
        ..NewActivity::of(kind, Some(by.person), invoice.client, now)
    };
    activity::add(tx, &fact).await?;
    tx.touch(Topic::Invoices);
    tx.touch(Topic::Client(invoice.client));
    Ok(())
}
