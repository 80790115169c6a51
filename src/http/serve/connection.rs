//! One connection from its first byte to its last request, or to the upgrade that makes it a socket.

use super::Patience;
use super::door::{Door, Inside};
use super::proxy::{self, Said};
use super::stream::Stream;
use super::timer::HeadTimer;
use crate::app::App;
use crate::http::visitor::Visitor;
use crate::meter::Refusal;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, Version, header};
use axum::response::{IntoResponse as _, Response};
use bytes::BytesMut;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::timeout::TimeoutBody;

/// The longest head of a request. A longer one is answered 431.
const HEAD: usize = 128 * 1024;
/// Requests at a time on one connection of HTTP/2.
const STREAMS: u32 = 200;
/// How a connection of HTTP/2 begins (RFC 9113, 3.4), as far as it takes to tell.
const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

/// How long a visitor's connection may rest, besides the time for the next head.
const VISITORS_REST: Duration = Duration::from_secs(5);

/// What all connections of a listener share.
#[derive(Debug)]
pub(super) struct Front {
    app: App,
    router: Router,
    door: Arc<Door>,
    patience: Patience,
    /// Cancelled when what is idle should end, and what is not after its answer.
    pub(super) stopping: CancellationToken,
    pub(super) connections: TaskTracker,
}

impl Front {
    pub(super) fn new(app: &App, router: Router, door: Arc<Door>, patience: Patience) -> Arc<Self> {
        Arc::new(Self {
            app: app.clone(),
            router,
            door,
            patience,
            stopping: CancellationToken::new(),
            connections: TaskTracker::new(),
        })
    }

    /// A place for one more connection, if there is one.
    pub(super) fn admit(&self) -> Option<Inside> {
        let inside = self.door.enter();
        if inside.is_none() {
            self.app.meter.refused(Refusal::Full);
        }
        inside
    }

    async fn answer(&self, request: Request<Incoming>, opening: Opening) -> Response {
        // HTTP/2 has another word for it, and forbids this one.
        let is_1 = request.version() < Version::HTTP_2;
        // Where a length stood beside it, hyper has taken it out: what a proxy believed to be the next request would be one.
        let mut is_last = request.headers().contains_key(header::TRANSFER_ENCODING);
        let mut response = match prepare(request) {
            Err(status) => {
                is_last = true;
                status.into_response()
            }
            Ok(mut request) => {
                let visitor = if opening.is_own {
                    Visitor::itself(opening.from)
                } else {
                    Visitor::of(&self.app.config, opening.from, request.headers())
                };
                request.extensions_mut().insert(visitor);
                let request = request.map(|body| self.in_time(body));
                let router = TowerToHyperService::new(self.router.clone());
                let Ok::<_, Infallible>(response) = router.call(request).await;
                response
            }
        };
        if is_1 && (is_last || self.app.leaving.is_cancelled()) {
            let close = HeaderValue::from_static("close");
            let said = response.headers_mut();
            // An upgrade keeps its own: the socket is told in another way.
            said.entry(header::CONNECTION).or_insert(close);
        }
        response
    }

    fn in_time(&self, body: Incoming) -> Body {
        if body.is_end_stream() {
            return Body::empty();
        }
        Body::new(TimeoutBody::new(self.patience.body, body))
    }
}

/// Makes the request's authority one thing: where its first line has one, that counts and not the Host beside it (RFC 9112,
/// 3.2.2). Two hosts, or none where the version demands one, are refused: two readers could take two meanings from it.
fn prepare(mut request: Request<Incoming>) -> Result<Request<Incoming>, StatusCode> {
    if request.headers().get_all(header::HOST).iter().count() > 1 {
        return Err(StatusCode::BAD_REQUEST);
    }
    if let Some(authority) = request.uri().authority() {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let host = HeaderValue::from_str(host).map_err(|_| StatusCode::BAD_REQUEST)?;
        request.headers_mut().insert(header::HOST, host);
    }
    if request.version() >= Version::HTTP_11 && !request.headers().contains_key(header::HOST) {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(request)
}

/// Serves a connection that `peer` opened.
pub(super) async fn serve(front: Arc<Front>, mut tcp: TcpStream, peer: IpAddr, mut inside: Inside) {
    let mut early = BytesMut::new();
    let Some(opening) = open(&front, &mut tcp, &mut early, peer, &mut inside).await else {
        return;
    };
    let stream = TokioIo::new(Stream::new(tcp, inside).put_back(early.freeze()));
    let stopping = front.stopping.clone();
    let patience = front.patience;
    // Only balancers gain by a connection that is kept long; from anybody else it may be a head that never ends.
    let rest = if front.app.config.is_trusted(peer) {
        patience.rest
    } else {
        patience.rest.min(VISITORS_REST)
    };
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.answer(request, opening).await) }
    });
    let ended = if opening.is_2 {
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .keep_alive_interval(patience.rest)
            .keep_alive_timeout(patience.head);
        let mut connection = pin!(http.serve_connection(stream, service));
        tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    } else {
        let mut http = http1::Builder::new();
        http.timer(HeadTimer::new(rest))
            .header_read_timeout(patience.head)
            .max_buf_size(HEAD);
        let connection = http.serve_connection(stream, service).with_upgrades();
        let mut connection = pin!(connection);
        tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection was cut");
    }
}

/// Finds out whom a connection comes from and what it speaks, and counts it; `None` when it is to be closed.
async fn open(
    front: &Front,
    tcp: &mut TcpStream,
    early: &mut BytesMut,
    peer: IpAddr,
    inside: &mut Inside,
) -> Option<Opening> {
    let (config, meter) = (&front.app.config, &front.app.meter);
    let peer = peer.to_canonical();
    let count = |inside: &mut Inside, from| {
        let has_room = config.is_trusted(from) || inside.is_from(from);
        if !has_room {
            meter.refused(Refusal::Address);
        }
        has_room.then_some(())
    };
    count(inside, peer)?;
    let is_proxy = config.is_trusted(peer);
    if !is_proxy {
        return Some(Opening {
            from: peer,
            is_own: false,
            is_2: false,
        });
    }
    let opening = tokio::select! {
        biased;
        opening = timeout(front.patience.head, listen(tcp, early, peer, is_proxy, config.h2c)) => opening,
        () = front.stopping.cancelled() => return None,
    };
    match opening {
        Ok(Ok(opening)) => {
            if is_proxy {
                count(inside, opening.from)?;
            }
            Some(opening)
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
            meter.refused(Refusal::Proxy);
            None
        }
        // Whoever opens a connection and says nothing is no news.
        Ok(Err(_)) | Err(_) => None,
    }
}

/// What the first bytes say.
#[derive(Clone, Copy)]
struct Opening {
    /// The peer, or whom it speaks for.
    from: IpAddr,
    /// A proxy has said that it speaks for nobody. A health check may carry any header that someone typed into it.
    is_own: bool,
    is_2: bool,
}

/// Reads into `early` until it is clear who speaks and in which version; what belongs to a request stays there.
async fn listen(
    tcp: &mut TcpStream,
    early: &mut BytesMut,
    peer: IpAddr,
    is_proxy: bool,
    h2c: bool,
) -> io::Result<Opening> {
    let (mut from, mut is_own) = (peer, false);
    let mut is_said = !is_proxy;
    loop {
        if !is_said {
            match proxy::read(early) {
                Said::More => {}
                Said::Nothing => is_said = true,
                Said::For(length, whom) => {
                    let _ = early.split_to(length);
                    (from, is_own) = (whom.unwrap_or(peer), whom.is_none());
                    is_said = true;
                }
                Said::Wrong => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        if is_said {
            let h2c = h2c && is_proxy;
            let is_2 = h2c && early.len() >= HTTP_2.len() && early.starts_with(HTTP_2);
            let may_be_2 = h2c && proxy::begins(early, HTTP_2);
            if is_2 || !may_be_2 {
                return Ok(Opening { from, is_own, is_2 });
            }
        }
        if tcp.read_buf(early).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
