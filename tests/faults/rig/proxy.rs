//! A line that can be slow, go silent, or be cut, and lead elsewhere. What a broken network does, without one.

use super::resp::{Mangle, Split};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What is done to bytes of one direction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Way {
    /// Each piece comes so much later.
    pub(crate) delay: Duration,
    /// Nothing comes through, and nobody is told.
    pub(crate) silent: bool,
    /// After so many bytes in all of a connection it is cut.
    pub(crate) cut_after: Option<usize>,
    /// What is done to the messages that a Redis publishes.
    pub(crate) mangle: Option<Mangle>,
}

#[derive(Debug, Clone)]
struct Rules {
    target: SocketAddr,
    up: Way,
    down: Way,
    /// Connections numbered below this are cut.
    cut: usize,
    /// And below these silent for ever, up or down, while new ones go through.
    stranded_up: usize,
    stranded_down: usize,
    /// And below this no published message gets through, while commands are answered.
    deaf: usize,
}

/// A listening proxy; it ends with the test.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    rules: watch::Sender<Rules>,
    made: Arc<AtomicUsize>,
    /// Connections that one of both ends has ended.
    ended: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (rules, _) = watch::channel(Rules {
            target,
            up: Way::default(),
            down: Way::default(),
            cut: 0,
            stranded_up: 0,
            stranded_down: 0,
            deaf: 0,
        });
        let (made, ended) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let task = tokio::spawn(accept(
            listener,
            rules.clone(),
            Arc::clone(&made),
            Arc::clone(&ended),
        ));
        Ok(Self {
            address,
            rules,
            made,
            ended,
            task,
        })
    }

    /// From now on, for what is open too: towards the server, and back.
    pub(crate) fn set(&self, up: Way, down: Way) {
        self.rules
            .send_modify(|rules| (rules.up, rules.down) = (up, down));
    }

    /// Both ways silent, or as before.
    pub(crate) fn silence(&self, silent: bool) {
        let way = Way {
            silent,
            ..Way::default()
        };
        self.set(way, way);
    }

    /// Cuts what is open.
    pub(crate) fn cut(&self) {
        let made = self.made.load(Ordering::SeqCst);
        self.rules.send_modify(|rules| rules.cut = made);
    }

    /// Nothing gets through any more of what is open, towards the server, back, or both, and nobody is told; new connections
    /// go through.
    pub(crate) fn strand(&self, up: bool, down: bool) {
        let made = self.made.load(Ordering::SeqCst);
        self.rules.send_modify(|rules| {
            rules.stranded_up = if up { made } else { rules.stranded_up };
            rules.stranded_down = if down { made } else { rules.stranded_down };
        });
    }

    /// What is open is answered and hears no published message any more.
    pub(crate) fn deafen(&self) {
        let made = self.made.load(Ordering::SeqCst);
        self.rules.send_modify(|rules| rules.deaf = made);
    }

    /// New connections lead there.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.rules.send_modify(|rules| rules.target = target);
    }

    /// Connections that one of both ends has ended.
    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn accept(
    listener: TcpListener,
    rules: watch::Sender<Rules>,
    made: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let number = made.fetch_add(1, Ordering::SeqCst);
        let (rules, ended) = (rules.subscribe(), Arc::clone(&ended));
        tokio::spawn(async move {
            let target = rules.borrow().target;
            let Ok(server) = TcpStream::connect(target).await else {
                return;
            };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            let mut cut = rules.clone();
            // Either end takes the other with it.
            tokio::select! {
                () = carry(from_client, to_server, rules.clone(), number, |rules| (rules.up, rules.stranded_up)) => {}
                () = carry(from_server, to_client, rules, number, |rules| (rules.down, rules.stranded_down)) => {}
                _ = cut.wait_for(|rules| number < rules.cut) => {}
            }
            ended.fetch_add(1, Ordering::SeqCst);
        });
    }
}

/// Carries one direction until it ends.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut rules: watch::Receiver<Rules>,
    number: usize,
    way: fn(&Rules) -> (Way, usize),
) {
    let mut piece = vec![0; 16 * 1024];
    let (mut carried, mut split) = (0, Split::default());
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else {
            return;
        };
        let told = rules.wait_for(|rules| {
            let (way, stranded) = way(rules);
            !way.silent || number < stranded
        });
        let Ok(((mut now, stranded), deaf)) =
            told.await.map(|rules| (way(&rules), number < rules.deaf))
        else {
            return;
        };
        if number < stranded {
            // Read all the same: that the other side gave up is seen.
            continue;
        }
        if deaf {
            now.mangle = Some(Mangle::ALL_LOST);
        }
        if !now.delay.is_zero() {
            tokio::time::sleep(now.delay).await;
        }
        let length = now
            .cut_after
            .map_or(length, |most| length.min(most - carried));
        let bytes = match now.mangle {
            Some(mangle) => split.mangle(&piece[..length], mangle),
            None => split.pass(&piece[..length]),
        };
        carried += length;
        if to.write_all(&bytes).await.is_err() || now.cut_after == Some(carried) {
            return;
        }
    }
}
