//! Thousands of sockets in one thread: one system call a frame, and no memory but what each page shows. What is measured
//! stands beside this on the same machine, so whatever this costs is taken from it.

use crate::stats::now;
use loadtest::watcher::{Heard, Memo, Watcher};
use loadtest::wire::{self, Frame};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket as Raw, Type};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sockets that are opened between two looks at those that are open.
const STRETCH: usize = 256;
/// After a refused connection, as a browser would wait at least.
const RETRY: Duration = Duration::from_millis(300);
/// Close codes after which a browser stays away.
const FINAL: [u16; 4] = [1000, 1003, 1008, 1009];

/// Where some sockets come from and go to.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) server: SocketAddr,
    /// As the Host header names it.
    pub(crate) host: String,
    pub(crate) source: Ipv4Addr,
    /// `name=value`, or nothing.
    pub(crate) cookie: String,
}

/// What a socket shows.
#[derive(Debug)]
pub(crate) enum Shows {
    Page(Watcher),
    /// Whatever comes from this address: frames are counted, and a frame's number is its version.
    Frames {
        address: String,
        count: i64,
    },
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Connecting,
    Asking,
    Open,
    /// The server said to stay away.
    Away,
}

#[derive(Debug)]
struct Socket {
    line: Arc<Line>,
    shows: Shows,
    phase: Phase,
    stream: Option<TcpStream>,
    /// The beginning of a frame whose end has not come.
    unread: Vec<u8>,
    /// What it must show to be exact, and when it first did.
    target: u64,
    exact_at: Option<f64>,
}

/// A frame with changes: the versions after the first up to the second came with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    pub(crate) at: f64,
    pub(crate) after: i64,
    pub(crate) upto: i64,
}

/// What went on since the last look.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) frames: u64,
    pub(crate) beats: u64,
    pub(crate) bytes: u64,
    pub(crate) doubled: u64,
    pub(crate) went_back: u64,
    pub(crate) astray: u64,
    pub(crate) nonsense: u64,
    /// Answers to the upgrade, by status.
    pub(crate) answers: BTreeMap<u16, u64>,
    /// Closed by the server, by code; 0 without a word.
    pub(crate) closes: BTreeMap<u16, u64>,
    pub(crate) unreachable: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.beats += other.beats;
        self.bytes += other.bytes;
        self.doubled += other.doubled;
        self.went_back += other.went_back;
        self.astray += other.astray;
        self.nonsense += other.nonsense;
        self.unreachable += other.unreachable;
        for (to, from) in [
            (&mut self.answers, &other.answers),
            (&mut self.closes, &other.closes),
        ] {
            for (code, count) in from {
                *to.entry(*code).or_default() += count;
            }
        }
    }
}

/// All sockets of a process.
pub(crate) struct Swarm {
    poll: Poll,
    events: Events,
    sockets: Vec<Socket>,
    buffer: Vec<u8>,
    memo: Memo,
    /// Those that wait to be opened, and when at the earliest.
    waiting: VecDeque<(Instant, usize)>,
    opening: usize,
    /// How many may be opening at a time.
    at_once: usize,
    is_cut: bool,
    /// The region whose versions are followed.
    pub(crate) region: u32,
    pub(crate) counts: Counts,
    pub(crate) deliveries: Vec<Delivery>,
}

impl Swarm {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            sockets: Vec::new(),
            buffer: vec![0; 256 * 1024],
            memo: Memo::default(),
            waiting: VecDeque::new(),
            opening: 0,
            at_once: 200,
            is_cut: false,
            region: 0,
            counts: Counts::default(),
            deliveries: Vec::new(),
        })
    }

    /// Adds a socket, to be opened when there is time.
    pub(crate) fn add(&mut self, line: Arc<Line>, shows: Shows) {
        self.waiting.push_back((Instant::now(), self.sockets.len()));
        self.sockets.push(Socket {
            line,
            shows,
            phase: Phase::Closed,
            stream: None,
            unread: Vec::new(),
            target: 0,
            exact_at: None,
        });
    }

    pub(crate) fn open_count(&self) -> usize {
        let open = |socket: &&Socket| socket.phase == Phase::Open;
        self.sockets.iter().filter(open).count()
    }

    /// Ends every connection without a word, as a pulled cable and a reboot would.
    pub(crate) fn cut(&mut self) {
        self.is_cut = true;
        self.waiting.clear();
        for socket in &mut self.sockets {
            if let Some(stream) = socket.stream.take() {
                // With a reset: otherwise each port would rest for a minute.
                let _ =
                    Raw::from(std::net::TcpStream::from(stream)).set_linger(Some(Duration::ZERO));
            }
            socket.phase = Phase::Closed;
            socket.unread = Vec::new();
        }
        self.opening = 0;
    }

    /// Opens everything again, all at once.
    pub(crate) fn come_back(&mut self) {
        self.is_cut = false;
        self.at_once = usize::MAX;
        let now = Instant::now();
        self.waiting = (0..self.sockets.len()).map(|n| (now, n)).collect();
    }

    /// Forgets every cursor: each page is sent whole.
    pub(crate) fn forget_cursors(&mut self) {
        for socket in &mut self.sockets {
            if let Shows::Page(watcher) = &mut socket.shows {
                watcher.forget_cursor();
            }
        }
    }

    /// Says what each page must show, by its place in the order they were added.
    pub(crate) fn aim(&mut self, target: impl Fn(usize) -> u64) {
        for (n, socket) in self.sockets.iter_mut().enumerate() {
            socket.target = target(n);
            socket.exact_at = None;
        }
    }

    /// When each page first showed what it must, as far as it does.
    pub(crate) fn exact_times(&self) -> impl Iterator<Item = Option<f64>> {
        self.sockets.iter().map(|socket| socket.exact_at)
    }

    /// How many pages show now what they must.
    pub(crate) fn exact_count(&self) -> usize {
        let is_exact = |socket: &&Socket| match &socket.shows {
            Shows::Page(watcher) => watcher.digest() == socket.target,
            Shows::Frames { .. } => true,
        };
        self.sockets.iter().filter(is_exact).count()
    }

    /// The version that each page has of the region.
    pub(crate) fn versions(&self) -> impl Iterator<Item = i64> {
        self.sockets.iter().map(|socket| match &socket.shows {
            Shows::Page(watcher) => watcher.versions().of(self.region).unwrap_or(0),
            Shows::Frames { count, .. } => *count,
        })
    }

    /// Opens what waits and reads what came, for about as long as `patience` when nothing does.
    pub(crate) fn turn(&mut self, patience: Duration) -> io::Result<()> {
        let mut stretch = STRETCH;
        while stretch > 0 && self.opening < self.at_once {
            match self.waiting.front() {
                Some((at, _)) if *at <= Instant::now() => {}
                _ => break,
            }
            let (_, n) = self.waiting.pop_front().expect("it has a front");
            stretch -= 1;
            self.open(n);
        }
        let patience = if stretch == 0 {
            Duration::ZERO
        } else {
            patience
        };
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let n = event.token().0;
            if event.is_writable() && self.sockets[n].phase == Phase::Connecting {
                self.ask(n);
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.read(n);
            }
        }
        self.events = events;
        Ok(())
    }

    fn open(&mut self, n: usize) {
        let socket = &mut self.sockets[n];
        if socket.phase == Phase::Away || self.is_cut {
            return;
        }
        if let Ok(mut stream) = connect(&socket.line) {
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registered = self
                .poll
                .registry()
                .register(&mut stream, Token(n), interest);
            if registered.is_ok() {
                socket.stream = Some(stream);
                socket.phase = Phase::Connecting;
                self.opening += 1;
                return;
            }
        }
        self.lost(n);
    }

    /// Sends the upgrade once the line stands.
    fn ask(&mut self, n: usize) {
        let socket = &mut self.sockets[n];
        let Some(stream) = &mut socket.stream else {
            return;
        };
        if !matches!(stream.take_error(), Ok(None)) || stream.peer_addr().is_err() {
            self.lost(n);
            return;
        }
        let address = match &socket.shows {
            Shows::Page(watcher) => watcher.address(),
            Shows::Frames { address, .. } => address.clone(),
        };
        let request = wire::handshake(&socket.line.host, &address, &socket.line.cookie);
        // A kilobyte at most, into an empty buffer.
        if stream.write_all(request.as_bytes()).is_err() {
            self.lost(n);
            return;
        }
        socket.phase = Phase::Asking;
    }

    /// It could not be opened, or has ended: again in a while.
    fn lost(&mut self, n: usize) {
        let socket = &mut self.sockets[n];
        if matches!(socket.phase, Phase::Connecting | Phase::Asking) {
            self.opening -= 1;
        }
        if matches!(socket.phase, Phase::Connecting | Phase::Closed) {
            self.counts.unreachable += 1;
        }
        socket.stream = None;
        socket.unread = Vec::new();
        socket.phase = Phase::Closed;
        self.waiting.push_back((Instant::now() + RETRY, n));
    }

    fn read(&mut self, n: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            let socket = &mut self.sockets[n];
            let Some(stream) = &mut socket.stream else {
                break;
            };
            match stream.read(&mut buffer) {
                Ok(0) => {
                    *self.counts.closes.entry(0).or_default() += 1;
                    self.lost(n);
                }
                Ok(length) => {
                    self.take(n, &buffer[..length]);
                    if length < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    if self.sockets[n].phase == Phase::Open {
                        *self.counts.closes.entry(0).or_default() += 1;
                    }
                    self.lost(n);
                }
            }
        }
        self.buffer = buffer;
    }

    /// Takes in what was read, and keeps what is not whole yet.
    fn take(&mut self, n: usize, read: &[u8]) {
        let at = now();
        let unread = std::mem::take(&mut self.sockets[n].unread);
        let joined;
        let mut bytes = if unread.is_empty() {
            read
        } else {
            joined = [unread.as_slice(), read].concat();
            &joined
        };
        if self.sockets[n].phase == Phase::Asking
            && let Some((status, end)) = wire::answer(bytes)
        {
            *self.counts.answers.entry(status).or_default() += 1;
            if status != 101 {
                self.lost(n);
                return;
            }
            self.opening -= 1;
            self.sockets[n].phase = Phase::Open;
            bytes = &bytes[end..];
        }
        if self.sockets[n].phase == Phase::Open {
            while let Some((frame, length)) = wire::frame(bytes) {
                bytes = &bytes[length..];
                if !self.hear(n, frame, length, at) {
                    return;
                }
            }
        }
        if !bytes.is_empty() {
            self.sockets[n].unread = bytes.to_vec();
        }
    }

    /// False when the socket is at its end.
    fn hear(&mut self, n: usize, frame: Frame<'_>, length: usize, at: f64) -> bool {
        let socket = &mut self.sockets[n];
        let counts = &mut self.counts;
        match frame {
            Frame::Text(text) => match &mut socket.shows {
                Shows::Page(watcher) => {
                    let after = watcher.versions().of(self.region).unwrap_or(0);
                    match watcher.frame_with(text, &mut self.memo) {
                        Heard::Beat { .. } => counts.beats += 1,
                        Heard::Nonsense => counts.nonsense += 1,
                        Heard::Changes(changes) => {
                            counts.frames += 1;
                            counts.bytes += length as u64;
                            counts.went_back += u64::from(changes.went_back);
                            counts.doubled += u64::from(changes.is_double);
                            counts.astray += u64::from(changes.is_astray);
                            let upto = watcher.versions().of(self.region).unwrap_or(0);
                            self.deliveries.push(Delivery { at, after, upto });
                        }
                    }
                    if socket.exact_at.is_none() && watcher.digest() == socket.target {
                        socket.exact_at = Some(at);
                    }
                }
                Shows::Frames { count, .. } => {
                    counts.frames += 1;
                    counts.bytes += length as u64;
                    let after = *count;
                    *count += 1;
                    let upto = *count;
                    self.deliveries.push(Delivery { at, after, upto });
                }
            },
            Frame::Ping(payload) => {
                if let Some(stream) = &mut socket.stream {
                    // A full line loses it, and the server's patience is three of them.
                    let _ = stream.write(&wire::pong(payload));
                }
            }
            Frame::Close(code) => {
                *counts.closes.entry(code).or_default() += 1;
                let is_final = code >= 4000 || FINAL.contains(&code);
                self.lost(n);
                if is_final {
                    self.sockets[n].phase = Phase::Away;
                }
                return false;
            }
            Frame::Other => counts.nonsense += 1,
        }
        true
    }
}

/// Begins a connection from its source address; it stands when it can be written to.
fn connect(line: &Line) -> io::Result<TcpStream> {
    let socket = Raw::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((line.source, 0)).into())?;
    match socket.connect(&line.server.into()) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        // EINPROGRESS, which has no kind of its own.
        Err(error) if error.raw_os_error() == Some(115) => {}
        connected => connected?,
    }
    Ok(TcpStream::from_std(socket.into()))
}
