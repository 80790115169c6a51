//! Links that set a password: used once, for a while, and only the newest of a person. The secret is kept as a hash.

use super::{Error, Tx, hash, outbox, person};
use crate::domain::email;
use crate::domain::id::PersonId;
use jiff::{SignedDuration, Timestamp};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A first password, for someone who has none.
    Invitation,
    /// A new password.
    Reset,
}

/// The longest that any link lives.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }

    fn life(self) -> SignedDuration {
        match self {
            Self::Invitation => LONGEST,
            Self::Reset => SignedDuration::from_hours(1),
        }
    }

    fn email(self) -> email::Kind {
        match self {
            Self::Invitation => email::Kind::Invitation,
            Self::Reset => email::Kind::Reset,
        }
    }
}

/// A link to be sent.
#[derive(Debug, Clone)]
pub struct Issue {
    pub person: PersonId,
    pub kind: Kind,
    /// From the system's random source; goes into the link.
    pub secret: String,
    pub now: Timestamp,
}

/// Makes a link and the mail that carries it; every older link of this person ends.
pub async fn issue(tx: &mut Tx, issue: &Issue) -> Result<(), Error> {
    end_all(tx, issue.person, issue.now).await?;
    let hash = hash::of(&issue.secret);
    tx.q("INSERT INTO tokens (hash, person_id, kind, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(hash.clone())
        .bind(issue.person.0)
        .bind(issue.kind.as_str())
        .bind((issue.now + issue.kind.life()).as_millisecond())
        .run()
        .await?;
    let mail = outbox::NewEmail {
        subject: format!("token/{hash}"),
        version: 1,
        kind: issue.kind.email(),
        person: issue.person,
        booking: None,
        wait: None,
        token: Some(issue.secret.clone()),
        now: issue.now,
    };
    outbox::add(tx, &mail).await
}

/// Whom a link lets in: nobody, when it is unknown, used, too old, or an invitation of someone who has a password.
pub async fn find(
    tx: &mut Tx,
    kind: Kind,
    secret: &str,
    now: Timestamp,
) -> Result<(PersonId, String, String), Error> {
    let (id, name, email): (uuid::Uuid, String, String) = tx
        .q("SELECT people.id, people.name, people.email FROM tokens JOIN people ON people.id = tokens.person_id
            WHERE tokens.hash = $1 AND tokens.kind = $2 AND tokens.used_at IS NULL AND tokens.expires_at > $3
              AND NOT people.disabled AND (tokens.kind <> 'invitation' OR people.password_hash IS NULL)")
        .bind(hash::of(secret))
        .bind(kind.as_str())
        .bind(now.as_millisecond())
        .one()
        .await?;
    Ok((id.into(), name, email))
}

/// A link being used.
#[derive(Debug, Clone)]
pub struct Redeem {
    pub kind: Kind,
    pub secret: String,
    pub password_hash: String,
    pub now: Timestamp,
}

/// Uses a link: sets the password, ends every session and every other link, and tells the person of a changed password.
pub async fn redeem(tx: &mut Tx, redeem: &Redeem) -> Result<PersonId, Error> {
    let (id, ..) = find(tx, redeem.kind, &redeem.secret, redeem.now).await?;
    let used = tx
        .q("UPDATE tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL")
        .bind(hash::of(&redeem.secret))
        .bind(redeem.now.as_millisecond())
        .run()
        .await?;
    if used == 0 {
        return Err(Error::NotFound);
    }
    end_all(tx, id, redeem.now).await?;
    person::set_password(tx, id, &redeem.password_hash, redeem.now).await?;
    if redeem.kind == Kind::Reset {
        let mail = outbox::NewEmail {
            subject: format!("person/{id}"),
            version: redeem.now.as_millisecond(),
            kind: email::Kind::PasswordChanged,
            person: id,
            booking: None,
            wait: None,
            token: None,
            now: redeem.now,
        };
        outbox::add(tx, &mail).await?;
    }
    Ok(id)
}

async fn end_all(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<(), Error> {
    tx.q("UPDATE tokens SET used_at = $2 WHERE person_id = $1 AND used_at IS NULL")
        .bind(person.0)
        .bind(now.as_millisecond())
        .run()
        .await?;
    super::outbox::forget_secrets(tx, person).await
}
