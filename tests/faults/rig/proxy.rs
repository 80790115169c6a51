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
    /// And below this silent for ever, while new ones go through.
    stranded: usize,
    /// And below this no published message gets through, while commands are answered.
    deaf: usize,
}

/// A listening proxy; it ends with the test.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    rules: watch::Sender<Rules>,
    made: Arc<AtomicUsize>,
    /// Connections that are still held at the server's side.
    held: Arc<AtomicUsize>,
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
            stranded: 0,
            deaf: 0,
        });
        let (made, held) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let task = tokio::spawn(accept(
            listener,
            rules.clone(),
            Arc::clone(&made),
            Arc::clone(&held),
        ));
        Ok(Self {
            address,
            rules,
            made,
            held,
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

    /// What is open hears nothing any more, and is not told; new connections go through.
    pub(crate) fn strand(&self) {
        let made = self.made.load(Ordering::SeqCst);
        self.rules.send_modify(|rules| rules.stranded = made);
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

    /// Connections whose server has not ended them.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
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
    held: Arc<AtomicUsize>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let number = made.fetch_add(1, Ordering::SeqCst);
        let (rules, held) = (rules.subscribe(), Arc::clone(&held));
        tokio::spawn(async move {
            let target = rules.borrow().target;
            let Ok(server) = TcpStream::connect(target).await else {
                return;
            };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            held.fetch_add(1, Ordering::SeqCst);
            let mut cut = rules.clone();
            // Either end takes the other with it.
            tokio::select! {
                () = carry(from_client, to_server, rules.clone(), number, |rules| rules.up) => {}
                () = carry(from_server, to_client, rules, number, |rules| rules.down) => {}
                _ = cut.wait_for(|rules| number < rules.cut) => {}
            }
            held.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Carries one direction until it ends.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut rules: watch::Receiver<Rules>,
    number: usize,
    way: fn(&Rules) -> Way,
) {
    let mut piece = vec![0; 16 * 1024];
    let (mut carried, mut split) = (0, Split::default());
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else {
            return;
        };
        let is_stranded = |rules: &Rules| number < rules.stranded;
        let told = rules.wait_for(|rules| !way(rules).silent || is_stranded(rules));
        let Ok((mut now, stranded, deaf)) = told
            .await
            .map(|rules| (way(&rules), is_stranded(&rules), number < rules.deaf))
        else {
            return;
        };
        if stranded {
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
