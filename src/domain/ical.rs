//! Sessions as calendars read them (RFC 5545, and RFC 5546 for what is sent by mail). Times are in UTC, which every calendar
//! shows in its owner's zone; the words name the zone of the business. No time zones, alarms or repetitions are written here.

use super::id::BookingId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write as _;

/// What the reader's calendar should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Show it: a calendar to subscribe to.
    Publish,
    /// Enter it, or change what was entered.
    Request,
    /// Take it out.
    Cancel,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub name: String,
    pub address: String,
}

/// A session as an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// One entry a booking, whatever becomes of it.
    pub booking: BookingId,
    /// Grows with each change; a calendar ignores what is older than what it has.
    pub version: i64,
    /// When this was written.
    pub stamp: Timestamp,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub summary: String,
    pub description: String,
    pub location: String,
    pub url: String,
    pub is_cancelled: bool,
    /// Who asks whom, in what is sent by mail.
    pub parties: Option<(Party, Party)>,
}

/// Bytes in a line, beyond which it goes on in the next one (RFC 5545, 3.1).
const LINE: usize = 75;

/// A calendar, named where it is one to subscribe to.
pub fn calendar(method: Method, name: Option<&str>, events: &[Event]) -> String {
    let mut text = String::new();
    line(&mut text, "BEGIN:VCALENDAR");
    line(&mut text, "VERSION:2.0");
    line(&mut text, "PRODID:-//Portico//Client portal//EN");
    line(&mut text, &format!("METHOD:{}", method.as_str()));
    if let Some(name) = name {
        line(&mut text, &format!("X-WR-CALNAME:{}", escaped(name)));
        line(&mut text, "REFRESH-INTERVAL;VALUE=DURATION:PT1H");
    }
    for one in events {
        event(&mut text, one);
    }
    line(&mut text, "END:VCALENDAR");
    text
}

fn event(text: &mut String, event: &Event) {
    line(text, "BEGIN:VEVENT");
    line(text, &format!("UID:{}@portico", event.booking));
    line(text, &format!("SEQUENCE:{}", event.version));
    line(text, &format!("DTSTAMP:{}", instant(event.stamp)));
    line(text, &format!("DTSTART:{}", instant(event.starts_at)));
    line(text, &format!("DTEND:{}", instant(event.ends_at)));
    line(text, &format!("SUMMARY:{}", escaped(&event.summary)));
    line(
        text,
        &format!("DESCRIPTION:{}", escaped(&event.description)),
    );
    if !event.location.is_empty() {
        line(text, &format!("LOCATION:{}", escaped(&event.location)));
    }
    line(text, &format!("URL:{}", plain(&event.url)));
    let status = if event.is_cancelled {
        "CANCELLED"
    } else {
        "CONFIRMED"
    };
    line(text, &format!("STATUS:{status}"));
    if let Some((from, to)) = &event.parties {
        line(
            text,
            &format!(
                "ORGANIZER;CN=\"{}\":mailto:{}",
                quoted(&from.name),
                plain(&from.address)
            ),
        );
        line(
            text,
            &format!(
                "ATTENDEE;CN=\"{}\";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{}",
                quoted(&to.name),
                plain(&to.address)
            ),
        );
    }
    line(text, "END:VEVENT");
}

fn instant(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// A text value: what has a meaning in the format is escaped, and no control character gets in.
fn escaped(value: &str) -> String {
    value.chars().fold(String::new(), |mut out, c| {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
        out
    })
}

/// A value between quotes, which has no escape of its own.
fn quoted(value: &str) -> String {
    plain(value).replace('"', "'")
}

/// An address: a line break in it would begin a line of its own.
fn plain(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).collect()
}

/// Writes a line, folded between characters.
fn line(text: &mut String, content: &str) {
    let mut room = LINE;
    for c in content.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = LINE - 1;
        }
        room -= c.len_utf8();
        let _ = write!(text, "{c}");
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(summary: &str) -> Event {
        Event {
            booking: BookingId::from(uuid::Uuid::nil()),
            version: 3,
            stamp: "2026-11-23T06:00:00Z".parse().unwrap(),
            starts_at: "2026-11-24T06:00:00Z".parse().unwrap(),
            ends_at: "2026-11-24T06:45:00Z".parse().unwrap(),
            summary: summary.to_owned(),
            description: "One\nTwo".to_owned(),
            location: String::new(),
            url: "https://portal.example".to_owned(),
            is_cancelled: false,
            parties: Some((
                Party {
                    name: "Kestrel \"K\" Physio".to_owned(),
                    address: "a@b.example\r\nATTENDEE:x".to_owned(),
                },
                Party {
                    name: "Thandi".to_owned(),
                    address: "t@b.example".to_owned(),
                },
            )),
        }
    }

    fn unfolded(text: &str) -> Vec<String> {
        let text = text.replace("\r\n ", "");
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn what_has_a_meaning_is_escaped() {
        let text = calendar(Method::Request, None, &[entry("Back; neck, \\ and\nmore")]);
        let lines = unfolded(&text);
        assert!(lines.contains(&r"SUMMARY:Back\; neck\, \\ and\nmore".to_owned()));
        assert!(lines.contains(&r"DESCRIPTION:One\nTwo".to_owned()));
        assert!(lines.contains(&"DTSTART:20261124T060000Z".to_owned()));
        assert!(lines.contains(&"SEQUENCE:3".to_owned()));
        assert!(!lines.iter().any(|line| line.starts_with("ATTENDEE:x")));
        assert!(lines.iter().any(|line| line.contains("Kestrel 'K' Physio")));
    }

    proptest! {
        /// Whatever a name holds, it stays in its line, and no line is longer than calendars take.
        #[test]
        fn a_value_never_becomes_a_line(summary in "\\PC{0,200}|[\\r\\n;:,\"é😀]{0,200}") {
            let text = calendar(Method::Publish, Some(&summary), &[entry(&summary)]);
            for line in text.split_terminator("\r\n") {
                prop_assert!(line.len() <= LINE, "{line}");
                prop_assert!(!line.contains(['\r', '\n']));
            }
            prop_assert_eq!(unfolded(&text).len(), 20);
        }
    }
}
