//! The front alone, without a proxy before it: whoever sends slowly, too much or from too many places is sent away, and
//! nobody else notices. Stopping cuts nobody off.

use crate::gate::{Gate, Visitor};
use crate::house::{House, On};
use portico::http::Patience;
use std::time::Duration;

/// A patience that a test can wait out.
fn short() -> Patience {
    Patience {
        head: Duration::from_millis(300),
        body: Duration::from_millis(300),
        ..Patience::default()
    }
}

async fn open(patience: Patience) -> (House, Gate) {
    let house = House::open(On::Sqlite).await;
    let gate = Gate::of(&house, patience, |_| {}).await;
    (house, gate)
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_question_is_not_waited_for_and_a_kept_connection_is() {
    let (_house, gate) = open(short()).await;
    let mut kept = gate.visitor().await;
    assert_eq!(status(&kept.ask("/healthz").await), "200");
    for half in ["", "G", "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: "] {
        let mut visitor = gate.visitor().await;
        visitor.say(half).await;
        assert_eq!(visitor.hear().await, "", "{half}");
    }
    assert_eq!(
        status(&kept.ask("/healthz").await),
        "200",
        "it may rest for longer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_trickles_in_is_cut_at_its_time() {
    let (_house, gate) = open(short()).await;
    let (mut reader, mut writer) = gate.visitor().await.0.into_split();
    let trickle = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        let mut said = 0;
        for byte in b"GET / HTTP/1.1\r\nhost: "
            .iter()
            .chain(std::iter::repeat(&b'x'))
        {
            pace.tick().await;
            if writer.write_all(&[*byte]).await.is_err() || said > 500 {
                break;
            }
            said += 1;
        }
        said
    });
    let mut heard = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut heard).await;
    drop(reader);
    assert_eq!(heard, b"");
    assert!(
        trickle.await.unwrap() < 200,
        "each byte would begin the time anew"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_rests_for_its_time_and_no_longer() {
    let patience = Patience {
        rest: Duration::from_millis(200),
        ..short()
    };
    let (_house, gate) = open(patience).await;
    let mut kept = gate.visitor().await;
    assert_eq!(status(&kept.ask("/healthz").await), "200");
    assert_eq!(kept.hear().await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_form_is_answered_408_and_changes_nothing() {
    let (_house, gate) = open(short()).await;
    let mut visitor = gate.visitor().await;
    visitor
        .say(
            "POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: 40\r\n\r\nemail=than",
        )
        .await;
    let answer = visitor.hear().await;
    assert_eq!(status(&answer), "408", "{answer}");
    assert!(answer.contains("took too long"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_without_end_are_answered_431() {
    let (_house, gate) = open(Patience::default()).await;
    let begin = "GET /login HTTP/1.1\r\nhost: 127.0.0.1\r\n";
    let long = format!("{begin}x: {}\r\n\r\n", "x".repeat(256 * 1024));
    let many = format!("{begin}{}\r\n", "x: x\r\n".repeat(1000));
    for head in [long, many] {
        let (mut reader, mut writer) = gate.visitor().await.0.into_split();
        // It is answered before it is all read.
        let says = tokio::spawn(async move {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut writer, head.as_bytes()).await;
            writer
        });
        let mut answer = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut reader, &mut answer)
            .await
            .unwrap();
        assert_eq!(&answer[9..], b"431");
        drop(says.await.unwrap());
    }
    assert_eq!(gate.browser().get("/login").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_when_it_is_full_is_sent_away_until_someone_leaves() {
    let house = House::open(On::Sqlite).await;
    let gate = Gate::of(&house, Patience::default(), |config| {
        config.max_connections = 2;
    })
    .await;
    let (mut one, mut two) = (gate.visitor().await, gate.visitor().await);
    for inside in [&mut one, &mut two] {
        assert_eq!(status(&inside.ask("/healthz").await), "200");
    }
    let mut third = gate.visitor().await;
    third.say("GET /healthz HTTP/1.1\r\n\r\n").await;
    assert_eq!(third.hear().await, "");
    drop(one);
    let entered = async {
        loop {
            let mut next = gate.visitor().await;
            next.say("GET /healthz HTTP/1.0\r\n\r\n").await;
            if status(&next.hear().await) == "200" {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), entered)
        .await
        .expect("there is room again");
    assert_eq!(status(&two.ask("/healthz").await), "200");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_its_share_and_sockets_count() {
    let house = House::open(On::Sqlite).await;
    let gate = Gate::of(&house, Patience::default(), |config| {
        config.max_connections_per_address = 8;
    })
    .await;
    let mut thandi = gate.browser();
    thandi.sign_in("thandi").await;
    let mut page = thandi.watch("/").await;
    page.quiet().await;
    let mut inside = Vec::new();
    loop {
        let mut next = gate.visitor().await;
        if next.is_sent_away().await {
            break;
        }
        inside.push(next);
    }
    // The page's socket is one of the eight, and so is the connection that it was loaded through.
    assert!(inside.len() <= 6, "{} besides", inside.len());
    let mut elsewhere = Visitor::at(gate.address, "127.0.0.2").await;
    assert_eq!(status(&elsewhere.ask("/healthz").await), "200");

    drop(page);
    let has_room = async { while gate.visitor().await.is_sent_away().await {} };
    let has_room = tokio::time::timeout(Duration::from_secs(5), has_room);
    has_room.await.expect("a page that is left makes room");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_has_one_host_or_is_refused() {
    let (_house, gate) = open(Patience::default()).await;
    for (request, expected) in [
        ("GET /login HTTP/1.0\r\n\r\n", "200"),
        ("GET /login HTTP/1.0\r\nhost: evil.example\r\n\r\n", "421"),
        ("GET /login HTTP/1.1\r\nconnection: close\r\n\r\n", "400"),
        (
            "GET /login HTTP/1.1\r\nhost: 127.0.0.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
            "400",
        ),
        (
            "GET http://evil.example/login HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n",
            "421",
        ),
        (
            "GET http://127.0.0.1/login HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
            "200",
        ),
        (
            "POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: x\r\nconnection: close\r\n\r\n",
            "400",
        ),
    ] {
        let mut visitor = gate.visitor().await;
        visitor.say(request).await;
        let answer = visitor.hear().await;
        assert_eq!(status(&answer), expected, "{request}{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_smuggled_behind_a_body_of_two_lengths() {
    let (_house, gate) = open(Patience::default()).await;
    let smuggled = "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let (length, chunked) = ("content-length: 3\r\n", "transfer-encoding: chunked\r\n");
    for both in [[length, chunked], [chunked, length]] {
        let mut visitor = gate.visitor().await;
        let both = both.concat();
        visitor
            .say(format!(
                "POST /logout HTTP/1.1\r\nhost: 127.0.0.1\r\n{both}\r\n0\r\n\r\n{smuggled}"
            ))
            .await;
        let answer = visitor.hear().await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_in_clear_text_is_spoken_where_it_is_set() {
    let house = House::open(On::Sqlite).await;
    let gate = Gate::of(&house, short(), |config| {
        config.h2c = true;
        config.trusted_proxies = vec![portico::config::network("127.0.0.1").unwrap()];
    })
    .await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let base = format!("http://{}", gate.address);
    let answer = client.get(format!("{base}/login")).send().await.unwrap();
    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (reqwest::Version::HTTP_2, 200)
    );
    let mut thandi = gate.browser();
    thandi.sign_in("thandi").await;
    // HTTP/1.1 is there beside it, and so are the sockets.
    thandi.watch("/").await.quiet().await;
    for half in ["", "PRI * HTTP/2.0\r\n"] {
        let mut silent = gate.visitor().await;
        silent.say(half).await;
        assert_eq!(silent.hear().await, "", "{half}");
    }

    let gate = Gate::of(&house, Patience::default(), |_| {}).await;
    let refused = client.get(format!("http://{}/login", gate.address)).send();
    assert!(refused.await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_answers_who_is_asking_and_sends_the_pages_on() {
    let (_house, mut gate) = open(Patience::default()).await;
    let mut thandi = gate.browser();
    thandi.sign_in("thandi").await;
    let mut page = thandi.watch("/").await;
    page.quiet().await;
    let mut idle = gate.visitor().await;
    assert_eq!(status(&idle.ask("/healthz").await), "200");
    let mut asking = gate.visitor().await;
    asking
        .say(
            "POST /reset HTTP/1.1\r\nhost: 127.0.0.1\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: 26\r\n\
             expect: 100-continue\r\n\r\n",
        )
        .await;
    let go_on = asking.answer().await;
    assert_eq!(status(&go_on), "100");
    let (address, app) = (gate.address, gate.app.clone());
    gate.stop();
    assert_eq!(page.closed().await, (1012, "restart".to_owned()));
    assert_eq!(idle.hear().await, "", "nothing was asked there");
    asking.say("email=thandi%40kestrel.com").await;
    let answer = asking.hear().await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    gate.stopped().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert_eq!(app.hub.socket_count(), 0);
}
