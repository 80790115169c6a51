//! One open page without a browser: what it shows now, its cursor, and what each frame made of it.

use crate::cursor::Versions;
use crate::hash;
use crate::html::attribute;
use crate::state::State;
use std::collections::HashMap;
use std::sync::Arc;

/// A page that is watched.
#[derive(Debug, Clone)]
pub struct Watcher {
    /// The live address, up to its cursor.
    address: Arc<str>,
    /// What the page has now, as the server said it.
    cursor: String,
    versions: Versions,
    state: Arc<State>,
}

/// What a frame was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// How many milliseconds old what the page shows may be.
    Beat {
        age: u64,
    },
    Changes(Changes),
    /// No frame of ours.
    Nonsense,
}

/// What a frame with changes did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    /// A region is older than it was before the frame.
    pub went_back: bool,
    /// Neither a version nor anything that is shown is different: it was sent before.
    pub is_double: bool,
    /// It was for elements that the page does not have.
    pub is_astray: bool,
}

/// What frames made of states, so that what thousands are sent is read once.
#[derive(Debug, Default)]
pub struct Memo {
    /// By the state before and the content, both hashed.
    after: HashMap<(u64, u64), (Arc<State>, bool)>,
}

/// Results that are remembered at a time: a few for each client of a full house.
const REMEMBERED: usize = 4096;

impl Watcher {
    /// Of a page as it was loaded; `None` when it is not live.
    pub fn of_page(page: &str) -> Option<Self> {
        let tag = page
            .split('<')
            .find(|tag| tag.starts_with("div id=\"live\""))?;
        let url = attribute(tag, "hx-ws:connect")?.replace("&amp;", "&");
        let (address, cursor) = url.split_once("&since=")?;
        Some(Self {
            address: address.into(),
            cursor: cursor.into(),
            versions: Versions::parse(cursor)?,
            state: Arc::new(State::of_page(page)),
        })
    }

    /// The address to connect to, with the cursor as it stands.
    pub fn address(&self) -> String {
        if self.cursor.is_empty() {
            return self.address.to_string();
        }
        format!("{}&since={}", self.address, self.cursor)
    }

    /// Connects the next time as if nothing had been seen.
    pub fn forget_cursor(&mut self) {
        self.cursor.clear();
        self.versions = Versions::default();
    }

    /// Equal to that of a page loaded now, if the page shows the same.
    pub fn digest(&self) -> u64 {
        self.state.digest()
    }

    /// The version of each region of the page.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Takes in one text frame.
    pub fn frame(&mut self, text: &str) -> Heard {
        self.frame_with(text, &mut Memo::default())
    }

    /// Takes in one text frame that others may have been sent too.
    pub fn frame_with(&mut self, text: &str, memo: &mut Memo) -> Heard {
        if let Some(beat) = text.strip_prefix(r#"{"hb":"#) {
            let digits = beat
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(beat.len());
            let (age, rest) = beat.split_at(digits);
            if let Some(cursor) = rest
                .strip_prefix(r#","v":""#)
                .and_then(|rest| rest.strip_suffix("\"}"))
            {
                let Some(versions) = Versions::parse(cursor) else {
                    return Heard::Nonsense;
                };
                self.moved(cursor, versions);
            }
            return age
                .parse()
                .map_or(Heard::Nonsense, |age| Heard::Beat { age });
        }
        let parsed = text.strip_prefix(r#"{"v":""#).and_then(|text| {
            let (cursor, content) = text.split_once(r#"","content":"#)?;
            Some((cursor, Versions::parse(cursor)?, content.strip_suffix('}')?))
        });
        let Some((cursor, versions, content)) = parsed else {
            return Heard::Nonsense;
        };
        let Some((state, is_known)) = memo.after(&self.state, content) else {
            return Heard::Nonsense;
        };
        let changes = Changes {
            went_back: versions.is_behind(&self.versions),
            is_double: versions == self.versions && state.digest() == self.digest(),
            is_astray: !is_known,
        };
        self.moved(cursor, versions);
        self.state = state;
        Heard::Changes(changes)
    }

    fn moved(&mut self, cursor: &str, versions: Versions) {
        self.cursor.clear();
        self.cursor.push_str(cursor);
        self.versions = versions;
    }
}

impl Memo {
    /// What becomes of a state by content that is still a JSON string with its quotes.
    fn after(&mut self, before: &State, content: &str) -> Option<(Arc<State>, bool)> {
        let key = (before.digest(), hash::of(content.as_bytes()));
        if let Some((state, is_known)) = self.after.get(&key) {
            return Some((Arc::clone(state), *is_known));
        }
        let content: String = serde_json::from_str(content).ok()?;
        let mut state = before.clone();
        let is_known = state.apply(&content);
        let state = Arc::new(state);
        if self.after.len() == REMEMBERED {
            self.after.clear();
        }
        self.after.insert(key, (Arc::clone(&state), is_known));
        Some((state, is_known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn cursor(version: i64) -> String {
        let mut bytes = vec![0; 44];
        bytes[16..20].copy_from_slice(&5u32.to_le_bytes());
        bytes[20..28].copy_from_slice(&version.to_le_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn page(slot: &str, version: i64) -> String {
        format!(
            r#"<div id="live" hx-ws:connect="/live?page=bookings&amp;week=2026-W48&amp;since={}" hx-swap="none"></div>
               <div id="calendar" data-region><b id="slot-1">{slot}</b></div>"#,
            cursor(version)
        )
    }

    fn frame(slot: &str, version: i64) -> String {
        let content = format!(
            r##"<hx-partial hx-target="#slot-1" hx-swap="outerMorph"><b id="slot-1">{slot}</b></hx-partial>"##
        );
        let content = serde_json::Value::from(content);
        format!(r#"{{"v":"{}","content":{content}}}"#, cursor(version))
    }

    const CHANGED: Changes = Changes {
        went_back: false,
        is_double: false,
        is_astray: false,
    };

    #[test]
    fn a_page_that_heard_of_a_change_is_as_one_loaded_after_it() {
        let mut watcher = Watcher::of_page(&page("free", 7)).unwrap();
        assert_eq!(watcher.frame(r#"{"hb":12}"#), Heard::Beat { age: 12 });
        assert_eq!(watcher.frame(&frame("taken", 8)), Heard::Changes(CHANGED));
        let fresh = Watcher::of_page(&page("taken", 8)).unwrap();
        assert_eq!(watcher.digest(), fresh.digest());
        assert_eq!(watcher.address(), fresh.address());
        assert!(
            watcher
                .address()
                .starts_with("/live?page=bookings&week=2026-W48&since=")
        );
        assert_ne!(
            watcher.digest(),
            Watcher::of_page(&page("free", 8)).unwrap().digest()
        );
    }

    #[test]
    fn what_is_sent_twice_goes_back_or_goes_astray_is_told() {
        let mut watcher = Watcher::of_page(&page("free", 7)).unwrap();
        let mut memo = Memo::default();
        let mut hear = |text: &str| watcher.frame_with(text, &mut memo);
        assert_eq!(hear(&frame("taken", 8)), Heard::Changes(CHANGED));
        let double = Changes {
            is_double: true,
            ..CHANGED
        };
        assert_eq!(hear(&frame("taken", 8)), Heard::Changes(double));
        let back = Changes {
            went_back: true,
            ..CHANGED
        };
        assert_eq!(hear(&frame("free", 6)), Heard::Changes(back));
        let astray = Changes {
            is_astray: true,
            ..CHANGED
        };
        assert_eq!(
            hear(&frame("x", 9).replace("#slot-1", "#slot-2")),
            Heard::Changes(astray)
        );
        for wrong in ["", "{}", r#"{"hb":}"#, r#"{"v":"!","content":""}"#] {
            assert_eq!(hear(wrong), Heard::Nonsense, "{wrong}");
        }
    }

    #[test]
    fn a_heartbeat_may_move_the_cursor() {
        let mut watcher = Watcher::of_page(&page("free", 7)).unwrap();
        let beat = format!(r#"{{"hb":3,"v":"{}"}}"#, cursor(9));
        assert_eq!(watcher.frame(&beat), Heard::Beat { age: 3 });
        assert_eq!(watcher.versions().of(5), Some(9));
    }
}
