//! Invoices: made from a session or by hand, numbered without a gap, listed and summed, and what only the clock does to them.

use crate::browser::{Answer, Browser};
use crate::house::{House, On, Server, on_both};
use crate::money::{Reader, line};
use crate::state::State;
use portico::domain::id::InvoiceId;
use portico::domain::payment::{Checkout, Result as Told};
use portico::secret;
use portico::store::Error;
use portico::store::invoice::{self, Discard, IssueDraft};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const LEDGER: &str = "/admin/invoices";
const NEW: &str = "/admin/invoices/new";
const FORM: &str = "form.form";
const UNKNOWN: &str = "0193c0de-0000-7000-8000-000000000000";

/// Fills in some of a form's fields, as typing over what stands there does, and presses a button.
async fn send(browser: &Browser, form: &Answer, typed: &[(&str, &str)], act: &str) -> Answer {
    let mut fields = form.fields(FORM);
    assert!(!fields.is_empty(), "{}", form.body);
    for (name, value) in typed {
        let field = fields.iter_mut().find(|field| field.0 == *name);
        let field = field.unwrap_or_else(|| panic!("the form has no {name}"));
        (*value).clone_into(&mut field.1);
    }
    let mut fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.push(("act", act));
    browser.post(LEDGER, &fields).await
}

/// The invoice that an answer leads to.
fn made(answer: &Answer) -> InvoiceId {
    assert_eq!(answer.status, 303, "{}", answer.body);
    let to = answer.header("location").unwrap();
    to.strip_prefix("/invoices/").unwrap().parse().unwrap()
}

/// A row: client, booking, whether prices hold their tax, currency, tax, total, issued on, due on.
type Kept = (
    uuid::Uuid,
    Option<uuid::Uuid>,
    bool,
    String,
    i64,
    i64,
    Option<String>,
    String,
);

async fn kept(house: &House, id: InvoiceId) -> Kept {
    house
        .app
        .db
        .q("SELECT client_id, booking_id, tax_included, currency, tax, total, issued_on, due_on FROM invoices WHERE id = $1")
        .bind(id.0)
        .one()
        .await
        .unwrap()
}

async fn issue_draft(house: &House, invoice: InvoiceId, version: i64) -> Result<(), Error> {
    let issue = IssueDraft {
        by: house.naledi.clone(),
        invoice,
        version,
        now: house.clock().now(),
    };
    let issued = house
        .app
        .transact(issue, |tx, issue| Box::pin(invoice::issue_draft(tx, issue)));
    issued.await
}

async fn discard(house: &House, invoice: InvoiceId, version: i64) -> Result<(), Error> {
    let discard = Discard {
        by: house.naledi.clone(),
        invoice,
        version,
    };
    let gone = house.app.transact(discard, |tx, discard| {
        Box::pin(invoice::discard(tx, discard))
    });
    gone.await
}

async fn numbers(house: &House) -> Vec<i64> {
    let rows: Vec<(i64,)> = house
        .app
        .db
        .q("SELECT number FROM invoices WHERE number IS NOT NULL ORDER BY number")
        .all()
        .await
        .unwrap();
    rows.into_iter().map(|(number,)| number).collect()
}

on_both!(
    a_session_is_charged_with_what_was_agreed_on,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let booking = house
            .book(&house.thandi, &house.follow_up, "2026-11-24T06:00:00Z")
            .await
            .unwrap();
        let sheet = naledi.get(&format!("/bookings/{booking}")).await;
        let link = sheet
            .attribute("a[href^='/admin/invoices/new']", "href")
            .unwrap();
        assert_eq!(link, format!("{NEW}?booking={booking}"));
        let form = naledi.get(&link).await;
        let fields = form.fields(FORM);
        let client = house.thandi.client.to_string();
        let booked = booking.to_string();
        for (name, value) in [
            ("client", client.as_str()),
            ("booking", &booked),
            ("due_on", "2026-11-30"),
            ("prices", "included"),
            ("words-0", "Follow-up treatment, Tuesday 24 November"),
            ("quantity-0", "1"),
            ("price-0", "850.00"),
            ("tax-0", "15.00"),
        ] {
            assert!(
                fields.contains(&(name.to_owned(), value.to_owned())),
                "{name}: {fields:?}"
            );
        }
        let id = made(&send(&naledi, &form, &[], "issue").await);
        assert_eq!(house.stands(id).await, ("open".to_owned(), Some(1), 2));
        let days = ("2026-11-23".to_owned(), "2026-11-30".to_owned());
        let expected = (
            house.thandi.client.0,
            Some(booking.0),
            true,
            "ZAR".to_owned(),
            11_087,
            85_000,
            Some(days.0),
            days.1,
        );
        assert_eq!(kept(&house, id).await, expected);
        assert_eq!(house.happened(id).await, ["invoiced"]);

        let thandi = server.signed_in("thandi").await;
        let paper = thandi.get(&format!("/invoices/{id}")).await;
        assert_eq!(paper.texts("h1"), ["Invoice KP-0001"]);
        assert_eq!(paper.texts("#invoice .sums dd"), ["R 110.87", "R 850.00"]);
        // A session is charged once: its link leads to the invoice from now on, until that is withdrawn.
        let again = naledi.get(&link).await;
        let to = format!("/invoices/{id}");
        assert_eq!(
            (again.status, again.header("location")),
            (303, Some(to.as_str()))
        );
        house.void(&house.naledi, id, 2).await.unwrap();
        assert_eq!(naledi.get(&link).await.status, 200);
        house.assert_sound().await;
    }
);

on_both!(
    an_invoice_is_made_by_hand_line_by_line,
    |house: House| async move {
        let server = house.serve().await;
        let sipho = server.signed_in("sipho").await;
        let client = house.pieter.client.to_string();
        let form = sipho.get(&format!("{NEW}?client={client}")).await;
        let typed = [
            ("due_on", "2026-12-24"),
            ("prices", "added"),
            ("words-0", "  Home visit "),
            ("quantity-0", "1,5"),
            ("price-0", "1 000"),
            ("words-3", "Tape"),
            ("quantity-3", "3"),
            ("price-3", "9.99"),
            ("tax-3", "0"),
        ];
        // More lines keep what was typed.
        let form = send(&sipho, &form, &typed, "more").await;
        assert_eq!(form.status, 200);
        let fields = form.fields(FORM);
        for (name, value) in typed {
            let value = value.trim().to_owned();
            assert!(
                fields.contains(&(name.to_owned(), value)),
                "{name}: {fields:?}"
            );
        }
        let last = [
            ("words-7", "Advice"),
            ("price-7", "0"),
            ("quantity-7", ""),
            ("tax-7", ""),
        ];
        let id = made(&send(&sipho, &form, &last, "issue").await);
        let tax = 22_500;
        let expected = (
            house.pieter.client.0,
            None,
            false,
            "ZAR".to_owned(),
            tax,
            150_000 + 2_997 + tax,
            Some("2026-11-23".to_owned()),
            "2026-12-24".to_owned(),
        );
        assert_eq!(kept(&house, id).await, expected);
        let pieter = server.signed_in("pieter").await;
        let paper = pieter.get(&format!("/invoices/{id}")).await;
        // Cells stand side by side without a blank.
        let glued = |text: &str| text.replace(' ', "");
        let lines = paper.texts("#invoice tbody tr");
        let lines: Vec<_> = lines.iter().map(|line| glued(line)).collect();
        let expected = [
            "Home visit 1.5 R 1 000.00 15 % R 1 500.00",
            "Tape 3 R 9.99 0 % R 29.97",
            "Advice 1 R 0.00 0 % R 0.00",
        ];
        assert_eq!(lines, expected.map(glued));
        assert_eq!(
            paper.texts("#invoice .sums dd"),
            ["R 1 529.97", "R 225.00", "R 1 754.97"]
        );
        house.assert_sound().await;
    }
);

on_both!(
    numbers_have_no_gap_however_many_issue_at_once,
    |house: House| async move {
        let house = Arc::new(house);
        let contested = house.draft(&house.aisha, 85_000).await;
        let barrier = Arc::new(tokio::sync::Barrier::new(16));
        let mut all = tokio::task::JoinSet::new();
        for n in 0..16 {
            let (house, barrier) = (Arc::clone(&house), Arc::clone(&barrier));
            all.spawn(async move {
                let mut bill = house.bill(&house.thandi, 85_000);
                barrier.wait().await;
                match n % 4 {
                    // One of these gets the draft's number; the others had one in their hands.
                    0 => issue_draft(&house, contested, 1).await.is_ok(),
                    // Its number is taken, and then all of it falls.
                    1 => {
                        let fails = house.app.transact(bill, |tx, bill| {
                            Box::pin(async move {
                                invoice::issue(tx, bill).await?;
                                Err::<(), _>(Error::Conflict)
                            })
                        });
                        fails.await.is_ok()
                    }
                    2 => {
                        bill.client = UNKNOWN.parse().unwrap();
                        house.issue(bill).await.is_ok()
                    }
                    _ => house.issue(bill).await.is_ok(),
                }
            });
        }
        let issued = all.join_all().await.into_iter().filter(|ok| *ok).count();
        // Whoever issues again what is issued already changes nothing, and is not told off.
        assert!((5..=8).contains(&issued), "{issued}");
        assert_eq!(numbers(&house).await, [1, 2, 3, 4, 5]);
        assert_eq!(house.stands(contested).await.0, "open");
        let next = house.charge(&house.thandi, 85_000).await;
        assert_eq!(house.stands(next).await.1, Some(6));
        house.assert_sound().await;
    }
);

on_both!(
    a_draft_is_staffs_alone_until_it_is_issued,
    |house: House| async move {
        let server = house.serve().await;
        let (naledi, thandi) = (
            server.signed_in("naledi").await,
            server.signed_in("thandi").await,
        );
        let client = house.thandi.client.to_string();
        let form = naledi.get(&format!("{NEW}?client={client}")).await;
        let typed = [("words-0", "Follow-up treatment"), ("price-0", "850")];
        let id = made(&send(&naledi, &form, &typed, "draft").await);
        assert_eq!(house.stands(id).await, ("draft".to_owned(), None, 1));
        let path = format!("/invoices/{id}");
        let nobodys = thandi.get(&format!("/invoices/{UNKNOWN}")).await;
        let hidden = thandi.get(&path).await;
        assert_eq!((hidden.status, hidden.body), (404, nobodys.body));
        assert_eq!(thandi.post(&format!("{path}/pay"), &[]).await.status, 404);
        for page in ["/", "/invoices"] {
            let page = thandi.get(page).await;
            assert!(!page.body.contains(&id.to_string()), "{}", page.body);
        }
        assert_eq!(house.happened(id).await, [""; 0]);

        let paper = naledi.get(&path).await;
        assert_eq!(paper.texts("h1"), ["Invoice Draft"]);
        let mut home = thandi.watch("/").await;
        home.quiet().await;
        let issue = paper.attribute("form[action$='/issue']", "action").unwrap();
        let version = paper.attribute("form[action$='/issue'] input[name=version]", "value");
        let version = version.unwrap();
        let answer = naledi.post(&issue, &[("version", &version)]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(path.as_str()))
        );
        home.content(|html| html.contains("KP-0001")).await;
        assert_eq!(house.stands(id).await, ("open".to_owned(), Some(1), 2));
        assert_eq!(thandi.get(&path).await.status, 200);

        // Twice is once, and an invoice is not discarded.
        let before = State::of(&house).await;
        assert_eq!(
            naledi.post(&issue, &[("version", &version)]).await.status,
            303
        );
        for version in ["1", "2"] {
            let discard = format!("{LEDGER}/{id}/discard");
            assert_eq!(
                naledi.post(&discard, &[("version", version)]).await.status,
                409
            );
        }
        assert_eq!(State::of(&house).await, before);
    }
);

on_both!(
    a_draft_that_is_discarded_is_gone_and_whoever_looks_at_it_is_told,
    |house: House| async move {
        let server = house.serve().await;
        let (naledi, sipho) = (
            server.signed_in("naledi").await,
            server.signed_in("sipho").await,
        );
        let id = house.draft(&house.thandi, 85_000).await;
        let path = format!("/invoices/{id}");
        let mut paper = sipho.watch(&path).await;
        let mut list = sipho.watch(&format!("{LEDGER}?show=draft")).await;
        paper.quiet().await;
        list.quiet().await;
        let discard = format!("{LEDGER}/{id}/discard");
        assert_eq!(naledi.post(&discard, &[("version", "2")]).await.status, 409);
        let answer = naledi.post(&discard, &[("version", "1")]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(LEDGER))
        );
        list.content(|html| html.contains("There are no drafts"))
            .await;
        paper
            .content(|html| html.contains("This draft was discarded"))
            .await;
        // What is gone is not asked for again and again.
        paper.quiet().await;
        let loads = house.app.hub.load_count();
        paper.quiet().await;
        paper.quiet().await;
        assert!(house.app.hub.load_count() <= loads + 1);
        for answer in [
            naledi.get(&path).await,
            naledi.post(&discard, &[("version", "1")]).await,
        ] {
            assert_eq!(answer.status, 404);
        }
        // It never had a number.
        let next = house.charge(&house.thandi, 85_000).await;
        assert_eq!(house.stands(next).await.1, Some(1));
        house.assert_sound().await;
    }
);

on_both!(
    a_form_sent_twice_makes_one_invoice,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let client = house.thandi.client.to_string();
        let form = naledi.get(&format!("{NEW}?client={client}")).await;
        let typed = [("words-0", "Follow-up treatment"), ("price-0", "850")];
        let (one, other) = tokio::join!(
            send(&naledi, &form, &typed, "issue"),
            send(&naledi, &form, &typed, "issue")
        );
        let id = made(&one);
        assert_eq!(made(&other), id);
        assert_eq!(made(&send(&naledi, &form, &typed, "issue").await), id);
        let before = State::of(&house).await;
        // Other fields under the same key: asked once more, with all that was typed, and a key of its own.
        for (changed, act) in [
            (("price-0", "851"), "issue"),
            (("words-0", "Assessment"), "issue"),
            (("due_on", "2026-12-01"), "issue"),
            (("prices", "added"), "issue"),
            (("tax-0", "14"), "issue"),
            (("quantity-0", "2"), "issue"),
            (("price-0", "850"), "draft"),
        ] {
            let typed = [typed[0], typed[1], changed];
            let again = send(&naledi, &form, &typed, act).await;
            assert_eq!(again.status, 422, "{changed:?}");
            assert_eq!(again.texts(".note").len(), 1, "{}", again.body);
            let fields = again.fields(FORM);
            let (name, value) = changed;
            assert!(
                fields.contains(&(name.to_owned(), value.to_owned())),
                "{fields:?}"
            );
            let key = |form: &Answer| form.attribute("input[name=key]", "value").unwrap();
            assert_ne!(key(&again), key(&form));
            assert_eq!(State::of(&house).await, before, "{changed:?}");
            if changed.1 == "851" {
                let second = made(&send(&naledi, &again, &[], "issue").await);
                assert_eq!(house.stands(second).await.1, Some(2));
                house.void(&house.naledi, second, 2).await.unwrap();
                break;
            }
        }
        // Somebody else's form may have the same key.
        let sipho = server.signed_in("sipho").await;
        let third = made(&send(&sipho, &form, &typed, "issue").await);
        assert_eq!(house.stands(third).await.1, Some(3));
        house.assert_sound().await;
    }
);

on_both!(
    what_is_withdrawn_keeps_its_number_and_is_owed_no_more,
    |house: House| async move {
        let server = house.serve().await;
        let (naledi, thandi) = (
            server.signed_in("naledi").await,
            server.signed_in("thandi").await,
        );
        let id = house.charge(&house.thandi, 85_000).await;
        let path = format!("/invoices/{id}");
        let mut home = thandi.watch("/").await;
        let mut paper = thandi.watch(&path).await;
        home.quiet().await;
        paper.quiet().await;
        let form = naledi.get(&path).await;
        let void = form.attribute("form[action$='/void']", "action").unwrap();
        let version = form
            .attribute("form[action$='/void'] input[name=version]", "value")
            .unwrap();
        assert_eq!(naledi.post(&void, &[("version", "1")]).await.status, 409);
        for _ in 0..2 {
            let answer = naledi.post(&void, &[("version", &version)]).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, Some(path.as_str()))
            );
        }
        home.content(|html| !html.contains("data-todo")).await;
        paper
            .content(|html| html.contains("data-status=\"void\""))
            .await;
        assert_eq!(house.stands(id).await, ("void".to_owned(), Some(1), 3));
        assert_eq!(house.happened(id).await, ["invoiced", "voided"]);
        assert_eq!(
            thandi.get("/invoices").await.texts("#outstanding"),
            ["Nothing to pay"]
        );
        // Nothing is to be paid, and nothing to be done with it.
        let begun = house.set_out(&house.thandi, id).await;
        assert!(matches!(begun, Err(Error::Conflict)));
        let form = naledi.get(&path).await;
        assert!(form.attribute("#invoice-head form", "action").is_none());
        for act in ["issue", "discard"] {
            let act = format!("{LEDGER}/{id}/{act}");
            assert_eq!(
                naledi.post(&act, &[("version", "3")]).await.status,
                409,
                "{act}"
            );
        }
        let next = house.charge(&house.thandi, 85_000).await;
        assert_eq!(house.stands(next).await.1, Some(2));
        house.assert_sound().await;
    }
);

on_both!(
    what_was_due_is_overdue_from_midnight_on_by_itself,
    |house: House| async move {
        let server = house.serve().await;
        let (naledi, thandi) = (
            server.signed_in("naledi").await,
            server.signed_in("thandi").await,
        );
        let mut bill = house.bill(&house.thandi, 85_000);
        bill.due_on = "2026-11-23".parse().unwrap();
        let id = house.issue(bill).await.unwrap();
        let paper = format!("/invoices/{id}");
        // One millisecond before midnight in Johannesburg, where the business is.
        house.clock().advance(
            Duration::from_hours(16)
                .checked_sub(Duration::from_millis(1))
                .unwrap(),
        );
        let row = format!("tr[data-invoice='{id}']");
        for (browser, page) in [(&thandi, "/invoices"), (&naledi, LEDGER)] {
            let page = browser.get(page).await;
            assert_eq!(page.attribute(&row, "data-status").as_deref(), Some("open"));
            assert_eq!(page.texts(&format!("{row} .badge")), ["Due today"]);
        }
        assert_eq!(
            naledi.get("/admin").await.texts("#kpi-overdue b"),
            ["R 0.00"]
        );
        let mut screens = Vec::new();
        for (browser, path, word) in [
            (&thandi, "/", "was due"),
            (&thandi, "/invoices", "data-status=\"overdue\""),
            (&thandi, &paper, "data-status=\"overdue\""),
            (&naledi, &paper, "data-status=\"overdue\""),
            (&naledi, LEDGER, "data-status=\"overdue\""),
            (
                &naledi,
                "/admin/invoices?show=overdue",
                "data-status=\"overdue\"",
            ),
            (&naledi, "/admin", "R\u{a0}850.00"),
        ] {
            screens.push((browser.watch(path).await, word));
        }
        for (screen, _) in &mut screens {
            screen.quiet().await;
        }
        let before = State::of(&house).await;
        house.clock().advance(Duration::from_millis(1));
        for (screen, word) in &mut screens {
            screen.content(|html| html.contains(*word)).await;
        }
        assert_eq!(State::of(&house).await, before, "nobody wrote anything");
        let page = naledi.get("/admin/invoices?show=overdue").await;
        assert_eq!(page.texts(&format!("{row} .badge")), ["Overdue 1 day"]);
        assert_eq!(
            naledi.get("/admin").await.texts("#kpi-overdue b"),
            ["R 850.00"]
        );
    }
);

/// One invoice of each standing, and some more.
async fn one_of_each(house: &House, server: &Server) {
    for (price, days) in [(10_000, -1), (20_000, 0), (30_000, 1), (123_456_700, 40)] {
        let mut bill = house.bill(&house.thandi, price);
        let today: jiff::civil::Date = "2026-11-23".parse().unwrap();
        bill.due_on = today.saturating_add(jiff::Span::new().days(days));
        house.issue(bill).await.unwrap();
    }
    house.draft(&house.thandi, 40_000).await;
    for who in [&house.thandi, &house.pieter] {
        let id = house.charge(who, 50_000).await;
        let checkout = house.set_out(who, id).await.unwrap();
        let late = house.set_out(who, id).await.unwrap();
        let told = house.told(&checkout, Told::Succeeded);
        assert_eq!(server.hears(&told).await.status, 200);
        let told = house.told(&late, Told::Succeeded);
        assert_eq!(server.hears(&told).await.status, 200);
    }
    let id = house.charge(&house.aisha, 60_000).await;
    let checkout = house.set_out(&house.aisha, id).await.unwrap();
    house.void(&house.naledi, id, 2).await.unwrap();
    let told = house.told(&checkout, Told::Succeeded);
    assert_eq!(server.hears(&told).await.status, 200);
    let id = house.charge(&house.aisha, 70_000).await;
    house.void(&house.naledi, id, 2).await.unwrap();
}

on_both!(
    every_total_is_the_sum_of_the_rows_that_it_leads_to,
    |house: House| async move {
        let server = house.serve().await;
        let reader = Reader::of(&house, &server).await;
        reader.assert_books(&house).await;
        one_of_each(&house, &server).await;
        reader.assert_books(&house).await;
        let naledi = server.signed_in("naledi").await;
        let counts = |page: &Answer| page.attributes("nav.chips a", "data-count");
        let page = naledi.get(LEDGER).await;
        assert_eq!(counts(&page), ["9", "4", "1", "2", "1", "2", "3"]);
        // A filter that does not exist shows all.
        for show in ["", "x", "OPEN", "%27", "all%00"] {
            let page = naledi.get(&format!("{LEDGER}?show={show}")).await;
            assert_eq!(
                page.attributes("tr[data-invoice]", "data-invoice").len(),
                9,
                "{show}"
            );
        }
        house.clock().advance(Duration::from_hours(3 * 24));
        reader.assert_books(&house).await;
    }
);

on_both!(
    a_form_that_is_no_invoice_says_why_and_keeps_what_was_typed,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let client = house.thandi.client.to_string();
        let form = naledi.get(&format!("{NEW}?client={client}")).await;
        let before = State::of(&house).await;
        let fine = [("words-0", "Follow-up treatment"), ("price-0", "850")];
        let long = "x".repeat(201);
        let cases: [(&[(&str, &str)], &str); 24] = [
            (
                &[("client", "")],
                "Choose the client whom the invoice is for.",
            ),
            (
                &[("client", "x")],
                "Choose the client whom the invoice is for.",
            ),
            (&[("due_on", "")], "Say on which day the invoice is due."),
            (
                &[("due_on", "soon")],
                "Say on which day the invoice is due.",
            ),
            (
                &[("due_on", "2026-02-30")],
                "Say on which day the invoice is due.",
            ),
            (
                &[("due_on", "9999-12-31")],
                "Say on which day the invoice is due.",
            ),
            (
                &[("due_on", "-009999-01-01")],
                "Say on which day the invoice is due.",
            ),
            (
                &[("key", "")],
                "The form was too old to be sent. Check it, then send it again.",
            ),
            (
                &[("words-0", ""), ("price-0", "")],
                "An invoice needs at least one line.",
            ),
            (
                &[("words-0", "")],
                "Say what each line is for, in 200 characters at most.",
            ),
            (
                &[("words-0", &long)],
                "Say what each line is for, in 200 characters at most.",
            ),
            (
                &[("words-0", "a\u{7}b")],
                "Say what each line is for, in 200 characters at most.",
            ),
            (
                &[("quantity-0", "0")],
                "A quantity is a figure above 0 with at most two decimals.",
            ),
            (
                &[("quantity-0", "-1")],
                "A quantity is a figure above 0 with at most two decimals.",
            ),
            (
                &[("quantity-0", "1.234")],
                "A quantity is a figure above 0 with at most two decimals.",
            ),
            (
                &[("quantity-0", "1e3")],
                "A quantity is a figure above 0 with at most two decimals.",
            ),
            (
                &[("price-0", "")],
                "A price is an amount like 850.00, not below 0.",
            ),
            (
                &[("price-0", "-850")],
                "A price is an amount like 850.00, not below 0.",
            ),
            (
                &[("price-0", "R 850")],
                "A price is an amount like 850.00, not below 0.",
            ),
            (
                &[("price-0", "99999999999999999999")],
                "A price is an amount like 850.00, not below 0.",
            ),
            (
                &[("tax-0", "100.01")],
                "A tax rate lies between 0 and 100 percent.",
            ),
            (
                &[("tax-0", "-15")],
                "A tax rate lies between 0 and 100 percent.",
            ),
            (
                &[("price-0", "0")],
                "The invoice comes to nothing, or to more than can be charged.",
            ),
            (
                &[("price-0", "10000000000"), ("quantity-0", "2")],
                "The invoice comes to nothing, or to more than can be charged.",
            ),
        ];
        for (wrong, words) in cases {
            for act in ["issue", "draft"] {
                let typed: Vec<_> = fine.iter().chain(wrong).copied().collect();
                let answer = send(&naledi, &form, &typed, act).await;
                let story = format!("{wrong:?}: {}", answer.body);
                assert_eq!(answer.status, 422, "{story}");
                assert_eq!(answer.texts(".note"), [words], "{story}");
                let mut fields = form.fields(FORM);
                for (name, value) in typed {
                    fields.iter_mut().find(|field| field.0 == name).unwrap().1 = value.to_owned();
                }
                // What was chosen is no client: nobody is chosen.
                if wrong == [("client", "x")] {
                    fields
                        .iter_mut()
                        .find(|field| field.0 == "client")
                        .unwrap()
                        .1 = String::new();
                }
                // Without a key it could never be sent: it has one now.
                if wrong == [("key", "")] {
                    let key = answer.attribute("input[name=key]", "value").unwrap();
                    assert!(key.len() > 20, "{key}");
                    fields.iter_mut().find(|field| field.0 == "key").unwrap().1 = key;
                }
                // Up to the last line that anything stands in, and all of those.
                assert_eq!(answer.fields(FORM), fields, "{wrong:?}");
            }
        }
        let mut fields = vec![
            ("client".to_owned(), client.clone()),
            ("due_on".to_owned(), "2026-11-30".to_owned()),
            ("key".to_owned(), secret::token()),
        ];
        for n in 0..51 {
            fields.push((format!("words-{n}"), format!("Line {n}")));
            fields.push((format!("price-{n}"), "1".to_owned()));
        }
        let fields: Vec<_> = fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let answer = naledi.post(LEDGER, &fields).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.texts(".note"), ["An invoice has at most 50 lines."]);
        assert_eq!(State::of(&house).await, before);
        let id = made(&naledi.post(LEDGER, &fields[..fields.len() - 2]).await);
        assert_eq!(kept(&house, id).await.5, 5_000);
    }
);

on_both!(
    an_invoice_for_nobody_or_for_anothers_session_is_not_there,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let pieters = house
            .book(&house.pieter, &house.follow_up, "2026-11-24T06:00:00Z")
            .await
            .unwrap()
            .to_string();
        let before = State::of(&house).await;
        let (thandi, staff) = (
            house.thandi.client.to_string(),
            house.naledi.staff.to_string(),
        );
        for (client, booking) in [
            (UNKNOWN, ""),
            (&staff, ""),
            (&pieters, ""),
            (&thandi, UNKNOWN),
            (&thandi, &thandi),
            (&thandi, "x"),
            (&thandi, &pieters),
            (UNKNOWN, &pieters),
        ] {
            for act in ["issue", "draft"] {
                let key = secret::token();
                let fields = [
                    ("client", client),
                    ("booking", booking),
                    ("due_on", "2026-11-30"),
                    ("key", &key),
                    ("words-0", "Follow-up treatment"),
                    ("price-0", "850"),
                    ("act", act),
                ];
                let answer = naledi.post(LEDGER, &fields).await;
                assert_eq!(answer.status, 404, "{client} {booking}: {}", answer.body);
            }
        }
        for query in [
            format!("booking={UNKNOWN}"),
            "booking=x".to_owned(),
            format!("booking={thandi}"),
            "client=x".to_owned(),
        ] {
            assert_eq!(
                naledi.get(&format!("{NEW}?{query}")).await.status,
                404,
                "{query}"
            );
        }
        assert_eq!(State::of(&house).await, before);
    }
);

on_both!(
    a_payment_costs_a_watching_page_little,
    |house: House| async move {
        let server = house.serve().await;
        let (naledi, thandi) = (
            server.signed_in("naledi").await,
            server.signed_in("thandi").await,
        );
        for n in 0..40 {
            house.charge(&house.thandi, 85_000 + n).await;
        }
        let mut bill = house.bill(&house.thandi, 99_900);
        bill.due_on = "2026-11-20".parse().unwrap();
        let id = house.issue(bill).await.unwrap();
        let paper = format!("/invoices/{id}");
        let mut screens = Vec::new();
        // Where to look, what another invoice shows there, and what its payment does.
        for (browser, path, charged, paid) in [
            (&naledi, LEDGER, "KP-0042", "data-status=\"paid\""),
            (&naledi, "/admin", "KP-0042", "paid <a"),
            (
                &naledi,
                "/admin/invoices?show=overdue",
                "show-all",
                "Nothing is overdue",
            ),
            (&thandi, "/invoices", "KP-0042", "data-status=\"paid\""),
            (&thandi, "/", "KP-0042", "hx-swap=\"delete\""),
            (&thandi, &paper, "", "data-status=\"paid\""),
        ] {
            let length = browser.get(path).await.body.len();
            let mut screen = browser.watch(path).await;
            screen.quiet().await;
            screens.push((screen, path, length, charged, paid));
        }
        // One's own page is not rendered here until something changes on it: the first change comes as a whole.
        house.charge(&house.thandi, 84_999).await;
        for (screen, _, _, charged, _) in &mut screens {
            if !charged.is_empty() {
                screen.content(|html| html.contains(*charged)).await;
            }
            screen.quiet().await;
            screen.bytes = 0;
        }
        let checkout = house.set_out(&house.thandi, id).await.unwrap();
        let told = house.told(&checkout, Told::Succeeded);
        assert_eq!(server.hears(&told).await.status, 200);
        for (screen, path, length, _, paid) in &mut screens {
            screen.content(|html| html.contains(*paid)).await;
            screen.quiet().await;
            assert!(
                screen.bytes < 2048,
                "a payment cost {path} {} bytes",
                screen.bytes
            );
            assert!(
                screen.bytes * 3 < *length,
                "{path}: {} of {length}",
                screen.bytes
            );
        }
    }
);

/// What people and the provider do, each to one of the invoices or checkouts that there are.
#[derive(Debug, Clone)]
enum Act {
    Issue {
        client: usize,
        price: i64,
        due_in: i32,
        as_draft: bool,
    },
    IssueDraft(usize),
    Discard(usize),
    Void(usize),
    SetOut(usize),
    Told(usize, Told),
    Midnight,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let issue = (
        0usize..3,
        1i64..500_000,
        -2i32..4,
        prop::bool::weighted(0.3),
    );
    let issue = issue.prop_map(|(client, price, due_in, as_draft)| Act::Issue {
        client,
        price,
        due_in,
        as_draft,
    });
    let told = prop_oneof![2 => Just(Told::Succeeded), 1 => Just(Told::Failed)];
    let act = prop_oneof![
        6 => issue,
        2 => (0usize..50).prop_map(Act::IssueDraft),
        1 => (0usize..50).prop_map(Act::Discard),
        2 => (0usize..50).prop_map(Act::Void),
        6 => (0usize..50).prop_map(Act::SetOut),
        8 => (0usize..50, told).prop_map(|(n, told)| Act::Told(n, told)),
        1 => Just(Act::Midnight),
    ];
    prop::collection::vec(act, 1..40)
}

/// An invoice as it must stand by the rules alone.
#[derive(Debug)]
struct Model {
    id: InvoiceId,
    client: usize,
    status: &'static str,
    version: i64,
    unapplied: usize,
}

/// A checkout: of which invoice, and what was told of it.
struct Way {
    invoice: usize,
    checkout: Checkout,
    succeeded: bool,
}

/// The rules, and the house that should keep them.
struct Play<'h> {
    house: &'h House,
    server: &'h Server,
    invoices: Vec<Model>,
    ways: Vec<Way>,
}

impl Play<'_> {
    async fn act(&mut self, act: &Act) {
        let house = self.house;
        let clients = [&house.thandi, &house.pieter, &house.aisha];
        let (all, ways) = (self.invoices.len(), self.ways.len());
        match act {
            Act::Issue {
                client,
                price,
                due_in,
                as_draft,
            } => {
                let mut bill = house.bill(clients[*client], *price);
                bill.lines.push(line("Tape", price / 7));
                let today: jiff::civil::Date = "2026-11-23".parse().unwrap();
                bill.due_on = today.saturating_add(jiff::Span::new().days(*due_in));
                bill.as_draft = *as_draft;
                let id = house.issue(bill).await.unwrap();
                let (status, version) = if *as_draft { ("draft", 1) } else { ("open", 2) };
                self.invoices.push(Model {
                    id,
                    client: *client,
                    status,
                    version,
                    unapplied: 0,
                });
            }
            Act::IssueDraft(n) if all > 0 => {
                let it = &mut self.invoices[n % all];
                let done = issue_draft(house, it.id, it.version).await;
                assert_eq!(
                    done.is_ok(),
                    it.status == "draft",
                    "{act:?} {it:?}: {done:?}"
                );
                if done.is_ok() {
                    (it.status, it.version) = ("open", it.version + 1);
                }
            }
            Act::Discard(n) if all > 0 => {
                let it = &mut self.invoices[n % all];
                let done = discard(house, it.id, it.version).await;
                assert_eq!(
                    done.is_ok(),
                    it.status == "draft",
                    "{act:?} {it:?}: {done:?}"
                );
                if done.is_ok() {
                    it.status = "gone";
                }
            }
            Act::Void(n) if all > 0 => {
                let it = &mut self.invoices[n % all];
                let done = house.void(&house.naledi, it.id, it.version).await;
                assert_eq!(
                    done.is_ok(),
                    it.status == "open",
                    "{act:?} {it:?}: {done:?}"
                );
                if done.is_ok() {
                    (it.status, it.version) = ("void", it.version + 1);
                }
            }
            Act::SetOut(n) if all > 0 => {
                let it = &self.invoices[n % all];
                let begun = house.set_out(clients[it.client], it.id).await;
                assert_eq!(
                    begun.is_ok(),
                    it.status == "open",
                    "{act:?} {it:?}: {begun:?}"
                );
                if let Ok(checkout) = begun {
                    self.ways.push(Way {
                        invoice: n % all,
                        checkout,
                        succeeded: false,
                    });
                }
            }
            Act::Told(n, result) if ways > 0 => {
                let way = &mut self.ways[n % ways];
                let told = house.told(&way.checkout, *result);
                assert_eq!(self.server.hears(&told).await.status, 200);
                let it = &mut self.invoices[way.invoice];
                if *result == Told::Succeeded && !way.succeeded {
                    way.succeeded = true;
                    if it.status == "open" {
                        (it.status, it.version) = ("paid", it.version + 1);
                    } else {
                        it.unapplied += 1;
                    }
                }
            }
            Act::Midnight => house.clock().advance(Duration::from_hours(24)),
            _ => {}
        }
    }

    async fn assert_kept(&self) {
        let mut left = 0;
        for it in self.invoices.iter().filter(|it| it.status != "gone") {
            left += 1;
            let (status, number, version) = self.house.stands(it.id).await;
            assert_eq!(
                (status.as_str(), version),
                (it.status, it.version),
                "{it:?}"
            );
            assert_eq!(number.is_none(), it.status == "draft", "{it:?}");
            let received = self.house.received(it.id).await;
            let (applied, unapplied): (Vec<_>, Vec<_>) =
                received.into_iter().partition(|(_, applied)| *applied);
            let expected = (usize::from(it.status == "paid"), it.unapplied);
            assert_eq!((applied.len(), unapplied.len()), expected, "{it:?}");
        }
        let (count,): (i64,) = self
            .house
            .app
            .db
            .q("SELECT COUNT(*) FROM invoices")
            .one()
            .await
            .unwrap();
        assert_eq!(count, left);
    }
}

async fn play(on: On, acts: &[Act]) {
    let house = House::open(on).await;
    let server = house.serve().await;
    let mut play = Play {
        house: &house,
        server: &server,
        invoices: Vec::new(),
        ways: Vec::new(),
    };
    for act in acts {
        play.act(act).await;
    }
    play.assert_kept().await;
    Reader::of(&house, &server).await.assert_books(&house).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever is issued, withdrawn, paid and told, in any order and again: every total on every page is the sum of its rows.
    #[test]
    fn the_books_agree_whatever_happens(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        for on in [On::Sqlite, On::Postgres] {
            runtime.block_on(play(on, &acts));
        }
    }
}

on_both!(
    a_session_is_charged_once_whoever_charges_it,
    |house: House| async move {
        let booking = house
            .book(&house.thandi, &house.follow_up, "2026-11-24T06:00:00Z")
            .await
            .unwrap();
        let charge = || {
            let mut bill = house.bill(&house.thandi, 85_000);
            bill.booking = Some(booking);
            bill
        };
        let both = [charge(), charge()].map(|bill| house.issue(bill));
        let [one, other] = both;
        let outcomes = tokio::join!(one, other);
        let (first, late) = match outcomes {
            (Ok(id), late) | (late, Ok(id)) => (id, late),
            neither => panic!("{neither:?}"),
        };
        assert!(matches!(late, Err(Error::Conflict)), "{late:?}");

        // The form of the colleague who was a moment later says so, and a withdrawn invoice is in nobody's way.
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let form = naledi
            .get(&format!("{NEW}?client={}", house.thandi.client))
            .await;
        let mut fields = form.fields(FORM);
        fields.retain(|(name, _)| !["client", "words-0", "price-0"].contains(&name.as_str()));
        let (client, booking_id) = (house.thandi.client.to_string(), booking.to_string());
        let mut fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        fields.extend([
            ("client", client.as_str()),
            ("booking", booking_id.as_str()),
            ("words-0", "Follow-up treatment"),
            ("price-0", "850"),
            ("act", "issue"),
        ]);
        let answer = naledi.post(LEDGER, &fields).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(
            answer.body.contains("has an invoice already"),
            "{}",
            answer.body
        );
        house.void(&house.naledi, first, 2).await.unwrap();
        assert_eq!(naledi.post(LEDGER, &fields).await.status, 303);
        house.assert_sound().await;
    }
);

on_both!(older_invoices_are_a_page_away, |house: House| async move {
    for n in 0..201 {
        house.charge(&house.thandi, 100 + n).await;
    }
    let server = house.serve().await;
    let naledi = server.signed_in("naledi").await;
    let newest = naledi.get("/admin/invoices?show=open").await;
    assert_eq!(newest.attribute("#show-open", "data-count").unwrap(), "201");
    let earlier = newest.attribute("a[href*=before]", "href").unwrap();
    let oldest = naledi.get(&earlier).await;
    assert!(oldest.attribute("a[href*=before]", "href").is_none());
    let shown = |page: &Answer| page.attributes("tr[data-invoice]", "data-invoice");
    assert_eq!((shown(&newest).len(), shown(&oldest).len()), (200, 1));
    assert!(!shown(&newest).contains(&shown(&oldest)[0]));
});
