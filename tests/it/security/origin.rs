//! S6 to S8: where a form or a socket may come from. There is no other token, so this table is the defence.

use super::links;
use crate::browser::{Browser, form};
use crate::house::{House, On, PASSWORD, Server, on_both};
use crate::money;
use crate::state::State;
use portico::http::routes;
use reqwest::Method;

/// Where requests come from, as headers; `OWN` stands for the server's own origin.
type From = &'static [(&'static str, &'static str)];

/// What our own pages send.
const OURS: [From; 3] = [
    &[("origin", "OWN")],
    &[("sec-fetch-site", "same-origin")],
    &[("origin", "OWN"), ("sec-fetch-site", "same-origin")],
];

/// What others' pages send, and what no browser does.
const FOREIGN: [From; 15] = [
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "none")],
    &[("sec-fetch-site", "nonsense")],
    &[("origin", "OWN"), ("sec-fetch-site", "cross-site")],
    &[("origin", "OWN"), ("sec-fetch-site", "same-site")],
    &[
        ("origin", "http://evil.example"),
        ("sec-fetch-site", "same-origin"),
    ],
    &[("origin", "http://evil.example")],
    &[("origin", "null")],
    &[("origin", "null"), ("sec-fetch-site", "cross-site")],
    &[("origin", "OWN.evil.example")],
    &[("origin", "https://127.0.0.1")],
    &[("origin", "http://localhost:1")],
    &[("origin", "")],
    &[("origin", "http://evil.example"), ("referer", "OWN/login")],
];

fn written(from: From, own: &str) -> Vec<(&'static str, String)> {
    from.iter()
        .map(|(name, value)| (*name, value.replace("OWN", own)))
        .collect()
}

async fn send(
    browser: &Browser,
    path: &str,
    headers: &[(&'static str, String)],
    fields: &[(&str, &str)],
) -> u16 {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser
        .send(Method::POST, path, &headers, Some(form(fields)))
        .await
        .status
}

/// Every path that takes a form, with something in place of what is variable.
fn forms() -> Vec<String> {
    let table = routes::table();
    // A provider is no browser, and proves by its signature who it is.
    let posts = table
        .iter()
        .filter(|route| route.method == Method::POST && !route.path.starts_with("/webhooks/"));
    let paths: Vec<_> = posts
        .map(|route| {
            let path = route
                .path
                .replace("{id}", "0193c0de-0000-7000-8000-000000000000");
            path.replace("{token}", "unknown")
        })
        .collect();
    assert!(paths.len() >= 8 && paths.iter().all(|path| !path.contains('{')));
    paths
}

on_both!(
    a_form_from_elsewhere_changes_nothing,
    |house: House| async move {
        let server = house.serve().await;
        let own = format!("http://{}", server.address);
        let (naledi, guest) = (server.signed_in("naledi").await, server.browser());
        let before = State::of(&house).await;
        for path in forms() {
            for browser in [&naledi, &guest] {
                for from in FOREIGN {
                    let status = send(browser, &path, &written(from, &own), &[]).await;
                    assert_eq!(status, 403, "{path} from {from:?}");
                }
            }
            // Neither an origin nor its kin: nobody's browser, unless it brings our cookie.
            assert_eq!(
                send(&naledi, &path, &[], &[]).await,
                403,
                "{path} from nowhere"
            );
            let referer = [("referer", format!("{own}/"))];
            assert_eq!(
                send(&naledi, &path, &referer, &[]).await,
                403,
                "{path} by referrer"
            );
            let mut spelt = naledi.clone();
            spelt.cookie = naledi
                .cookie
                .as_ref()
                .map(|pair| format!("a=b;{}", pair.replace('=', " =")));
            assert_eq!(
                send(&spelt, &path, &[], &[]).await,
                403,
                "{path} with a spelt cookie"
            );
        }
        assert_eq!(State::of(&house).await, before);
    }
);

on_both!(
    a_form_of_our_own_pages_is_taken,
    |house: House| async move {
        let server = house.serve().await;
        let own = format!("http://{}", server.address);
        for path in forms() {
            for from in OURS {
                let browser = server.browser();
                let status = send(&browser, &path, &written(from, &own), &[]).await;
                assert_ne!(status, 403, "{path} from {from:?}");
            }
            assert_ne!(
                send(&server.browser(), &path, &[], &[]).await,
                403,
                "{path} by a script"
            );
        }
        for from in OURS {
            let naledi = server.signed_in("naledi").await;
            assert_eq!(
                send(&naledi, "/admin/clients", &written(from, &own), &[]).await,
                422
            );
        }
    }
);

on_both!(
    a_page_without_a_referrer_may_send_its_own_form,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.browser();
        for path in ["/welcome/unknown", "/reset/unknown"] {
            let null = ("origin", "null".to_owned());
            let site = |site: &str| ("sec-fetch-site", site.to_owned());
            let fields = [("password", "a long enough one")];
            let status = send(
                &browser,
                path,
                &[null.clone(), site("same-origin")],
                &fields,
            )
            .await;
            assert_eq!(status, 404, "{path}");
            for headers in [
                vec![null.clone()],
                vec![null.clone(), site("cross-site")],
                vec![null.clone(), site("same-site")],
            ] {
                assert_eq!(
                    send(&browser, path, &headers, &fields).await,
                    403,
                    "{path} {headers:?}"
                );
            }
        }
        let null = [
            ("origin", "null".to_owned()),
            ("sec-fetch-site", "same-origin".to_owned()),
        ];
        assert_eq!(send(&browser, "/login", &null, &[]).await, 403);
        assert_eq!(send(&browser, "/reset", &null, &[]).await, 403);
    }
);

on_both!(
    nobody_is_signed_in_by_somebody_elses_page,
    |house: House| async move {
        let server = house.serve().await;
        let own = format!("http://{}", server.address);
        let right = [("email", "pieter@kestrel.example"), ("password", PASSWORD)];
        let before = State::of(&house).await;
        for from in FOREIGN {
            let browser = server.browser();
            assert_eq!(
                send(&browser, "/login", &written(from, &own), &right).await,
                403
            );
        }
        assert_eq!(State::of(&house).await, before);
    }
);

on_both!(
    /// As browsers follow links, load images and look ahead: none of it does anything.
    reading_changes_nothing,
    |house: House| async move {
        let server = house.serve().await;
        let booking = house
            .book(&house.thandi, &house.follow_up, "2026-11-25T06:00:00Z")
            .await
            .unwrap();
        let secret = links::issue(&house, house.pieter.person, portico::store::token::Kind::Reset).await;
        let naledi = server.signed_in("naledi").await;
        let thandi = server.signed_in("thandi").await;
        let staff = house.naledi.staff;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
        let before = State::of(&house).await;
        for route in routes::table() {
            let path = route.path.replace("{token}", &secret);
            let path = path.replace("{provider}", "sandbox");
            let path = if let Some(id) = money::id_in(&path, invoice, checkout.id) {
                path.replace("{id}", &id)
            } else if path.starts_with("/admin") {
                path.replace("{id}", &house.thandi.client.to_string())
            } else {
                path.replace("{id}", &booking.to_string())
            };
            let query = format!(
                "?start=2026-11-24T06:00:00Z&staff={staff}&service={}&client={}&key=x&version=2&outcome=pay&words-0=x&price-0=1&due_on=2026-12-01&move={booking}\
                 &email=pieter@kestrel.example&password=another+long+secret&_method=POST",
                house.follow_up.id, house.thandi.client
            );
            for browser in [&naledi, &thandi] {
                for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                    for headers in [&[][..], &[("sec-fetch-site", "cross-site"), ("purpose", "prefetch")]] {
                        let answer = browser.send(method.clone(), &format!("{path}{query}"), headers, None).await;
                        assert!(answer.status < 500, "{method} {path}: {}", answer.status);
                        assert!(answer.header("set-cookie").is_none(), "{method} {path}");
                    }
                }
            }
            assert_eq!(State::of(&house).await, before, "{path}");
        }
    }
);

on_both!(
    a_host_that_is_not_ours_is_told_so,
    |house: House| async move {
        let server = house.serve().await;
        let https = house.another("https://portal.example").await;
        let https = Server::of(&https).await;
        let here = server.address.to_string();
        let rebound = format!("http://evil.example:{}", server.address.port());
        let cases: [(&Server, &str, &str, u16); 9] = [
            (&server, "evil.example", "http://evil.example", 421),
            (
                &server,
                rebound.trim_start_matches("http://"),
                &rebound,
                421,
            ),
            (
                &server,
                "127.0.0.1.evil.example",
                "http://127.0.0.1.evil.example",
                421,
            ),
            (&server, "localhost:3000", "http://localhost:3000", 303),
            (&server, "localhost:3000", "http://localhost:3001", 403),
            (&https, "portal.example", "https://portal.example", 303),
            (&https, "portal.example", "http://portal.example", 403),
            (&https, "portal.example", "https://portal.example.evil", 403),
            // A proxy that rewrites the host would make every origin foreign: better told at once.
            (&https, &here, "https://portal.example", 421),
        ];
        for (server, host, origin, expected) in cases {
            let headers = [("host", host), ("origin", origin)];
            let answer = server
                .browser()
                .send(Method::POST, "/logout", &headers, Some(Vec::new()))
                .await;
            assert_eq!(answer.status, expected, "{host} {origin}");
        }
        let headers = [("host", "evil.example")];
        for path in ["/login", "/assets/x", "/nowhere", "/live"] {
            let answer = server
                .browser()
                .send(Method::GET, path, &headers, None)
                .await;
            assert_eq!(answer.status, 421, "{path}");
            assert!(
                answer.body.contains("Not under this name"),
                "{}",
                answer.body
            );
        }
        // Load balancers ask by address.
        for path in ["/healthz", "/readyz"] {
            assert_eq!(https.browser().get(path).await.status, 200);
        }
    }
);

on_both!(
    a_socket_is_opened_by_our_own_pages_only,
    |house: House| async move {
        let server = house.serve().await;
        let own = format!("http://{}", server.address);
        let pieter = server.signed_in("pieter").await;
        let url = pieter.get("/").await.live_url();
        for browser in [&pieter, &server.browser()] {
            for from in FOREIGN
                .iter()
                .chain([&[][..], &[("sec-fetch-site", "same-origin")]].iter())
            {
                let headers = written(from, &own);
                let headers: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                let answer = browser.handshake(&url, &headers).await;
                assert_eq!(answer.status, 403, "{from:?}");
            }
        }
        let answer = pieter
            .handshake(&url, &[("origin", &own), ("host", "evil.example")])
            .await;
        assert_eq!(answer.status, 421);
        let https = house.another("https://portal.example").await;
        let server = Server::of(&https).await;
        let host = ("host", "portal.example");
        for (origin, expected) in [
            ("https://portal.example", 101),
            ("http://portal.example", 403),
            ("https://portal.example.evil", 403),
            ("https://portal.example:8443", 403),
            ("https://evil.example", 403),
            ("null", 403),
        ] {
            let answer = server
                .browser()
                .handshake("/live?page=home", &[host, ("origin", origin)])
                .await;
            assert_eq!(answer.status, expected, "{origin}");
        }
    }
);
