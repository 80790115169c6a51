//! Money in tests: invoices as the verbs make them, paid as the sandbox tells it.

use crate::browser::Answer;
use crate::house::{House, Server};
use portico::domain::id::{CheckoutId, InvoiceId};
use portico::domain::invoice::Line;
use portico::domain::payment::{Checkout, Result as Told};
use portico::domain::viewer::{ClientViewer, StaffViewer};
use portico::payment::{Sandbox, Tell};
use portico::secret;
use portico::store::Error;
use portico::store::invoice::{self, Begin, Issue, Void};
use reqwest::Method;
use std::sync::Arc;

/// Where a provider tells what came of a payment.
pub(crate) const WEBHOOK: &str = "/webhooks/sandbox";

/// The id that a path about money names, if it is one.
pub(crate) fn id_in(path: &str, invoice: InvoiceId, checkout: CheckoutId) -> Option<String> {
    if path.contains("/invoices/{id}") {
        Some(invoice.to_string())
    } else if path.starts_with("/sandbox/") {
        Some(checkout.to_string())
    } else {
        None
    }
}

/// An invoice as its row stands: status, number, version.
pub(crate) type Stands = (String, Option<i64>, i64);

/// One line of a price that holds its tax.
pub(crate) fn line(words: &str, unit_price: i64) -> Line {
    Line {
        words: words.to_owned(),
        quantity: 100,
        unit_price,
        tax_rate: 1500,
    }
}

impl House {
    /// What Naledi charges a client, due in a week.
    pub(crate) fn bill(&self, client: &ClientViewer, price: i64) -> Issue {
        Issue {
            by: self.naledi.clone(),
            client: client.client,
            booking: None,
            lines: vec![line("Follow-up treatment", price)],
            tax_included: true,
            due_on: "2026-11-30".parse().unwrap(),
            as_draft: false,
            key: secret::token(),
            now: self.clock().now(),
        }
    }

    pub(crate) async fn issue(&self, issue: Issue) -> Result<InvoiceId, Error> {
        let issued = self
            .app
            .transact(issue, |tx, issue| Box::pin(invoice::issue(tx, issue)));
        issued.await
    }

    /// Issues an invoice of that much.
    pub(crate) async fn charge(&self, client: &ClientViewer, price: i64) -> InvoiceId {
        self.issue(self.bill(client, price)).await.unwrap()
    }

    /// A draft of that much.
    pub(crate) async fn draft(&self, client: &ClientViewer, price: i64) -> InvoiceId {
        let mut bill = self.bill(client, price);
        bill.as_draft = true;
        self.issue(bill).await.unwrap()
    }

    /// Sends a client to the payment page.
    pub(crate) async fn set_out(
        &self,
        client: &ClientViewer,
        invoice: InvoiceId,
    ) -> Result<Checkout, Error> {
        let begin = Begin {
            viewer: client.clone(),
            invoice,
            provider: "sandbox",
            now: self.clock().now(),
        };
        let checkout = self
            .app
            .transact(begin, |tx, begin| Box::pin(invoice::begin(tx, begin)));
        checkout.await
    }

    pub(crate) fn sandbox(&self) -> &Arc<Sandbox> {
        self.app.payments.sandbox().unwrap()
    }

    /// What the sandbox tells now of a payment.
    pub(crate) fn told(&self, checkout: &Checkout, result: Told) -> Tell {
        self.sandbox().tell(checkout, result, self.clock().now())
    }

    /// Withdraws an invoice of which `by` saw that version.
    pub(crate) async fn void(
        &self,
        by: &StaffViewer,
        invoice: InvoiceId,
        version: i64,
    ) -> Result<(), Error> {
        let void = Void {
            by: by.clone(),
            invoice,
            version,
            now: self.clock().now(),
        };
        let done = self
            .app
            .transact(void, |tx, void| Box::pin(invoice::void(tx, void)));
        done.await
    }

    pub(crate) async fn stands(&self, invoice: InvoiceId) -> Stands {
        self.app
            .db
            .q("SELECT status, number, version FROM invoices WHERE id = $1")
            .bind(invoice.0)
            .one()
            .await
            .unwrap()
    }

    /// The money that came in for an invoice: amount, and whether it settled it.
    pub(crate) async fn received(&self, invoice: InvoiceId) -> Vec<(i64, bool)> {
        self.app
            .db
            .q("SELECT amount, applied FROM payments WHERE invoice_id = $1 ORDER BY applied DESC, at")
            .bind(invoice.0)
            .all()
            .await
            .unwrap()
    }

    /// How often people were told of an invoice, by kind and name.
    pub(crate) async fn notices(&self, invoice: InvoiceId) -> Vec<(String, String, i64)> {
        self.app
            .db
            .q(
                "SELECT notifications.kind, people.email, COUNT(*) FROM notifications
                JOIN people ON people.id = notifications.person_id
                WHERE notifications.invoice_id = $1 GROUP BY 1, 2 ORDER BY 1, 2",
            )
            .bind(invoice.0)
            .all()
            .await
            .unwrap()
    }

    /// What happened to an invoice, in order.
    pub(crate) async fn happened(&self, invoice: InvoiceId) -> Vec<String> {
        let rows: Vec<(String,)> = self
            .app
            .db
            .q("SELECT kind FROM activity WHERE invoice_id = $1 ORDER BY at, id")
            .bind(invoice.0)
            .all()
            .await
            .unwrap();
        rows.into_iter().map(|(kind,)| kind).collect()
    }
}

impl Server {
    /// Posts what a provider tells.
    pub(crate) async fn hears(&self, told: &Tell) -> Answer {
        self.hears_bytes(&[&told.signature], told.body.clone().into_bytes())
            .await
    }

    /// Posts anything as what a provider tells, under any number of signatures.
    pub(crate) async fn hears_bytes(&self, signatures: &[&str], body: Vec<u8>) -> Answer {
        let headers: Vec<_> = signatures
            .iter()
            .map(|signature| ("portico-signature", *signature))
            .collect();
        self.browser()
            .send(Method::POST, WEBHOOK, &headers, Some(body))
            .await
    }
}
