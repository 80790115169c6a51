//! Taking money through somebody else. What a provider has to know and to tell is one trait; the sandbox, which takes no
//! money, is embedded.

mod sandbox;

pub use sandbox::{Sandbox, Tell};

use crate::domain::payment::{Checkout, Event};
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;

/// A telling that is not the provider's own, or came too early or too late to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forged;

/// Somebody who takes money for us, and tells over HTTP what came of it.
pub trait PaymentProvider: Send + Sync + fmt::Debug {
    /// Its name in paths and in the database.
    fn name(&self) -> &'static str;

    /// Where a client pays.
    fn payment_page(&self, checkout: &Checkout) -> String;

    /// Reads what was posted to us, if its signature is right for these very bytes and it was told within five minutes.
    fn verify(&self, signature: &str, body: &[u8], now: Timestamp) -> Result<Event, Forged>;
}

/// How this business is paid.
#[derive(Debug, Clone, Default)]
pub struct Payments {
    sandbox: Option<Arc<Sandbox>>,
}

impl Payments {
    /// Through the sandbox, whose secret is the database's.
    pub fn sandbox_with(secret: String) -> Self {
        Self {
            sandbox: Some(Arc::new(Sandbox::new(secret))),
        }
    }

    /// Whoever takes the money, if anybody does.
    pub fn provider(&self) -> Option<&dyn PaymentProvider> {
        self.sandbox.as_deref().map(|sandbox| sandbox as _)
    }

    /// The sandbox, whose pages are ours.
    pub fn sandbox(&self) -> Option<&Arc<Sandbox>> {
        self.sandbox.as_ref()
    }

    /// The provider with this name, for what it posts to us.
    pub fn named(&self, name: &str) -> Option<&dyn PaymentProvider> {
        self.provider().filter(|provider| provider.name() == name)
    }
}
