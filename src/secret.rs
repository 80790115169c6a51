//! Passwords and the secrets in links: hashing them slowly, making them unguessable.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Argon2id with 19 MiB, two passes, one lane: OWASP's password storage cheat sheet.
fn argon() -> Argon2<'static> {
    let params =
        Params::new(19 * 1024, 2, 1, None).expect("the figures are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The pool in which passwords are hashed: as many at a time as there are processors to spare, so that a rush of
/// sign-ins waits for itself and not for the pages of everybody else.
#[derive(Debug, Clone)]
pub struct Passwords {
    pool: Arc<Semaphore>,
    /// Verified when there is no such account, so that an unknown address takes as long as a wrong password.
    dummy: Arc<str>,
}

/// What a look at a password found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    Wrong,
    Right {
        /// The same password under today's parameters, where the kept hash has older ones.
        rehash: Option<String>,
    },
}

impl Default for Passwords {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            pool: Arc::new(Semaphore::new(processors.div_ceil(2))),
            dummy: hash_now(&token()).into(),
        }
    }
}

impl Passwords {
    /// The hash under which a password is kept.
    pub async fn hash(&self, password: &str) -> String {
        let password = password.to_owned();
        self.run(move || hash_now(&password)).await
    }

    /// Whether `password` is the one behind `kept`; without one it takes as long, and is wrong.
    pub async fn verify(&self, password: &str, kept: Option<&str>) -> Verified {
        let known = kept.is_some();
        let (password, kept) = (password.to_owned(), kept.unwrap_or(&self.dummy).to_owned());
        self.run(move || {
            let Ok(hash) = PasswordHash::new(&kept) else {
                return Verified::Wrong;
            };
            if argon().verify_password(password.as_bytes(), &hash).is_err() || !known {
                return Verified::Wrong;
            }
            let current = argon().params().clone();
            let is_current = Params::try_from(&hash).is_ok_and(|params| {
                (params.m_cost(), params.t_cost(), params.p_cost())
                    == (current.m_cost(), current.t_cost(), current.p_cost())
            });
            Verified::Right {
                rehash: (!is_current).then(|| hash_now(&password)),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let _permit = self
            .pool
            .acquire()
            .await
            .expect("the semaphore is never closed");
        tokio::task::spawn_blocking(work)
            .await
            .expect("hashing does not panic")
    }
}

/// Hashes on this thread: for the command line, where nobody waits beside.
pub fn hash_now(password: &str) -> String {
    argon()
        .hash_password(password.as_bytes())
        .expect("a password within its bounds can be hashed")
        .to_string()
}

/// 256 bits from the system's random source, for a link or a key.
pub fn token() -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// `text` with a signature that only the key's owner can make, to be read by [`signed`].
pub fn sign(key: &str, text: &str) -> String {
    let mac = mac(key, text).finalize().into_bytes();
    let mac = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(mac);
    format!("{text}.{mac}")
}

/// What was signed, if this key did it.
pub fn signed<'t>(key: &str, token: &'t str) -> Option<&'t str> {
    let (text, sent) = token.rsplit_once('.')?;
    let sent = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(sent);
    // In constant time: otherwise a signature could be found byte by byte.
    mac(key, text).verify_slice(&sent.ok()?).ok()?;
    Some(text)
}

fn mac(key: &str, text: &str) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length is one");
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_right_only_for_its_own_hash() {
        let passwords = Passwords::default();
        let kept = passwords.hash("correct horse battery").await;
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert_eq!(
            passwords.verify("correct horse battery", Some(&kept)).await,
            Verified::Right { rehash: None }
        );
        assert_eq!(
            passwords.verify("correct horse batterx", Some(&kept)).await,
            Verified::Wrong
        );
        assert_eq!(passwords.verify("anything", None).await, Verified::Wrong);
    }

    #[tokio::test]
    async fn an_older_hash_is_replaced_by_one_with_todays_cost() {
        let weak = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8 * 1024, 1, 1, None).unwrap(),
        );
        let kept = weak
            .hash_password(b"correct horse battery")
            .unwrap()
            .to_string();
        let verified = Passwords::default()
            .verify("correct horse battery", Some(&kept))
            .await;
        let Verified::Right {
            rehash: Some(rehash),
        } = verified
        else {
            panic!("{verified:?}")
        };
        assert!(rehash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[test]
    fn only_the_key_signs() {
        let token = sign("key", "a person");
        assert_eq!(signed("key", &token), Some("a person"));
        assert_eq!(signed("another", &token), None);
        assert_eq!(signed("key", &token.replace('a', "b")), None);
        for wrong in ["", ".", "a person", "a person.", &token[..token.len() - 1]] {
            assert_eq!(signed("key", wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_two_tokens_are_alike() {
        assert_ne!(token(), token());
        assert_eq!(token().len(), 43);
    }
}
