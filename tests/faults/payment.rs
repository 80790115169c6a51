//! A provider tells the same thing many times: it is one payment.

use crate::rig::{Business, Instance, On, Outcome, Person};
use anyhow::{Context as _, ensure};
use portico::clock::Clock;
use portico::payment::Payments;

/// Row 23: told a hundred times at once over three instances, the raw bytes as they were first sent.
async fn told_a_hundred_times(on: On) -> Outcome {
    let business = Business::open(on).await?;
    let mut instances = Vec::new();
    for _ in 0..3 {
        instances.push(Instance::of(&business).serve().await?);
    }
    let thandi = Person::sign_in(&instances[0], "thandi").await?;
    let list = thandi.get("/invoices").await?;
    let pay = list.attributes("form[action$='/pay']", "action");
    let pay = pay.first().context("Thandi has something to pay")?;
    let invoice = pay.split('/').nth(2).context("an invoice has an id")?;
    let begun = thandi.post(pay, &[]).await?;
    let page = begun
        .headers
        .get("location")
        .context("it leads to the payment page")?;
    let checkout = page
        .to_str()?
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();

    let (secret, amount, currency) = business
        .texts("SELECT value, CAST(amount AS TEXT), currency FROM settings, checkouts WHERE settings.name = 'sandbox_secret'
             ORDER BY checkouts.created_at DESC LIMIT 1")
        .await?;
    let short = checkout.replace('-', "");
    let body = format!(
        r#"{{"id":"evt_ok_{short}","mode":"sandbox","kind":"payment.succeeded","checkout":"{checkout}","invoice":"{invoice}","payment":"pay_{short}","amount":{amount},"currency":"{currency}"}}"#
    );
    let sandbox = Payments::sandbox_with(secret);
    let sandbox = sandbox.sandbox().context("it is the sandbox")?;
    let signature = sandbox.sign(body.as_bytes(), Clock::system().now());
    let told: Vec<_> = (0..100)
        .map(|n| {
            let person = thandi.at(&instances[n % 3]);
            let (body, signature) = (body.clone(), signature.clone());
            tokio::spawn(async move { person.tell(&body, &signature).await })
        })
        .collect();
    for told in told {
        let answer = told.await??;
        ensure!(
            answer.status == 200,
            "it was answered {} {}",
            answer.status,
            answer.body
        );
    }
    for (what, sql) in [
        (
            "payment",
            "SELECT COUNT(*) FROM payments WHERE checkout_id IN
             (SELECT id FROM checkouts ORDER BY created_at DESC LIMIT 1)",
        ),
        (
            "line of activity",
            "SELECT COUNT(*) FROM activity WHERE kind = 'paid' AND invoice_id IN
             (SELECT invoice_id FROM checkouts ORDER BY created_at DESC LIMIT 1)",
        ),
    ] {
        let count = business.count(sql).await?;
        ensure!(count == 1, "{count} times one {what}");
    }
    business.is_sound()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_a_hundred_times_it_is_one_payment_on_sqlite() -> Outcome {
    told_a_hundred_times(On::Sqlite).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_a_hundred_times_it_is_one_payment_on_postgres() -> Outcome {
    told_a_hundred_times(On::Postgres).await
}
