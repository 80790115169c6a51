//! One open page: a cursor, not a queue. It pulls what is newer when it can write, and never holds what it could not.

use super::bell::Bell;
use super::close::Close;
use super::cursor::{Cursor, Mark, Tag};
use super::entry::Watcher;
use super::frame::{Pull, Watched};
use super::hub::Hub;
use super::outgoing::Outgoing;
use super::pace::{HEARTBEAT, Pace};
use super::region::{Grant, Region, Verdict};
use super::wire::{Heard, Wire};
use crate::domain::id::PersonId;
use crate::domain::topic::Topic;
use crate::fault;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

/// How long a ping may stay without an answer.
const PATIENCE: Duration = Duration::from_secs(30);

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

impl<R: Region> Socket<R> {
    /// Serves a connection that was upgraded, until it ends, and leaves nothing of it behind; the code with which it ended.
    pub fn run<S>(mut self, io: S) -> impl Future<Output = u16> + Send
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let bell = Arc::new(Bell::default());
        // What is needed only to begin or to end is in a box: every open page would have room for it all its life.
        let wire = Box::pin(Wire::new(io, Arc::clone(&bell)));
        async move {
            let mut wire = wire.await;
            let close = self.serve(&mut wire, bell).await;
            if close != Close::GONE {
                Box::pin(wire.close(close)).await;
            }
            close.code()
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        wire: &mut Wire<S>,
        bell: Arc<Bell>,
    ) -> Close {
        let alarmed = self.hub.alarmed();
        let first = match self.ask().await {
            Ok(grant) => grant,
            Err(close) => return close,
        };
        let person = first.person;
        let Some(id) = self.hub.enter(person, self.limits.sockets_per_person) else {
            return Close::TOO_MANY;
        };
        let alarms = [Topic::Viewer(person), Topic::Settings];
        for topic in alarms {
            self.hub.listen(topic, id, &bell);
        }
        let since = self.since.take();
        let mut open = Open {
            id,
            person,
            viewer: first.viewer,
            is_staff: first.is_staff,
            bell,
            watched: Vec::new(),
            cursor: Cursor {
                epoch: self.epoch,
                viewer: first.viewer,
                marks: Vec::new(),
            },
            has_moved: false,
            until: first.until,
            socket: self,
            wire,
        };
        let close = match open.start(since, first, alarmed).await {
            Ok(()) => match open.pump().await {
                Err(close) => close,
            },
            Err(close) => close,
        };
        for watched in open.watched.drain(..) {
            for entry in watched.entries() {
                self.hub.detach(entry, id);
            }
        }
        for topic in alarms {
            self.hub.unlisten(topic, id);
        }
        self.hub.leave(person);
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
struct Open<'s, R: Region, S> {
    socket: &'s Socket<R>,
    wire: &'s mut Wire<S>,
    id: u64,
    person: PersonId,
    viewer: Tag,
    is_staff: bool,
    bell: Arc<Bell>,
    watched: Vec<Watched<R>>,
    /// What the page has now.
    cursor: Cursor,
    /// It has moved without a frame, because nothing looks different: the next heartbeat tells the page.
    has_moved: bool,
    until: jiff::Timestamp,
}

/// What a connection waits for.
enum Woken {
    Rung(u32),
    Heard(Heard),
    /// One of its times has come.
    Late,
}

impl<R: Region, S: AsyncRead + AsyncWrite + Unpin + Send> Open<'_, R, S> {
    /// Begins with what was granted when rights had been `alarmed` so often; whatever moved until the alarms were heard is
    /// asked again.
    async fn start(
        &mut self,
        since: Option<Cursor>,
        first: Grant<R>,
        alarmed: u64,
    ) -> Result<(), Close> {
        // It listens now: whoever closes the hub after this look rings its bell.
        if self.socket.hub.is_closing() {
            return Err(Close::RESTART);
        }
        if let Some(since) = since {
            if since.viewer != self.viewer {
                return Err(Close::OTHER_VIEWER);
            }
            // Another epoch's versions mean nothing here: everything is sent.
            if since.epoch == self.socket.epoch {
                self.cursor.marks = since.marks;
            }
        }
        if self.socket.hub.alarmed() != alarmed {
            return Box::pin(self.authorise()).await;
        }
        self.watch(&first);
        Ok(())
    }

    /// Asks for the rights, and watches what they allow now.
    async fn authorise(&mut self) -> Result<(), Close> {
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
        self.watch(&grant);
        Ok(())
    }

    /// Watches what was granted, and nothing else any more.
    fn watch(&mut self, grant: &Grant<R>) {
        self.until = grant.until;
        let hub = &self.socket.hub;
        let (bell, id) = (&self.bell, self.id);
        let watcher = |n| Watcher {
            bell: Arc::clone(bell),
            place: Bell::place(n),
            has: 0,
        };
        let attach = |region: &R, n: usize, cursor: &Cursor| {
            let seen = cursor.mark(Mark::name(region));
            hub.attach(region, id, watcher(n), seen)
        };
        let places = Vec::with_capacity(grant.places.len());
        let mut old = std::mem::replace(&mut self.watched, places);
        for (n, place) in grant.places.iter().enumerate() {
            // What stays keeps its entry: attaching it anew before the old one is let go would lose the watcher.
            let kept = old.iter().position(|watched| {
                watched.base.region == place.base
                    && watched.over.as_ref().map(|over| &over.region) == place.over.as_ref()
            });
            let place = if let Some(kept) = kept {
                let kept = old.swap_remove(kept);
                for entry in kept.entries() {
                    entry.watchers().insert(id, watcher(n));
                }
                kept
            } else {
                Watched {
                    base: attach(&place.base, n, &self.cursor),
                    over: place
                        .over
                        .as_ref()
                        .map(|over| attach(over, n, &self.cursor)),
                }
            };
            self.watched.push(place);
        }
        for entry in old.iter().flat_map(Watched::entries) {
            let mut kept = self.watched.iter().flat_map(Watched::entries);
            if !kept.any(|kept| Arc::ptr_eq(kept, entry)) {
                hub.detach(entry, id);
            }
        }
        if !fault::is_off("cursor") {
            self.bell.ring(Bell::EVERYTHING);
        }
    }

    async fn pump(&mut self) -> Result<Infallible, Close> {
        let mut pace = Pace::start(Instant::now());
        // At once: the page says that it is live when it hears how fresh, not when the line stands.
        let mut rest = self.beat()?;
        // One timer for everything: it is only moved when something is due sooner, and looks again when it is early.
        let mut timer = pin!(sleep_until(pace.next()));
        // The places that rang since the last look.
        let mut rung = 0;
        loop {
            if let Some(rest) = rest.take() {
                Box::pin(self.finish(rest, &mut rung, &mut pace)).await?;
            }
            if pace.next() < timer.deadline() {
                timer.as_mut().reset(pace.next());
            }
            match self.wake(timer.as_mut()).await {
                Woken::Heard(Heard::End(close)) => return Err(close),
                Woken::Heard(word) => {
                    let now = Instant::now();
                    if word == Heard::Pong {
                        pace.ponged = now;
                    }
                    if pace.is_too_much(now) {
                        return Err(Close::TOO_MANY);
                    }
                }
                Woken::Rung(why) => {
                    rung |= why;
                    if why & Bell::ALARM != 0 {
                        Box::pin(self.alarmed()).await?;
                    }
                    let now = Instant::now();
                    let at = pace.plan(now, self.is_loading());
                    if at > now {
                        pace.due = Some(at);
                        continue;
                    }
                    rest = self.push(&mut rung, &mut pace, now)?;
                }
                Woken::Late => {
                    let now = Instant::now();
                    if pace.due.is_some_and(|due| due <= now) {
                        rest = self.push(&mut rung, &mut pace, now)?;
                    }
                    if rest.is_none()
                        && let Some(round) = pace.round(now)
                    {
                        Box::pin(self.round(round, pace.ponged)).await?;
                        rest = self.beat()?;
                    }
                    timer.as_mut().reset(pace.next());
                }
            }
        }
    }

    /// Writes what the other side did not take at once. It waits for as long as they take anything at all, but for nobody
    /// whose rights or session have ended.
    async fn finish(
        &mut self,
        mut rest: Outgoing,
        rung: &mut u32,
        pace: &mut Pace,
    ) -> Result<(), Close> {
        let began = Instant::now();
        loop {
            let why = poll_fn(|cx| {
                if let Poll::Ready(why) = self.bell.poll(cx) {
                    return Poll::Ready(Ok(Some(why)));
                }
                let written = self.wire.poll_rest(&mut rest, cx);
                written.map(|written| written.map(|()| None))
            });
            let Ok(why) = timeout(HEARTBEAT, why).await else {
                self.is_over().await?;
                continue;
            };
            let Some(why) = why? else { break };
            self.wire.is_heard |= why & Bell::LINE != 0;
            *rung |= why & !Bell::LINE;
            if why & Bell::ALARM != 0 {
                self.alarmed().await?;
            }
        }
        let now = Instant::now();
        if now - began > HEARTBEAT {
            // It was taking bytes all the time, and no pong could be read meanwhile.
            pace.ponged = now;
        }
        pace.frame_at = Some(now);
        // What rang meanwhile is not rung for again.
        if *rung != 0 {
            pace.due = Some(pace.plan(now, self.is_loading()));
        }
        Ok(())
    }

    /// Its rights may have changed, or the instance closes.
    async fn alarmed(&mut self) -> Result<(), Close> {
        if self.socket.hub.is_closing() {
            return Err(Close::RESTART);
        }
        self.authorise().await
    }

    /// Waits for whatever comes first.
    async fn wake(&mut self, mut timer: Pin<&mut Sleep>) -> Woken {
        poll_fn(|cx| {
            if let Poll::Ready(why) = self.bell.poll(cx) {
                self.wire.is_heard |= why & Bell::LINE != 0;
                if why != Bell::LINE {
                    return Poll::Ready(Woken::Rung(why & !Bell::LINE));
                }
            }
            if let Poll::Ready(message) = self.wire.hear() {
                return Poll::Ready(Woken::Heard(message));
            }
            timer.as_mut().poll(cx).map(|()| Woken::Late)
        })
        .await
    }

    /// Every five seconds: whether the other side is there, and whether the session still is.
    async fn round(&mut self, round: u32, ponged: Instant) -> Result<(), Close> {
        if ponged.elapsed() > PATIENCE {
            return Err(Close::GONE);
        }
        if round.is_multiple_of(2) {
            self.wire.ping()?;
        }
        self.is_over().await
    }

    /// Asks again once the session's time is over: it may have been made longer.
    async fn is_over(&mut self) -> Result<(), Close> {
        if self.socket.hub.clock().now() >= self.until {
            self.authorise().await?;
        }
        Ok(())
    }

    /// Sends what the places that rang have and the page has not; what did not go at once is to be finished.
    fn push(
        &mut self,
        rung: &mut u32,
        pace: &mut Pace,
        now: Instant,
    ) -> Result<Option<Outgoing>, Close> {
        pace.due = None;
        pace.gathering = None;
        let Some(frame) = self.pull(std::mem::take(rung)) else {
            return Ok(None);
        };
        self.socket.hub.meter().patched(frame.remaining());
        pace.frame_at = Some(now);
        self.wire.send(frame)
    }

    /// What the page does not have yet of the places that rang, as one frame, and the cursor moved past it.
    fn pull(&mut self, rung: u32) -> Option<Outgoing> {
        let hub = &self.socket.hub;
        let mut contents = Vec::new();
        for (n, watched) in self.watched.iter().enumerate() {
            if rung & Bell::place(n) == 0 {
                continue;
            }
            let Pull::Ready {
                content,
                base,
                over,
            } = watched.pull(&self.cursor, self.id, |entry| hub.dirty(entry))
            else {
                continue;
            };
            for mark in std::iter::once(base).chain(over) {
                let mut marks = self.cursor.marks.iter_mut();
                if let Some(old) = marks.find(|old| old.region == mark.region) {
                    self.has_moved |= *old != mark;
                    *old = mark;
                } else {
                    // Not twice the room for one more: that would stay for as long as the page is open.
                    self.cursor.marks.reserve_exact(1);
                    self.cursor.marks.push(mark);
                }
            }
            contents.extend(content);
        }
        if contents.is_empty() {
            return None;
        }
        self.has_moved = false;
        Some(Outgoing::changes(&self.cursor, contents))
    }

    /// How fresh the page is, and where it stands now if that moved without a frame: a page that comes back with an old
    /// cursor costs loads.
    fn beat(&mut self) -> Result<Option<Outgoing>, Close> {
        let age = self.age().as_millis();
        let is_slow = self.is_staff && self.socket.hub.is_slow();
        let slow = if is_slow { r#","slow":true"# } else { "" };
        let beat = if std::mem::take(&mut self.has_moved) {
            format!(r#"{{"hb":{age}{slow},"v":"{}"}}"#, self.cursor)
        } else {
            format!(r#"{{"hb":{age}{slow}}}"#)
        };
        let frame = Outgoing::text(&beat);
        self.socket.hub.meter().sent(frame.remaining());
        self.wire.send(frame)
    }

    fn is_loading(&self) -> bool {
        let mut entries = self.watched.iter().flat_map(Watched::entries);
        entries.any(|entry| entry.is_stale())
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
