//! The one-way names under which secrets and forms are kept.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// SHA-256 in hex. Enough for what is random already; passwords are hashed slowly, elsewhere.
pub(super) fn of(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
