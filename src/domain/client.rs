//! A person who is served.

use super::id::{ClientId, PersonId};
use jiff::Timestamp;

/// A client, as a list shows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    pub person: PersonId,
    pub name: String,
    pub email: String,
    /// Whether a password was ever set: an invited client who has not come yet has none.
    pub joined: bool,
    /// The next confirmed session and the last one that has passed.
    pub next_at: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
}

impl Client {
    /// Whether there was no session since then, and none is coming.
    pub fn is_quiet(&self, since: Timestamp) -> bool {
        self.next_at.is_none() && self.last_at.is_none_or(|at| at < since)
    }
}
