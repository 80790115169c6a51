//! What is said between instances, one line each: `1 SENDER moved VERSION TOPIC`, and `1 SENDER probe NONCE`. The first
//! word is the form's own number: an older or newer build's messages are ignored, and its changes found by the sweep.

use crate::domain::topic::Topic;
use std::fmt;

const FORM: &str = "1";

/// One message and who sent it: a number that an instance draws at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) sender: u64,
    pub(super) says: Says,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// The version is for whoever listens in: no instance believes it.
    Moved(Topic, i64),
    /// Said by an instance to itself.
    Probe(u64),
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FORM} {:016x} ", self.sender)?;
        match self.says {
            Says::Moved(topic, version) => write!(f, "moved {version} {topic}"),
            Says::Probe(nonce) => write!(f, "probe {nonce:016x}"),
        }
    }
}

impl Message {
    /// `None` for what is no message of ours.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(payload).ok()?.split(' ');
        if words.next()? != FORM {
            return None;
        }
        let sender = u64::from_str_radix(words.next()?, 16).ok()?;
        let says = match words.next()? {
            "moved" => {
                let version = words.next()?.parse().ok()?;
                Says::Moved(words.next()?.parse().ok()?, version)
            }
            "probe" => Says::Probe(u64::from_str_radix(words.next()?, 16).ok()?),
            _ => return None,
        };
        words.next().is_none().then_some(Self { sender, says })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::StaffId;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        for says in [
            Says::Moved(Topic::Calendar(StaffId::new()), i64::MAX),
            Says::Moved(Topic::Settings, 1),
            Says::Probe(u64::MAX),
        ] {
            let message = Message { sender: 7, says };
            assert_eq!(
                Message::parse(message.to_string().as_bytes()),
                Some(message)
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        for wrong in [
            &b""[..],
            b"1",
            b"2 7 moved 1 settings",
            b"1 x moved 1 settings",
            b"1 7 moved one settings",
            b"1 7 moved 1 weather",
            b"1 7 moved 1 settings again",
            b"1 7 gone 1 settings",
            b"1 7 probe",
            b"\xff\xfe",
        ] {
            assert_eq!(Message::parse(wrong), None, "{wrong:?}");
        }
    }
}
