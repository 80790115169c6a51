//! What a signed-in client's pages cost the server, without a network: the aim is under 2 ms for the bookings.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use criterion::{Criterion, criterion_group, criterion_main};
use portico::app::App;
use portico::clock::Clock;
use portico::config::{BaseUrl, Config, PaymentSetting};
use portico::demo::{self, PASSWORD, Plan};
use portico::http::{self, Visitor};
use std::net::SocketAddr;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const BIND: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3000);

fn request(path: &str) -> axum::http::request::Builder {
    Request::builder()
        .uri(path)
        .header(header::HOST, BIND.to_string())
        .extension(Visitor {
            address: BIND.ip(),
            is_proxied: false,
        })
}

/// The demo's business, and the session of one of its people.
async fn open(database_url: String, email: &str) -> (Router, String) {
    let base_url = BaseUrl::of_bind(BIND).expect("loopback");
    let mut config = Config::new(database_url, BIND, base_url);
    config.payments = PaymentSetting::Sandbox;
    let app = App::start(config, Clock::system()).await.expect("it opens");
    let plan = Plan::demo(1, app.clock.now());
    demo::fill(&app.db, &plan).await.expect("it was empty");
    let router = http::router(&app);
    let form = format!("email={}&password={PASSWORD}", email.replace('@', "%40"));
    let login = request("/login")
        .method("POST")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .expect("a request");
    let Ok(answer) = router.clone().oneshot(login).await;
    let cookie = answer.headers()[header::SET_COOKIE]
        .to_str()
        .expect("ASCII");
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    (router, cookie)
}

/// The answer's length, so that nobody measures an error.
async fn get(router: &Router, path: &str, cookie: &str, encoding: &str) -> usize {
    let request = request(path)
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT_ENCODING, encoding)
        .body(Body::empty())
        .expect("a request");
    let Ok(answer) = router.clone().oneshot(request).await;
    assert_eq!(answer.status(), 200, "{path}");
    let body = to_bytes(answer.into_body(), usize::MAX).await;
    body.expect("a whole page").len()
}

fn pages(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("the system gives threads");
    for (email, path) in [
        ("thandi@kestrel.example", "/bookings"),
        ("thandi@kestrel.example", "/"),
        ("naledi@kestrel.example", "/admin"),
    ] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", dir.path().join("portico.db").display());
        let (router, cookie) = runtime.block_on(open(url, email));
        for encoding in ["identity", "br"] {
            let length = runtime.block_on(get(&router, path, &cookie, encoding));
            println!("{path} {encoding}: {length} bytes");
            criterion.bench_function(&format!("{path} {encoding}"), |bench| {
                bench.iter(|| runtime.block_on(get(&router, path, &cookie, encoding)));
            });
        }
    }
}

criterion_group!(benches, pages);
criterion_main!(benches);
