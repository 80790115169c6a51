//! Redis' messages on the line, as far as is needed to lose, double and swap them: anything else passes as it is.

use std::sync::atomic::{AtomicU64, Ordering};

/// Every how manieth published message something is done to; 0 is never. Counted over all connections.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mangle {
    pub(crate) drop: u64,
    pub(crate) double: u64,
    /// It comes after the next one.
    pub(crate) swap: u64,
}

impl Mangle {
    pub(crate) const ALL_LOST: Self = Self {
        drop: 1,
        double: 0,
        swap: 0,
    };
}

static MESSAGES: AtomicU64 = AtomicU64::new(0);

/// Whole replies out of pieces.
#[derive(Debug, Default)]
pub(crate) struct Split {
    pending: Vec<u8>,
    swapped: Vec<u8>,
}

impl Split {
    /// As they came, with whatever was held back before.
    pub(crate) fn pass(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.swapped);
        out.append(&mut self.pending);
        out.extend_from_slice(piece);
        out
    }

    /// With some published messages lost, doubled or swapped.
    pub(crate) fn mangle(&mut self, piece: &[u8], mangle: Mangle) -> Vec<u8> {
        self.pending.extend_from_slice(piece);
        let mut out = Vec::new();
        while let Some(length) = reply(&self.pending) {
            let reply: Vec<u8> = self.pending.drain(..length).collect();
            let is_message = reply
                .windows(11)
                .take(24)
                .any(|part| part == b"\r\nmessage\r\n");
            if !is_message {
                out.extend(reply);
                continue;
            }
            let n = MESSAGES.fetch_add(1, Ordering::Relaxed) + 1;
            let is_due = |every: u64| every > 0 && n.is_multiple_of(every);
            if is_due(mangle.drop) {
                continue;
            }
            if is_due(mangle.swap) && self.swapped.is_empty() {
                self.swapped = reply;
                continue;
            }
            out.extend_from_slice(&reply);
            if is_due(mangle.double) {
                out.extend_from_slice(&reply);
            }
            out.append(&mut self.swapped);
        }
        out
    }
}

/// The length of the first whole reply, if it is there.
fn reply(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")? + 2;
    let number = || {
        std::str::from_utf8(&bytes[1..end - 2])
            .ok()?
            .parse::<i64>()
            .ok()
    };
    match bytes.first()? {
        b'$' | b'=' | b'!' => {
            let body = usize::try_from(number()?).map_or(0, |length| length + 2);
            (bytes.len() >= end + body).then_some(end + body)
        }
        kind @ (b'*' | b'>' | b'~' | b'%') => {
            let each = if *kind == b'%' { 2 } else { 1 };
            let mut at = end;
            for _ in 0..number()? * each {
                at += reply(&bytes[at..])?;
            }
            Some(at)
        }
        _ => Some(end),
    }
}
