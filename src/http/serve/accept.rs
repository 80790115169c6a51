//! The loop that takes connections. Nothing that one of them does ends it, and where descriptors run out it waits instead of
//! spinning.

use super::connection::{Front, serve};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// Before trying again where the system has no descriptor left: trying at once would burn a core until one is free.
const REST: Duration = Duration::from_millis(50);
/// Without a shortage for so long, the next one is news again.
const OUTAGE: Duration = Duration::from_mins(1);

/// Descriptors for the database, the log, and what comes and goes.
const BESIDE: usize = 100;

/// Takes connections until it is dropped.
pub(super) async fn run(listener: TcpListener, front: Arc<Front>) {
    let mut short_at: Option<Instant> = None;
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => {
                // A frame of a few hundred bytes would otherwise wait for the answer to the one before it.
                if let Err(error) = tcp.set_nodelay(true) {
                    tracing::debug!(%error, "a connection ended at once");
                    continue;
                }
                if let Some(inside) = front.admit() {
                    let connection = serve(Arc::clone(&front), tcp, peer.ip(), inside);
                    front.connections.spawn(connection);
                }
            }
            Err(error) if is_shortage(&error) => {
                let now = Instant::now();
                if short_at.is_none_or(|at| now - at > OUTAGE) {
                    tracing::warn!(%error, "connections wait: the system has nothing left for them");
                }
                short_at = Some(now);
                sleep(REST).await;
            }
            // The visitor hung up while waiting.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {
                tracing::debug!(%error, "a connection ended at once");
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(REST).await;
            }
        }
    }
}

fn is_shortage(error: &io::Error) -> bool {
    let short = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    let code = error.raw_os_error();
    short.iter().any(|errno| Some(errno.raw_os_error()) == code)
}

/// Takes as many descriptors as the system grants: shells and service managers begin with 1,024, and a connection takes one.
pub(super) fn raise_limit(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let granted = getrlimit(Resource::Nofile).current;
    let wanted = (connections + BESIDE) as u64;
    if let Some(granted) = granted.filter(|granted| *granted < wanted) {
        tracing::warn!(
            granted,
            wanted,
            "fewer open files are granted than connections are allowed"
        );
    }
}
