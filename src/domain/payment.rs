//! Paying through somebody else: what we ask a provider for, and what one tells us.

use super::id::{CheckoutId, InvoiceId};

/// A client on the way to a payment page, with what is asked for there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    pub id: CheckoutId,
    pub invoice: InvoiceId,
    /// Minor units.
    pub amount: i64,
    /// An ISO 4217 code.
    pub currency: String,
}

/// What came of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Result {
    Succeeded,
    Failed,
}

/// What a provider told, once its signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The provider's id of this telling: the same again is no second fact.
    pub id: String,
    pub result: Result,
    pub checkout: CheckoutId,
    pub invoice: InvoiceId,
    /// The provider's id of the payment.
    pub payment: String,
    pub amount: i64,
    pub currency: String,
}
