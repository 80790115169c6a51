//! Money: a client sets out to pay, a provider tells what came of it, and payment and invoice are settled in one transaction.
//! What is told twice is recorded once, and money is recorded whatever became of its invoice meanwhile.

use super::find;
use crate::domain::activity::Kind;
use crate::domain::id::{CheckoutId, InvoiceId, PaymentId};
use crate::domain::invoice::{Invoice, Status};
use crate::domain::notification::{self, About};
use crate::domain::payment::{Checkout, Event, Result as Told};
use crate::domain::topic::Topic;
use crate::domain::viewer::{ClientViewer, Viewer};
use crate::store::activity::{self, NewActivity};
use crate::store::notification::{self as notifications, NewNotification};
use crate::store::{Error, Tx};
use jiff::Timestamp;

/// A client who sets out to pay.
#[derive(Debug, Clone)]
pub struct Begin {
    pub viewer: ClientViewer,
    pub invoice: InvoiceId,
    pub provider: &'static str,
    pub now: Timestamp,
}

/// Fixes what is asked for at the provider's. [`Error::Conflict`] when there is nothing to pay any more.
pub async fn begin(tx: &mut Tx, begin: &Begin) -> Result<Checkout, Error> {
    let invoice = find(tx, &Viewer::Client(begin.viewer.clone()), begin.invoice).await?;
    if invoice.status != Status::Open {
        return Err(Error::Conflict);
    }
    let checkout = Checkout {
        id: CheckoutId::new(),
        invoice: invoice.id,
        amount: invoice.total,
        currency: invoice.currency,
    };
    tx.q("INSERT INTO checkouts (id, invoice_id, provider, amount, currency, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(checkout.id.0)
        .bind(checkout.invoice.0)
        .bind(begin.provider)
        .bind(checkout.amount)
        .bind(checkout.currency.clone())
        .bind(begin.now.as_millisecond())
        .run()
        .await?;
    Ok(checkout)
}

/// A checkout of one's own, and its invoice as it stands.
pub async fn checkout(
    tx: &mut Tx,
    viewer: &ClientViewer,
    id: CheckoutId,
) -> Result<(Checkout, Invoice), Error> {
    let checkout = look_up(tx, id, None).await?;
    let invoice = find(tx, &Viewer::Client(viewer.clone()), checkout.invoice).await?;
    Ok((checkout, invoice))
}

async fn look_up(
    tx: &mut Tx,
    id: CheckoutId,
    provider: Option<&'static str>,
) -> Result<Checkout, Error> {
    let (invoice, amount, currency): (uuid::Uuid, i64, String) = tx
        .q("SELECT invoice_id, amount, currency FROM checkouts WHERE id = $1 AND ($2 = '' OR provider = $2)")
        .bind(id.0)
        .bind(provider.unwrap_or_default())
        .one()
        .await?;
    Ok(Checkout {
        id,
        invoice: invoice.into(),
        amount,
        currency,
    })
}

/// What a provider told, verified.
#[derive(Debug, Clone)]
pub struct Settle {
    pub provider: &'static str,
    pub event: Event,
    pub now: Timestamp,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The invoice is paid.
    Settled,
    /// The money is recorded; the invoice was void or paid already.
    Unapplied,
    /// The payment did not go through.
    Failed,
    /// It was told before.
    Repeated,
}

/// Records what a provider told, once. [`Error::NotFound`] for a checkout that is not ours, [`Error::Conflict`] when
/// invoice, amount or currency are not what was asked for: then nothing is recorded.
pub async fn settle(tx: &mut Tx, told: &Settle) -> Result<Outcome, Error> {
    let event = &told.event;
    let is_new = tx
        .q("INSERT INTO payment_events (provider, event, at) VALUES ($1, $2, $3) ON CONFLICT (provider, event) DO NOTHING")
        .bind(told.provider)
        .bind(event.id.clone())
        .bind(told.now.as_millisecond())
        .run()
        .await?;
    if is_new == 0 {
        return Ok(Outcome::Repeated);
    }
    let checkout = look_up(tx, event.checkout, Some(told.provider)).await?;
    if (checkout.invoice, checkout.amount, &checkout.currency)
        != (event.invoice, event.amount, &event.currency)
    {
        return Err(Error::Conflict);
    }
    // The row's lock decides between this, a void, and another payment: what is counted below stays so until the commit.
    let (client, total, currency, status): (uuid::Uuid, i64, String, String) = tx
        .q("UPDATE invoices SET version = version WHERE id = $1 RETURNING client_id, total, currency, status")
        .bind(checkout.invoice.0)
        .one()
        .await?;
    if (total, &currency) != (checkout.amount, &checkout.currency) {
        return Err(Error::Conflict);
    }
    let outcome = match event.result {
        // Nobody has to try again: that it failed is no news once nothing is owed.
        Told::Failed if status != Status::Open.as_str() => return Ok(Outcome::Failed),
        Told::Failed => Outcome::Failed,
        Told::Succeeded => match receive(tx, told, &checkout).await? {
            Some(outcome) => outcome,
            None => return Ok(Outcome::Repeated),
        },
    };
    let (kind, notice) = match outcome {
        Outcome::Failed => (Kind::PaymentFailed, notification::Kind::Failed),
        Outcome::Unapplied => (Kind::PaidLate, notification::Kind::Unapplied),
        _ => (Kind::Paid, notification::Kind::Paid),
    };
    let fact = NewActivity {
        invoice: Some(checkout.invoice),
        amount: Some(checkout.amount),
        ..NewActivity::of(kind, None, client.into(), told.now)
    };
    activity::add(tx, &fact).await?;
    let notice = NewNotification {
        kind: notice,
        about: About::Invoice(checkout.invoice),
        version: tell_apart(tx, told).await?,
        client: client.into(),
        starts_at: None,
        amount: Some(checkout.amount),
        now: told.now,
    };
    notifications::tell_client(tx, &notice, None).await?;
    notifications::tell_staff(tx, &notice, None).await?;
    tx.touch(Topic::Invoices);
    tx.touch(Topic::Client(client.into()));
    Ok(outcome)
}

/// Takes the money in. `None` when this very payment was recorded under another event.
async fn receive(
    tx: &mut Tx,
    told: &Settle,
    checkout: &Checkout,
) -> Result<Option<Outcome>, Error> {
    let settled = tx
        .q("UPDATE invoices SET status = 'paid', version = version + 1 WHERE id = $1 AND status = 'open'
              AND NOT EXISTS (SELECT 1 FROM payments WHERE provider = $2 AND reference = $3)")
        .bind(checkout.invoice.0)
        .bind(told.provider)
        .bind(told.event.payment.clone())
        .run()
        .await?;
    let recorded = tx
        .q("INSERT INTO payments (id, invoice_id, checkout_id, provider, reference, amount, currency, applied, at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (provider, reference) DO NOTHING")
        .bind(PaymentId::new().0)
        .bind(checkout.invoice.0)
        .bind(checkout.id.0)
        .bind(told.provider)
        .bind(told.event.payment.clone())
        .bind(checkout.amount)
        .bind(checkout.currency.clone())
        .bind(settled > 0)
        .bind(told.now.as_millisecond())
        .run()
        .await?;
    Ok(match (recorded, settled) {
        (0, 0) => None,
        // The same payment was recorded between the two statements: the invoice must not be paid by it twice.
        (0, _) => return Err(Error::Conflict),
        (_, 0) => Some(Outcome::Unapplied),
        _ => Some(Outcome::Settled),
    })
}

/// Two payments for one invoice are two facts: the number of events so far tells them apart.
async fn tell_apart(tx: &mut Tx, told: &Settle) -> Result<i64, Error> {
    let (count,): (i64,) = tx
        .q("SELECT COUNT(*) FROM activity WHERE invoice_id = $1")
        .bind(told.event.invoice.0)
        .one()
        .await?;
    Ok(count)
}
