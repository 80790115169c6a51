//! The numbers for Prometheus: only on their own address, in the format that scrapers read, and about nobody.

use crate::browser::Browser;
use crate::gate::Gate;
use crate::house::{House, On, Server, on_both};
use portico::http::{self, Patience};
use std::collections::{BTreeMap, HashSet};

/// Samples by name and labels, read as strictly as `OpenMetrics` 1.0.0 is written; panics where a line breaks its rules.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("it is whole");
    let mut samples = BTreeMap::new();
    let mut families: HashSet<&str> = HashSet::new();
    let (mut family, mut kind, mut has_help) = ("", "", false);
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (what, name) = (words.next().unwrap(), words.next().unwrap());
            let rest = words.next().expect("a comment says something");
            match what {
                "HELP" => {
                    assert!(families.insert(name), "{name} comes twice");
                    assert!(rest.ends_with('.') && rest.len() > 10, "{line}");
                    (family, kind, has_help) = (name, "", true);
                }
                "TYPE" => {
                    assert!(has_help && name == family, "{line}");
                    assert!(["counter", "gauge", "histogram"].contains(&rest), "{line}");
                    kind = rest;
                }
                "UNIT" => {
                    assert!(
                        name == family && name.ends_with(&format!("_{rest}")),
                        "{line}"
                    );
                    assert!(
                        ["seconds", "bytes"].contains(&rest),
                        "base units only: {line}"
                    );
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').expect("a sample has a value");
        let name = sample.split('{').next().unwrap();
        let suffix = name
            .strip_prefix(family)
            .unwrap_or_else(|| panic!("{line} is not {family}"));
        let allowed: &[&str] = match kind {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => panic!("{line} has no type"),
        };
        assert!(allowed.contains(&suffix), "{line}");
        assert!(name.starts_with("portico_"), "{line}");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte))
        );
        labels(sample);
        let value: f64 = value.parse().unwrap();
        assert!(value >= 0.0, "{line}");
        assert!(
            samples.insert(sample.to_owned(), value).is_none(),
            "{line} comes twice"
        );
    }
    samples
}

/// The labels of a sample, by name.
fn labels(sample: &str) -> BTreeMap<String, String> {
    let Some((_, rest)) = sample.split_once('{') else {
        return BTreeMap::new();
    };
    // No value of ours holds a quote or a comma.
    let inside = rest.strip_suffix('}').expect("labels end");
    let pairs = inside.split(',').map(|pair| {
        let (name, value) = pair.split_once('=').expect("a label has a value");
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        (
            name.to_owned(),
            value.expect("it stands in quotes").to_owned(),
        )
    });
    pairs.collect()
}

/// The metrics' own address, for a gate's instance.
fn scraper(gate: &Gate) -> Browser {
    let listener = http::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(http::serve_metrics(gate.app.clone(), listener));
    Browser::new(address)
}

on_both!(
    what_happens_is_counted_and_nobody_is_named,
    |house: House| async move {
        let gate = Gate::of(&house, Patience::default(), |config| {
            config.max_connections_per_address = 3;
        })
        .await;
        let scraper = scraper(&gate);
        let mut thandi = gate.browser();
        thandi.sign_in("thandi").await;
        let mut page = thandi.watch("/bookings").await;
        page.quiet().await;
        house
            .book(&house.thandi, &house.follow_up, "2026-11-24T06:00:00Z")
            .await
            .unwrap();
        page.content(|html| html.contains("data-state=\"mine\""))
            .await;
        thandi
            .get("/invoices/01990000-0000-7000-8000-000000000000")
            .await;
        thandi.get("/welcome/a-secret-of-thandi?q=kestrel").await;
        let words = [("x-forwarded-for", "192.0.2.77")];
        let odd = reqwest::Method::from_bytes(b"NALEDI").unwrap();
        thandi.send(odd, "/login", &words, None).await;
        let (mut inside, mut refused) = (Vec::new(), gate.visitor().await);
        while !refused.is_sent_away().await {
            inside.push(std::mem::replace(&mut refused, gate.visitor().await));
        }

        let answer = scraper.get("/metrics").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(
            answer.header("content-type"),
            Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
        );
        let samples = parse(&answer.body);
        let at = |sample: &str| {
            *samples
                .get(sample)
                .unwrap_or_else(|| panic!("{sample}:\n{}", answer.body))
        };
        let told = |sample: &str| {
            let mut lines = answer.body.lines();
            lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))
        };
        assert_eq!(told("portico_sockets"), Some("1"));
        assert!(at("portico_regions") >= 3.0);
        assert!(at("portico_patches_total") >= 1.0);
        assert!(
            at("portico_sockets_sent_bytes_total") >= f64::from(u32::try_from(page.bytes).unwrap())
        );
        assert!(at("portico_region_load_seconds_count") >= 1.0);
        assert!(at("portico_region_render_seconds_sum") > 0.0);
        assert!(at("portico_region_render_seconds_sum") < at("portico_region_load_seconds_sum"));
        assert!(at("portico_sweep_age_seconds") < 10.0);
        assert_eq!(told("portico_connections"), Some("3"));
        assert_eq!(
            told("portico_connections_refused_total{reason=\"Address\"}"),
            Some("1")
        );
        // To the client, and to whom they booked with.
        assert_eq!(told("portico_outbox_mails"), Some("2"));
        assert_eq!(
            told("portico_http_requests_total{method=\"POST\",route=\"/login\",status=\"3xx\"}"),
            Some("1")
        );
        assert_eq!(
            told(
                "portico_http_requests_total{method=\"GET\",route=\"/invoices/{id}\",status=\"4xx\"}"
            ),
            Some("1")
        );
        assert_eq!(
            told("portico_http_requests_total{method=\"other\",route=\"/login\",status=\"4xx\"}"),
            Some("1")
        );
        assert!(at("portico_http_request_seconds_count{route=\"/bookings\"}") >= 1.0);
        let pools: f64 = samples
            .iter()
            .filter(|(sample, _)| sample.starts_with("portico_database_connections{"))
            .map(|(_, size)| size)
            .sum();
        assert!(pools >= 1.0);

        // Every label says one of a few things that are known beforehand.
        let mut routes: HashSet<&str> = http::routes::table()
            .iter()
            .map(|route| route.path)
            .collect();
        routes.insert("-");
        for sample in samples.keys() {
            for (name, value) in labels(sample) {
                let is_known = match name.as_str() {
                    "route" => routes.contains(value.as_str()),
                    "method" => [
                        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
                    ]
                    .contains(&value.as_str()),
                    "status" => ["1xx", "2xx", "3xx", "4xx", "5xx"].contains(&value.as_str()),
                    "le" => value == "+Inf" || value.parse::<f64>().is_ok(),
                    "pool" => ["read", "write", "all"].contains(&value.as_str()),
                    "reason" => ["Full", "Address", "Proxy"].contains(&value.as_str()),
                    _ => false,
                };
                assert!(is_known, "{sample}");
            }
        }
        let people = [
            "thandi", "Thandi", "kestrel", "secret", "127.0.0", "192.0.2", "0199", "NALEDI",
        ];
        for word in people {
            assert!(
                !answer.body.contains(word),
                "{word} is told: {}",
                answer.body
            );
        }
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_is_not_told_how_much_there_is_to_do() {
    let house = House::open(On::Sqlite).await;
    let gate = Gate::of(&house, Patience::default(), |_| {}).await;
    let scraper = scraper(&gate);
    let owner = {
        let mut owner = gate.browser();
        owner.sign_in("naledi").await;
        owner
    };
    for browser in [gate.browser(), owner] {
        assert_eq!(browser.get("/metrics").await.status, 404);
    }
    assert_eq!(scraper.get("/metrics").await.status, 200);
    for path in ["/", "/login", "/healthz", "/metrics/x"] {
        assert_eq!(scraper.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_instance_counts_for_itself() {
    let house = House::open(On::Sqlite).await;
    let gate = Gate::of(&house, Patience::default(), |_| {}).await;
    let scraper = scraper(&gate);
    let other = Server::of(&house.another("http://127.0.0.1").await).await;
    assert_eq!(other.browser().get("/login").await.status, 200);
    let told = scraper.get("/metrics").await.body;
    assert!(!told.contains("route=\"/login\""), "{told}");
}
