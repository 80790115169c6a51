//! What a page has seen, in a few bytes that the browser carries without reading them.
//!
//! A cursor is never a right: it only says what need not be sent again. Whatever cannot be read counts as nothing seen.

use super::part::Digest;
use super::region::Loaded;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Eight bytes that stand for a name of any length.
pub type Tag = u64;

/// The tag of some words.
pub fn tag(words: &[&str]) -> Tag {
    let digest = Digest::of(words.iter().copied());
    u64::from_le_bytes(*digest.0.first_chunk().expect("a digest has twelve bytes"))
}

/// What a page has of one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Which region.
    pub region: u32,
    pub version: i64,
    pub digest: Digest,
    /// Unix seconds until which the clock alone changes nothing, rounded down; the greatest means for ever.
    pub until: u32,
}

impl Mark {
    /// What a page has that embeds this rendering.
    pub fn of(region: &impl fmt::Debug, loaded: &Loaded) -> Self {
        let digest = loaded.whole.digest;
        Self::new(
            Self::name(region),
            loaded.version,
            digest,
            loaded.valid_until,
        )
    }

    pub(super) fn new(
        region: u32,
        version: i64,
        digest: Digest,
        valid_until: Option<Timestamp>,
    ) -> Self {
        let until = valid_until.map_or(u32::MAX, |until| {
            u32::try_from(until.as_second().max(0)).unwrap_or(u32::MAX)
        });
        Self {
            region,
            version,
            digest,
            until,
        }
    }

    /// When the clock alone may change what the page has, if ever.
    pub(super) fn valid_until(self) -> Option<Timestamp> {
        let until = Timestamp::from_second(self.until.into()).ok();
        until.filter(|_| self.until < u32::MAX)
    }

    /// The short name of a region in cursors.
    pub fn name(region: &impl fmt::Debug) -> u32 {
        let hash = Sha256::digest(format!("{region:?}").as_bytes());
        u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
    }
}

/// What a page has seen, of which database, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The database's epoch and the build that rendered.
    pub epoch: Tag,
    /// The viewer and their role.
    pub viewer: Tag,
    pub marks: Vec<Mark>,
}

const HEAD: usize = 16;
const MARK: usize = 28;

impl Cursor {
    /// Reads what was [encoded](fmt::Display); `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        let (head, marks) = bytes.split_at_checked(HEAD)?;
        if !marks.len().is_multiple_of(MARK) {
            return None;
        }
        let mark = |bytes: &[u8]| {
            Some(Mark {
                region: u32::from_le_bytes(bytes[..4].try_into().ok()?),
                version: i64::from_le_bytes(bytes[4..12].try_into().ok()?),
                digest: Digest(bytes[12..24].try_into().ok()?),
                until: u32::from_le_bytes(bytes[24..].try_into().ok()?),
            })
        };
        Some(Self {
            epoch: Tag::from_le_bytes(head[..8].try_into().ok()?),
            viewer: Tag::from_le_bytes(head[8..].try_into().ok()?),
            marks: marks.chunks_exact(MARK).map(mark).collect::<Option<_>>()?,
        })
    }

    /// As [`parse`](Self::parse) reads it.
    pub(super) fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(HEAD + self.marks.len() * MARK);
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.viewer.to_le_bytes());
        for mark in &self.marks {
            bytes.extend(mark.region.to_le_bytes());
            bytes.extend(mark.version.to_le_bytes());
            bytes.extend(mark.digest.0);
            bytes.extend(mark.until.to_le_bytes());
        }
        BASE64.encode(bytes)
    }

    /// What the page has of a region.
    pub fn mark(&self, region: u32) -> Option<Mark> {
        self.marks
            .iter()
            .copied()
            .find(|mark| mark.region == region)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back_and_no_text_breaks_it(
            epoch: u64, viewer: u64, marks in prop::collection::vec((any::<u32>(), any::<i64>(), any::<[u8; 12]>(), any::<u32>()), 0..6),
            noise in "\\PC{0,80}",
        ) {
            let mark = |(region, version, digest, until)| Mark { region, version, digest: Digest(digest), until };
            let cursor = Cursor { epoch, viewer, marks: marks.into_iter().map(mark).collect() };
            prop_assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
            if let Some(read) = Cursor::parse(&noise) {
                prop_assert_eq!(read.to_string(), noise);
            }
        }
    }
}
