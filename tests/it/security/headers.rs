//! S27, S41 to S44: what every answer carries, and what none does.

use super::input::assert_harmless;
use super::links;
use crate::browser::{Answer, Browser};
use crate::house::{House, On, Server, on_both};
use crate::money;
use portico::assets;
use portico::http::routes;
use reqwest::Method;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     font-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types htmx";

/// What holds for every answer, whatever it is.
fn assert_guarded(answer: &Answer, story: &str) {
    for (name, expected) in [
        ("content-security-policy", CSP),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.header(name), Some(expected), "{story}: {name}");
    }
    assert!(answer.header("permissions-policy").is_some(), "{story}");
    let referrer = answer.header("referrer-policy");
    assert!(
        ["no-referrer", "same-origin"].map(Some).contains(&referrer),
        "{story}"
    );
    assert_eq!(answer.header("server"), None, "{story}");
    assert_eq!(answer.header("x-powered-by"), None, "{story}");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        None,
        "{story}"
    );
    assert_eq!(
        answer.header("x-request-id").map(str::len),
        Some(16),
        "{story}"
    );
    if answer
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"))
    {
        assert_harmless(&answer.body, story);
    }
    let cache = answer.header("cache-control").unwrap();
    if cache.contains("public") {
        assert!(
            story.contains("/assets/") || story.contains("/accent/"),
            "{story} is public"
        );
        assert_eq!(answer.header("set-cookie"), None);
    } else {
        assert_eq!(cache, "no-store", "{story}");
        let varies: String = answer
            .headers
            .get_all("vary")
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        assert!(
            varies.contains("cookie") && varies.contains("hx-request"),
            "{story}: {varies}"
        );
    }
}

/// Every route with things that are there, and some that are not.
async fn addresses(house: &House) -> Vec<(Method, String)> {
    let booking = house
        .book(&house.thandi, &house.follow_up, "2026-11-25T06:00:00Z")
        .await
        .unwrap();
    let secret = links::issue(
        house,
        house.pieter.person,
        portico::store::token::Kind::Reset,
    )
    .await;
    let invoice = house.charge(&house.thandi, 85_000).await;
    let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
    let staff = house.naledi.staff;
    let asset = assets::LIVE_JS.rsplit('/').next().unwrap();
    let mut all = Vec::new();
    for route in routes::table() {
        let path = route
            .path
            .replace("{token}", &secret)
            .replace("{hue}", "172");
        let path = path.replace("{name}", asset);
        let path = path.replace("{provider}", "sandbox");
        let id = if let Some(id) = money::id_in(&path, invoice, checkout.id) {
            id
        } else if path.starts_with("/admin") {
            house.thandi.client.to_string()
        } else {
            booking.to_string()
        };
        let query = format!("?start=2026-11-24T06:00:00Z&staff={staff}");
        let query = if path == "/bookings/new" {
            query.as_str()
        } else {
            ""
        };
        all.push((
            route.method.clone(),
            format!("{}{query}", path.replace("{id}", &id)),
        ));
        all.push((route.method.clone(), path.replace("{id}", "x")));
        all.push((Method::DELETE, path.replace("{id}", "x")));
    }
    all.push((Method::GET, "/nowhere".to_owned()));
    all.push((Method::GET, "/assets/nothing.js".to_owned()));
    all
}

async fn ask(browser: &Browser, method: &Method, path: &str, htmx: bool) -> Answer {
    let mut headers = vec![("sec-fetch-site", "same-origin")];
    if htmx {
        headers.push(("hx-request", "true"));
    }
    let body = (*method != Method::GET).then(Vec::new);
    browser.send(method.clone(), path, &headers, body).await
}

on_both!(every_answer_is_guarded, |house: House| async move {
    let server = house.serve().await;
    let visitors = [
        ("a guest", server.browser()),
        ("the client", server.signed_in("thandi").await),
        ("the owner", server.signed_in("naledi").await),
    ];
    for (method, path) in addresses(&house).await {
        for (who, browser) in &visitors {
            // Signing out is among the routes, and the others want to stay.
            let other = server.browser();
            let browser = if path == "/logout" { &other } else { browser };
            for htmx in [false, true] {
                let answer = ask(browser, &method, &path, htmx).await;
                assert_guarded(&answer, &format!("{method} {path} by {who}"));
            }
        }
    }
});

/// A request, and how it is refused.
type Case<'a> = (Method, &'a str, &'a [(&'a str, &'a str)], u16);

on_both!(
    refusals_before_a_route_are_guarded_too,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.signed_in("thandi").await;
        let cases: [Case<'_>; 5] = [
            (
                Method::POST,
                "/bookings",
                &[("origin", "http://evil.example")],
                403,
            ),
            (Method::GET, "/", &[("host", "evil.example")], 421),
            (
                Method::PUT,
                "/login",
                &[("sec-fetch-site", "same-origin")],
                405,
            ),
            (Method::GET, "/live", &[], 403),
            (
                Method::POST,
                "/bookings",
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("content-type", "application/json"),
                ],
                415,
            ),
        ];
        for (method, path, headers, expected) in cases {
            let answer = browser.send(method.clone(), path, headers, None).await;
            assert_eq!(answer.status, expected, "{path}");
            assert_guarded(&answer, path);
        }
        let big = vec![b'x'; 100 * 1024];
        let headers = [("sec-fetch-site", "same-origin")];
        let answer = browser
            .send(Method::POST, "/bookings", &headers, Some(big))
            .await;
        assert_eq!(answer.status, 413);
        assert_guarded(&answer, "a form of 100 KiB");
    }
);

on_both!(
    a_portal_on_the_network_stays_with_https,
    |house: House| async move {
        let https = house.another("https://portal.example").await;
        let https = Server::of(&https).await;
        let mut browser = https.browser();
        browser.host = Some("portal.example");
        for path in ["/login", "/nowhere", assets::LIVE_JS, "/healthz"] {
            let answer = browser.get(path).await;
            let policy = answer.header("strict-transport-security").unwrap();
            assert_eq!(policy, "max-age=31536000; includeSubDomains", "{path}");
        }
        let server = house.serve().await;
        let answer = server.browser().get("/login").await;
        assert_eq!(answer.header("strict-transport-security"), None);
    }
);

on_both!(
    signing_out_clears_what_the_browser_kept,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let answer = thandi.post("/logout", &[]).await;
        assert_eq!(answer.status, 303);
        assert_eq!(
            answer.header("clear-site-data"),
            Some("\"cache\", \"storage\"")
        );
    }
);

on_both!(
    what_is_not_for_people_is_not_there,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        for path in [
            "/.git/config",
            "/.env",
            "/metrics",
            "/debug",
            "/debug/pprof/",
            "/server-status",
            "/actuator",
            "/portico.db",
            "/assets/",
            "/assets/../Cargo.toml",
            "/assets/..%2fCargo.toml",
            "/assets/%2e%2e/x",
            "/admin/",
            "/admin/settings/outbox/x",
            "/bookings/",
            "//admin",
            "/%61dmin%00",
            "/robots.txt",
            "/migrations/sqlite/0001_house.sql",
            "/accent/-1",
            "/accent/99999",
            "/accent/x",
        ] {
            let answer = naledi.get(path).await;
            assert_eq!(answer.status, 404, "{path}");
        }
        let trace = server
            .browser()
            .send(Method::TRACE, "/", &[("x-secret", "one")], None)
            .await;
        assert_eq!(trace.status, 405);
        assert!(!trace.body.contains("x-secret"));
    }
);

on_both!(
    a_broken_database_is_a_sentence_and_a_number,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        house.app.db.close().await;
        for (path, htmx) in [
            ("/", false),
            ("/bookings", false),
            ("/bookings/x", true),
            ("/login", false),
        ] {
            let answer = ask(&thandi, &Method::GET, path, htmx).await;
            assert!(
                [500, 503].contains(&answer.status),
                "{path}: {}",
                answer.status
            );
            let id = answer.header("x-request-id").unwrap();
            assert!(answer.body.contains(id), "{path}: {}", answer.body);
            for inside in [
                "sqlx", "SELECT", "pool", "Pool", ".rs", "/tmp", "sqlite", "postgres", "panicked",
            ] {
                assert!(
                    !answer.body.contains(inside),
                    "{path} tells {inside}: {}",
                    answer.body
                );
            }
            assert_eq!(answer.header("set-cookie"), None, "{path} signs nobody out");
        }
    }
);
