//! Messages: the pages of a thread and of all threads, the form to write in, and what a search found. The live parts are in
//! the folder beside this file.

pub mod thread;
pub mod threads;

use crate::domain::id::ClientId;
use crate::domain::message::{Found, Message, Span, spans};
use crate::domain::person::initials;
use crate::views::icon::{icon, name};
use crate::views::layout::{self, Live, Page, note};
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// Characters of a long message that a search shows, and how many of them stand before the first match.
const SHOWN: usize = 600;
const BEFORE: usize = 150;

/// Whose thread a page shows, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// For staff: the client. A client's own thread needs no name.
    pub client: Option<(ClientId, &'a str)>,
    /// Who reads a client's messages.
    pub staff: &'a [String],
}

impl Whose<'_> {
    fn id(&self) -> Option<ClientId> {
        self.client.map(|(id, _)| id)
    }
}

/// The form to write in, as it was filled in, and what was wrong with it.
#[derive(Debug)]
pub struct Draft<'a> {
    pub client: Option<ClientId>,
    pub key: &'a str,
    pub text: &'a str,
    pub error: Option<&'a str>,
}

/// The form, also as the answer to itself: it stands outside the live part, so that no push takes a draft away.
pub fn composer(draft: &Draft<'_>) -> Markup {
    html! {
        form.composer-form #composer method="post" action=(url::MESSAGES) hx-post=(url::MESSAGES) hx-swap="outerHTML" hx-sync="drop" {
            @if let Some(words) = draft.error { (note("bad", words)) }
            @if let Some(client) = draft.client { input type="hidden" name="client" value=(client); }
            input type="hidden" name="key" value=(draft.key);
            div.composer {
                label.visually-hidden for="composer-body" { "Your message" }
                textarea #composer-body name="body" rows="1" required placeholder="Write a message"
                    aria-invalid=[draft.error.is_some().then_some("true")] aria-keyshortcuts="Control+Enter Meta+Enter" {
                    // A browser takes the first line's end away.
                    @if draft.text.starts_with('\n') { "\n" }
                    (draft.text)
                }
                button.btn.primary type="submit" { (icon(name::SEND)) span { "Send" } }
            }
        }
    }
}

fn search(action: &str, words: &str, asked: Option<&str>) -> Markup {
    html! {
        form.search role="search" method="get" action=(action) {
            (icon(name::SEARCH))
            input type="search" name="q" aria-label=(words) placeholder=(words) maxlength="100" value=[asked];
        }
    }
}

fn head(whose: &Whose<'_>, asked: Option<&str>) -> Markup {
    html! {
        div.page-head {
            @match whose.client {
                Some((id, name)) => {
                    div.row {
                        span.avatar aria-hidden="true" { (initials(name)) }
                        div {
                            h1 { (name) }
                            p.small { a href=(url::THREADS) { "All conversations" } " · " a href=(url::client(id)) { "Sessions" } }
                        }
                    }
                }
                None => { div { h1 { "Messages" } p.small { (with(whose.staff)) } } }
            }
            (search(&url::messages(whose.id()), "Search this conversation", asked))
        }
    }
}

/// Who is on the other side.
fn with(staff: &[String]) -> String {
    match staff {
        [] => "With the practice".to_owned(),
        [one] => format!("With {one}"),
        [one, two] => format!("With {one} and {two}"),
        _ => "With everyone here".to_owned(),
    }
}

/// A thread's page.
pub fn page(frame: &Page<'_>, live: &Live, whose: &Whose<'_>, draft: &Draft<'_>) -> Markup {
    let body = html! {
        (head(whose, None))
        section.talk aria-label="Conversation" {
            div.scroller tabindex="0" role="group" aria-label="Messages" { (layout::region(live, thread::ROOT, "")) }
            (composer(draft))
        }
    };
    layout::page(frame, &body)
}

/// Older messages in a page of their own.
pub fn earlier(
    frame: &Page<'_>,
    whose: &Whose<'_>,
    stretch: &thread::Stretch<'_>,
    now: Timestamp,
) -> Markup {
    let body = html! {
        (head(whose, None))
        section.stack aria-label="Older messages" {
            (thread::earlier(frame.business, stretch, true, now))
            div.acts {
                @if let Some(last) = stretch.messages.last() {
                    a.btn href=(url::messages_before(whose.id(), last.seq + thread::SHOWN + 1)) { "Newer messages" }
                }
                a.btn.primary href=(url::messages(whose.id())) { "To the newest" }
            }
        }
    };
    layout::page(frame, &body)
}

/// What was searched for, and where it was found.
#[derive(Debug)]
pub struct Search<'a> {
    pub wanted: &'a str,
    pub found: &'a [Found],
    /// Whether there is more than is shown.
    pub more: bool,
}

/// What a search in one thread found.
pub fn found(frame: &Page<'_>, whose: &Whose<'_>, search: &Search<'_>, now: Timestamp) -> Markup {
    let body = html! {
        (head(whose, Some(search.wanted)))
        (results(frame, search, whose.id().is_some(), false, now))
        div.acts { a.btn href=(url::messages(whose.id())) { "Back to the conversation" } }
    };
    layout::page(frame, &body)
}

/// Staff's list of threads.
pub fn list(frame: &Page<'_>, live: &Live, waiting: bool) -> Markup {
    let body = html! {
        div.page-head { div { h1 { "Messages" } p.small { "Shared by everyone who works here" } } (search(url::THREADS, "Search all messages", None)) }
        (layout::choice("Show", &[(url::THREADS, "All", !waiting), (url::WAITING, "Waiting for an answer", waiting)]))
        section.card aria-label="Conversations" { (layout::region(live, threads::ROOT, "body")) }
    };
    layout::page(frame, &body)
}

/// What a search in all threads found.
pub fn found_in_all(frame: &Page<'_>, asked: &Search<'_>, now: Timestamp) -> Markup {
    let body = html! {
        div.page-head { div { h1 { "Messages" } } (search(url::THREADS, "Search all messages", Some(asked.wanted))) }
        (results(frame, asked, true, true, now))
        div.acts { a.btn href=(url::THREADS) { "All conversations" } }
    };
    layout::page(frame, &body)
}

fn results(
    frame: &Page<'_>,
    search: &Search<'_>,
    for_staff: bool,
    named: bool,
    now: Timestamp,
) -> Markup {
    let count = search.found.len();
    html! {
        section.card aria-labelledby="found-title" {
            header {
                h2 #found-title {
                    @match count {
                        0 => "Nothing found",
                        _ if search.more => { "The newest " (count) " with “" (search.wanted) "”" }
                        _ => { (text::count(count, "message", "messages")) " with “" (search.wanted) "”" }
                    }
                }
            }
            div.body {
                @if count == 0 {
                    p.empty { "No message holds “" (search.wanted) "”. Try a shorter word." }
                } @else {
                    ul.list.found { @for found in search.found { (result(frame, found, search.wanted, for_staff, named, now)) } }
                }
            }
        }
    }
}

fn result(
    frame: &Page<'_>,
    found: &Found,
    wanted: &str,
    for_staff: bool,
    named: bool,
    now: Timestamp,
) -> Markup {
    let message = &found.message;
    let place = url::message(for_staff.then_some(found.client), message.seq);
    html! {
        li data-message=(message.id) {
            div.what {
                p.small {
                    @if named { strong { (found.client_name) } " · " }
                    @if !named || message.from_staff { (author(message, for_staff)) " · " }
                    a href=(place) { time datetime=(message.at) { (text::short_moment(frame.business, message.at, now)) } }
                }
                (body(&excerpt(spans(&message.body, Some(wanted)))))
            }
        }
    }
}

/// Who wrote, as the reader calls them.
fn author(message: &Message, for_staff: bool) -> &str {
    if message.from_staff || for_staff {
        &message.author_name
    } else {
        "You"
    }
}

/// A message's text. Nothing in it is markup, and only a whole address leads anywhere.
fn body(spans: &[Span<'_>]) -> Markup {
    let marked = |span: &Span<'_>| {
        html! { @if span.marked { mark { (span.text) } } @else { (span.text) } }
    };
    let one_link = |a: &Span<'_>, b: &Span<'_>| match (a.link, b.link) {
        // Two addresses may be spelt alike; the same one is the same place in the text.
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        (None, None) => true,
        _ => false,
    };
    html! {
        p dir="auto" {
            @for stretch in spans.chunk_by(one_link) {
                @match stretch.first().and_then(|span| span.link) {
                    Some(address) => {
                        a href=(address) target="_blank" rel="noopener noreferrer nofollow" { @for span in stretch { (marked(span)) } }
                    }
                    None => { @for span in stretch { (marked(span)) } }
                }
            }
        }
    }
}

/// Of a long message, what stands around the first match.
fn excerpt(spans: Vec<Span<'_>>) -> Vec<Span<'_>> {
    let length =
        |spans: &[Span<'_>]| -> usize { spans.iter().map(|span| span.text.chars().count()).sum() };
    if length(&spans) <= SHOWN {
        return spans;
    }
    let first = spans.iter().position(|span| span.marked).unwrap_or(0);
    let skipped = length(&spans[..first]).saturating_sub(BEFORE);
    let (mut skip, mut left) = (skipped, SHOWN);
    let mut shown = Vec::new();
    let dots = Span {
        text: "…",
        link: None,
        marked: false,
    };
    if skipped > 0 {
        shown.push(dots);
    }
    for span in spans {
        let all = span.text.chars().count();
        let from = skip.min(all);
        let count = left.min(all - from);
        skip -= from;
        left -= count;
        let at = |n: usize| {
            let mut places = span.text.char_indices().map(|(at, _)| at);
            places.nth(n).unwrap_or(span.text.len())
        };
        if count > 0 {
            let text = &span.text[at(from)..at(from + count)];
            shown.push(Span { text, ..span });
        }
        if left == 0 {
            shown.push(dots);
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use scraper::{Html, Selector};

    #[test]
    fn only_an_address_leads_anywhere() {
        let text = "<b>see</b> https://a.example/?x=1&y=\"2 javascript:alert(1)";
        let html = body(&spans(text, Some("EXAMPLE"))).into_string();
        let expected = "<p dir=\"auto\">&lt;b&gt;see&lt;/b&gt; <a href=\"https://a.example/?x=1&amp;y=\" target=\"_blank\" \
                        rel=\"noopener noreferrer nofollow\">https://a.<mark>example</mark>/?x=1&amp;y=</a>&quot;2 \
                        javascript:alert(1)</p>";
        assert_eq!(html, expected);
    }

    #[test]
    fn of_a_long_message_what_was_searched_for_is_shown() {
        let text = format!("{} knee {}", "a ".repeat(1000), "z ".repeat(1000));
        let shown = excerpt(spans(&text, Some("knee")));
        let words: String = shown.iter().map(|span| span.text).collect();
        assert_eq!(words.chars().count(), SHOWN + 2);
        assert!(words.contains("knee") && words.starts_with("…a") || words.starts_with("… a"));
        let link = format!("https://a.example/{}", "x".repeat(2000));
        let shown = excerpt(spans(&link, Some("nothing")));
        assert_eq!(
            shown[0].link,
            Some(link.as_str()),
            "cut, it leads to the same place"
        );
    }

    proptest! {
        #[test]
        fn a_text_is_shown_as_it_was_written(
            text in "(https?://|[a-c .<>&\"'@\n]|&lt;|<!--part 0-->|\\PC){0,30}",
            wanted in "[a-c<&]{0,2}",
        ) {
            let html = body(&spans(&text, Some(&wanted))).into_string();
            let parsed = Html::parse_fragment(&html);
            let shown: String = parsed.root_element().text().collect();
            prop_assert_eq!(shown, text.replace("\r\n", "\n").replace('\r', "\n"));
            for element in parsed.select(&Selector::parse("p *").unwrap()) {
                prop_assert!(["a", "mark"].contains(&element.value().name()));
                if let Some(href) = element.attr("href") {
                    prop_assert!(href.starts_with("http://") || href.starts_with("https://"));
                }
            }
        }
    }
}
