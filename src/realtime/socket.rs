//! One open page: a cursor, not a queue. It pulls what is newer when it can write, and never holds what it could not.

use super::cursor::{Cursor, Mark, Tag};
use super::entry::Bell;
use super::frame::{Pull, Watched};
use super::hub::Hub;
use super::line::Line;
use super::region::{Grant, Place, Region, Verdict};
use crate::domain::id::PersonId;
use crate::domain::topic::Topic;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

/// A frame at the latest after this, so that a page knows the silence of a dead line from that of a quiet day.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Between two frames.
const APART: Duration = Duration::from_millis(50);
/// How long what is loaded waits for the page's other regions that one change made stale: one frame instead of two, of
/// which the second would wait out the gap.
const GATHER: Duration = Duration::from_millis(20);
/// How long a ping may stay without an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages a minute that a browser, which has no reason to send any, may send.
const INBOUND_PER_MINUTE: u32 = 100;

/// The most that a browser may send at a time; it has no reason to send anything.
const INBOUND: usize = 64 * 1024;
/// The most that waits for a browser to read.
const OUTBOUND: usize = 1024 * 1024;

/// A connection as this engine writes to it.
type Ws<S> = WebSocketStream<Line<S>>;

/// What one person may hold open.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub sockets_per_person: usize,
}

/// Asks the database whether this session may watch this page. `None` when it cannot be asked.
pub type Rights<R> =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Option<Verdict<R>>> + Send>> + Send + Sync>;

/// An accepted connection and what it asks for.
pub struct Socket<R: Region> {
    pub hub: Hub<R>,
    pub rights: Rights<R>,
    pub limits: Limits,
    /// Of this database and build.
    pub epoch: Tag,
    /// What the page has, as far as it could be read.
    pub since: Option<Cursor>,
}

impl<R: Region> std::fmt::Debug for Socket<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket")
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// Why a connection ends, as a close code that says whether the browser comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Close(u16, &'static str);

impl Close {
    const GONE: Self = Self(1000, "");
    const RESTART: Self = Self(1012, "restart");
    const OVERLOAD: Self = Self(1013, "try again");
    const TOO_MANY: Self = Self(1008, "too many");
    const BROKEN: Self = Self(1002, "protocol");
    const TOO_BIG: Self = Self(1009, "too big");
    const SIGNED_OUT: Self = Self(4401, "session");
    const OTHER_VIEWER: Self = Self(4401, "viewer");
    const REFUSED: Self = Self(4403, "page");
}

impl<R: Region> Socket<R> {
    /// Serves a connection that was upgraded, until it ends, and leaves nothing of it behind.
    pub async fn run<S: AsyncRead + AsyncWrite + Unpin + Send>(self, io: S) {
        let config = WebSocketConfig::default()
            .max_message_size(Some(INBOUND))
            .max_frame_size(Some(INBOUND))
            // The read buffer is zeroed at every poll, and the default one is 128 KiB for each socket.
            .read_buffer_size(1024)
            .write_buffer_size(0)
            .max_write_buffer_size(OUTBOUND);
        let mut ws =
            WebSocketStream::from_raw_socket(Line::new(io), Role::Server, Some(config)).await;
        let close = self.serve(&mut ws).await;
        if close != Close::GONE {
            let frame = CloseFrame {
                code: close.0.into(),
                reason: close.1.into(),
            };
            let _ = timeout(Duration::from_secs(1), ws.send(Message::Close(Some(frame)))).await;
            // Whoever closes first and leaves at once may cut off its own close frame: wait for the answer.
            let answered = async { while let Some(Ok(_)) = ws.next().await {} };
            let _ = timeout(Duration::from_secs(1), answered).await;
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(&self, ws: &mut Ws<S>) -> Close {
        let first = match self.ask().await {
            Ok(grant) => grant,
            Err(close) => return close,
        };
        let Some(id) = self.hub.enter(first.person, self.limits.sockets_per_person) else {
            return Close::TOO_MANY;
        };
        let bell = Arc::new(Bell::default());
        let alarms = [Topic::Viewer(first.person), Topic::Settings];
        for topic in alarms {
            self.hub.listen(topic, &bell);
        }
        let mut open = Open {
            socket: self,
            id,
            person: first.person,
            viewer: first.viewer,
            bell: Arc::clone(&bell),
            places: Vec::new(),
            watched: Vec::new(),
            cursor: Cursor {
                epoch: self.epoch,
                viewer: first.viewer,
                marks: Vec::new(),
            },
            has_moved: false,
            until: first.until,
        };
        // Asked again now that a change of rights is heard: one between the two would have been missed.
        let close = match open.start().await {
            Ok(()) => open.pump(ws).await,
            Err(close) => close,
        };
        for watched in open.watched.drain(..) {
            for entry in watched.entries() {
                self.hub.detach(entry, id);
            }
        }
        for topic in alarms {
            self.hub.unlisten(topic, &bell);
        }
        self.hub.leave(first.person);
        close
    }

    async fn ask(&self) -> Result<Grant<R>, Close> {
        match (self.rights)().await {
            None => Err(Close::OVERLOAD),
            Some(Verdict::SignedOut) => Err(Close::SIGNED_OUT),
            Some(Verdict::Refused) => Err(Close::REFUSED),
            Some(Verdict::Granted(grant)) => Ok(grant),
        }
    }
}

/// A connection whose rights are known.
struct Open<'s, R: Region> {
    socket: &'s Socket<R>,
    id: u64,
    person: PersonId,
    viewer: Tag,
    bell: Arc<Bell>,
    places: Vec<Place<R>>,
    watched: Vec<Watched<R>>,
    /// What the page has now.
    cursor: Cursor,
    /// It has moved without a frame, because nothing looks different: the next heartbeat tells the page.
    has_moved: bool,
    until: jiff::Timestamp,
}

impl<R: Region> Open<'_, R> {
    async fn start(&mut self) -> Result<(), Close> {
        if let Some(since) = &self.socket.since {
            if since.viewer != self.viewer {
                return Err(Close::OTHER_VIEWER);
            }
            // Another epoch's versions mean nothing here: everything is sent.
            if since.epoch == self.socket.epoch {
                self.cursor.marks.clone_from(&since.marks);
            }
        }
        self.authorise().await
    }

    /// Asks for the rights, and watches what they allow now.
    async fn authorise(&mut self) -> Result<(), Close> {
        self.bell.alarm.store(false, Ordering::Release);
        // What was granted before and is no more belongs to another role: the page looks again, and finds its way on.
        let moved_on = |close| {
            if close == Close::REFUSED {
                Close::OTHER_VIEWER
            } else {
                close
            }
        };
        let grant = self.socket.ask().await.map_err(moved_on)?;
        if grant.person != self.person || grant.viewer != self.viewer {
            return Err(Close::OTHER_VIEWER);
        }
        self.until = grant.until;
        if grant.places == self.places {
            return Ok(());
        }
        let hub = &self.socket.hub;
        let attach = |region: &R, cursor: &Cursor| {
            let seen = cursor.mark(Mark::name(region));
            hub.attach(region, self.id, &self.bell, seen)
        };
        let mut old = std::mem::take(&mut self.watched);
        for place in &grant.places {
            // What stays keeps its entry: attaching it anew before the old one is let go would lose the watcher.
            let kept = old.iter().position(|watched| {
                watched.base.region == place.base
                    && watched.over.as_ref().map(|over| &over.region) == place.over.as_ref()
            });
            let watched = match kept {
                Some(n) => old.swap_remove(n),
                None => Watched {
                    base: attach(&place.base, &self.cursor),
                    over: place.over.as_ref().map(|over| attach(over, &self.cursor)),
                },
            };
            self.watched.push(watched);
        }
        for entry in old.iter().flat_map(Watched::entries) {
            if !self
                .watched
                .iter()
                .flat_map(Watched::entries)
                .any(|kept| Arc::ptr_eq(kept, entry))
            {
                hub.detach(entry, self.id);
            }
        }
        self.places = grant.places;
        self.bell.notify.notify_one();
        Ok(())
    }

    async fn pump<S: AsyncRead + AsyncWrite + Unpin + Send>(&mut self, ws: &mut Ws<S>) -> Close {
        let mut closing = self.socket.hub.closing();
        let mut round = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        let mut rounds = 0u32;
        let mut ponged = Instant::now();
        let mut frame_at: Option<Instant> = None;
        let mut inbound = (Instant::now(), 0u32);
        // Set while changes wait for the gap between two frames to pass, or for the page's other regions.
        let mut due: Option<Instant> = None;
        let mut gathering: Option<Instant> = None;
        // At once: the page says that it is live when it hears how fresh, not when the line stands.
        if !self.beat(ws).await {
            return Close::GONE;
        }
        let mut quiet_since = Instant::now();
        loop {
            let mut pull = false;
            tokio::select! {
                message = ws.next() => match message {
                    None | Some(Ok(Message::Close(_))) => return Close::GONE,
                    Some(Err(error)) => return blame(&error),
                    Some(Ok(Message::Pong(_))) => ponged = Instant::now(),
                    Some(Ok(_)) => {
                        if inbound.0.elapsed() > Duration::from_mins(1) {
                            inbound = (Instant::now(), 0);
                        }
                        inbound.1 += 1;
                        if inbound.1 > INBOUND_PER_MINUTE {
                            return Close::TOO_MANY;
                        }
                    }
                },
                () = self.bell.notify.notified() => {
                    let now = Instant::now();
                    let earliest = frame_at.map_or(now, |at| now + APART.saturating_sub(at.elapsed()));
                    let latest = *gathering.get_or_insert(earliest.max(now + GATHER));
                    let wait_until = if self.is_loading() { latest } else { earliest };
                    if wait_until <= now { pull = true } else { due = Some(wait_until) }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    pull = true;
                }
                _ = round.tick() => {
                    rounds += 1;
                    if ponged.elapsed() > PATIENCE {
                        return Close::GONE;
                    }
                    if rounds.is_multiple_of(2) && !send(ws, Message::Ping(Vec::new().into())).await {
                        return Close::GONE;
                    }
                    if self.socket.hub.clock().now() >= self.until && let Err(close) = self.authorise().await {
                        return close;
                    }
                }
                () = sleep_until(quiet_since + HEARTBEAT) => {
                    if !self.beat(ws).await {
                        return Close::GONE;
                    }
                    quiet_since = Instant::now();
                }
                () = told_to_close(&mut closing) => return Close::RESTART,
            }
            if !pull {
                continue;
            }
            due = None;
            gathering = None;
            if self.bell.alarm.load(Ordering::Acquire)
                && let Err(close) = self.authorise().await
            {
                return close;
            }
            if let Some(frame) = self.pull() {
                let began = Instant::now();
                match ws.send(Message::text(frame)).await {
                    Ok(()) => {}
                    Err(tungstenite::Error::WriteBufferFull(_)) => return Close::TOO_BIG,
                    Err(_) => return Close::GONE,
                }
                if began.elapsed() > HEARTBEAT {
                    // It was taking bytes all the time, and no pong could be read meanwhile.
                    ponged = Instant::now();
                }
                frame_at = Some(Instant::now());
                quiet_since = Instant::now();
            }
        }
    }

    /// Everything that the page does not have yet, as one frame, and the cursor moved past it.
    fn pull(&mut self) -> Option<String> {
        let hub = &self.socket.hub;
        let mut content = String::new();
        let mut is_frame = false;
        for watched in &self.watched {
            let Pull::Ready {
                content: new,
                marks,
            } = watched.pull(&self.cursor, self.id, |entry| hub.dirty(entry))
            else {
                continue;
            };
            for mark in marks {
                match self
                    .cursor
                    .marks
                    .iter_mut()
                    .find(|old| old.region == mark.region)
                {
                    Some(old) => {
                        self.has_moved |= *old != mark;
                        *old = mark;
                    }
                    None => self.cursor.marks.push(mark),
                }
            }
            if let Some(new) = new {
                content.push_str(&new);
                is_frame = true;
            }
        }
        if !is_frame {
            return None;
        }
        self.has_moved = false;
        Some(json!({ "v": self.cursor.to_string(), "content": content }).to_string())
    }

    /// How fresh the page is, and where it stands now if that moved without a frame: a page that comes back with an old
    /// cursor costs loads.
    async fn beat<S: AsyncRead + AsyncWrite + Unpin + Send>(&mut self, ws: &mut Ws<S>) -> bool {
        let age = u64::try_from(self.age().as_millis()).unwrap_or(u64::MAX);
        let beat = if std::mem::take(&mut self.has_moved) {
            json!({ "hb": age, "v": self.cursor.to_string() })
        } else {
            json!({ "hb": age })
        };
        send(ws, Message::text(beat.to_string())).await
    }

    fn is_loading(&self) -> bool {
        let mut entries = self.watched.iter().flat_map(Watched::entries);
        entries.any(|entry| entry.state().dirty_since.is_some())
    }

    /// How old what the page shows may be: since the last good sweep, or since a region on it is known to be stale.
    fn age(&self) -> Duration {
        let stale = self
            .watched
            .iter()
            .flat_map(Watched::entries)
            .map(|entry| entry.state().stale_for());
        stale
            .max()
            .unwrap_or_default()
            .max(self.socket.hub.sweep_age())
    }
}

/// In a future of its own: the guard that the wait returns must not live across another await.
async fn told_to_close(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Sends a message; false when the other side took nothing for too long, or is gone.
async fn send<S: AsyncRead + AsyncWrite + Unpin + Send>(ws: &mut Ws<S>, message: Message) -> bool {
    ws.send(message).await.is_ok()
}

/// What to say to a browser that broke the rules of the line, and nothing to one that is gone.
fn blame(error: &tungstenite::Error) -> Close {
    match error {
        tungstenite::Error::Capacity(_) => Close::TOO_BIG,
        tungstenite::Error::Protocol(fault)
            if *fault != ProtocolError::ResetWithoutClosingHandshake =>
        {
            Close::BROKEN
        }
        tungstenite::Error::Utf8(_) => Close::BROKEN,
        _ => Close::GONE,
    }
}
