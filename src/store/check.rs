//! Whether the database keeps its own promises: what constraints cannot say is asked here.

use super::{Error, Tx};

/// What is wrong, a sentence each; nothing when all is well.
pub async fn problems(tx: &mut Tx) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    let (stored,): (String,) = tx
        .pair(
            "SELECT integrity_check FROM pragma_integrity_check LIMIT 1",
            "SELECT 'ok'",
        )
        .one()
        .await?;
    if stored != "ok" {
        found.push(format!("The file is damaged: {stored}."));
    }
    let (unkept,): (i64,) = tx
        .q("SELECT COUNT(*) FROM bookings WHERE status <> 'cancelled'
            AND (SELECT COUNT(*) FROM occupied WHERE booking_id = bookings.id)
             <> (bookings.minutes / 5) * 2 + bookings.before_minutes / 5 + bookings.after_minutes / 5")
        .one()
        .await?;
    if unkept > 0 {
        found.push(format!("{unkept} bookings do not hold all of their time."));
    }
    let (unheld,): (i64,) = tx
        .q("SELECT COUNT(*) FROM holds
            WHERE (SELECT COUNT(*) FROM occupied WHERE hold_id = holds.id AND staff_id = holds.staff_id)
             <> (holds.minutes / 5) * 2 + holds.before_minutes / 5 + holds.after_minutes / 5")
        .one()
        .await?;
    if unheld > 0 {
        found.push(format!("{unheld} holds do not keep all of their time."));
    }
    let (unfreed,): (i64,) = tx
        .q(
            "SELECT COUNT(*) FROM occupied JOIN bookings ON bookings.id = occupied.booking_id
            WHERE bookings.status = 'cancelled' OR bookings.staff_id <> occupied.staff_id",
        )
        .one()
        .await?;
    if unfreed > 0 {
        found.push(format!("{unfreed} five-minute spans are held for nothing."));
    }
    let (unbalanced,): (i64,) = tx
        .q("SELECT COUNT(*) FROM invoices
            WHERE (status = 'paid') <> EXISTS (SELECT 1 FROM payments WHERE invoice_id = invoices.id AND applied
                                               AND amount = invoices.total AND currency = invoices.currency)")
        .one()
        .await?;
    if unbalanced > 0 {
        found.push(format!(
            "{unbalanced} invoices do not agree with the money that came in for them."
        ));
    }
    let (missing,): (i64,) = tx
        .q("SELECT next - 1 - (SELECT COUNT(*) FROM invoices WHERE number BETWEEN 1 AND counters.next - 1)
            FROM counters WHERE name = 'invoice'")
        .one()
        .await?;
    if missing != 0 {
        found.push(format!("{missing} invoice numbers are missing."));
    }
    let (miscounted,): (i64,) = tx
        .q("SELECT COUNT(*) FROM threads
            WHERE last_seq <> (SELECT COUNT(*) FROM messages WHERE client_id = threads.client_id)
               OR last_seq <> (SELECT COALESCE(MAX(seq), 0) FROM messages WHERE client_id = threads.client_id)
               OR client_read > last_seq OR staff_read > last_seq")
        .one()
        .await?;
    if miscounted > 0 {
        found.push(format!(
            "{miscounted} threads have lost count of their messages."
        ));
    }
    Ok(found)
}
