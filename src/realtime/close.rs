//! How a connection ends: the code says whether the browser comes back.

use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::error::ProtocolError;

/// Why a connection ends, as a close code that says whether the browser comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Close(u16, &'static str);

impl Close {
    pub(super) const GONE: Self = Self(1000, "");
    pub(super) const RESTART: Self = Self(1012, "restart");
    pub(super) const OVERLOAD: Self = Self(1013, "try again");
    pub(super) const TOO_MANY: Self = Self(1008, "too many");
    pub(super) const BROKEN: Self = Self(1002, "protocol");
    pub(super) const TOO_BIG: Self = Self(1009, "too big");
    pub(super) const SIGNED_OUT: Self = Self(4401, "session");
    pub(super) const OTHER_VIEWER: Self = Self(4401, "viewer");
    pub(super) const REFUSED: Self = Self(4403, "page");

    pub(super) fn code(self) -> u16 {
        self.0
    }

    pub(super) fn reason(self) -> &'static str {
        self.1
    }

    /// What to say to a browser that broke the rules of the line, and nothing to one that is gone.
    pub(super) fn to_blame(error: &tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Capacity(_) => Self::TOO_BIG,
            tungstenite::Error::Protocol(fault)
                if *fault != ProtocolError::ResetWithoutClosingHandshake =>
            {
                Self::BROKEN
            }
            tungstenite::Error::Utf8(_) => Self::BROKEN,
            _ => Self::GONE,
        }
    }
}
