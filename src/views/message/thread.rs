//! A thread: its messages in their order with the days between them, how far they are read, and the way to older ones.

use super::body;
use crate::domain::business::Business;
use crate::domain::id::ClientId;
use crate::domain::message::{Marks, Message, spans};
use crate::realtime::part::{List, Parts, Whole};
use crate::views::{text, url};
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

/// The root that the region fills.
pub const ROOT: &str = "thread";
/// Messages that are shown at once.
pub const SHOWN: i64 = 40;

const MESSAGES: List = List {
    id: "messages",
    newest_first: false,
    windowed: true,
};

/// A stretch of a thread.
#[derive(Debug)]
pub struct Stretch<'a> {
    /// For staff: whose thread it is.
    pub client: Option<ClientId>,
    /// In their order.
    pub messages: &'a [Message],
    /// The one before them, on which it depends whether they begin a day.
    pub before: Option<&'a Message>,
}

impl<'a> Stretch<'a> {
    /// Of one more than are shown, the first is only what stands before them.
    pub fn of(client: Option<ClientId>, messages: &'a [Message]) -> Self {
        let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
        let (before, messages) = match messages.split_first() {
            Some((before, rest)) if messages.len() > shown => (Some(before), rest),
            _ => (None, messages),
        };
        Self {
            client,
            messages,
            before,
        }
    }

    /// Each message with the one before it.
    fn pairs(&self) -> impl Iterator<Item = (&'a Message, Option<&'a Message>)> {
        let before = std::iter::once(self.before).chain(self.messages.iter().map(Some));
        self.messages.iter().zip(before)
    }
}

/// The region.
pub fn thread(business: &Business, stretch: &Stretch<'_>, marks: Marks, now: Timestamp) -> Whole {
    let mut parts = Parts::default();
    let for_staff = stretch.client.is_some();
    let (mine, theirs) = if for_staff {
        (marks.staff, marks.client)
    } else {
        (marks.client, marks.staff)
    };
    let own = |message: &&Message| message.from_staff == for_staff;
    let last_own = stretch.messages.iter().rev().find(own);
    let look = |message: &Message| Look {
        business,
        for_staff,
        read: last_own
            .filter(|last| last.seq == message.seq)
            .map(|last| last.seq <= theirs),
        now,
    };
    // The day stands here, so that a new one brings everything: "Today" may be in what a page kept.
    let today = business.today(now).to_string();
    let html = html! {
        (parts.edge(MESSAGES, edge(business, stretch, now)))
        div role="log" aria-live="polite" aria-label="Messages" data-today=(today) {
            @if stretch.messages.is_empty() {
                p.empty {
                    @if for_staff { "Nothing written yet. The first message may be yours." }
                    @else { "Nothing written yet. Ask us anything: we answer here." }
                }
            } @else {
                ol.thread #messages {
                    @for (message, before) in stretch.pairs() {
                        (parts.item(MESSAGES, id(message.seq), look(message).item(message, before, true)))
                    }
                }
            }
        }
        form #read method="post" action=(url::READ) hx-post=(url::READ) hx-swap="none" {
            @if let Some(client) = stretch.client { input type="hidden" name="client" value=(client); }
            (parts.part("read-upto".to_owned(), html! {
                span #read-upto {
                    @if mine < marks.last {
                        input type="hidden" name="upto" value=(marks.last);
                        button.btn.quiet type="submit" { "Mark as read" }
                    }
                }
            }))
        }
    };
    parts.whole(ROOT, &html)
}

/// The id of a message's element: upserts put elements in the order of these.
fn id(seq: i64) -> String {
    format!("msg-{seq:012}")
}

/// What was written before: a fragment for the thread's page, in which nothing has an id that a push could mean, or with
/// ids to link to a page of its own.
pub fn earlier(business: &Business, stretch: &Stretch<'_>, linked: bool, now: Timestamp) -> Markup {
    let look = Look {
        business,
        for_staff: stretch.client.is_some(),
        read: None,
        now,
    };
    html! {
        (edge(business, stretch, now))
        ol.thread.earlier {
            @for (message, before) in stretch.pairs() { (look.item(message, before, linked)) }
        }
    }
}

/// What stands above the oldest message: the way to those before it, and its day if that began with one of them.
fn edge(business: &Business, stretch: &Stretch<'_>, now: Timestamp) -> Markup {
    let day = |message: &Message| business.local(message.at).date();
    html! {
        div.older {
            @if let (Some(first), Some(before)) = (stretch.messages.first(), stretch.before) {
                a.btn.quiet href=(url::messages_before(stretch.client, first.seq))
                    hx-get=(url::older(stretch.client, first.seq)) hx-target="closest .older" hx-swap="outerHTML" { "Older messages" }
                @if day(first) == day(before) { (day_mark(business, day(first), now)) }
            }
        }
    }
}

fn day_mark(business: &Business, day: Date, now: Timestamp) -> Markup {
    html! { p.daymark { (words(day, business.today(now))) } }
}

/// `Today`, `Yesterday`, `Friday 20 November`, with the year where it is another than this one.
fn words(day: Date, today: Date) -> String {
    match (today - day).get_days() {
        0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        _ if day.year() != today.year() => format!("{} {}", text::long_date(day), day.year()),
        _ => text::long_date(day),
    }
}

/// How messages look to a reader.
struct Look<'a> {
    business: &'a Business,
    for_staff: bool,
    /// For the reader's own last message: whether the other side has read it.
    read: Option<bool>,
    now: Timestamp,
}

impl Look<'_> {
    /// A message; with its day where that begins, and its author's name where staff take turns.
    fn item(&self, message: &Message, before: Option<&Message>, named: bool) -> Markup {
        let at = self.business.local(message.at);
        let begins = before.is_none_or(|before| self.business.local(before.at).date() != at.date());
        let same_author = before.is_some_and(|before| {
            before.from_staff == message.from_staff && before.author_name == message.author_name
        });
        let mine = message.from_staff == self.for_staff;
        html! {
            li id=[named.then(|| id(message.seq))] class=(if mine { "turn mine" } else { "turn" }) data-message=(message.id) {
                @if begins { (day_mark(self.business, at.date(), self.now)) }
                @if message.from_staff && (begins || !same_author) { p.who { (message.author_name) } }
                div.msg {
                    (body(&spans(&message.body, None)))
                    p.meta {
                        time datetime=(message.at) { (text::time(&at)) }
                        @match self.read { Some(true) => " · read", Some(false) => " · sent", None => "" }
                    }
                }
            }
        }
    }
}
