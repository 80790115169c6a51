//! Money in tests: invoices as the verbs make them, paid as the sandbox tells it.

use crate::browser::{Answer, Browser};
use crate::house::{House, Server};
use portico::domain::id::{CheckoutId, InvoiceId};
use portico::domain::invoice::{Filter, Line};
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
        let withdrawn = self
            .app
            .transact(void, |tx, void| Box::pin(invoice::void(tx, void)));
        withdrawn.await
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

/// An amount in minor units, read from where people read it: `R 1 700.00`.
pub(crate) fn amount(text: &str) -> i64 {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    assert!(text.starts_with("R ") && !text.contains('−'), "{text}");
    digits.parse().unwrap()
}

/// An invoice as its row says: id, client, status, total, the day it is due, and what came in for nothing.
type Row = (uuid::Uuid, uuid::Uuid, String, i64, String, i64);

/// Somebody who looks at all the books: Naledi, and each client.
pub(crate) struct Reader {
    naledi: Browser,
    clients: Vec<(ClientViewer, Browser)>,
}

impl Reader {
    pub(crate) async fn of(house: &House, server: &Server) -> Self {
        let mut clients = Vec::new();
        for (who, viewer) in [
            ("thandi", &house.thandi),
            ("pieter", &house.pieter),
            ("aisha", &house.aisha),
        ] {
            clients.push((viewer.clone(), server.signed_in(who).await));
        }
        Self {
            naledi: server.signed_in("naledi").await,
            clients,
        }
    }

    /// Every total on every page is the sum of the rows that it counts, and links to them.
    pub(crate) async fn assert_books(&self, house: &House) {
        let rows: Vec<Row> = house
            .app
            .db
            .q("SELECT id, client_id, status, total, due_on,
                       CAST(COALESCE((SELECT SUM(amount) FROM payments WHERE invoice_id = invoices.id AND NOT applied), 0)
                            AS BIGINT)
                FROM invoices")
            .all()
            .await
            .unwrap();
        let zone = jiff::tz::TimeZone::get("Africa/Johannesburg").unwrap();
        let now = house.clock().now().to_zoned(zone);
        let today = now.date().to_string();
        let is_overdue = |row: &&Row| row.2 == "open" && row.4 < today;
        for filter in Filter::ALL {
            let shown = |row: &&Row| match filter {
                Filter::All => true,
                Filter::Overdue => is_overdue(row),
                Filter::Unapplied => row.5 > 0,
                status => row.2 == status.as_str(),
            };
            let counted = |row: &Row| match filter {
                Filter::Unapplied => row.5,
                _ => row.3,
            };
            let expected: Vec<_> = rows.iter().filter(shown).collect();
            let page = format!("/admin/invoices?show={}", filter.as_str());
            let page = self.naledi.get(&page).await;
            let mut listed = page.attributes("tr[data-invoice]", "data-invoice");
            let mut ids: Vec<_> = expected.iter().map(|row| row.0.to_string()).collect();
            listed.sort();
            ids.sort();
            assert_eq!(listed, ids, "{filter:?}");
            let chip = format!("#show-{}", filter.as_str());
            let sum: i64 = expected.iter().map(|row| counted(row)).sum();
            let said = |name| page.attribute(&chip, name).unwrap().parse::<i64>().unwrap();
            let count = i64::try_from(expected.len()).unwrap();
            assert_eq!(
                (said("data-count"), said("data-amount")),
                (count, sum),
                "{filter:?}"
            );
            let amounts = page.texts("tr[data-invoice] td.num");
            assert_eq!(amounts.iter().map(|text| amount(text)).sum::<i64>(), sum);
            let standing = |row: &Row| if is_overdue(&row) { "overdue" } else { &row.2 }.to_owned();
            let mut standings = page.attributes("tr[data-invoice]", "data-status");
            let mut expected: Vec<_> = expected.into_iter().map(standing).collect();
            standings.sort();
            expected.sort();
            assert_eq!(standings, expected, "{filter:?}");
        }
        self.assert_tiles(&rows, &today).await;
        for (client, browser) in &self.clients {
            let rows: Vec<_> = rows.iter().filter(|row| row.1 == client.client.0).collect();
            assert_own(browser, &rows).await;
        }
        house.assert_sound().await;
        let (drafts, numbers): (i64, i64) = house
            .app
            .db
            .q("SELECT COUNT(*), COALESCE(MAX(number), 0) FROM invoices WHERE number IS NOT NULL")
            .one()
            .await
            .unwrap();
        assert_eq!(drafts, numbers, "numbers have a gap");
    }

    /// The first page's amounts lead to just the rows that they count.
    async fn assert_tiles(&self, rows: &[Row], today: &str) {
        let desk = self.naledi.get("/admin").await;
        for tile in ["outstanding", "overdue"] {
            let counted =
                |row: &&Row| row.2 == "open" && (tile == "outstanding" || row.4.as_str() < today);
            let expected: i64 = rows.iter().filter(counted).map(|row| row.3).sum();
            let count = rows.iter().filter(counted).count();
            let tile = format!("#kpi-{tile}");
            assert_eq!(
                amount(&desk.texts(&format!("{tile} b"))[0]),
                expected,
                "{tile}"
            );
            let said = desk.texts(&format!("{tile} .small"));
            let plural = if count == 1 { "" } else { "s" };
            assert_eq!(said, [format!("{count} invoice{plural}")]);
            let list = self
                .naledi
                .get(&desk.attribute(&tile, "href").unwrap())
                .await;
            let amounts = list.texts("tr[data-invoice] td.num");
            assert_eq!(amounts.len(), count, "{tile}");
            let sum: i64 = amounts.iter().map(|text| amount(text)).sum();
            assert_eq!(sum, expected, "{tile}");
        }
    }
}

/// A client's list and home say what is owed, and nothing of anybody else.
async fn assert_own(browser: &Browser, rows: &[&Row]) {
    let list = browser.get("/invoices").await;
    let mut listed = list.attributes("tr[data-invoice]", "data-invoice");
    let issued = rows.iter().filter(|row| row.2 != "draft");
    let mut ids: Vec<_> = issued.map(|row| row.0.to_string()).collect();
    listed.sort();
    ids.sort();
    assert_eq!(listed, ids);
    let open: Vec<_> = rows.iter().filter(|row| row.2 == "open").collect();
    let owed: i64 = open.iter().map(|row| row.3).sum();
    let said = list.texts("#outstanding").concat();
    match said.strip_suffix(" outstanding") {
        Some(text) => assert_eq!(amount(text), owed),
        None => assert_eq!((said.as_str(), owed), ("Nothing to pay", 0)),
    }
    let due = list.texts("#due .big");
    assert_eq!(due.iter().map(|text| amount(text)).sum::<i64>(), owed);
    let home = browser.get("/").await;
    let todos = home.texts("[data-todo='pay'] small");
    assert_eq!(todos.len(), open.len());
    let todo = |text: &String| amount(text.split(',').next().unwrap());
    assert_eq!(todos.iter().map(todo).sum::<i64>(), owed);
    let count = home.texts("#todo-count").concat();
    assert_eq!(
        count.split(' ').next().unwrap().parse().unwrap_or(0),
        open.len(),
        "{count}"
    );
}
