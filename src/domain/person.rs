//! Who signs in: the forms that a name and an address may have.

use super::id::PersonId;

/// Someone who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    /// Normalised by [`email`].
    pub email: String,
    pub name: String,
    /// A disabled person's sign-in is refused and every session of theirs is ended.
    pub disabled: bool,
}

/// Why a name or an address cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("Enter an e-mail address like name@example.com.")]
    Email,
    #[error("Enter a name of 1 to 100 characters on one line.")]
    Name,
}

/// The one form in which an address is kept and compared: trimmed and in lower case.
pub fn email(text: &str) -> Result<String, Invalid> {
    let text = text.trim().to_lowercase();
    let (local, host) = text.rsplit_once('@').ok_or(Invalid::Email)?;
    // Quotes, commas and angle brackets are legal in a local part, and turn one recipient into two.
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let in_host = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let right = !local.is_empty()
        && text.len() <= 254
        && local.chars().all(plain)
        && host.chars().all(in_host)
        && host.contains('.')
        && host.split('.').all(|label| !label.is_empty());
    if right { Ok(text) } else { Err(Invalid::Email) }
}

/// A name as written, without the blanks around it.
pub fn name(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let right = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if right {
        Ok(text.to_owned())
    } else {
        Err(Invalid::Name)
    }
}

/// What a person is called in a greeting.
pub fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}

/// Two letters for a round picture: the first of the first and of the last word.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_one_form() {
        assert_eq!(
            email(" Thandi@Kestrel.Example "),
            Ok("thandi@kestrel.example".to_owned())
        );
        for wrong in [
            "",
            "x",
            "a@b",
            "a@@b.c",
            "a b@c.d",
            "a,b@c.d",
            "a\r\nbcc:x@c.d",
            "\"a\"@b.c",
            "a@.c",
        ] {
            assert_eq!(email(wrong), Err(Invalid::Email), "{wrong:?}");
        }
    }

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(name("  Thandi Mokoena "), Ok("Thandi Mokoena".to_owned()));
        assert_eq!(name("a\nb"), Err(Invalid::Name));
        assert_eq!(name(&"x".repeat(101)), Err(Invalid::Name));
        assert_eq!(
            (first_name("Thandi Mokoena"), initials("thandi van mokoena")),
            ("Thandi", "TM".to_owned())
        );
    }
}
