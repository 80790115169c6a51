//! A quick hash. Two renderings are told apart by it, and nobody has a reason to make them collide: a cryptographic one
//! would take the generator as long as reading the frame.

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Of any bytes; never 0, which stands for nothing.
pub(crate) fn of(bytes: &[u8]) -> u64 {
    let mut hash = MULTIPLIER ^ bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = step(hash, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    finish(step(hash, u64::from_le_bytes(last))).max(1)
}

/// Of some hashes in their order.
pub(crate) fn all(hashes: &[u64]) -> u64 {
    finish(hashes.iter().copied().fold(MULTIPLIER, step))
}

fn step(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(MULTIPLIER).rotate_left(29)
}

/// Without it the last word would hardly move the low bits.
fn finish(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_a_length_and_an_order_make_a_difference() {
        let hashes = [
            "",
            "a",
            "b",
            "aaaaaaaa",
            "aaaaaaaab",
            "aaaaaaaaa",
            "aaaaaaaa\0",
        ];
        let mut hashes: Vec<u64> = hashes.iter().map(|text| of(text.as_bytes())).collect();
        hashes.extend([all(&[1, 2]), all(&[2, 1])]);
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }
}
