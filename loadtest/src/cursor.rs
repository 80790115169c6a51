//! What a cursor says of versions. A browser never reads one; whoever measures wants to know which change a frame brought.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes before the marks, and of each mark.
const HEAD: usize = 16;
const MARK: usize = 28;

/// The regions of a page by their short names, each with its version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versions(Vec<(u32, i64)>);

impl Versions {
    /// `None` for what is no cursor.
    pub fn parse(cursor: &str) -> Option<Self> {
        // A page has a handful of regions; the decoder wants room for one chunk more.
        let mut room = [0; 1024];
        let length = URL_SAFE_NO_PAD.decode_slice(cursor, &mut room).ok()?;
        let marks = room[..length].get(HEAD..)?;
        if !marks.len().is_multiple_of(MARK) {
            return None;
        }
        let mark = |bytes: &[u8]| {
            let region = u32::from_le_bytes(bytes[..4].try_into().ok()?);
            let version = i64::from_le_bytes(bytes[4..12].try_into().ok()?);
            Some((region, version))
        };
        marks
            .chunks_exact(MARK)
            .map(mark)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// The version of a region.
    pub fn of(&self, region: u32) -> Option<i64> {
        let found = self.0.iter().find(|(of, _)| *of == region);
        found.map(|(_, version)| *version)
    }

    /// Each region with its version.
    pub fn iter(&self) -> impl Iterator<Item = (u32, i64)> {
        self.0.iter().copied()
    }

    /// Whether a region is older here than it was.
    pub fn is_behind(&self, before: &Self) -> bool {
        let older = |(region, version)| before.of(region).is_some_and(|before| version < before);
        self.iter().any(older)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(marks: &[(u32, i64)]) -> String {
        let mut bytes = vec![7; HEAD];
        for (region, version) in marks {
            bytes.extend(region.to_le_bytes());
            bytes.extend(version.to_le_bytes());
            bytes.extend([9; 16]);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    #[test]
    fn versions_are_read_and_compared() {
        let before = Versions::parse(&cursor(&[(1, 10), (2, 20)])).unwrap();
        assert_eq!(before.of(2), Some(20));
        let after = |text: &str| Versions::parse(text).unwrap();
        assert!(!after(&cursor(&[(1, 11), (2, 20)])).is_behind(&before));
        assert!(after(&cursor(&[(1, 11), (2, 19)])).is_behind(&before));
        assert!(!after(&cursor(&[(3, 1)])).is_behind(&before));
        for wrong in ["", "AAAA", "no cursor", &cursor(&[(1, 1)])[1..]] {
            assert_eq!(Versions::parse(wrong), None, "{wrong}");
        }
    }
}
