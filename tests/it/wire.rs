//! A line to a server that a test can cut, silence and mend.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How it is with the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Open,
    /// Taken up, and nothing comes through any more.
    Silent,
    /// Hung up on, now and at each new try.
    Cut,
}

/// Listens in front of a server until the test drops it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    line: watch::Sender<Line>,
    /// Connections up to here whose other end subscribed hear nothing more, for good.
    deaf: Arc<AtomicUsize>,
    count: Arc<AtomicUsize>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// One connection through it.
#[derive(Debug, Clone)]
struct Through {
    number: usize,
    line: watch::Receiver<Line>,
    deaf: Arc<AtomicUsize>,
    has_subscribed: Arc<AtomicBool>,
}

impl Wire {
    pub(crate) async fn to(server: SocketAddr, line: Line) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = watch::channel(line);
        let (deaf, count) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let first = Through {
            number: 0,
            line: receiver,
            deaf: Arc::clone(&deaf),
            has_subscribed: Arc::default(),
        };
        let numbers = Arc::clone(&count);
        let listening = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let through = Through {
                    number: numbers.fetch_add(1, Ordering::AcqRel) + 1,
                    has_subscribed: Arc::default(),
                    ..first.clone()
                };
                tokio::spawn(through.carry(near, server));
            }
        });
        Self {
            address,
            line: sender,
            deaf,
            count,
            listening,
        }
    }

    /// To the Redis that `bin/test` started.
    pub(crate) async fn to_redis(line: Line) -> Self {
        let url = redis_url();
        let server = url.strip_prefix("redis://").unwrap().parse().unwrap();
        Self::to(server, line).await
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn turn(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// Whoever is subscribed now hears nothing more, and is not told.
    pub(crate) fn deafen(&self) {
        self.deaf
            .store(self.count.load(Ordering::Acquire), Ordering::Release);
    }
}

/// The Redis that `bin/test` started.
pub(crate) fn redis_url() -> String {
    std::env::var("PORTICO_TEST_REDIS")
        .expect("PORTICO_TEST_REDIS is not set: run this test with bin/test, which starts a Redis")
}

impl Through {
    async fn carry(self, near: TcpStream, server: SocketAddr) {
        if *self.line.borrow() == Line::Cut {
            return;
        }
        let Ok(far) = TcpStream::connect(server).await else {
            return;
        };
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        tokio::select! {
            () = self.clone().pump(near_read, far_write, true) => {}
            () = self.pump(far_read, near_write, false) => {}
        }
    }

    /// Copies one way until either side hangs up or the line is cut.
    async fn pump(
        mut self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        is_asking: bool,
    ) {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let is_open = match self.line.wait_for(|line| *line != Line::Silent).await {
                Ok(line) => *line == Line::Open,
                Err(_) => false,
            };
            if !is_open {
                return;
            }
            let count = tokio::select! {
                biased;
                _ = self.line.changed() => continue,
                count = from.read(&mut bytes) => count.unwrap_or(0),
            };
            if count == 0 {
                return;
            }
            let asks = is_asking && bytes[..count].windows(9).any(|word| word == b"SUBSCRIBE");
            self.has_subscribed.fetch_or(asks, Ordering::AcqRel);
            let is_deaf = !is_asking
                && self.has_subscribed.load(Ordering::Acquire)
                && self.number <= self.deaf.load(Ordering::Acquire);
            if !is_deaf && to.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    }
}
