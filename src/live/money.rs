//! How the regions about money are read. A day's end is the only thing that the clock changes: what was due is overdue then.

use super::Reading;
use super::wait::waits;
use crate::domain::id::{ClientId, InvoiceId};
use crate::domain::invoice::Filter;
use crate::realtime::Whole;
use crate::store::{Error, invoice, thread};
use crate::views;
use jiff::Timestamp;

/// Invoices that a client's list holds, and staff's.
const OWN: i64 = 1000;
const LEDGER: i64 = 200;

/// What a region looks like, and until when.
type Read = Result<(Whole, Timestamp), Error>;

fn until_midnight(reading: &Reading, whole: Whole) -> (Whole, Timestamp) {
    (whole, reading.business.next_midnight(reading.now))
}

pub(super) async fn own(reading: &mut Reading, client: ClientId) -> Read {
    let all = invoice::own(&mut reading.tx, client, OWN).await?;
    let unpaid = invoice::unpaid(&mut reading.tx, client).await?;
    let view = views::invoice::own::View {
        all: &all,
        unpaid: &unpaid,
        can_pay: reading.source.can_pay,
        today: reading.business.today(reading.now),
    };
    let whole = views::invoice::own::list(&reading.business, &view);
    Ok(until_midnight(reading, whole))
}

/// One invoice with its lines and its money. That its key names it gives no right: who may watch was asked before.
pub(super) async fn paper(reading: &mut Reading, id: InvoiceId, for_staff: bool) -> Read {
    let invoice = match invoice::read(&mut reading.tx, id).await {
        Ok(invoice) => invoice,
        // A draft that a colleague discards is gone for whoever looks at it, and stays so.
        Err(Error::NotFound) => return Ok((views::invoice::paper::gone(), Timestamp::MAX)),
        Err(error) => return Err(error),
    };
    let lines = invoice::lines(&mut reading.tx, &invoice).await?;
    let payments = invoice::payments(&mut reading.tx, &invoice).await?;
    let failed_at = invoice::failed_at(&mut reading.tx, &invoice).await?;
    let view = views::invoice::paper::View {
        invoice: &invoice,
        lines: &lines,
        payments: &payments,
        failed_at,
        for_staff,
        can_pay: reading.source.can_pay,
        now: reading.now,
    };
    let whole = views::invoice::paper::paper(&reading.business, &view);
    Ok(until_midnight(reading, whole))
}

pub(super) async fn ledger(
    reading: &mut Reading,
    filter: Filter,
    before: Option<InvoiceId>,
) -> Read {
    let today = reading.business.today(reading.now);
    let invoices = invoice::list(&mut reading.tx, filter, before, today, LEDGER + 1).await?;
    let sums = invoice::sums(&mut reading.tx, today).await?;
    let shown = usize::try_from(LEDGER).unwrap_or(usize::MAX);
    let view = views::invoice::ledger::View {
        invoices: &invoices[..invoices.len().min(shown)],
        has_earlier: invoices.len() > shown,
        sums: &sums,
        filter,
        today,
    };
    let whole = views::invoice::ledger::list(&reading.business, &view);
    Ok(until_midnight(reading, whole))
}

pub(super) async fn todo(reading: &mut Reading, client: ClientId) -> Read {
    let unpaid = invoice::unpaid(&mut reading.tx, client).await?;
    let unread = thread::to_answer(&mut reading.tx, client).await?;
    let (mut waits, until) = waits(reading, Some(client)).await?;
    waits.retain(|wait| wait.offer.is_some());
    let view = views::home::Todo {
        offers: &waits,
        unpaid: &unpaid,
        unread: unread.as_ref(),
        can_pay: reading.source.can_pay,
        today: reading.business.today(reading.now),
    };
    let whole = views::home::todo(&reading.business, &view);
    Ok((whole, until))
}
