//! The words of each mail: what happened, when, and what to do. Text and html are written from the same lines. Links come from
//! the configured base URL only; no picture or style is fetched, so that nobody learns who reads.

use crate::domain::booking::plus;
use crate::domain::business::Business;
use crate::domain::email::{Email, Kind, Offer, Progress, Session};
use crate::domain::person::first_name;
use crate::views::{text, url};
use maud::{DOCTYPE, html};

/// A mail in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Where one click stops mails of this kind.
    pub stop: Option<String>,
}

/// A paragraph.
enum Line {
    Text(String),
    /// What to follow, and where it leads.
    Link(&'static str, String),
    /// What of it: `When` and so on.
    Facts(Vec<(&'static str, String)>),
}

/// Writes a mail for its recipient. `stop` is the token with which a reminder's reader wants no more of them.
pub fn letter(business: &Business, base_url: &str, email: &Email, stop: Option<&str>) -> Letter {
    let (subject, mut lines) = match &email.session {
        Some(session) => of_session(business, base_url, email.kind, session),
        None if email.kind == Kind::Offer => of_offer(business, base_url, email.offer.as_ref()),
        None => of_account(&business.name, base_url, email),
    };
    let stop = stop.filter(|_| email.kind == Kind::Reminder);
    let stop = stop.map(|token| format!("{base_url}{}", url::unsubscribe(token)));
    if let Some(link) = &stop {
        lines.push(Line::Link("Stop reminders", link.clone()));
    }
    let greeting = format!("Hello {},", first_name(&email.to_name));
    Letter {
        text: plain(&greeting, &lines, &business.name),
        html: rich(&subject, &greeting, &lines, &business.name),
        subject,
        stop,
    }
}

fn of_offer(business: &Business, base_url: &str, offer: Option<&Offer>) -> (String, Vec<Line>) {
    let subject = format!("A time is free at {}", business.name);
    let Some(offer) = offer else {
        let words = "A time that you waited for was free. This offer has ended.";
        return (subject, vec![Line::Text(words.to_owned())]);
    };
    let until = text::time(&business.local(offer.until));
    let end = text::time(&business.local(plus(offer.starts_at, offer.minutes)));
    let when = text::moment(business, offer.starts_at);
    let city = text::city(business);
    let facts = vec![
        ("When", format!("{when} to {end} ({city} time)")),
        ("What", offer.service_name.clone()),
        ("With", offer.staff_name.clone()),
    ];
    let lines = vec![
        Line::Text(format!(
            "A time that you wait for is free. It is kept for you until {until} ({city} time)."
        )),
        Line::Facts(facts),
        Line::Link(
            "Accept or decline it",
            format!("{base_url}{}", url::OWN_WAITS),
        ),
    ];
    (subject, lines)
}

fn of_account(name: &str, base_url: &str, email: &Email) -> (String, Vec<Line>) {
    let link = |words: &'static str, path: fn(&str) -> String| match (&email.token, email.progress)
    {
        (Some(token), _) => Line::Link(words, format!("{base_url}{}", path(token))),
        (None, Progress::Sent) => Line::Text("(The link stood in the mail.)".to_owned()),
        (None, _) => Line::Text("(The link was used or has ended.)".to_owned()),
    };
    let say = |words: &str| Line::Text(words.to_owned());
    match email.kind {
        Kind::Invitation => (
            format!("Your place at {name}"),
            vec![
                Line::Text(format!(
                    "{name} has made a place for you, where you book sessions and see all that is yours."
                )),
                say("Set a password to begin. The link works for 7 days:"),
                link("Set a password", url::welcome),
            ],
        ),
        Kind::Reset => (
            format!("Set a new password for {name}"),
            vec![
                say(
                    "Someone, probably you, asked to set a new password. The link works once, for an hour:",
                ),
                link("Set a new password", url::reset),
                say("If it was not you, there is nothing to do."),
            ],
        ),
        _ => (
            format!("Your password at {name} was changed"),
            vec![say(
                "Your password was changed and every sign-in was ended. If it was not you, tell us at once.",
            )],
        ),
    }
}

fn of_session(
    business: &Business,
    base_url: &str,
    kind: Kind,
    session: &Session,
) -> (String, Vec<Line>) {
    let name = &business.name;
    let when = text::moment(business, session.starts_at);
    let whose = if session.for_staff {
        format!("The session with {}", session.client_name)
    } else {
        "Your session".to_owned()
    };
    let (subject, words) = match kind {
        Kind::Moved => (
            format!("Moved at {name}: {when}"),
            format!("{whose} has a new time."),
        ),
        Kind::Cancelled => (
            format!("Cancelled at {name}: {when}"),
            format!("{whose} is cancelled."),
        ),
        Kind::HandedOver => (
            format!("Handed over at {name}: {when}"),
            format!("{whose} is now with {}.", session.staff_name),
        ),
        Kind::Reminder => (
            format!("Reminder from {name}: {when}"),
            format!("{whose} comes up."),
        ),
        _ => (
            format!("Booked at {name}: {when}"),
            format!("{whose} is booked."),
        ),
    };
    let mut lines = vec![Line::Text(words), Line::Facts(facts(business, session))];
    if !matches!(kind, Kind::Cancelled | Kind::HandedOver) {
        let link = format!("{base_url}{}", url::booking(session.booking));
        lines.push(Line::Link("See, move or cancel it", link));
    }
    (subject, lines)
}

/// `Thursday 26 November, 10:15 to 11:00 (Johannesburg time)`.
pub(super) fn span(business: &Business, session: &Session) -> String {
    let end = business.local(plus(session.starts_at, session.minutes));
    format!(
        "{} to {} ({} time)",
        text::moment(business, session.starts_at),
        text::time(&end),
        text::city(business),
    )
}

fn facts(business: &Business, session: &Session) -> Vec<(&'static str, String)> {
    let what = format!(
        "{}, {}",
        session.service_name,
        text::length(session.minutes)
    );
    let place = match &session.video_url {
        Some(url) => format!("By video: {url}"),
        None => business.address.clone(),
    };
    let with = if session.for_staff {
        &session.client_name
    } else {
        &session.staff_name
    };
    let mut facts = vec![
        ("When", span(business, session)),
        ("What", what),
        ("With", with.clone()),
    ];
    if !place.is_empty() {
        facts.push(("Where", place));
    }
    facts
}

fn plain(greeting: &str, lines: &[Line], name: &str) -> String {
    let mut paragraphs = vec![greeting.to_owned()];
    paragraphs.extend(lines.iter().map(|line| match line {
        Line::Text(words) => words.clone(),
        Line::Link(words, link) => format!("{words}:\n{link}"),
        Line::Facts(facts) => {
            let facts = facts.iter().map(|(what, value)| format!("{what}: {value}"));
            facts.collect::<Vec<_>>().join("\n")
        }
    }));
    paragraphs.push(name.to_owned());
    paragraphs.join("\n\n")
}

fn rich(subject: &str, greeting: &str, lines: &[Line], name: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width"; title { (subject) } }
            body {
                p { (greeting) }
                @for line in lines {
                    @match line {
                        Line::Text(words) => p { (words) },
                        Line::Link(words, link) => p { a href=(link) { (words) } },
                        Line::Facts(facts) => {
                            table role="presentation" {
                                @for (what, value) in facts { tr { td { (what) } td { b { (value) } } } }
                            }
                        }
                    }
                }
                p { (name) }
            }
        }
    };
    page.into_string()
}
