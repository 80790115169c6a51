//! S25, S41 and the bad input of every day: text stays text, and nonsense gets one clear sentence.

use crate::browser::{Answer, Browser};
use crate::house::{House, On, at, on_both};
use crate::state::State;
use portico::domain::id::ServiceId;
use portico::domain::service::Service;
use portico::store;
use reqwest::Method;
use scraper::{Html, Selector};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Names that have been scripts elsewhere. Each is one line of at most a hundred characters.
const PAYLOADS: [&str; 10] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onfocus='alert(1)' autofocus='",
    "</title><svg/onload=alert(1)>",
    "</pre><iframe srcdoc=\"&lt;script&gt;alert(1)&lt;/script&gt;\">",
    "<hx-partial hx-target=\"#main\"><b id=calendar>x</b></hx-partial>",
    "<!--part 0--><b>x</b>",
    "<a href=javascript:alert(1) hx-on:click=alert(1)>x</a>",
    "{{constructor.constructor('alert(1)')()}}",
    "&lt;script&gt;alert(1)&lt;/script&gt; \u{202e}gnp",
];

/// Nothing in a page or fragment runs, loads or leads anywhere but to us.
pub(super) fn assert_harmless(html: &str, story: &str) {
    let parsed = if html.contains("<!DOCTYPE") {
        Html::parse_document(html)
    } else {
        Html::parse_fragment(html)
    };
    for element in parsed.select(&Selector::parse("*").unwrap()) {
        let name = element.value().name();
        let forbidden = [
            "iframe", "object", "embed", "base", "style", "template", "frame", "portal",
        ];
        assert!(!forbidden.contains(&name), "{story}: a {name}");
        if name == "script" {
            let src = element.attr("src").unwrap_or_default();
            assert!(
                src.starts_with("/assets/") && element.text().next().is_none(),
                "{story}: a script"
            );
        }
        for (attribute, value) in element.value().attrs() {
            let local = attribute.strip_prefix("hx-").unwrap_or(attribute);
            assert!(!local.starts_with("on"), "{story}: {name} {attribute}");
            assert!(
                !["style", "srcdoc", "autofocus", "http-equiv"].contains(&attribute),
                "{story}: {name} {attribute}"
            );
            if ["href", "src", "action", "formaction", "hx-get", "hx-post"].contains(&attribute) {
                let ours =
                    value.starts_with('#') || value.starts_with('/') && !value.starts_with("//");
                // What someone wrote may lead elsewhere, and takes nothing along.
                let written = attribute == "href"
                    && (value.starts_with("https://") || value.starts_with("http://"))
                    && element.attr("rel") == Some("noopener noreferrer nofollow")
                    && element.attr("target") == Some("_blank");
                assert!(ours || written, "{story}: {name} {attribute}={value}");
            }
        }
    }
}

/// All text of a page, and the values of its fields.
fn texts(html: &str) -> String {
    let parsed = Html::parse_document(html);
    let mut all: String = parsed.root_element().text().collect();
    for element in parsed.select(&Selector::parse("[value]").unwrap()) {
        all.push_str(element.attr("value").unwrap_or_default());
    }
    all
}

on_both!(
    a_name_is_text_wherever_it_shows,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let mut screens = Vec::new();
        for path in [
            "/admin",
            "/admin/clients",
            "/admin/settings/outbox",
            "/admin/calendar?week=2026-W48",
        ] {
            screens.push(naledi.watch(path).await);
        }
        for screen in &mut screens {
            screen.quiet().await;
        }
        for (n, payload) in PAYLOADS.into_iter().enumerate() {
            let email = format!("x'onclick=`{n}`&lt@kestrel.example");
            let fields = [("name", payload), ("email", &email)];
            let answer = naledi.post("/admin/clients", &fields).await;
            assert_eq!(answer.status, 303, "{payload}: {}", answer.body);
            let service = Service {
                id: ServiceId::new(),
                name: payload.to_owned(),
                ..house.follow_up.clone()
            };
            let made = house.app.transact(service, |tx, service| {
                Box::pin(store::service::create(tx, service))
            });
            made.await.unwrap();
        }
        let mut tx = house.app.db.snapshot().await.unwrap();
        let clients = store::client::list(&mut tx, house.clock().now())
            .await
            .unwrap();
        let services = store::service::list(&mut tx).await.unwrap();
        drop(tx);
        let mut pages = vec![
            "/admin".to_owned(),
            "/admin/calendar?week=2026-W48".to_owned(),
        ];
        for (n, payload) in PAYLOADS.into_iter().enumerate() {
            let client = clients
                .iter()
                .find(|client| client.name == payload)
                .unwrap();
            let service = services
                .iter()
                .find(|service| service.name == payload)
                .unwrap();
            let (day, slot) = (24 + n / 9, n % 9);
            let minutes = if slot < 5 {
                slot * 45
            } else {
                300 + (slot - 5) * 45
            };
            let start = at(&format!("2026-11-{day}T06:00:00Z"));
            let start = start + jiff::SignedDuration::from_mins(i64::try_from(minutes).unwrap());
            let fields = [
                ("start", start.to_string()),
                ("staff", house.naledi.staff.to_string()),
                ("service", service.id.to_string()),
                ("client", client.id.to_string()),
                ("key", format!("{n}")),
            ];
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let sheet = naledi.post_fragment("/bookings", &fields).await;
            assert_eq!(sheet.status, 200, "{payload}: {}", sheet.body);
            assert_harmless(&sheet.body, payload);
            assert!(texts(&sheet.body).contains(payload), "{}", sheet.body);
            let client = format!("/admin/clients/{}", client.id);
            let page = naledi.get(&client).await;
            assert!(texts(&page.body).contains(payload), "{}", page.body);
            pages.push(client);
        }
        pages.extend([
            "/admin/clients".to_owned(),
            "/admin/settings".to_owned(),
            "/admin/settings/outbox".to_owned(),
            format!(
                "/bookings/new?start=2026-11-26T06:00:00Z&staff={}",
                house.naledi.staff
            ),
        ]);
        for path in &pages {
            assert_harmless(&naledi.get(path).await.body, path);
        }
        for path in ["/admin/clients", "/admin/settings", pages.last().unwrap()] {
            let text = texts(&naledi.get(path).await.body);
            for payload in PAYLOADS {
                assert!(text.contains(payload), "{payload} is not on {path}");
            }
        }
        for screen in &mut screens {
            let frames = screen.quiet().await;
            assert!(!frames.is_empty());
            for frame in frames {
                assert_harmless(&frame, "a push");
            }
        }
        // Their own pages, for whoever has such a name.
        let thandi = server.signed_in("thandi").await;
        for path in ["/", "/bookings"] {
            assert_harmless(&thandi.get(path).await.body, path);
        }
    }
);

on_both!(
    what_is_written_is_text_wherever_it_shows,
    |house: House| async move {
        let server = house.serve().await;
        let (thandi, naledi) = (
            server.signed_in("thandi").await,
            server.signed_in("naledi").await,
        );
        let client = house.thandi.client;
        let mut screens = vec![thandi.watch("/messages").await];
        for path in [
            "/admin/messages".to_owned(),
            format!("/admin/messages/{client}"),
        ] {
            screens.push(naledi.watch(&path).await);
        }
        for screen in &mut screens {
            screen.quiet().await;
        }
        let links = [
            "https://kestrel.example/\"onclick=alert(1)",
            "http://a.example/<script>alert(1)</script>",
            "javascript://a.example/%0aalert(1) data:text/html,<b>x</b> //evil.example",
        ];
        let all: Vec<&str> = PAYLOADS.into_iter().chain(links).collect();
        for (n, payload) in (0..).zip(&all) {
            let refused = format!("{payload}\u{7}");
            for text in [payload, refused.as_str()] {
                let fields = [
                    ("body", text),
                    ("key", &format!("{n}")),
                    ("client", &client.to_string()),
                ];
                let browser = if n % 2 == 0 { &thandi } else { &naledi };
                let answer = browser.post_fragment("/messages", &fields).await;
                assert_eq!(answer.status, if text == *payload { 200 } else { 422 });
                assert_harmless(&answer.body, payload);
                // Nobody's message answers where it was refused.
                assert_eq!(texts(&answer.body).contains(payload), text == refused);
            }
        }
        let encode = |text: &str| {
            String::from_utf8(crate::browser::form(&[("x", text)])).unwrap()[2..].to_owned()
        };
        for payload in &all {
            let q = encode(payload);
            for (browser, path) in [
                (&thandi, format!("/messages?q={q}")),
                (&naledi, format!("/admin/messages?q={q}")),
                (&naledi, format!("/admin/messages/{client}?q={q}")),
            ] {
                let page = browser.get(&path).await;
                assert_harmless(&page.body, &path);
                assert!(!page.texts("[data-message]").is_empty(), "{path}");
                assert!(texts(&page.body).contains(payload), "{path}");
            }
        }
        for (browser, path) in [
            (&thandi, "/messages".to_owned()),
            (&thandi, "/messages?before=99".to_owned()),
            (&naledi, format!("/admin/messages/{client}")),
        ] {
            let page = browser.get(&path).await;
            assert_harmless(&page.body, &path);
            let text = texts(&page.body);
            for payload in &all {
                assert!(text.contains(payload), "{payload} is not on {path}");
            }
        }
        assert_harmless(&naledi.get("/admin/messages").await.body, "the list");
        let older = thandi.get_fragment("/messages/older?before=99").await;
        assert_harmless(&older.body, "older messages");
        for screen in &mut screens {
            let frames = screen.quiet().await;
            assert!(!frames.is_empty());
            for frame in frames {
                assert_harmless(&frame, "a push");
            }
        }
    }
);

on_both!(
    an_address_or_a_field_is_text_too,
    |house: House| async move {
        let server = house.serve().await;
        let (guest, naledi) = (server.browser(), server.signed_in("naledi").await);
        let thandi = server.signed_in("thandi").await;
        let encode = |text: &str| {
            String::from_utf8(crate::browser::form(&[("x", text)])).unwrap()[2..].to_owned()
        };
        for payload in PAYLOADS {
            let value = encode(payload);
            let asked: Vec<(&Browser, String)> = vec![
                (&guest, format!("/login?next={value}")),
                (&guest, format!("/login?next=/{value}")),
                (&guest, format!("/{value}")),
                (&guest, format!("/bookings?week={value}")),
                (&thandi, format!("/bookings?week={value}")),
                (&thandi, format!("/bookings?staff={value}")),
                (
                    &thandi,
                    format!("/bookings/new?start={value}&staff={value}"),
                ),
                (&thandi, format!("/messages?q={value}")),
                (&thandi, format!("/messages?before={value}")),
                (&naledi, format!("/admin/messages/{value}?q={value}")),
                (&thandi, format!("/{value}?{value}={value}")),
                (&naledi, format!("/admin/calendar?week={value}")),
                (&naledi, format!("/admin/clients?invited={value}")),
                (&naledi, format!("/accent/{value}")),
                (&guest, format!("/welcome/{value}")),
            ];
            for (browser, path) in asked {
                for answer in [browser.get(&path).await, browser.get_fragment(&path).await] {
                    assert!(answer.status < 500, "{path}");
                    assert_harmless(&answer.body, &path);
                }
            }
            let posted = [
                guest
                    .post(
                        "/login",
                        &[("email", payload), ("password", "x"), ("next", payload)],
                    )
                    .await,
                guest.post("/reset", &[("email", payload)]).await,
                naledi
                    .post("/admin/clients", &[("name", payload), ("email", payload)])
                    .await,
            ];
            for answer in posted {
                assert!([422, 429].contains(&answer.status), "{}", answer.status);
                assert_harmless(&answer.body, payload);
            }
        }
    }
);

on_both!(
    a_sign_in_leads_only_to_our_own_pages,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        for next in [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https:evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "evil",
            "/\t/evil.example",
            "/\n/evil.example",
            "",
            "///evil.example",
            "/\u{0}",
        ] {
            let next = String::from_utf8(crate::browser::form(&[("next", next)])).unwrap();
            let answer = thandi.get(&format!("/login?{next}")).await;
            assert_eq!(answer.header("location"), Some("/"), "{next}");
        }
        let answer = thandi.get("/login?next=/bookings%3Fweek%3D2026-W48").await;
        assert_eq!(answer.header("location"), Some("/bookings?week=2026-W48"));
        let fields = [
            ("email", "thandi@kestrel.example"),
            ("password", crate::house::PASSWORD),
            ("next", "//evil.example"),
        ];
        let answer = server.browser().post("/login", &fields).await;
        assert_eq!(answer.header("location"), Some("/"));
    }
);

/// A refusal that a person can read: a page with a heading, a sentence and a way on.
fn assert_explained(answer: &Answer, story: &str) {
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8"),
        "{story}"
    );
    assert_eq!(answer.texts("h1").len(), 1, "{story}: {}", answer.body);
    assert!(
        answer.texts("p, .note").iter().any(|text| text.len() > 20),
        "{story}: {}",
        answer.body
    );
    assert!(
        answer.attribute("a[href^='/']", "href").is_some(),
        "{story}"
    );
}

on_both!(
    a_week_that_cannot_be_shown_becomes_one_that_can,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let naledi = server.signed_in("naledi").await;
        let current = thandi.get("/bookings").await.texts(".weeknav b");
        for week in [
            "",
            "x",
            "2026-W00",
            "2026-W54",
            "1999-W01",
            "-001-W01",
            "2026-48",
            "%ff",
            "2026-W48%00",
            "0000-W01",
        ] {
            let page = thandi.get(&format!("/bookings?week={week}")).await;
            assert_eq!(
                (page.status, page.texts(".weeknav b")),
                (200, current.clone()),
                "{week}"
            );
        }
        for week in [
            "9999-W52", "9999-W53", "3000-W01", "0000-W01", "0001-W01", "x",
        ] {
            for (browser, path) in [(&thandi, "/bookings"), (&naledi, "/admin/calendar")] {
                let page = browser.get(&format!("{path}?week={week}")).await;
                assert_eq!(page.status, 200, "{path} {week}");
                browser.connect(&page.live_url()).await.quiet().await;
            }
        }
        // An address of a socket that no page has.
        for week in ["9999-W52", "0000-W01"] {
            let url = format!("/live?page=calendar&week={week}");
            let heard = naledi.connect(&url).await.next().await;
            let fine = !matches!(heard, crate::browser::Heard::Closed(1005 | 1006 | 1011, _));
            assert!(fine, "{week}: {heard:?}");
        }
        assert_eq!(naledi.get("/admin").await.status, 200);
    }
);

on_both!(
    a_start_that_is_no_slot_is_refused_with_the_reason,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        house
            .book(&house.pieter, &house.follow_up, "2026-11-24T06:00:00Z")
            .await
            .unwrap();
        let moving = house
            .book(&house.thandi, &house.follow_up, "2026-11-25T06:00:00Z")
            .await
            .unwrap();
        let (staff, service) = (
            house.naledi.staff.to_string(),
            house.follow_up.id.to_string(),
        );
        let before = State::of(&house).await;
        let far = [
            "9999-12-30T22:00:00Z",
            "9999-12-31T23:59:59Z",
            "-009999-01-02T02:00:00Z",
            "0000-01-01T00:00:00Z",
        ];
        let cases = [
            ("2026-11-24T06:00:00Z", 409, "taken"),
            ("2026-11-24T06:01:00Z", 422, ""),
            ("2026-11-24T06:10:00Z", 422, ""),
            ("2026-11-24T06:45:00.001Z", 422, ""),
            ("2026-11-20T06:00:00Z", 422, "passed"),
            ("2026-11-28T06:00:00Z", 422, ""),
            ("2036-11-24T06:00:00Z", 422, ""),
            ("tomorrow", 422, "cannot be read"),
            ("", 422, "cannot be read"),
            ("2026-11-24", 422, "cannot be read"),
            ("2026-11-24T25:00:00Z", 422, "cannot be read"),
        ];
        for (start, expected, reason) in cases
            .into_iter()
            .chain(far.map(|start| (start, 422, "cannot be read")))
        {
            let fields = [
                ("start", start),
                ("staff", &staff),
                ("service", &service),
                ("key", start),
            ];
            let key = [
                ("start", start),
                ("staff", &staff),
                ("service", &service),
                ("key", "k"),
            ];
            let fields = if start.is_empty() { key } else { fields };
            for answer in [
                thandi.post("/bookings", &fields).await,
                thandi.post_fragment("/bookings", &fields).await,
            ] {
                assert_eq!(answer.status, expected, "{start}: {}", answer.body);
                let said = answer.texts(".note, p").join(" ").to_lowercase();
                assert!(said.len() > 20 && said.contains(reason), "{start}: {said}");
            }
            let fields = [("start", start), ("staff", &staff), ("version", "1")];
            let answer = thandi
                .post(&format!("/bookings/{moving}/reschedule"), &fields)
                .await;
            assert_eq!(answer.status, expected, "move to {start}: {}", answer.body);
            let sheet = format!("/bookings/new?start={start}&staff={staff}");
            let expected = if reason == "cannot be read" { 422 } else { 200 };
            assert_eq!(thandi.get(&sheet).await.status, expected, "{sheet}");
            let answer = thandi.get(&format!("{sheet}&move={moving}")).await;
            assert_eq!(answer.status, expected, "{sheet} to move");
        }
        // Its own time is not a move, and not an error that helps nobody.
        assert_eq!(State::of(&house).await, before);
    }
);

on_both!(
    a_field_that_is_no_number_no_key_or_twice_is_a_sentence,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let booking = house
            .book(&house.thandi, &house.follow_up, "2026-11-25T06:00:00Z")
            .await
            .unwrap();
        let before = State::of(&house).await;
        let cancel = format!("/bookings/{booking}/cancel");
        for version in ["", "x", "1.0", "99999999999999999999", "1e3"] {
            let answer = thandi.post(&cancel, &[("version", version)]).await;
            assert_eq!(answer.status, 422, "{version}");
            assert_explained(&answer, version);
        }
        for version in [
            "0",
            "-1",
            "2",
            "9223372036854775807",
            "-9223372036854775808",
        ] {
            assert_eq!(
                thandi.post(&cancel, &[("version", version)]).await.status,
                409,
                "{version}"
            );
        }
        let answer = thandi
            .post(&cancel, &[("version", "1"), ("version", "1")])
            .await;
        assert_eq!(answer.status, 422);
        let (staff, service) = (
            house.naledi.staff.to_string(),
            house.follow_up.id.to_string(),
        );
        for key in ["", &"k".repeat(101)] {
            let fields = [
                ("start", "2026-11-24T06:00:00Z"),
                ("staff", &staff),
                ("service", &service),
                ("key", key),
            ];
            assert_eq!(thandi.post("/bookings", &fields).await.status, 422);
        }
        assert_eq!(State::of(&house).await, before);
    }
);

on_both!(
    a_form_of_a_megabyte_is_too_long,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let guest = server.browser();
        let huge = "x".repeat(1024 * 1024);
        let before = State::of(&house).await;
        for _ in 0..5 {
            for (browser, path, field) in [
                (&guest, "/login", "email"),
                (&guest, "/login", "password"),
                (&guest, "/reset", "email"),
                (&guest, "/welcome/x", "password"),
                (&naledi, "/bookings", "start"),
                (&naledi, "/admin/clients", "name"),
            ] {
                let answer = browser.post(path, &[(field, &huge)]).await;
                assert_eq!(answer.status, 413, "{path}");
                assert_explained(&answer, path);
            }
        }
        // Within a form's length, a field still has its own.
        let long = "x".repeat(60 * 1024);
        let email = format!("{long}@kestrel.example");
        for fields in [
            [("name", long.as_str()), ("email", "a@kestrel.example")],
            [("name", "A"), ("email", &email)],
        ] {
            assert_eq!(naledi.post("/admin/clients", &fields).await.status, 422);
        }
        let answer = guest
            .post("/login", &[("email", "a@b.example"), ("password", &long)])
            .await;
        assert_eq!(answer.status, 422);
        assert_eq!(
            State::of(&house).await.without("throttles"),
            before.without("throttles")
        );
        assert_eq!(status_of_line(server.address, 100 * 1024).await, "414");
    }
);

/// The status of a request for an address of that length, which no client library would send.
async fn status_of_line(address: std::net::SocketAddr, length: usize) -> String {
    let mut line = tokio::net::TcpStream::connect(address).await.unwrap();
    let week = "x".repeat(length);
    let request = format!("GET /bookings?week={week} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    line.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    line.read_exact(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[9..]).into_owned()
}

on_both!(
    bytes_that_are_no_text_are_refused_with_a_sentence,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let before = State::of(&house).await;
        let bodies: [&[u8]; 7] = [
            b"name=%ff&email=a@kestrel.example",
            b"name=\xff\xfe&email=a@kestrel.example",
            b"name=A%00B&email=a@kestrel.example",
            b"name=%C3&email=a@kestrel.example",
            b"%ff=1",
            b"\x00",
            b"email=a%0d%0aBcc:x@evil.example&name=A%0d%0aB&password=x",
        ];
        for path in [
            "/admin/clients",
            "/bookings",
            "/messages",
            "/messages/read",
            "/login",
            "/reset",
            "/reset/x",
        ] {
            for body in bodies {
                let headers = [("sec-fetch-site", "same-origin")];
                let answer = naledi
                    .send(Method::POST, path, &headers, Some(body.to_vec()))
                    .await;
                assert!(
                    [422, 404].contains(&answer.status),
                    "{path} {body:?}: {}",
                    answer.status
                );
                assert_explained(&answer, path);
            }
        }
        for path in [
            "/%ff",
            "/bookings/%ff",
            "/welcome/%ff",
            "/bookings?staff=%ff",
            "/bookings/new?start=%ff",
        ] {
            let answer = naledi.get(path).await;
            assert!(
                (400..500).contains(&answer.status),
                "{path}: {}",
                answer.status
            );
            assert_explained(&answer, path);
        }
        for kind in [
            "application/json",
            "multipart/form-data; boundary=x",
            "text/plain",
        ] {
            let headers = [("sec-fetch-site", "same-origin"), ("content-type", kind)];
            let answer = naledi
                .send(Method::POST, "/admin/clients", &headers[..], None)
                .await;
            assert!(
                [415, 422, 400].contains(&answer.status),
                "{kind}: {}",
                answer.status
            );
        }
        assert_eq!(
            State::of(&house).await.without("throttles"),
            before.without("throttles")
        );
    }
);
