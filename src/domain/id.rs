//! One id type per noun, so that a client's id is never taken for a person's. All are UUIDv7.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id. The time in it orders rows on disk and is no fact about the business.
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// Who signs in.
    PersonId,
    /// A person who is served.
    ClientId,
    /// A person who serves.
    StaffId,
    /// What can be booked.
    ServiceId,
    /// A confirmed, completed, cancelled or missed session.
    BookingId,
    /// A time kept for someone who is about to book it.
    HoldId,
    /// A client in line for a time that may become free.
    WaitId,
    /// A mail that waits to leave, or has left.
    EmailId,
    /// A line of what happened.
    ActivityId,
    /// What a client owes, or owed.
    InvoiceId,
    /// A client on the way to a payment page.
    CheckoutId,
    /// Money that came in.
    PaymentId,
    /// A message of a thread.
    MessageId,
    /// What someone should know.
    NotificationId,
}
