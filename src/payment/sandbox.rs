//! A provider that takes no money: it signs what it tells as a real one does, and its payment page is one of ours.
//!
//! The signature is `t=SECONDS,v1=HEX`, an HMAC-SHA256 over the seconds, a dot and the raw body. More than one of either, an
//! older or later time than five minutes, and a body that is not this sandbox's are refused.

use super::{Forged, PaymentProvider};
use crate::domain::id::{CheckoutId, InvoiceId};
use crate::domain::payment::{self, Checkout, Event};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::sync::OnceLock;

/// Seconds that a telling may be on its way, or that two clocks may differ.
const TOLERANCE: u64 = 300;
const MODE: &str = "sandbox";

/// The embedded provider.
pub struct Sandbox {
    secret: String,
    /// Where this instance listens, which is where the sandbox tells it.
    callback: OnceLock<SocketAddr>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

/// What the sandbox posts: bytes, and their signature.
#[derive(Debug, Clone)]
pub struct Tell {
    pub body: String,
    pub signature: String,
}

#[derive(Serialize, Deserialize)]
struct Body {
    id: String,
    mode: String,
    kind: Kind,
    checkout: CheckoutId,
    invoice: InvoiceId,
    payment: String,
    amount: i64,
    currency: String,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "payment.succeeded")]
    Succeeded,
    #[serde(rename = "payment.failed")]
    Failed,
}

impl Sandbox {
    pub(super) fn new(secret: String) -> Self {
        Self {
            secret,
            callback: OnceLock::new(),
        }
    }

    /// Where to tell what came of a payment, once this instance listens.
    pub fn callback(&self) -> Option<SocketAddr> {
        self.callback.get().copied()
    }

    /// This instance listens here.
    pub fn listens_at(&self, mut address: SocketAddr) {
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let _ = self.callback.set(address);
    }

    /// What is told of a payment. The event and the payment are named after the checkout, so that who presses twice pays
    /// once.
    pub fn tell(&self, checkout: &Checkout, result: payment::Result, now: Timestamp) -> Tell {
        let (kind, word) = match result {
            payment::Result::Succeeded => (Kind::Succeeded, "ok"),
            payment::Result::Failed => (Kind::Failed, "no"),
        };
        let checkout_id = checkout.id.0.simple();
        let body = Body {
            id: format!("evt_{word}_{checkout_id}"),
            mode: MODE.to_owned(),
            kind,
            checkout: checkout.id,
            invoice: checkout.invoice,
            payment: format!("pay_{checkout_id}"),
            amount: checkout.amount,
            currency: checkout.currency.clone(),
        };
        let body = serde_json::to_string(&body).expect("plain values are JSON");
        let signature = self.sign(body.as_bytes(), now);
        Tell { body, signature }
    }

    /// The signature of a body that is sent now.
    pub fn sign(&self, body: &[u8], now: Timestamp) -> String {
        let at = now.as_second();
        let mut signature = format!("t={at},v1=");
        for byte in self.mac(at, body).finalize().into_bytes() {
            let _ = write!(signature, "{byte:02x}");
        }
        signature
    }

    fn mac(&self, at: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())
            .expect("a key of any length will do");
        mac.update(format!("{at}.").as_bytes());
        mac.update(body);
        mac
    }
}

impl PaymentProvider for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn payment_page(&self, checkout: &Checkout) -> String {
        format!("/sandbox/{}", checkout.id)
    }

    fn verify(&self, signature: &str, body: &[u8], now: Timestamp) -> Result<Event, Forged> {
        let (at, mac) = signature
            .strip_prefix("t=")
            .and_then(|rest| rest.split_once(",v1="))
            .ok_or(Forged)?;
        let at: i64 = at.parse().map_err(|_| Forged)?;
        let mac = unhex(mac).ok_or(Forged)?;
        self.mac(at, body).verify_slice(&mac).map_err(|_| Forged)?;
        if at.abs_diff(now.as_second()) > TOLERANCE {
            return Err(Forged);
        }
        let body: Body = serde_json::from_slice(body).map_err(|_| Forged)?;
        if body.mode != MODE {
            return Err(Forged);
        }
        Ok(Event {
            id: body.id,
            result: match body.kind {
                Kind::Succeeded => payment::Result::Succeeded,
                Kind::Failed => payment::Result::Failed,
            },
            checkout: body.checkout,
            invoice: body.invoice,
            payment: body.payment,
            amount: body.amount,
            currency: body.currency,
        })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes().chunks_exact(2);
    if !bytes.remainder().is_empty() {
        return None;
    }
    bytes
        .map(|pair| Some(digit(pair[0])? * 16 + digit(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid() -> (Sandbox, Checkout, Timestamp) {
        let checkout = Checkout {
            id: CheckoutId::new(),
            invoice: InvoiceId::new(),
            amount: 85_000,
            currency: "ZAR".to_owned(),
        };
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        (Sandbox::new("a secret".to_owned()), checkout, now)
    }

    #[test]
    fn what_the_sandbox_tells_is_believed() {
        let (sandbox, checkout, now) = paid();
        let tell = sandbox.tell(&checkout, payment::Result::Succeeded, now);
        let event = sandbox
            .verify(&tell.signature, tell.body.as_bytes(), now)
            .unwrap();
        assert_eq!((event.amount, event.currency.as_str()), (85_000, "ZAR"));
        assert_eq!(
            (event.checkout, event.invoice),
            (checkout.id, checkout.invoice)
        );
        assert_eq!(event.result, payment::Result::Succeeded);
    }

    #[test]
    fn what_anyone_else_tells_is_not() {
        let (sandbox, checkout, now) = paid();
        let tell = sandbox.tell(&checkout, payment::Result::Succeeded, now);
        let (t, v1) = tell.signature.split_once(',').unwrap();
        let stranger = Sandbox::new("another secret".to_owned());
        let value: serde_json::Value = serde_json::from_str(&tell.body).unwrap();
        let again = serde_json::to_string_pretty(&value).unwrap();
        let live = tell.body.replace("\"sandbox\"", "\"live\"");
        let cheaper = tell.body.replace("85000", "84999");
        for (story, signature, body) in [
            ("no signature", String::new(), &tell.body),
            ("no time", v1.to_owned(), &tell.body),
            (
                "cut short",
                tell.signature[..tell.signature.len() - 2].to_owned(),
                &tell.body,
            ),
            (
                "odd",
                tell.signature[..tell.signature.len() - 1].to_owned(),
                &tell.body,
            ),
            ("in capitals", tell.signature.to_uppercase(), &tell.body),
            ("two", format!("{},{v1}", tell.signature), &tell.body),
            ("two times", format!("{t},{}", tell.signature), &tell.body),
            (
                "another time",
                format!("t={},{v1}", now.as_second() + 1),
                &tell.body,
            ),
            (
                "another key",
                stranger.sign(tell.body.as_bytes(), now),
                &tell.body,
            ),
            ("the same said otherwise", tell.signature.clone(), &again),
            ("a changed amount", tell.signature.clone(), &cheaper),
            ("another mode", sandbox.sign(live.as_bytes(), now), &live),
        ] {
            assert_eq!(
                sandbox.verify(&signature, body.as_bytes(), now),
                Err(Forged),
                "{story}"
            );
        }
        for seconds in [-301, 301] {
            let then = now + jiff::SignedDuration::from_secs(seconds);
            let late = sandbox.verify(&tell.signature, tell.body.as_bytes(), then);
            assert_eq!(late, Err(Forged), "{seconds} s");
        }
    }
}
