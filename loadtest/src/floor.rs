//! The floor: a bare loop that writes one ready frame to every socket with one system call each. Nothing that sends to each
//! socket on its own can be cheaper; what Portico takes beyond it is Portico's.

use loadtest::wire;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;

const LISTENER: Token = Token(usize::MAX);

const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
const PUBLISHED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Someone connected, and whether frames go there.
struct Peer {
    stream: TcpStream,
    asked: Vec<u8>,
    listens: bool,
}

/// Serves until it is killed: a GET is an upgrade, a POST sends everybody a frame of so many bytes. Prints its address first.
pub(crate) fn serve(bytes: usize) -> anyhow::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = listen()?;
    println!("http://{}", listener.local_addr()?);
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let frame = wire::text(&"x".repeat(bytes));
    let mut events = Events::with_capacity(1024);
    let mut peers: Vec<Option<Peer>> = Vec::new();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    let token = Token(peers.len());
                    stream.set_nodelay(true)?;
                    poll.registry()
                        .register(&mut stream, token, Interest::READABLE)?;
                    peers.push(Some(Peer {
                        stream,
                        asked: Vec::new(),
                        listens: false,
                    }));
                }
            } else if read(&mut peers[event.token().0]) {
                for peer in peers.iter_mut().flatten().filter(|peer| peer.listens) {
                    // One that is full misses a frame: the watchers count.
                    let _ = peer.stream.write(&frame);
                }
                if let Some(publisher) = &mut peers[event.token().0] {
                    let _ = publisher.stream.write(PUBLISHED);
                }
            }
        }
    }
}

/// With room for a storm.
fn listen() -> anyhow::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(4096)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Whether a peer asked for everybody to be sent a frame.
fn read(place: &mut Option<Peer>) -> bool {
    let Some(peer) = place else {
        return false;
    };
    let mut buffer = [0; 2048];
    let is_gone = loop {
        match peer.stream.read(&mut buffer) {
            Ok(0) => break true,
            Ok(length) => peer.asked.extend(&buffer[..length]),
            Err(error) => break error.kind() != ErrorKind::WouldBlock,
        }
    };
    let is_whole = peer.asked.ends_with(b"\r\n\r\n");
    let publishes = is_whole && peer.asked.starts_with(b"POST ");
    if is_whole && !publishes && !peer.listens {
        peer.listens = peer.stream.write_all(UPGRADED).is_ok();
    }
    if is_whole || peer.listens {
        peer.asked = Vec::new();
    }
    if is_gone {
        *place = None;
    }
    publishes
}
