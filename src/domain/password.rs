//! Which passwords are good enough: long, and not one that everybody tries first.
//!
//! No rule about kinds of characters (NIST SP 800-63B, 5.1.1.2): those make passwords shorter, not better.

/// Characters that a password has at least.
pub const MIN_CHARS: usize = 12;
/// Bytes above which a password is refused unhashed: hashing a megabyte for a stranger is a gift.
pub const MAX_BYTES: usize = 256;

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    #[error("Use at least 12 characters. A few words in a row are easy to remember.")]
    Short,
    #[error("Use at most 256 bytes.")]
    Long,
    #[error("This password is among the first that are tried. Choose another.")]
    Common,
}

/// Checks `password` as typed; `about` are words that do not count: the person's name and address, the business's name.
pub fn check(password: &str, about: &[&str]) -> Result<(), Weak> {
    if password.len() > MAX_BYTES {
        return Err(Weak::Long);
    }
    if password.chars().count() < MIN_CHARS {
        return Err(Weak::Short);
    }
    let folded = password.to_lowercase();
    let mut distinct: Vec<char> = folded.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let is_run = folded
        .as_bytes()
        .windows(2)
        .all(|pair| pair[1].wrapping_sub(pair[0]) <= 1);
    let says_who = about
        .iter()
        .copied()
        .chain(["portico"])
        .filter(|word| word.len() >= 4)
        .map(str::to_lowercase)
        .any(|word| without(&folded, &word) || without(&folded, &word.replace(' ', "")));
    if distinct.len() < 5 || is_run || says_who || COMMON.iter().any(|word| without(&folded, word))
    {
        return Err(Weak::Common);
    }
    Ok(())
}

/// Whether little is left of the password once every `word` is taken out of it.
fn without(folded: &str, word: &str) -> bool {
    folded.contains(word) && folded.replace(word, "").chars().count() < 6
}

/// The stems of the passwords of twelve characters and more in the published lists of the ten thousand most used:
/// with them go their repetitions and their decorations of up to five characters.
const COMMON: [&str; 35] = [
    "password",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "qwerty",
    "qwertyuiop",
    "asdfghjkl",
    "1q2w3e4r5t6y",
    "1q2w3e4r",
    "q1w2e3r4",
    "1qaz2wsx",
    "zaq12wsx",
    "qazwsxedc",
    "qweasdzxc",
    "zxcvbnm",
    "1234567890",
    "123456789",
    "12345678",
    "123123",
    "letmein",
    "iloveyou",
    "welcome",
    "administrator",
    "admin",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "unbelievable",
    "abc123",
    "sunshine",
    "princess",
    "trustno1",
    "motherfucker",
    "starwars",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_what_counts() {
        assert_eq!(check("elevenchars", &[]), Err(Weak::Short));
        assert_eq!(check("twelve chars", &[]), Ok(()));
        assert_eq!(check("ünïcödé wörd", &[]), Ok(()));
        assert_eq!(check(" a leading blank", &[]), Ok(()));
        assert_eq!(check(&"four words long ".repeat(4), &[]), Ok(()));
        assert_eq!(check(&"four words long ".repeat(8), &[]), Ok(()));
        assert_eq!(check(&"x1y2z3 ".repeat(40), &[]), Err(Weak::Long));
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for common in [
            "password1234",
            "Password123!",
            "qwertyuiop12",
            "123456789012",
            "aaaaaaaaaaaa",
            "abcdefghijkl",
            "portico-2026",
            "PorticoPortico",
            "iloveyou1234",
            "passwordpassword",
            "1q2w3e4r5t6y",
            "unbelievable",
        ] {
            assert_eq!(check(common, &[]), Err(Weak::Common), "{common}");
        }
        assert_eq!(check("kestrel-demo-2026", &[]), Ok(()));
        assert_eq!(
            check("thandi@kestrel.example", &["thandi@kestrel.example"]),
            Err(Weak::Common)
        );
    }
}
