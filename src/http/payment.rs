//! Paying: the way to the payment page, the sandbox's page itself, and what a provider posts to us afterwards.

use super::error::Error;
use super::extract::{Fields, Me, Named};
use crate::app::App;
use crate::domain::id::{CheckoutId, InvoiceId};
use crate::domain::payment::{Checkout, Result as Outcome};
use crate::domain::viewer::{ClientViewer, Viewer};
use crate::payment::{Sandbox, Tell};
use crate::store::invoice::{self, Begin, Settle};
use crate::store::{self, business};
use crate::views::{payment as views, url};
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use maud::Markup;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Where a provider puts its signature.
const SIGNATURE: &str = "portico-signature";
/// The longest telling that is read.
const TOLD_BYTES: usize = 256 * 1024;
/// How long the sandbox lets a client wait who wants to be told of later.
const LATER: Duration = Duration::from_secs(5);
/// How long a client waits for the sandbox to have told. What it has to say again is not waited for.
const SOON: Duration = Duration::from_secs(2);

fn client(viewer: Viewer) -> Result<ClientViewer, Error> {
    match viewer {
        Viewer::Client(client) => Ok(client),
        _ => Err(Error::NotFound),
    }
}

/// `POST /invoices/{id}/pay`: to the payment page.
pub(super) async fn pay(
    State(app): State<App>,
    Me(viewer): Me,
    Named(id): Named<InvoiceId>,
) -> Result<Redirect, Error> {
    let provider = app.payments.provider().ok_or(Error::NotFound)?;
    let begin = Begin {
        viewer: client(viewer)?,
        invoice: id,
        provider: provider.name(),
        now: app.clock.now(),
    };
    let checkout = app
        .transact(begin, |tx, begin| Box::pin(invoice::begin(tx, begin)))
        .await;
    match checkout {
        Ok(checkout) => Ok(Redirect::to(&provider.payment_page(&checkout))),
        // It was paid or withdrawn meanwhile, and its page says so.
        Err(store::Error::Conflict) => Ok(Redirect::to(&url::invoice(id))),
        Err(error) => Err(error.into()),
    }
}

/// `GET /sandbox/{checkout}`.
pub(super) async fn show(
    State(app): State<App>,
    Me(viewer): Me,
    Named(id): Named<CheckoutId>,
) -> Result<Markup, Error> {
    let me = client(viewer)?;
    if app.payments.sandbox().is_none() {
        return Err(Error::NotFound);
    }
    let mut tx = app.db.snapshot().await?;
    let (checkout, invoice) = invoice::checkout(&mut tx, &me, id).await?;
    let business = business::load(&mut tx).await?;
    Ok(views::sandbox(&business, &checkout, &invoice))
}

/// What was pressed on the sandbox's page.
#[derive(Debug, Deserialize)]
pub(super) struct Pressed {
    outcome: String,
}

/// `POST /sandbox/{checkout}`: tells the portal what came of it, and leads back to the invoice.
pub(super) async fn press(
    State(app): State<App>,
    Me(viewer): Me,
    Named(id): Named<CheckoutId>,
    Fields(pressed): Fields<Pressed>,
) -> Result<Redirect, Error> {
    let me = client(viewer)?;
    let sandbox = app.payments.sandbox().ok_or(Error::NotFound)?;
    let mut tx = app.db.snapshot().await?;
    let (checkout, _) = invoice::checkout(&mut tx, &me, id).await?;
    drop(tx);
    let (result, wait) = match pressed.outcome.as_str() {
        "pay" => (Outcome::Succeeded, Duration::ZERO),
        "fail" => (Outcome::Failed, Duration::ZERO),
        "later" => (Outcome::Succeeded, LATER),
        _ => return Err(Error::Invalid("Choose what to do.".to_owned())),
    };
    let back = format!("{}?from=payment", url::invoice(checkout.invoice));
    let telling = tokio::spawn(tell(
        app.clone(),
        Arc::clone(sandbox),
        checkout,
        result,
        wait,
    ));
    if wait.is_zero() {
        // Usually the portal knows before the client is back, as with a real provider.
        let _ = tokio::time::timeout(SOON, telling).await;
    }
    Ok(Redirect::to(&back))
}

/// Tells the portal over HTTP until it says that it has understood, as a real provider would.
async fn tell(
    app: App,
    sandbox: Arc<Sandbox>,
    checkout: Checkout,
    result: Outcome,
    wait: Duration,
) {
    tokio::time::sleep(wait).await;
    for pause in [1, 5, 30, 120] {
        // Signed anew each time: what was signed too long ago is not believed.
        let told = sandbox.tell(&checkout, result, app.clock.now());
        match post(&app, &sandbox, told).await {
            Ok(status) if status.is_success() => return,
            Ok(status) => tracing::warn!(%status, "the sandbox was not believed"),
            Err(error) => tracing::warn!(%error, "the sandbox could not tell"),
        }
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

async fn post(app: &App, sandbox: &Sandbox, told: Tell) -> anyhow::Result<StatusCode> {
    let address = sandbox
        .callback()
        .ok_or_else(|| anyhow::anyhow!("this instance does not listen"))?;
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        // It speaks to this very machine: a proxy of the environment would not find it.
        .no_proxy()
        .build()?;
    let answer = client
        .post(format!("http://{address}/webhooks/sandbox"))
        .header(axum::http::header::HOST, app.config.base_url.host())
        .header(SIGNATURE, told.signature)
        .body(told.body)
        .send()
        .await?;
    Ok(answer.status())
}

/// `POST /webhooks/{provider}`: 200 once it is verified and recorded, now or before; 400 for everything else that is not ours
/// to mend.
pub(super) async fn webhook(
    State(app): State<App>,
    Named(name): Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Error> {
    let Some(provider) = app.payments.named(&name) else {
        return Ok(StatusCode::BAD_REQUEST);
    };
    let mut signatures = headers.get_all(SIGNATURE).iter();
    let signature = match (signatures.next(), signatures.next()) {
        (Some(one), None) => one.to_str().unwrap_or_default(),
        _ => return Ok(StatusCode::BAD_REQUEST),
    };
    let Ok(body) = to_bytes(body, TOLD_BYTES).await else {
        return Ok(StatusCode::BAD_REQUEST);
    };
    let now = app.clock.now();
    let Ok(event) = provider.verify(signature, &body, now) else {
        tracing::warn!(
            provider = provider.name(),
            "a webhook was not the provider's"
        );
        return Ok(StatusCode::BAD_REQUEST);
    };
    let settle = Settle {
        provider: provider.name(),
        event,
        now,
    };
    match app
        .transact(settle, |tx, settle| Box::pin(invoice::settle(tx, settle)))
        .await
    {
        Ok(outcome) => {
            tracing::info!(provider = provider.name(), ?outcome, "a payment was told");
            Ok(StatusCode::OK)
        }
        Err(store::Error::NotFound | store::Error::Conflict) => {
            tracing::warn!(
                provider = provider.name(),
                "a webhook was not what was asked for"
            );
            Ok(StatusCode::BAD_REQUEST)
        }
        Err(error) => Err(error.into()),
    }
}
