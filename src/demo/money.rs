//! What the invented business has charged: an invoice for each of the latest sessions, most of them paid by now, all through
//! the verbs that people use.

use crate::domain::booking::{Status, plus};
use crate::domain::id::{ClientId, InvoiceId, PersonId};
use crate::domain::invoice::Line;
use crate::domain::payment::{Event, Result};
use crate::domain::viewer::{ClientViewer, Role, StaffViewer};
use crate::store::invoice::{self, Begin, Issue, Settle};
use crate::store::seed::Seeded;
use crate::store::{Db, Error};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::collections::HashMap;

/// The latest sessions that are charged: of a business of ten thousand clients nobody looks at more.
const INVOICES: usize = 40;
const DAY: i64 = 24 * 60;

/// Who charges, and whom.
pub(super) struct Books<'a> {
    pub(super) owner: (PersonId, crate::domain::id::StaffId),
    pub(super) people: HashMap<ClientId, PersonId>,
    /// Whose newest invoice is still to be paid, and due in some days.
    pub(super) waiting: Option<ClientId>,
    pub(super) zone: &'a TimeZone,
    pub(super) now: Timestamp,
}

impl Books<'_> {
    /// Charges the latest sessions of `bookings`, the oldest first.
    pub(super) async fn write(&self, db: &Db, bookings: &[Seeded]) -> anyhow::Result<()> {
        let mut past: Vec<&Seeded> = bookings
            .iter()
            .filter(|seeded| {
                seeded.status != Status::Cancelled && plus(seeded.start, 60) < self.now
            })
            .filter(|seeded| self.people.contains_key(&seeded.client))
            .collect();
        past.sort_by_key(|seeded| std::cmp::Reverse(seeded.start));
        past.truncate(INVOICES);
        let waiting = past
            .iter()
            .find(|seeded| Some(seeded.client) == self.waiting)
            .map(|seeded| seeded.id);
        let charged = past.into_iter().map(|seeded| {
            let is_waiting = waiting == Some(seeded.id);
            let issued_at = if is_waiting {
                plus(self.now, -DAY)
            } else {
                plus(seeded.start, 60)
            };
            (issued_at, is_waiting, seeded)
        });
        let mut charged: Vec<_> = charged.collect();
        charged.sort_by_key(|(issued_at, _, _)| *issued_at);
        for (n, (issued_at, is_waiting, seeded)) in charged.into_iter().enumerate() {
            let invoice = self.charge(db, seeded, issued_at).await?;
            let age = self.now.duration_since(issued_at).as_hours() / 24;
            // Every ninth is paid late or not yet, and of the last few days only some.
            let is_paid = !is_waiting && n % 9 != 4 && (age > 4 || n % 2 == 0);
            if is_paid {
                let paid_at = plus(
                    issued_at,
                    60 + 97 * (1 + i64::try_from(n % 23).unwrap_or(0)),
                );
                if paid_at < self.now {
                    self.pay(db, seeded.client, invoice, paid_at).await?;
                }
            }
        }
        Ok(())
    }

    async fn charge(
        &self,
        db: &Db,
        seeded: &Seeded,
        at: Timestamp,
    ) -> std::result::Result<InvoiceId, Error> {
        let day = seeded.start.to_zoned(self.zone.clone()).date();
        let words = format!("{}, {}", seeded.service.name, day.strftime("%-d %B"));
        let issue = Issue {
            by: StaffViewer {
                person: self.owner.0,
                staff: self.owner.1,
                name: String::new(),
                role: Role::Owner,
            },
            client: seeded.client,
            booking: Some(seeded.id),
            lines: vec![Line {
                words,
                quantity: 100,
                unit_price: seeded.service.price,
                tax_rate: 1500,
            }],
            tax_included: true,
            due_on: at
                .to_zoned(self.zone.clone())
                .date()
                .saturating_add(Span::new().days(6)),
            as_draft: false,
            key: format!("demo {}", seeded.id),
            now: at,
        };
        db.transact(issue, |tx, issue| Box::pin(invoice::issue(tx, issue)))
            .await
    }

    async fn pay(
        &self,
        db: &Db,
        client: ClientId,
        invoice: InvoiceId,
        at: Timestamp,
    ) -> std::result::Result<(), Error> {
        let Some(person) = self.people.get(&client) else {
            return Ok(());
        };
        let viewer = ClientViewer {
            person: *person,
            client,
            name: String::new(),
        };
        settle(db, viewer, invoice, at).await
    }
}

/// Pays an invoice of one's own, as the sandbox would tell it.
pub(super) async fn settle(
    db: &Db,
    viewer: ClientViewer,
    invoice: InvoiceId,
    now: Timestamp,
) -> std::result::Result<(), Error> {
    let begin = Begin {
        viewer,
        invoice,
        provider: "sandbox",
        now,
    };
    let checkout = db
        .transact(begin, |tx, begin| Box::pin(invoice::begin(tx, begin)))
        .await?;
    let settle = Settle {
        provider: "sandbox",
        event: Event {
            id: format!("evt_ok_{}", checkout.id.0.simple()),
            result: Result::Succeeded,
            checkout: checkout.id,
            invoice,
            payment: format!("pay_{}", checkout.id.0.simple()),
            amount: checkout.amount,
            currency: checkout.currency,
        },
        now,
    };
    db.transact(settle, |tx, settle| Box::pin(invoice::settle(tx, settle)))
        .await?;
    Ok(())
}
