//! S1: every route of the table for everyone who may come, with their own things, others', unknown ones and nonsense.

use crate::browser::{Answer, Browser, form};
use crate::house::{House, On, Server, at, on_both, usual_hours};
use crate::money;
use crate::state::State;
use portico::domain::hours::line;
use portico::domain::id::ServiceId;
use portico::domain::rule::Rules;
use portico::domain::service::Service;
use portico::domain::viewer::Viewer;
use portico::http::routes;
use portico::store::booking::Book;
use portico::store::hold::Take;
use portico::store::service::Offer;
use portico::store::token::{self, Issue, Kind};
use portico::{assets, secret, store};
use reqwest::Method;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

/// The form of the rules, with another fee than the house begins with.
fn rules() -> Vec<(&'static str, String)> {
    vec![
        ("seen", Rules::default().line()),
        ("cancel", "1440".to_owned()),
        ("move", "1440".to_owned()),
        ("most", "0".to_owned()),
        ("fee", "1".to_owned()),
        ("offer", "15".to_owned()),
    ]
}

/// Who comes, in the order of the columns of [`MATRIX`].
const WHO: [&str; 7] = [
    "a guest",
    "someone signed out",
    "someone disabled",
    "another client",
    "the client",
    "staff",
    "the owner",
];

/// A route, and what it answers to each of [`WHO`] when asked for something of the client's. A new route needs a row.
const MATRIX: [(&str, &str, [u16; 7]); 77] = [
    ("GET", "/login", [200, 200, 200, 303, 303, 303, 303]),
    ("POST", "/login", [422; 7]),
    ("POST", "/logout", [303; 7]),
    ("GET", "/welcome/{token}", [200; 7]),
    ("POST", "/welcome/{token}", [422; 7]),
    ("GET", "/reset", [200; 7]),
    ("POST", "/reset", [422; 7]),
    ("GET", "/reset/{token}", [200; 7]),
    ("POST", "/reset/{token}", [422; 7]),
    ("GET", "/", [303, 303, 303, 200, 200, 303, 303]),
    ("GET", "/bookings", [303, 303, 303, 200, 200, 404, 404]),
    ("GET", "/bookings/new", [303, 303, 303, 200, 200, 200, 200]),
    ("POST", "/bookings", [303, 303, 303, 303, 303, 303, 303]),
    ("GET", "/bookings/{id}", [303, 303, 303, 404, 200, 200, 200]),
    (
        "POST",
        "/bookings/{id}/reschedule",
        [303, 303, 303, 404, 303, 303, 303],
    ),
    (
        "POST",
        "/bookings/{id}/cancel",
        [303, 303, 303, 404, 303, 303, 303],
    ),
    (
        "GET",
        "/bookings/history",
        [303, 303, 303, 200, 200, 404, 404],
    ),
    (
        "POST",
        "/bookings/{id}/outcome",
        [303, 303, 303, 404, 404, 422, 422],
    ),
    ("POST", "/holds", [303; 7]),
    (
        "POST",
        "/holds/{id}/release",
        [303, 303, 303, 404, 303, 404, 404],
    ),
    ("POST", "/waits", [303, 303, 303, 303, 303, 404, 404]),
    (
        "POST",
        "/waits/{id}/withdraw",
        [303, 303, 303, 404, 303, 303, 303],
    ),
    (
        "POST",
        "/offers/{id}/decline",
        [303, 303, 303, 404, 303, 404, 404],
    ),
    ("GET", "/admin/waits", [303, 303, 303, 404, 404, 200, 200]),
    ("GET", "/messages", [303, 303, 303, 200, 200, 303, 303]),
    ("POST", "/messages", [303; 7]),
    (
        "GET",
        "/messages/older",
        [303, 303, 303, 303, 303, 303, 303],
    ),
    ("POST", "/messages/read", [303; 7]),
    (
        "GET",
        "/admin/messages",
        [303, 303, 303, 404, 404, 200, 200],
    ),
    (
        "GET",
        "/admin/messages/{id}",
        [303, 303, 303, 404, 404, 200, 200],
    ),
    ("GET", "/invoices", [303, 303, 303, 200, 200, 404, 404]),
    ("GET", "/invoices/{id}", [303, 303, 303, 404, 200, 200, 200]),
    (
        "POST",
        "/invoices/{id}/pay",
        [303, 303, 303, 404, 303, 404, 404],
    ),
    ("GET", "/sandbox/{id}", [303, 303, 303, 404, 200, 404, 404]),
    ("POST", "/sandbox/{id}", [303, 303, 303, 404, 303, 404, 404]),
    // Nobody is believed without the provider's signature; what it says is in payment.rs.
    ("POST", "/webhooks/{provider}", [400; 7]),
    (
        "GET",
        "/admin/invoices",
        [303, 303, 303, 404, 404, 200, 200],
    ),
    (
        "POST",
        "/admin/invoices",
        [303, 303, 303, 404, 404, 303, 303],
    ),
    (
        "GET",
        "/admin/invoices/new",
        [303, 303, 303, 404, 404, 200, 200],
    ),
    (
        "POST",
        "/admin/invoices/{id}/issue",
        [303, 303, 303, 404, 404, 303, 303],
    ),
    (
        "POST",
        "/admin/invoices/{id}/discard",
        [303, 303, 303, 404, 404, 303, 303],
    ),
    (
        "POST",
        "/admin/invoices/{id}/void",
        [303, 303, 303, 404, 404, 303, 303],
    ),
    ("GET", "/admin", [303, 303, 303, 404, 404, 200, 200]),
    (
        "GET",
        "/admin/calendar",
        [303, 303, 303, 404, 404, 200, 200],
    ),
    (
        "GET",
        "/admin/bookings",
        [303, 303, 303, 404, 404, 200, 200],
    ),
    ("GET", "/admin/clients", [303, 303, 303, 404, 404, 200, 200]),
    (
        "POST",
        "/admin/clients",
        [303, 303, 303, 404, 404, 303, 303],
    ),
    (
        "GET",
        "/admin/clients/{id}",
        [303, 303, 303, 404, 404, 200, 200],
    ),
    (
        "GET",
        "/admin/settings",
        [303, 303, 303, 404, 404, 200, 200],
    ),
    (
        "GET",
        "/admin/settings/outbox",
        [303, 303, 303, 404, 404, 404, 200],
    ),
    (
        "GET",
        "/admin/settings/services",
        [303, 303, 303, 404, 404, 404, 200],
    ),
    (
        "POST",
        "/admin/settings/services",
        [303, 303, 303, 404, 404, 404, 303],
    ),
    (
        "GET",
        "/admin/settings/services/new",
        [303, 303, 303, 404, 404, 404, 200],
    ),
    (
        "GET",
        "/admin/settings/services/{id}",
        [303, 303, 303, 404, 404, 404, 200],
    ),
    (
        "POST",
        "/admin/settings/services/{id}",
        [303, 303, 303, 404, 404, 404, 303],
    ),
    (
        "POST",
        "/admin/settings/services/{id}/retire",
        [303, 303, 303, 404, 404, 404, 303],
    ),
    (
        "POST",
        "/admin/settings/services/{id}/offer",
        [303, 303, 303, 404, 404, 404, 303],
    ),
    (
        "GET",
        "/admin/settings/rules",
        [303, 303, 303, 404, 404, 404, 200],
    ),
    (
        "POST",
        "/admin/settings/rules",
        [303, 303, 303, 404, 404, 404, 303],
    ),
    (
        "GET",
        "/admin/settings/staff/{id}/hours",
        [303, 303, 303, 404, 404, 404, 200],
    ),
    (
        "POST",
        "/admin/settings/staff/{id}/hours",
        [303, 303, 303, 404, 404, 404, 303],
    ),
    (
        "POST",
        "/admin/settings/outbox/{id}/retry",
        [303, 303, 303, 404, 404, 404, 303],
    ),
    (
        "POST",
        "/admin/settings/reminders",
        [303, 303, 303, 404, 404, 404, 303],
    ),
    ("GET", "/account", [303, 303, 303, 200, 200, 200, 200]),
    (
        "POST",
        "/account/reminders",
        [303, 303, 303, 303, 303, 404, 404],
    ),
    ("POST", "/account/feed", [303, 303, 303, 200, 200, 200, 200]),
    ("POST", "/account/feed/revoke", [303; 7]),
    // Whoever has the secret: what is behind it is in mail.rs.
    ("GET", "/calendar/{token}/feed.ics", [200; 7]),
    ("GET", "/unsubscribe/{token}", [200; 7]),
    ("POST", "/unsubscribe/{token}", [200; 7]),
    ("GET", "/notifications", [303, 303, 303, 200, 200, 200, 200]),
    (
        "POST",
        "/notifications/seen",
        [303, 303, 303, 404, 303, 404, 404],
    ),
    // Without an origin nobody is let in; who may watch what is in live.rs and socket.rs.
    ("GET", "/live", [403; 7]),
    ("GET", "/assets/{name}", [200; 7]),
    ("GET", "/accent/{hue}", [200; 7]),
    ("GET", "/healthz", [200; 7]),
    ("GET", "/readyz", [200; 7]),
];

/// Columns of those who are not signed in.
const OUTSIDE: usize = 3;

/// What is no id of anything, spelt in ways that have fooled others.
const NONSENSE: [&str; 8] = [
    "x",
    "0193c0de-0000-7000-8000-00000000000g",
    "%ff",
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "%5c..%5c",
    "1'%20OR%20'1'='1",
    "-1",
];

#[test]
fn every_route_has_its_row() {
    let routes = routes::table();
    let routes: BTreeSet<_> = routes
        .iter()
        .map(|route| (route.method.as_str(), route.path))
        .collect();
    let rows: BTreeSet<_> = MATRIX
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .collect();
    assert_eq!(
        routes, rows,
        "a route without a row, or a row without a route"
    );
}

/// Everyone's browsers, and what they ask for.
struct Visit<'h> {
    house: &'h House,
    server: Server,
    browsers: Vec<Browser>,
    weekday: AtomicI64,
    /// What the client was told last, as the form names it.
    told: Mutex<String>,
}

impl<'h> Visit<'h> {
    async fn begin(house: &'h House) -> Self {
        let server = house.serve().await;
        let mut visit = Self {
            house,
            server,
            browsers: Vec::new(),
            weekday: AtomicI64::new(0),
            told: Mutex::default(),
        };
        visit.everyone_signs_in().await;
        visit
    }

    async fn everyone_signs_in(&mut self) {
        let disable = |disabled| {
            let change = (self.house.aisha.person, disabled, self.house.clock().now());
            self.house.app.transact(change, |tx, (who, disabled, now)| {
                Box::pin(store::person::set_disabled(tx, *who, *disabled, *now))
            })
        };
        disable(false).await.unwrap();
        let signed_out = self.server.signed_in("thandi").await;
        signed_out.post("/logout", &[]).await;
        let disabled = self.server.signed_in("aisha").await;
        disable(true).await.unwrap();
        self.browsers = vec![self.server.browser(), signed_out, disabled];
        for who in ["pieter", "thandi", "sipho", "naledi"] {
            self.browsers.push(self.server.signed_in(who).await);
        }
    }

    /// A time that nobody has asked for yet: 08:00 or 13:00 on a weekday from next week on. The mornings alone do not
    /// reach for all stories until the horizon.
    fn fresh_start(&self) -> String {
        let n = self.weekday.fetch_add(1, Ordering::Relaxed);
        let (day, hours) = (n / 2, n % 2 * 5);
        let days = 8 + day / 5 * 7 + day % 5;
        let first = at("2026-11-22T06:00:00Z");
        (first + jiff::SignedDuration::from_hours(24 * days + hours)).to_string()
    }

    /// Something of the client's, made anew, as it stands in the path.
    async fn own(&self, path: &str) -> String {
        let house = self.house;
        if path.starts_with("/bookings/{id}") {
            let start = self.fresh_start();
            let booked = house.book(&house.thandi, &house.follow_up, &start).await;
            return booked.unwrap().to_string();
        }
        if path == "/waits/{id}/withdraw" || path == "/offers/{id}/decline" {
            let (wait, offer) = house.an_offer(&house.thandi, &self.fresh_start()).await;
            let is_offer = path.starts_with("/offers");
            return if is_offer {
                offer.to_string()
            } else {
                wait.to_string()
            };
        }
        if path == "/holds/{id}/release" {
            let take = Take {
                viewer: Viewer::Client(house.thandi.clone()),
                staff: house.naledi.staff,
                start: at(&self.fresh_start()),
                key: secret::token(),
                now: house.clock().now(),
            };
            let held = house
                .app
                .transact(take, |tx, take| Box::pin(store::hold::take(tx, take)));
            return held.await.unwrap().id.to_string();
        }
        if path.ends_with("/issue") || path.ends_with("/discard") {
            return house.draft(&house.thandi, 85_000).await.to_string();
        }
        if path.contains("/invoices/{id}") || path == "/sandbox/{id}" {
            let invoice = house.charge(&house.thandi, 85_000).await;
            let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
            return money::id_in(path, invoice, checkout.id).unwrap();
        }
        if path.starts_with("/admin/settings/services/{id}") {
            return self.service(path.ends_with("/offer")).await;
        }
        match path {
            "/webhooks/{provider}" => "sandbox".to_owned(),
            "/notifications/seen" => self.tell_the_client().await,
            "/admin/settings/staff/{id}/hours" => house.sipho.staff.to_string(),
            "/admin/clients/{id}" | "/admin/messages/{id}" => house.thandi.client.to_string(),
            "/messages/read" => {
                // Something new for each to read: staff read Aisha's.
                house.answer(&house.thandi, "Hello").await;
                house.answer(&house.pieter, "Hello").await;
                house.write(&house.aisha, "Hello").await;
                String::new()
            }
            "/welcome/{token}" => self.link(Kind::Invitation).await,
            "/reset/{token}" => self.link(Kind::Reset).await,
            "/account/feed/revoke" => {
                for person in [
                    house.thandi.person,
                    house.pieter.person,
                    house.sipho.person,
                    house.naledi.person,
                ] {
                    house.feed(person).await;
                }
                String::new()
            }
            "/unsubscribe/{token}" => self.stop().await,
            "/calendar/{token}/feed.ics" => house.feed(house.thandi.person).await,
            "/admin/settings/outbox/{id}/retry" => self.failed().await,
            "/assets/{name}" => assets::LIVE_JS.rsplit('/').next().unwrap().to_owned(),
            "/accent/{hue}" => "172".to_owned(),
            _ => String::new(),
        }
    }

    /// A service of its own, on offer or retired.
    async fn service(&self, is_retired: bool) -> String {
        let service = Service {
            id: ServiceId::new(),
            ..self.house.assessment.clone()
        };
        let retire = Offer {
            by: self.house.naledi.clone(),
            service: service.id,
            version: 1,
            on: false,
            agreed: None,
            now: self.house.clock().now(),
        };
        let id = service.id.to_string();
        let made = (service, is_retired.then_some(retire));
        let made = self.house.app.transact(made, |tx, (service, retire)| {
            Box::pin(async move {
                store::service::create(tx, service).await?;
                if let Some(retire) = retire {
                    store::service::offer(tx, retire).await?;
                }
                Ok(())
            })
        });
        made.await.unwrap();
        id
    }

    /// Staff book for the client: that is one thing more that the client has not seen.
    async fn tell_the_client(&self) -> String {
        let house = self.house;
        let start = at(&self.fresh_start());
        let (staff, service) = (house.naledi.staff, house.follow_up.id);
        let wish = Book {
            viewer: Viewer::Staff(house.naledi.clone()),
            ..house.wish(&house.thandi, staff, service, start)
        };
        let booked = house
            .app
            .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)));
        booked.await.unwrap();
        let mut tx = house.app.db.snapshot().await.unwrap();
        let person = house.thandi.person;
        let told = store::notification::list(&mut tx, person, 1).await.unwrap();
        *self.told.lock().unwrap() = told[0].id.to_string();
        String::new()
    }

    /// The link that stops the client's reminders, which they want until then.
    async fn stop(&self) -> String {
        let person = self.house.thandi.person;
        let wanted = self.house.app.transact(person, |tx, person| {
            Box::pin(store::reminder::want(tx, *person, true))
        });
        wanted.await.unwrap();
        secret::sign(&self.house.app.mail_key, &person.to_string())
    }

    /// A mail that no server took.
    async fn failed(&self) -> String {
        let house = self.house;
        let start = self.fresh_start();
        let booked = house.book(&house.thandi, &house.follow_up, &start).await;
        booked.unwrap();
        house.fail_mails().await
    }

    async fn link(&self, kind: Kind) -> String {
        let now = self.house.clock().now();
        let secret = secret::token();
        let new = store::person::NewPerson {
            id: portico::domain::id::PersonId::new(),
            email: format!("{}@kestrel.example", &secret[..12].replace('-', "x")).to_lowercase(),
            name: "Lerato Nkosi".to_owned(),
            password_hash: None,
            now,
        };
        let issue = Issue {
            person: new.id,
            kind,
            secret: secret.clone(),
            now,
        };
        let made = self.house.app.transact((new, issue), |tx, (new, issue)| {
            Box::pin(async move {
                store::person::create(tx, new).await?;
                token::issue(tx, issue).await
            })
        });
        made.await.unwrap();
        secret
    }

    /// What a form of this path holds when it is filled in well, or so that nothing comes of it where anyone may send it.
    fn fields(&self, path: &str) -> Vec<(&'static str, String)> {
        let house = self.house;
        match path {
            "/bookings" => vec![
                ("start", self.fresh_start()),
                ("staff", house.naledi.staff.to_string()),
                ("service", house.follow_up.id.to_string()),
                ("key", secret::token()),
                ("client", house.thandi.client.to_string()),
            ],
            "/holds" => vec![
                ("start", self.fresh_start()),
                ("staff", house.naledi.staff.to_string()),
                ("key", secret::token()),
            ],
            // A Saturday, on which nobody works.
            "/waits" => vec![
                ("service", house.follow_up.id.to_string()),
                ("staff", String::new()),
                ("from", "2026-11-28".to_owned()),
                ("to", "2026-11-28".to_owned()),
                ("part", "any".to_owned()),
                ("key", secret::token()),
            ],
            "/bookings/{id}/reschedule" => vec![
                ("start", self.fresh_start()),
                ("staff", house.naledi.staff.to_string()),
                ("version", "1".to_owned()),
            ],
            "/bookings/{id}/outcome" => vec![
                ("version", "1".to_owned()),
                ("outcome", "completed".to_owned()),
            ],
            "/bookings/{id}/cancel"
            | "/admin/invoices/{id}/issue"
            | "/admin/invoices/{id}/discard"
            | "/admin/settings/services/{id}/retire" => vec![("version", "1".to_owned())],
            "/admin/clients" => {
                let n = self.weekday.fetch_add(1, Ordering::Relaxed);
                vec![
                    ("name", "Zodwa Radebe".to_owned()),
                    ("email", format!("zodwa-{n}@kestrel.example")),
                ]
            }
            "/messages" => vec![
                ("body", "Hello".to_owned()),
                ("key", secret::token()),
                ("client", house.thandi.client.to_string()),
            ],
            "/messages/read" => vec![
                ("upto", "1000000".to_owned()),
                ("client", house.aisha.client.to_string()),
            ],
            "/notifications/seen" => vec![("upto", self.told.lock().unwrap().clone())],
            "/sandbox/{id}" => vec![("outcome", "pay".to_owned())],
            "/admin/invoices" => vec![
                ("client", house.thandi.client.to_string()),
                ("due_on", "2026-11-30".to_owned()),
                ("key", secret::token()),
                ("words-0", "Follow-up treatment".to_owned()),
                ("price-0", "850".to_owned()),
            ],
            "/admin/settings/services" | "/admin/settings/services/{id}" => vec![
                ("id", ServiceId::new().to_string()),
                ("version", "1".to_owned()),
                ("name", "Massage".to_owned()),
                ("price", "850".to_owned()),
                ("minutes", "60".to_owned()),
                ("step", "15".to_owned()),
                ("before", "0".to_owned()),
                ("after", "0".to_owned()),
                ("notice", "0".to_owned()),
                // A field that is named after somebody.
                (
                    format!("staff-{}", house.naledi.staff).leak(),
                    "on".to_owned(),
                ),
            ],
            "/admin/settings/rules" => rules(),
            "/admin/settings/staff/{id}/hours" => vec![
                ("act", "off".to_owned()),
                ("from", "2026-12-24".to_owned()),
                ("to", "2026-12-24".to_owned()),
                ("seen", line(&usual_hours())),
            ],
            "/admin/invoices/{id}/void" | "/admin/settings/services/{id}/offer" => {
                vec![("version", "2".to_owned())]
            }
            "/admin/settings/reminders" => {
                // Another one than before, so that something changes.
                let n = self.weekday.fetch_add(1, Ordering::Relaxed);
                let times = ["120", "2880"][usize::try_from(n % 2).unwrap()];
                vec![("times", times.to_owned())]
            }
            "/reset" => vec![("email", "nobody".to_owned())],
            "/welcome/{token}" | "/reset/{token}" => vec![("password", "too short".to_owned())],
            _ => Vec::new(),
        }
    }

    async fn ask(&self, who: usize, method: &str, path: &str, id: &str, query: &str) -> Answer {
        let method: Method = method.parse().unwrap();
        let fields = self.fields(path);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let body = (method == Method::POST).then(|| form(&fields));
        let url = format!("{}{query}", fill(path, id));
        let headers: &[_] = if method == Method::POST {
            &[("sec-fetch-site", "same-origin")]
        } else {
            &[]
        };
        self.browsers[who].send(method, &url, headers, body).await
    }

    /// The part of an address after the `?`, where the path alone is not enough.
    fn query(&self, path: &str) -> String {
        if path == "/bookings/new" {
            let staff = self.house.naledi.staff;
            return format!("?start=2026-11-27T06:00:00Z&staff={staff}");
        }
        if path == "/messages/older" {
            return format!("?before=9&client={}", self.house.thandi.client);
        }
        String::new()
    }
}

fn fill(path: &str, id: &str) -> String {
    match (path.find('{'), path.find('}')) {
        (Some(from), Some(to)) => format!("{}{id}{}", &path[..from], &path[to + 1..]),
        _ => path.to_owned(),
    }
}

/// All of an answer that a person could compare.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

on_both!(
    everyone_gets_what_is_theirs_and_nothing_else_changes,
    |house: House| async move {
        let mut visit = Visit::begin(&house).await;
        for (method, path, expected) in MATRIX {
            for (who, expected) in expected.into_iter().enumerate() {
                let own = visit.own(path).await;
                let before = State::of(&house).await;
                let answer = visit.ask(who, method, path, &own, &visit.query(path)).await;
                let story = format!("{method} {path} by {}", WHO[who]);
                assert_eq!(answer.status, expected, "{story}: {}", answer.body);
                let to = answer.header("location").unwrap_or_default();
                let turned_away = to.starts_with("/login");
                let asks_to_sign_in = who < OUTSIDE && expected == 303;
                assert!(!asks_to_sign_in || turned_away, "{story} goes to {to}");
                // The address of a calendar is shown once, and a mail program follows no redirect.
                let stops = path == "/unsubscribe/{token}";
                let shows = stops || path == "/account/feed";
                let done = method == "POST" && (expected == 303 || shows);
                let mine = done && (who >= OUTSIDE || stops);
                assert!(
                    mine || path == "/logout" || State::of(&house).await == before,
                    "{story} changed something"
                );
                assert!(
                    !mine || State::of(&house).await != before,
                    "{story} changed nothing"
                );
            }
            if path == "/logout" {
                visit.everyone_signs_in().await;
            }
        }
        house.assert_sound().await;
    }
);

on_both!(
    what_is_anothers_is_as_unknown_as_what_never_was,
    |house: House| async move {
        let visit = Visit::begin(&house).await;
        let nowhere = visit.browsers[3].get("/nowhere").await;
        assert_eq!(nowhere.status, 404);
        for (method, path, expected) in MATRIX {
            let public = !path.contains('{');
            // A provider that nobody knows is told what one is told whose word is not believed.
            if path == "/webhooks/{provider}" {
                continue;
            }
            for (who, expected) in expected.into_iter().enumerate() {
                if public && expected != 404 {
                    continue;
                }
                let own = visit.own(path).await;
                let before = State::of(&house).await;
                let story = |id: &str| format!("{method} {path} with {id} by {}", WHO[who]);
                let unknown = uuid::Uuid::now_v7().to_string();
                let first = visit.ask(who, method, path, &unknown, "").await;
                if who < OUTSIDE && expected == 303 {
                    assert!(first.header("location").unwrap().starts_with("/login"));
                    continue;
                }
                assert_eq!(first.status, 404, "{}", story(&unknown));
                for nonsense in NONSENSE {
                    let answer = visit.ask(who, method, path, nonsense, "").await;
                    assert_eq!(answer.status, 404, "{}", story(nonsense));
                    // What is no text is not even a link that has ended.
                    if nonsense != "%ff" || !path.contains("{token}") {
                        assert_eq!(seen(&answer), seen(&first), "{}", story(nonsense));
                    }
                }
                if expected == 404 {
                    let answer = visit.ask(who, method, path, &own, "").await;
                    assert_eq!(seen(&answer), seen(&first), "{}", story(&own));
                    assert_eq!(
                        answer.body,
                        nowhere.body,
                        "{} is not plainly nothing",
                        story(&own)
                    );
                }
                assert_eq!(State::of(&house).await, before, "{method} {path}");
            }
        }
    }
);

on_both!(no_other_method_does_anything, |house: House| async move {
    let visit = Visit::begin(&house).await;
    let before = State::of(&house).await;
    let paths: BTreeSet<_> = MATRIX.iter().map(|(_, path, _)| *path).collect();
    for path in paths {
        let has = |method: &str| MATRIX.iter().any(|row| (row.0, row.1) == (method, path));
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
        ] {
            if has(method) || method == "HEAD" && has("GET") {
                continue;
            }
            // As a form would pretend to be another method.
            let fields = form(&[("_method", "POST"), ("version", "1")]);
            let own = [
                ("sec-fetch-site", "same-origin"),
                ("x-http-method-override", "POST"),
            ];
            let url = fill(path, "0193c0de-0000-7000-8000-000000000000");
            let answer = visit.browsers[6]
                .send(method.parse().unwrap(), &url, &own, Some(fields))
                .await;
            let expected = if path == "/live" {
                vec![403, 405]
            } else {
                vec![405]
            };
            assert!(
                expected.contains(&answer.status),
                "{method} {path}: {}",
                answer.status
            );
            assert!(
                method == "HEAD" || answer.body.contains("Not that way") || path == "/live",
                "{method} {path}: {}",
                answer.body
            );
        }
    }
    assert_eq!(State::of(&house).await, before);
});
