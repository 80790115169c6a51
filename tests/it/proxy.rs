//! Behind a proxy: the visitor's address is what a trusted one says, and nobody else's word is taken for it.

use crate::browser::Answer;
use crate::gate::{Gate, Visitor};
use crate::house::{House, On};
use portico::config::network;
use portico::http::Patience;
use std::time::Duration;

/// A front that believes whoever connects from 127.0.0.9.
async fn behind_a_proxy(house: &House) -> Gate {
    let patience = Patience {
        head: Duration::from_millis(500),
        ..Patience::default()
    };
    Gate::of(house, patience, |config| {
        config.trusted_proxies = vec![network("127.0.0.9").unwrap()];
        config.max_connections_per_address = 3;
    })
    .await
}

/// The addresses whose failed sign-ins are counted.
async fn throttled(house: &House) -> Vec<String> {
    let rows: Vec<(String,)> = house
        .app
        .db
        .q("SELECT subject FROM throttles ORDER BY subject")
        .all()
        .await
        .unwrap();
    let subjects = rows.into_iter().map(|(subject,)| subject);
    subjects.filter(|subject| !subject.contains('@')).collect()
}

const FORM: &str = "email=thandi%40kestrel.example&password=not+the+right+one";

fn sign_in(headers: &str) -> String {
    format!(
        "POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\nsec-fetch-site: same-origin\r\nconnection: close\r\n{headers}\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{FORM}",
        FORM.len()
    )
}

/// PROXY version 2 of a proxy that asks for itself; the address beside it means nothing.
fn local() -> Vec<u8> {
    let mut header = version_2([192, 0, 2, 6]);
    header[12] = 0x20;
    header
}

/// PROXY version 2 for an address of version 4.
fn version_2(from: [u8; 4]) -> Vec<u8> {
    let addresses = [&from[..], &[127, 0, 0, 1, 0, 80, 1, 187]].concat();
    [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c"[..], &addresses].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sign_in_counts_for_the_visitor_and_not_for_the_proxy() {
    let house = House::open(On::Sqlite).await;
    let gate = behind_a_proxy(&house).await;
    let forwarded = "x-forwarded-for: 198.51.100.66, 192.0.2.1\r\n";
    let line = "PROXY TCP4 192.0.2.2 127.0.0.1 80 443\r\n";
    let unknown = "PROXY UNKNOWN\r\n";
    for (from, said) in [
        ("127.0.0.9", sign_in(forwarded).into_bytes()),
        ("127.0.0.9", format!("{line}{}", sign_in("")).into_bytes()),
        // Whom the proxy names is no proxy: what they say of themselves is nothing.
        (
            "127.0.0.9",
            format!("{line}{}", sign_in(forwarded)).into_bytes(),
        ),
        (
            "127.0.0.9",
            [&version_2([192, 0, 2, 3])[..], sign_in("").as_bytes()].concat(),
        ),
        (
            "127.0.0.9",
            format!("{unknown}{}", sign_in("")).into_bytes(),
        ),
        // A proxy that asks for itself brings nobody, whatever its health check says.
        (
            "127.0.0.9",
            format!("{unknown}{}", sign_in("x-forwarded-for: 192.0.2.4\r\n")).into_bytes(),
        ),
        (
            "127.0.0.9",
            [
                &local()[..],
                sign_in("x-forwarded-for: 192.0.2.5\r\n").as_bytes(),
            ]
            .concat(),
        ),
        ("127.0.0.8", sign_in(forwarded).into_bytes()),
    ] {
        let mut visitor = Visitor::at(gate.address, from).await;
        visitor.say(&said).await;
        let answer = visitor.hear().await;
        assert_eq!(answer.get(9..12), Some("422"), "{answer}");
        house.clock().advance(Duration::from_mins(1));
    }
    let seen = throttled(&house).await;
    let seen: Vec<&str> = seen
        .iter()
        .map(|subject| subject.rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(
        seen,
        [
            "127.0.0.8",
            "127.0.0.9",
            "192.0.2.1",
            "192.0.2.2",
            "192.0.2.3"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_outsider_says_before_the_request_is_refused() {
    let house = House::open(On::Sqlite).await;
    let gate = behind_a_proxy(&house).await;
    let ask = "GET /login HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    let line = "PROXY TCP4 192.0.2.2 127.0.0.1 80 443\r\n";
    let headers = [line.as_bytes().to_vec(), version_2([192, 0, 2, 3])];
    for header in headers {
        let said = [&header[..], ask.as_bytes()].concat();
        let mut outsider = Visitor::at(gate.address, "127.0.0.8").await;
        outsider.say(&said).await;
        let answer = outsider.hear().await;
        assert!(!answer.contains(" 200 "), "{answer}");
        // Cut anywhere, it is the same from a proxy, and a half of it is not waited for.
        let (begin, end) = said.split_at(9);
        let mut proxy = Visitor::at(gate.address, "127.0.0.9").await;
        proxy.say(begin).await;
        proxy.say(end).await;
        let answer = proxy.hear().await;
        assert_eq!(answer.get(9..12), Some("200"), "{answer}");
        let mut proxy = Visitor::at(gate.address, "127.0.0.9").await;
        proxy.say(begin).await;
        assert_eq!(proxy.hear().await, "");
    }
    for wrong in [
        "PROXY TCP4 nobody\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n\r\n",
    ] {
        let mut proxy = Visitor::at(gate.address, "127.0.0.9").await;
        proxy.say(format!("{wrong}{ask}")).await;
        assert_eq!(proxy.hear().await, "", "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_brings_as_many_as_it_likes_but_not_from_one_visitor() {
    let house = House::open(On::Sqlite).await;
    let gate = behind_a_proxy(&house).await;
    let mut inside = Vec::new();
    for n in 0..12 {
        let mut proxy = Visitor::at(gate.address, "127.0.0.9").await;
        if n > 5 {
            let visitor = n % 2;
            let line = format!("PROXY TCP4 192.0.2.{visitor} 127.0.0.1 80 443\r\n");
            proxy.say(line).await;
        }
        let answer = proxy.ask("/healthz").await;
        assert_eq!(answer.get(9..12), Some("200"), "{n}");
        inside.push(proxy);
    }
    let mut fourth = Visitor::at(gate.address, "127.0.0.9").await;
    let line = "PROXY TCP4 192.0.2.1 127.0.0.1 80 443\r\nGET /healthz HTTP/1.0\r\n\r\n";
    fourth.say(line).await;
    assert_eq!(fourth.hear().await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_keeps_the_name_that_a_proxy_gave_it() {
    let house = House::open(On::Sqlite).await;
    let gate = behind_a_proxy(&house).await;
    let proxy = crate::browser::Browser::at(gate.address, Some("127.0.0.9".parse().unwrap()));
    let outsider = gate.browser();
    let named = async |browser: &crate::browser::Browser, name: &str| -> Answer {
        let headers = [("x-request-id", name)];
        browser
            .send(reqwest::Method::GET, "/nowhere", &headers, None)
            .await
    };
    let kept = named(&proxy, "0199-ab.c_d").await;
    assert_eq!(kept.header("x-request-id"), Some("0199-ab.c_d"));
    for (browser, name) in [
        (&outsider, "0199-ab.c_d"),
        (&proxy, "a b"),
        (&proxy, "<b>"),
        (&proxy, &"x".repeat(65)),
    ] {
        let answer = named(browser, name).await;
        let own = answer.header("x-request-id").unwrap();
        assert_ne!(own, name);
        assert_eq!(own.len(), 16);
    }
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), local()] {
        let ask = "GET /nowhere HTTP/1.0\r\nhost: 127.0.0.1\r\nx-request-id: check-1\r\n\r\n";
        let mut check = Visitor::at(gate.address, "127.0.0.9").await;
        check.say([&header[..], ask.as_bytes()].concat()).await;
        let answer = check.hear().await;
        assert!(answer.contains("x-request-id: "), "{answer}");
        assert!(!answer.contains("check-1"), "{answer}");
    }
    let broken = named(&outsider, "x").await;
    let own = broken.header("x-request-id").unwrap();
    assert_eq!(broken.status, 404);
    assert_eq!(own.len(), 16);
}
