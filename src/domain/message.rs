//! A message of a thread: what may be written, how it is searched, and where the links in it are.

use super::id::{ClientId, MessageId};
use jiff::Timestamp;
use std::ops::Range;

/// The longest message.
pub const MOST: usize = 10_000;
/// The longest text that is searched for.
const LONGEST_SEARCH: usize = 100;

/// Why a text cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("Write something first.")]
    Empty,
    #[error("A message may have 10,000 characters. Shorten it, or send it in two.")]
    TooLong,
    #[error(
        "The text holds characters that cannot be shown. Remove each \u{fffd}, then send it again."
    )]
    Unreadable,
}

/// A text that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// The text without the blanks around it, its lines ended in one way.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.trim();
        match text.chars().count() {
            0 => Err(Invalid::Empty),
            _ if text.chars().any(unreadable) => Err(Invalid::Unreadable),
            1..=MOST => Ok(Self(text.to_owned())),
            _ => Err(Invalid::TooLong),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What stands in no text that people read.
fn unreadable(c: char) -> bool {
    c.is_control() && !"\r\n\t".contains(c)
}

/// A text that was refused, as it can be shown: with a sign for each character that cannot.
pub fn readable(text: &str) -> String {
    text.replace(unreadable, "\u{fffd}")
}

/// A message as a thread shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    /// Counted in each thread from 1, without a gap.
    pub seq: i64,
    pub author_name: String,
    pub from_staff: bool,
    pub body: String,
    pub at: Timestamp,
}

/// How far a thread goes, and how far each side has read it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    pub last: i64,
    pub client: i64,
    pub staff: i64,
}

/// A thread as staff's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    pub client: ClientId,
    pub client_name: String,
    /// Messages that no member of staff has read.
    pub unread: i64,
    /// Since when the client waits for an answer, if so.
    pub waiting_since: Option<Timestamp>,
    pub last: Message,
}

/// A message that holds what was searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub client: ClientId,
    pub client_name: String,
    pub message: Message,
}

/// What is searched for, as it was typed; nothing for a blank.
pub fn wanted(text: &str) -> Option<String> {
    let wanted: String = text.trim().chars().take(LONGEST_SEARCH).collect();
    let is_text = !wanted.is_empty() && !wanted.contains('\0');
    is_text.then_some(wanted)
}

/// The form in which texts are searched: in lower case, each blank a space. Character by character, so that a match leads
/// back to what was written.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(fold_char).collect()
}

fn fold_char(c: char) -> impl Iterator<Item = char> {
    let c = if c.is_whitespace() { ' ' } else { c };
    c.to_lowercase()
}

/// A stretch of a message that is shown in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<'t> {
    pub text: &'t str,
    /// The whole address that it is a part of, if it leads anywhere.
    pub link: Option<&'t str>,
    /// Whether it was searched for.
    pub marked: bool,
}

/// A text in its stretches, with what was searched for marked. One after the other they are the text.
pub fn spans<'t>(text: &'t str, wanted: Option<&str>) -> Vec<Span<'t>> {
    let links = links(text);
    let matches = wanted
        .map(|wanted| matches(text, wanted))
        .unwrap_or_default();
    let mut cuts: Vec<usize> = [0, text.len()].into();
    for range in links.iter().chain(&matches) {
        cuts.extend([range.start, range.end]);
    }
    cuts.sort_unstable();
    cuts.dedup();
    let holds = |range: &&Range<usize>, at: usize| range.start <= at && at < range.end;
    cuts.windows(2)
        .map(|cut| Span {
            text: &text[cut[0]..cut[1]],
            link: links
                .iter()
                .find(|link| holds(link, cut[0]))
                .map(|link| &text[link.clone()]),
            marked: matches.iter().any(|found| holds(&found, cut[0])),
        })
        .collect()
}

/// Where `wanted` stands in a text, in any case.
fn matches(text: &str, wanted: &str) -> Vec<Range<usize>> {
    let wanted = fold(wanted);
    if wanted.is_empty() {
        return Vec::new();
    }
    // For each byte of the folded text, the character of the text that it came from.
    let mut folded = String::with_capacity(text.len());
    let mut origins: Vec<Range<usize>> = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        folded.extend(fold_char(c));
        origins.resize(folded.len(), at..at + c.len_utf8());
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in folded.match_indices(&wanted) {
        let range = origins[at].start..origins[at + wanted.len() - 1].end;
        // Two matches may share a character that folds to several.
        if found.last().is_none_or(|last| last.end <= range.start) {
            found.push(range);
        }
    }
    found
}

/// Where the addresses are that may be followed: `http` and `https` with a host, and nothing before it that pretends to be
/// one.
fn links(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("http").map(|at| from + at) {
        from = at + 4;
        let begins = text[..at]
            .chars()
            .next_back()
            .is_none_or(|before| !before.is_alphanumeric());
        let length = address(&text[at..]);
        if begins && length > 0 {
            found.push(at..at + length);
            from = at + length;
        }
    }
    found
}

/// How long the address at the start of `text` is; 0 when there is none.
fn address(text: &str) -> usize {
    let Some(rest) = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
    else {
        return 0;
    };
    let scheme = text.len() - rest.len();
    let end = rest.find(ends).unwrap_or(rest.len());
    let mut address = &rest[..end];
    // What closes a sentence or a bracket around the address is none of it.
    while let Some(last) = address.chars().next_back() {
        let closes = match last {
            ')' => address.matches('(').count() < address.matches(')').count(),
            _ => ".,;:!?'*_~]}".contains(last),
        };
        if !closes {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    let host = address.split(['/', '?', '#']).next().unwrap_or_default();
    // `https://bank.example@elsewhere.example` leads elsewhere.
    let is_host = |c: char| c.is_alphanumeric() || ".-:[]".contains(c);
    let right = host.starts_with(char::is_alphanumeric) && host.chars().all(is_host);
    if right { scheme + address.len() } else { 0 }
}

/// What no address goes on behind: blanks, quotes, brackets of markup, and signs that turn the direction of writing.
fn ends(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || "<>\"`\\^|{}".contains(c)
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_may_be_sent_or_there_is_a_reason() {
        let parse = |text: &str| Body::parse(text).map(|body| body.0);
        assert_eq!(
            parse("  Hello\r\nthere\r \n"),
            Ok("Hello\nthere".to_owned())
        );
        assert_eq!(parse("a\tb"), Ok("a\tb".to_owned()));
        assert_eq!(parse(" \n\t "), Err(Invalid::Empty));
        assert_eq!(parse("bell \u{7}"), Err(Invalid::Unreadable));
        assert_eq!(parse("next line \u{85} of old"), Err(Invalid::Unreadable));
        for c in ["x", "é", "語", "🙂"] {
            assert_eq!(parse(&c.repeat(MOST)), Ok(c.repeat(MOST)));
            assert_eq!(parse(&c.repeat(MOST + 1)), Err(Invalid::TooLong));
        }
        assert!(parse(&format!("  {}  ", "x".repeat(MOST))).is_ok());
    }

    fn links_of(text: &str) -> Vec<&str> {
        links(text).into_iter().map(|link| &text[link]).collect()
    }

    #[test]
    fn an_address_is_found_and_nothing_around_it() {
        for (text, expected) in [
            (
                "see https://kestrel.example/a?b=c#d.",
                &["https://kestrel.example/a?b=c#d"][..],
            ),
            ("(http://a.example/x_(y))", &["http://a.example/x_(y)"]),
            (
                "http://a.example/1,2,http://b.example!",
                &["http://a.example/1,2,http://b.example"],
            ),
            (
                "a http://a.example/ and https://b.example:8080/?",
                &["http://a.example/", "https://b.example:8080/"],
            ),
            ("http://localhost", &["http://localhost"]),
            (
                "https://münchen.example/straße",
                &["https://münchen.example/straße"],
            ),
            ("https://a.example\u{202e}gpj.exe", &["https://a.example"]),
            (
                "<https://a.example>\"https://b.example\"",
                &["https://a.example", "https://b.example"],
            ),
            (
                "javascript:alert(1) data:text/html,x ftp://a.example mailto:a@b.example",
                &[],
            ),
            (
                "https://bank.example@evil.example/ http:// https://. xhttp://a.example",
                &[],
            ),
            ("http://-a http://? http://[::1]", &[]),
            ("http https://", &[]),
        ] {
            assert_eq!(links_of(text), expected, "{text}");
        }
    }

    fn marked(text: &str, wanted: &str) -> Vec<String> {
        let spans = spans(text, Some(wanted));
        let marked = spans.iter().filter(|span| span.marked);
        marked.map(|span| span.text.to_owned()).collect()
    }

    #[test]
    fn what_is_searched_for_is_marked_in_any_case() {
        assert_eq!(
            marked("Knee, KNEE and knees", "knee"),
            ["Knee", "KNEE", "knee"]
        );
        assert_eq!(marked("one\ntwo", "e t"), ["e\nt"]);
        assert_eq!(marked("100% of_it", "%"), ["%"]);
        // Folded to two characters, of which only one was searched for: the whole one is marked.
        assert_eq!(marked("İstanbul", "i"), ["İ"]);
        assert_eq!(marked("aaa", "aa"), ["aa"]);
        assert!(marked("knee", "elbow").is_empty());
        let text = "at https://knee.example/x";
        let found: Vec<_> = spans(text, Some("knee"));
        let link = Some("https://knee.example/x");
        assert_eq!(
            found[2],
            Span {
                text: "knee",
                link,
                marked: true
            }
        );
        assert_eq!(found[3].link, link);
    }

    #[test]
    fn a_search_is_short_and_not_blank() {
        assert_eq!(wanted("  knee "), Some("knee".to_owned()));
        assert_eq!(wanted(" \t"), None);
        assert_eq!(wanted("a\0"), None);
        assert_eq!(
            wanted(&"x".repeat(500)).map(|wanted| wanted.len()),
            Some(100)
        );
    }

    proptest! {
        #[test]
        fn no_text_is_lost_in_its_spans(
            text in "(https?://|[a-cİßKk .<>&\"@/\u{202e}\n]|\\PC){0,40}",
            wanted in "[a-cßk ]{0,3}|\\PC{0,3}",
        ) {
            let spans = spans(&text, Some(&wanted));
            let again: String = spans.iter().map(|span| span.text).collect();
            prop_assert_eq!(&again, &text);
            for span in &spans {
                prop_assert!(!span.text.is_empty() || text.is_empty());
                if let Some(link) = span.link {
                    let led = link.starts_with("http://") || link.starts_with("https://");
                    prop_assert!(led && !link.contains(|c: char| c.is_whitespace() || "<>\"".contains(c)));
                    prop_assert!(link.contains(span.text));
                }
            }
            // Marked exactly when the database finds it.
            let finds = !wanted.is_empty() && fold(&text).contains(&fold(&wanted));
            prop_assert_eq!(spans.iter().any(|span| span.marked), finds);
        }

        #[test]
        fn a_body_is_what_was_written_without_the_blanks_around_it(text in "[ \t\r\na-c🙂]{0,60}") {
            let lines = text.replace("\r\n", "\n").replace('\r', "\n");
            match Body::parse(&text) {
                Ok(body) => prop_assert_eq!(body.as_str(), lines.trim()),
                Err(invalid) => prop_assert!(invalid == Invalid::Empty && lines.trim().is_empty()),
            }
        }
    }
}
