//! Listening, and stopping without cutting anyone off.

mod accept;
mod connection;
mod door;
mod proxy;
mod stream;
mod timer;

pub(super) use stream::Stream;

use super::router;
use crate::app::App;
use axum::Router;
use connection::Front;
use door::Door;
use prometheus_client::metrics::gauge::Gauge;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{sleep, timeout};

/// What the kernel may hold for a phone that reads slowly. Its own default grows to megabytes.
const SEND_BUFFER: u32 = 64 * 1024;
/// How long those get who came at the last moment.
const LAST_CALL: Duration = Duration::from_millis(100);
/// How long writes and the database's connections have to end: a database that is silent never would.
const CLOSING: Duration = Duration::from_secs(15);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long open pages have to answer, after the last of them was asked to come back elsewhere.
const FAREWELL: Duration = Duration::from_secs(2);

/// Connections beside the portal's own.
const MACHINES: usize = 32;

/// How long a visitor is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a first request, and for what a proxy says before it.
    pub head: Duration,
    /// For the next byte of a request's body.
    pub body: Duration,
    /// Between two requests, besides the time for the next head. Balancers keep connections for a minute, and should be the ones to close them.
    pub rest: Duration,
    /// For the answers under way once it stops.
    pub answers: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            rest: Duration::from_secs(75),
            answers: Duration::from_secs(10),
        }
    }
}

/// Takes the address, before anything is written anywhere.
pub fn listen(bind: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if bind.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(bind)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` resolves, and a while longer where a balancer has to notice; then answers what is under way, closes the
/// live pages, and lets writes finish.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    serve_within(Patience::default(), app, listener, stop).await
}

/// Serves as [`serve`] does, with another patience.
pub async fn serve_within(
    patience: Patience,
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    accept::raise_limit(app.config.max_connections);
    if let Some(sandbox) = app.payments.sandbox() {
        sandbox.listens_at(listener.local_addr()?);
    }
    let config = &app.config;
    let door = Door::new(
        config.max_connections,
        config.max_connections_per_address,
        app.meter.connections.clone(),
    );
    let front = Front::new(&app, router(&app), door, patience);
    let mut accepting = Box::pin(accept::run(listener, front.clone()));
    tokio::select! {
        () = accepting.as_mut() => {}
        () = stop => {}
    }
    app.leaving.cancel();
    // Whoever waits in the backlog is let in, and what they ask is read, before what is idle ends.
    let _ = timeout(config.drain.max(LAST_CALL), accepting.as_mut()).await;
    drop(accepting);
    sleep(LAST_CALL).await;
    front.stopping.cancel();
    front.connections.close();
    let answered = timeout(patience.answers, front.connections.wait());
    let (answered, ()) = tokio::join!(answered, app.hub.close());
    if answered.is_err() {
        tracing::warn!("a request was not finished in time");
    }
    let told = async {
        while app.hub.socket_count() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = timeout(FAREWELL, told).await;
    // The last of them is counted out before its farewell is sent.
    sleep(LAST_CALL).await;
    if timeout(CLOSING, app.stop()).await.is_err() {
        tracing::warn!("the database could not be closed in time");
    }
    Ok(())
}

/// Serves a router beside the portal, for a few machines of one's own.
pub(super) async fn alone(patience: Patience, app: &App, router: Router, listener: TcpListener) {
    let door = Door::new(MACHINES, MACHINES, Gauge::default());
    accept::run(listener, Front::new(app, router, door, patience)).await;
}
