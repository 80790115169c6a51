//! The text of each mail: what happened, when, and what to do. Links come from the configured base URL only.

use crate::domain::business::Business;
use crate::domain::email::{Email, Kind, Session};
use crate::domain::person::first_name;
use crate::views::{text, url};

/// A mail in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub body: String,
}

/// Writes a mail for its recipient.
pub fn letter(business: &Business, base_url: &str, email: &Email) -> Letter {
    let name = &business.name;
    let link = |path: fn(&str) -> String| {
        email.token.as_deref().map_or_else(
            || "(The link was used or has ended.)".to_owned(),
            |token| format!("{base_url}{}", path(token)),
        )
    };
    let when = |session: &Session| {
        format!(
            "{}, {} ({} time)\n{}, {}, with {}",
            text::long_date(business.local(session.starts_at).date()),
            text::time(&business.local(session.starts_at)),
            text::city(business),
            session.service_name,
            text::length(session.minutes),
            session.staff_name,
        )
    };
    let session = || email.session.as_ref().map(when).unwrap_or_default();
    let offer = || match (&email.session, email.until) {
        (Some(session), Some(until)) => format!(
            "A time that you wait for is free. It is kept for you until {}:\n\n{}\n\nAccept or decline it:\n{base_url}{}",
            text::time(&business.local(until)),
            when(session),
            url::OWN_WAITS,
        ),
        _ => "A time that you waited for was free. This offer has ended.".to_owned(),
    };
    let (subject, body) = match email.kind {
        Kind::Invitation => (
            format!("Your place at {name}"),
            format!("{name} has made a place for you, where you book sessions and see all that is yours.\n\nSet a password to begin (the link works for 7 days):\n{}", link(url::welcome)),
        ),
        Kind::Reset => (
            format!("Set a new password for {name}"),
            format!("Someone, probably you, asked to set a new password. The link works once, for an hour:\n{}\n\nIf it was not you, there is nothing to do.", link(url::reset)),
        ),
        Kind::PasswordChanged => (
            format!("Your password at {name} was changed"),
            "Your password was changed and every sign-in was ended. If it was not you, tell us at once.".to_owned(),
        ),
        Kind::Booked => (format!("Booked at {name}"), format!("Your session is booked.\n\n{}", session())),
        Kind::Moved => (format!("Moved at {name}"), format!("Your session has a new time.\n\n{}", session())),
        Kind::Offer => (format!("A time is free at {name}"), offer()),
        Kind::Cancelled => (format!("Cancelled at {name}"), format!("This session is cancelled.\n\n{}", session())),
    };
    Letter {
        subject,
        body: format!("Hello {},\n\n{body}\n\n{name}", first_name(&email.to_name)),
    }
}
