//! Listening, and stopping without cutting anyone off.

use super::router;
use crate::app::App;
use axum::serve::ListenerExt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{sleep, timeout};

/// What the kernel may hold for a phone that reads slowly. Its own default grows to megabytes.
const SEND_BUFFER: u32 = 64 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long requests under way have to be answered: a half-sent one never would be.
const DRAIN: Duration = Duration::from_secs(10);
/// How long open pages have to hear that they should come back.
const FAREWELL: Duration = Duration::from_secs(2);

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

/// Serves until `stop` resolves; then answers what is under way, closes the live pages, and lets writes finish.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    if let Some(sandbox) = app.payments.sandbox() {
        sandbox.listens_at(listener.local_addr()?);
    }
    // A frame of a few hundred bytes would otherwise wait for the answer to the one before it.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection ended at once");
        }
    });
    let service = router(&app).into_make_service_with_connect_info::<SocketAddr>();
    let hub = app.hub.clone();
    let (told_to_stop, stopping) = tokio::sync::oneshot::channel();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        stop.await;
        hub.close();
        let _ = told_to_stop.send(());
    });
    tokio::select! {
        served = serving.into_future() => served?,
        () = async {
            let _ = stopping.await;
            sleep(DRAIN).await;
        } => tracing::warn!("a request was not finished in time"),
    }
    let told = async {
        while app.hub.socket_count() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = timeout(FAREWELL, told).await;
    app.stop().await;
    Ok(())
}
