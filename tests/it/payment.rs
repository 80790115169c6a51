//! Paying: the way there and back, what a provider tells and what only pretends to be told, and money that meets an invoice
//! which is owed no more. FAULTS 23, 25 and 29; S28.

use crate::browser::Browser;
use crate::house::{House, On, Server, on_both};
use crate::money::WEBHOOK;
use crate::state::State;
use portico::app::App;
use portico::config::{Config, PaymentSetting};
use portico::domain::id::InvoiceId;
use portico::domain::payment::Result as Told;
use portico::payment::{Payments, Tell};
use portico::store::Error;
use reqwest::Method;
use std::sync::Arc;
use std::time::Duration;

/// Goes from the invoice to the payment page: its address.
async fn to_payment_page(browser: &Browser, invoice: InvoiceId) -> String {
    let answer = browser.post(&format!("/invoices/{invoice}/pay"), &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = answer.header("location").unwrap().to_owned();
    assert!(page.starts_with("/sandbox/"), "{page}");
    page
}

/// Presses a button of the payment page, and is sent back to the invoice.
async fn press(browser: &Browser, page: &str, outcome: &str, invoice: InvoiceId) {
    let answer = browser.post(page, &[("outcome", outcome)]).await;
    let back = format!("/invoices/{invoice}?from=payment");
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some(back.as_str())),
        "{}",
        answer.body
    );
}

async fn status_on_paper(browser: &Browser, invoice: InvoiceId) -> String {
    let page = browser.get(&format!("/invoices/{invoice}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    page.attribute("#invoice-head", "data-status").unwrap()
}

/// Everybody who is told of a payment, once each.
fn once_each(kind: &str) -> Vec<(String, String, i64)> {
    ["naledi", "sipho", "thandi"]
        .map(|who| (kind.to_owned(), format!("{who}@kestrel.example"), 1))
        .into()
}

on_both!(
    a_client_pays_and_everybody_knows,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let path = format!("/invoices/{invoice}/pay");
        for page in ["/", "/invoices", &format!("/invoices/{invoice}")] {
            let action = thandi
                .get(page)
                .await
                .attribute("form[action$='/pay']", "action");
            assert_eq!(action.as_deref(), Some(path.as_str()), "{page}");
        }

        let page = to_payment_page(&thandi, invoice).await;
        let asked = thandi.get(&page).await;
        assert_eq!(asked.status, 200);
        assert_eq!(asked.texts("h1"), ["Pay R 850.00"]);
        assert_eq!(
            asked.attribute("form.form", "action").as_deref(),
            Some(page.as_str())
        );
        assert_eq!(house.stands(invoice).await.0, "open");

        press(&thandi, &page, "pay", invoice).await;
        let paper = thandi
            .get(&format!("/invoices/{invoice}?from=payment"))
            .await;
        assert_eq!(
            paper.attribute("#invoice-head", "data-status").as_deref(),
            Some("paid")
        );
        assert!(paper.attribute("form[action$='/pay']", "action").is_none());
        let money = paper.texts("#invoice-money").concat();
        let checkout = page.trim_start_matches("/sandbox/").replace('-', "");
        assert!(
            money.starts_with("Paid R 850.00 on ") && money.contains(&format!("pay_{checkout}")),
            "{money}"
        );
        assert_eq!(house.received(invoice).await, [(85_000, true)]);
        assert_eq!(house.notices(invoice).await, once_each("paid"));
        assert_eq!(house.happened(invoice).await, ["invoiced", "paid"]);

        // Whoever presses twice pays once, and the page says that nothing is owed.
        let before = State::of(&house).await;
        press(&thandi, &page, "pay", invoice).await;
        let asked = thandi.get(&page).await;
        assert_eq!(
            asked.texts(".note"),
            ["Nothing is owed on this invoice any more."]
        );
        assert!(asked.attribute("form.form", "action").is_none());
        // And there is no way to another payment.
        let answer = thandi.post(&path, &[]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(format!("/invoices/{invoice}").as_str()))
        );
        assert_eq!(State::of(&house).await, before);
        house.assert_sound().await;
    }
);

on_both!(
    a_payment_that_fails_leaves_the_invoice_to_be_paid,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let page = to_payment_page(&thandi, invoice).await;
        press(&thandi, &page, "fail", invoice).await;
        assert_eq!(status_on_paper(&thandi, invoice).await, "open");
        assert_eq!(house.received(invoice).await, []);
        assert_eq!(house.notices(invoice).await, once_each("failed"));
        assert_eq!(
            house.happened(invoice).await,
            ["invoiced", "payment_failed"]
        );
        let before = State::of(&house).await;
        press(&thandi, &page, "fail", invoice).await;
        assert_eq!(State::of(&house).await, before, "the same failure again");

        // Another try fails too, and is another fact; then the same page pays.
        let page = to_payment_page(&thandi, invoice).await;
        press(&thandi, &page, "fail", invoice).await;
        assert!(house.notices(invoice).await.iter().all(|told| told.2 == 2));
        press(&thandi, &page, "pay", invoice).await;
        assert_eq!(status_on_paper(&thandi, invoice).await, "paid");
        assert_eq!(house.received(invoice).await, [(85_000, true)]);
        house.assert_sound().await;
    }
);

on_both!(
    a_payment_that_is_told_later_shows_when_it_is,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let mut paper = thandi.watch(&format!("/invoices/{invoice}")).await;
        paper.quiet().await;
        let page = to_payment_page(&thandi, invoice).await;
        press(&thandi, &page, "later", invoice).await;
        let back = thandi
            .get(&format!("/invoices/{invoice}?from=payment"))
            .await;
        assert_eq!(
            back.attribute("#invoice-head", "data-status").as_deref(),
            Some("open")
        );
        assert_eq!(
            back.texts(".note"),
            ["What came of the payment shows here as soon as we are told."]
        );
        let shown = paper
            .content(|html| html.contains("data-status=\"paid\""))
            .await;
        assert!(shown.contains("Reference pay_"), "{shown}");
        assert_eq!(house.received(invoice).await, [(85_000, true)]);
        house.assert_sound().await;
    }
);

on_both!(
    a_button_that_does_not_exist_pays_nothing,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let page = to_payment_page(&thandi, invoice).await;
        let before = State::of(&house).await;
        for fields in [
            &[][..],
            &[("outcome", "")],
            &[("outcome", "PAY")],
            &[("outcome", "paid")],
            &[("outcome", "pay"), ("outcome", "pay")],
        ] {
            assert_eq!(thandi.post(&page, fields).await.status, 422, "{fields:?}");
        }
        assert_eq!(State::of(&house).await, before);
    }
);

on_both!(
    a_client_is_not_kept_waiting_by_a_payment_that_is_not_believed,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let page = to_payment_page(&thandi, invoice).await;
        // What was asked for is no longer what the invoice comes to: no telling of it can be right.
        house
            .app
            .transact(invoice, |tx, invoice| {
                Box::pin(
                    tx.q("UPDATE invoices SET total = 84999 WHERE id = $1")
                        .bind(invoice.0)
                        .run(),
                )
            })
            .await
            .unwrap();
        press(&thandi, &page, "pay", invoice).await;
        assert_eq!(house.stands(invoice).await.0, "open");
        assert_eq!(house.received(invoice).await, []);
    }
);

on_both!(
    a_payment_told_a_hundred_times_at_once_is_one,
    |house: House| async move {
        let server = Arc::new(house.serve().await);
        let invoice = house.charge(&house.thandi, 85_000).await;
        let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
        let told = house.told(&checkout, Told::Succeeded);
        let barrier = Arc::new(tokio::sync::Barrier::new(100));
        let mut storm = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (server, told) = (Arc::clone(&server), told.clone());
            let barrier = Arc::clone(&barrier);
            storm.spawn(async move {
                barrier.wait().await;
                server.hears(&told).await.status
            });
        }
        assert_eq!(storm.join_all().await, [200; 100]);
        assert_eq!(house.stands(invoice).await, ("paid".to_owned(), Some(1), 3));
        assert_eq!(house.received(invoice).await, [(85_000, true)]);
        assert_eq!(house.notices(invoice).await, once_each("paid"));
        assert_eq!(house.happened(invoice).await, ["invoiced", "paid"]);
        house.assert_sound().await;
    }
);

/// A story, the signatures of a request, and its body.
type Lie = (&'static str, Vec<String>, Vec<u8>);

/// What could be told of a payment by everybody but the provider, and by a provider that is mistaken.
async fn lies(house: &House, invoice: InvoiceId) -> Vec<Lie> {
    let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
    let other = house.charge(&house.thandi, 85_000).await;
    let now = house.clock().now();
    let sandbox = house.sandbox();
    let told = house.told(&checkout, Told::Succeeded);
    let (body, signature) = (told.body.as_str(), told.signature.as_str());
    let (t, v1) = signature.split_once(',').unwrap();
    let cut = |by: usize| signature[..signature.len() - by].to_owned();
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    let stranger = Payments::sandbox_with("another business's secret".to_owned());
    let stranger = stranger.sandbox().unwrap();
    let seconds = |n: i64| now + jiff::SignedDuration::from_secs(n);
    let same = |signature: String| (vec![signature], body.as_bytes().to_vec());
    let mut lies: Vec<Lie> = Vec::new();
    let mut lie = |story, (signatures, body)| lies.push((story, signatures, body));

    lie("no signature", (Vec::new(), body.as_bytes().to_vec()));
    lie("an empty signature", same(String::new()));
    lie(
        "another business's secret",
        same(stranger.sign(body.as_bytes(), now)),
    );
    lie("a signature cut by a byte", same(cut(2)));
    lie("a signature cut in the middle of a byte", same(cut(1)));
    lie("nothing but the time", same(format!("{t},v1=")));
    lie("no time", same(v1.to_owned()));
    lie(
        "another time",
        same(format!("t={},{v1}", now.as_second() + 1)),
    );
    lie(
        "two signatures in one header",
        same(format!("{signature},{v1}")),
    );
    lie("two times", same(format!("{t},{signature}")));
    let twice = vec![signature.to_owned(), signature.to_owned()];
    lie("two headers", (twice, body.as_bytes().to_vec()));
    lie(
        "301 s old",
        same(sandbox.sign(body.as_bytes(), seconds(-301))),
    );
    lie(
        "301 s from now",
        same(sandbox.sign(body.as_bytes(), seconds(301))),
    );
    let as_is = |body: String| (vec![signature.to_owned()], body.into_bytes());
    lie(
        "said in other bytes",
        as_is(serde_json::to_string_pretty(&value).unwrap()),
    );
    lie("a blank more", as_is(format!("{body} ")));
    lie("a byte less", as_is(body[..body.len() - 1].to_owned()));
    lie(
        "another amount than was signed",
        as_is(body.replace("85000", "85001")),
    );
    lie("nothing", as_is(String::new()));

    // From here on it is signed rightly, and wrong.
    let signed = |body: String| (vec![sandbox.sign(body.as_bytes(), now)], body.into_bytes());
    lie("signed nothing", signed(String::new()));
    lie("no JSON", signed("paid".to_owned()));
    lie(
        "half of it",
        signed("{\"id\":\"evt_1\",\"mode\":\"sandbox\"}".to_owned()),
    );
    lie("a cent less", signed(body.replace("85000", "84999")));
    lie("a cent more", signed(body.replace("85000", "85001")));
    lie("below nothing", signed(body.replace("85000", "-85000")));
    lie("nothing paid", signed(body.replace("85000", "0")));
    lie("another currency", signed(body.replace("ZAR", "ZWL")));
    lie(
        "the currency in small letters",
        signed(body.replace("ZAR", "zar")),
    );
    lie(
        "another mode",
        signed(body.replace("\"sandbox\"", "\"live\"")),
    );
    lie(
        "another kind",
        signed(body.replace("payment.succeeded", "payment.refunded")),
    );
    let (of, to) = (checkout.invoice.to_string(), other.to_string());
    lie("another invoice", signed(body.replace(&of, &to)));
    let nobody = "0193c0de-0000-7000-8000-000000000000";
    lie("an invoice that is none", signed(body.replace(&of, nobody)));
    let (id, none) = (checkout.id.to_string(), nobody.to_owned());
    lie("a checkout that is none", signed(body.replace(&id, &none)));
    lie(
        "longer than 256 KiB",
        signed(format!("{body}{}", " ".repeat(256 * 1024))),
    );
    lies
}

on_both!(
    whatever_the_provider_did_not_say_changes_nothing,
    |house: House| async move {
        let server = house.serve().await;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let lies = lies(&house, invoice).await;
        let before = State::of(&house).await;
        for (story, signatures, body) in lies {
            let signatures: Vec<_> = signatures.iter().map(String::as_str).collect();
            let answer = server.hears_bytes(&signatures, body).await;
            assert_eq!(answer.status, 400, "{story}: {}", answer.body);
            assert_eq!(State::of(&house).await, before, "{story}");
        }
        // What is true is believed up to the last second and the last byte.
        let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
        let told = house.told(&checkout, Told::Succeeded);
        let room = 256 * 1024 - told.body.len();
        let body = format!("{}{}", told.body, " ".repeat(room));
        let long_ago = house.clock().now() - jiff::SignedDuration::from_secs(300);
        let signature = house.sandbox().sign(body.as_bytes(), long_ago);
        let answer = server.hears_bytes(&[&signature], body.into_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(house.stands(invoice).await.0, "paid");

        // An hour later the same bytes are old, and under a new signature they are no news.
        let after = State::of(&house).await;
        house.clock().advance(Duration::from_hours(1));
        assert_eq!(server.hears(&told).await.status, 400);
        assert_eq!(State::of(&house).await, after);
        let signature = house
            .sandbox()
            .sign(told.body.as_bytes(), house.clock().now());
        let body = told.body.clone().into_bytes();
        assert_eq!(server.hears_bytes(&[&signature], body).await.status, 200);
        assert_eq!(State::of(&house).await, after);
        for path in ["/webhooks/stripe", "/webhooks/SANDBOX", "/webhooks/%00"] {
            let own = [("portico-signature", signature.as_str())];
            let body = Some(told.body.clone().into_bytes());
            let answer = server.browser().send(Method::POST, path, &own, body).await;
            assert_eq!(answer.status, 400, "{path}");
        }
        assert_eq!(State::of(&house).await, after);
        house.assert_sound().await;
    }
);

/// What staff and the client see of money that came for nothing.
async fn assert_to_give_back(server: &Server, who: &str, invoice: InvoiceId, amount: &str) {
    let naledi = server.signed_in("naledi").await;
    let list = naledi.get("/admin/invoices?show=unapplied").await;
    let row = format!("tr[data-invoice='{invoice}']");
    assert_eq!(list.texts(&row).len(), 1, "{}", list.body);
    assert!(
        list.texts("#show-unapplied")
            .concat()
            .starts_with("To give back 1")
    );
    let paper = naledi.get(&format!("/invoices/{invoice}")).await;
    let notes = paper.texts("#invoice-money .note").concat();
    assert!(
        notes.starts_with(&format!("{amount} came in"))
            && notes.contains("Give it back: reference pay_"),
        "{notes}"
    );
    let client = server.signed_in(who).await;
    let paper = client.get(&format!("/invoices/{invoice}")).await;
    let notes = paper.texts("#invoice-money .note").concat();
    assert!(
        notes.starts_with(&format!("{amount} came in")) && notes.contains("We will give it back"),
        "{notes}"
    );
}

on_both!(
    money_for_an_invoice_that_was_withdrawn_is_to_be_given_back,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let naledi = server.signed_in("naledi").await;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let page = to_payment_page(&thandi, invoice).await;
        let paper = naledi.get(&format!("/invoices/{invoice}")).await;
        let version = paper.attribute("input[name=version]", "value").unwrap();
        let void = format!("/admin/invoices/{invoice}/void");
        let answer = naledi.post(&void, &[("version", &version)]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        press(&thandi, &page, "pay", invoice).await;
        assert_eq!(house.stands(invoice).await.0, "void");
        assert_eq!(house.received(invoice).await, [(85_000, false)]);
        assert_eq!(
            house.happened(invoice).await,
            ["invoiced", "voided", "paid_late"]
        );
        assert_eq!(house.notices(invoice).await, once_each("unapplied"));
        assert_to_give_back(&server, "thandi", invoice, "R 850.00").await;
        house.assert_sound().await;
    }
);

on_both!(
    an_invoice_that_was_paid_is_not_withdrawn,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let naledi = server.signed_in("naledi").await;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let page = to_payment_page(&thandi, invoice).await;
        // Naledi looks at it while it is open, and Thandi pays.
        let paper = naledi.get(&format!("/invoices/{invoice}")).await;
        let version = paper.attribute("input[name=version]", "value").unwrap();
        press(&thandi, &page, "pay", invoice).await;
        let before = State::of(&house).await;
        let void = format!("/admin/invoices/{invoice}/void");
        for version in [version.as_str(), "3"] {
            let answer = naledi.post(&void, &[("version", version)]).await;
            assert_eq!(answer.status, 409, "{}", answer.body);
            assert!(
                answer.texts("p").concat().contains("changed meanwhile"),
                "{}",
                answer.body
            );
        }
        assert_eq!(State::of(&house).await, before);
        assert_eq!(status_on_paper(&naledi, invoice).await, "paid");
    }
);

on_both!(
    paying_and_withdrawing_at_once_loses_no_money,
    |house: House| async move {
        let house = Arc::new(house);
        let server = Arc::new(house.serve().await);
        let mut withdrawn = 0;
        for round in 0..20 {
            let invoice = house.charge(&house.thandi, 85_000 + round).await;
            let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
            let told = house.told(&checkout, Told::Succeeded);
            let barrier = Arc::new(tokio::sync::Barrier::new(2));
            let pays = tokio::spawn({
                let (server, barrier) = (Arc::clone(&server), Arc::clone(&barrier));
                async move {
                    barrier.wait().await;
                    server.hears(&told).await.status
                }
            });
            let voids = tokio::spawn({
                let (house, barrier) = (Arc::clone(&house), Arc::clone(&barrier));
                async move {
                    barrier.wait().await;
                    // Over HTTP the payment has a longer way: in every other round it gets a start.
                    for _ in 0..round % 4 * 50 {
                        tokio::task::yield_now().await;
                    }
                    house.void(&house.naledi, invoice, 2).await
                }
            });
            assert_eq!(
                pays.await.unwrap(),
                200,
                "money that came in is taken note of"
            );
            let voided = voids.await.unwrap();
            let (status, _, version) = house.stands(invoice).await;
            let received = house.received(invoice).await;
            assert_eq!(version, 3, "one of them changed it, and once");
            match voided {
                Ok(()) => {
                    withdrawn += 1;
                    assert_eq!(status, "void");
                    assert_eq!(received, [(85_000 + round, false)]);
                }
                Err(Error::Conflict) => {
                    assert_eq!(status, "paid");
                    assert_eq!(received, [(85_000 + round, true)]);
                }
                Err(error) => panic!("{error}"),
            }
        }
        let mut tx = house.app.db.snapshot().await.unwrap();
        let today = "2026-11-23".parse().unwrap();
        let sums = portico::store::invoice::sums(&mut tx, today).await.unwrap();
        let unapplied = sums
            .iter()
            .find(|(filter, _)| filter.as_str() == "unapplied")
            .unwrap();
        assert_eq!(
            unapplied.1.count, withdrawn,
            "staff see all that is to be given back"
        );
        drop(tx);
        house.assert_sound().await;
    }
);

on_both!(
    an_invoice_is_settled_once_and_the_second_payment_is_to_be_given_back,
    |house: House| async move {
        let server = Arc::new(house.serve().await);
        for invoice in [
            house.charge(&house.thandi, 85_000).await,
            house.charge(&house.thandi, 85_000).await,
        ] {
            let mut both = Vec::new();
            for _ in 0..2 {
                let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
                both.push(house.told(&checkout, Told::Succeeded));
            }
            let mut pays = tokio::task::JoinSet::new();
            for told in both {
                let server = Arc::clone(&server);
                pays.spawn(async move { server.hears(&told).await.status });
            }
            assert_eq!(pays.join_all().await, [200, 200]);
            assert_eq!(house.stands(invoice).await.0, "paid");
            assert_eq!(
                house.received(invoice).await,
                [(85_000, true), (85_000, false)]
            );
            let told = [once_each("paid"), once_each("unapplied")].concat();
            assert_eq!(house.notices(invoice).await, told);
            let naledi = server.signed_in("naledi").await;
            let paper = naledi.get(&format!("/invoices/{invoice}")).await;
            let note = paper.texts("#invoice-money .note").concat();
            assert!(note.contains("Give it back"), "{note}");
        }
        house.assert_sound().await;
    }
);

on_both!(
    two_payments_that_fail_at_once_are_two_facts,
    |house: House| async move {
        let server = Arc::new(house.serve().await);
        for _ in 0..10 {
            let invoice = house.charge(&house.thandi, 85_000).await;
            let mut fails = tokio::task::JoinSet::new();
            for _ in 0..2 {
                let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
                let told = house.told(&checkout, Told::Failed);
                let server = Arc::clone(&server);
                fails.spawn(async move { server.hears(&told).await.status });
            }
            assert_eq!(fails.join_all().await, [200, 200]);
            let notices = house.notices(invoice).await;
            assert!(notices.iter().all(|told| told.2 == 2), "{notices:?}");
            assert_eq!(
                house.happened(invoice).await,
                ["invoiced", "payment_failed", "payment_failed"]
            );
        }
    }
);

on_both!(
    where_nobody_takes_money_there_is_no_way_to_pay,
    |house: House| async move {
        let invoice = house.charge(&house.thandi, 85_000).await;
        let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
        let told: Tell = house.told(&checkout, Told::Succeeded);
        let config = Config {
            payments: PaymentSetting::Off,
            ..Config::clone(&house.app.config)
        };
        let app = App::start(config, house.clock().clone()).await.unwrap();
        let server = Server::of(&app).await;
        let thandi = server.signed_in("thandi").await;
        let before = State::of(&house).await;
        for page in ["/", "/invoices", &format!("/invoices/{invoice}")] {
            let page = thandi.get(page).await;
            assert_eq!(page.status, 200);
            assert!(!page.body.contains("/pay\""), "{}", page.body);
            assert!(!page.body.contains("Pay now"), "{}", page.body);
        }
        let paper = thandi.get(&format!("/invoices/{invoice}")).await;
        assert!(
            paper
                .texts("p")
                .concat()
                .contains("means that you agreed on")
        );
        let page = format!("/sandbox/{}", checkout.id);
        assert_eq!(thandi.get(&page).await.status, 404);
        let pressed = thandi.post(&page, &[("outcome", "pay")]).await;
        assert_eq!(pressed.status, 404);
        let pay = thandi.post(&format!("/invoices/{invoice}/pay"), &[]).await;
        assert_eq!(pay.status, 404);
        assert_eq!(server.hears(&told).await.status, 400, "{WEBHOOK}");
        assert_eq!(State::of(&house).await, before);
    }
);
