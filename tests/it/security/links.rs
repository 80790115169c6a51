//! S20 to S22: links that set a password. Whoever holds one may use it once, for a while, and for one person.

use crate::browser::{Answer, Browser};
use crate::house::{House, On, PASSWORD, Server, on_both};
use crate::state::State;
use portico::domain::id::PersonId;
use portico::secret;
use portico::store::token::{self, Issue, Kind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const NEW: &str = "another long secret";
const OUTBOX: &str = "/admin/settings/outbox";

/// Sends someone a link, as the reset form or an invitation would; returns its secret.
pub(super) async fn issue(house: &House, person: PersonId, kind: Kind) -> String {
    let issue = Issue {
        person,
        kind,
        secret: secret::token(),
        now: house.clock().now(),
    };
    let made = house
        .app
        .transact(issue.clone(), |tx, issue| Box::pin(token::issue(tx, issue)));
    made.await.unwrap();
    issue.secret
}

async fn set(browser: &Browser, path: &str) -> Answer {
    browser.post(path, &[("password", NEW)]).await
}

/// The newest mail's text, once it holds `word`.
async fn mail(naledi: &Browser, word: &str) -> String {
    let page = naledi.get(OUTBOX).await;
    let mut mails = naledi.connect(&page.live_url()).await;
    let read = |page: &Answer| {
        page.texts("pre")
            .into_iter()
            .find(|text| text.contains(word))
    };
    if let Some(text) = read(&page) {
        return text;
    }
    mails.content(|html| html.contains(word)).await;
    read(&naledi.get(OUTBOX).await).unwrap()
}

fn link(text: &str, path: &str) -> String {
    let from = text
        .find(path)
        .unwrap_or_else(|| panic!("no {path} in {text}"));
    let end = text[from..].find(' ').map_or(text.len(), |end| from + end);
    text[from..end].to_owned()
}

on_both!(
    a_forgotten_password_is_replaced_by_mail,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let thandi = server.browser();
        let email = "Thandi@Kestrel.Example ";
        let sent = thandi.post("/reset", &[("email", email)]).await;
        assert_eq!(sent.status, 200);
        let text = mail(&naledi, "/reset/").await;
        assert!(text.contains("http://127.0.0.1/reset/"), "{text}");
        let path = link(&text, "/reset/");
        assert_eq!(thandi.get(&path).await.status, 200);
        let answer = set(&thandi, &path).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
        assert_eq!(thandi.try_password("thandi", NEW).await.status, 303);
        assert_eq!(thandi.try_password("thandi", PASSWORD).await.status, 422);
        let told = mail(&naledi, "was changed").await;
        assert!(told.contains("Hello Thandi"), "{told}");
    }
);

on_both!(a_link_lets_in_once, |house: House| async move {
    let server = house.serve().await;
    let browser = server.browser();
    let secret = issue(&house, house.thandi.person, Kind::Reset).await;
    let path = format!("/reset/{secret}");
    // Looking, weak passwords and mail scanners do not use it up.
    assert_eq!(browser.get(&path).await.status, 200);
    assert_eq!(
        browser.post(&path, &[("password", "short")]).await.status,
        422
    );
    assert_eq!(browser.post(&path, &[]).await.status, 422);
    assert_eq!(set(&browser, &path).await.status, 303);
    let before = State::of(&house).await;
    for answer in [browser.get(&path).await, set(&browser, &path).await] {
        assert_eq!(answer.status, 404);
        assert!(answer.body.contains("This link has ended"));
    }
    assert_eq!(State::of(&house).await, before);
});

on_both!(
    two_who_use_a_link_at_the_same_time_are_one,
    |house: House| async move {
        let server = house.serve().await;
        let secret = issue(&house, house.thandi.person, Kind::Reset).await;
        let path = format!("/reset/{secret}");
        let mut race = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (browser, path) = (server.browser(), path.clone());
            race.spawn(async move { set(&browser, &path).await.status });
        }
        let mut statuses = race.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 404, 404, 404, 404, 404, 404, 404]);
    }
);

on_both!(
    a_link_is_kept_as_a_hash_and_its_mail_forgets_it,
    |house: House| async move {
        let server = house.serve().await;
        let secret = issue(&house, house.thandi.person, Kind::Reset).await;
        assert!(secret.len() >= 43, "256 bits in base64");
        let state = State::of(&house).await;
        assert!(!state.clone().without("outbox").holds(&secret));
        assert!(state.holds(&secret), "the mail is still to be sent");
        set(&server.browser(), &format!("/reset/{secret}")).await;
        assert!(!State::of(&house).await.holds(&secret));
    }
);

on_both!(a_link_ends_in_time, |house: House| async move {
    let server = house.serve().await;
    let browser = server.browser();
    let person = invited(&server, "zodwa").await.0;
    let minute = Duration::from_mins(1);
    for (kind, path, person, life) in [
        (
            Kind::Reset,
            "/reset",
            house.thandi.person,
            Duration::from_hours(1),
        ),
        (
            Kind::Invitation,
            "/welcome",
            person(&house).await,
            Duration::from_hours(7 * 24),
        ),
    ] {
        let path = format!("{path}/{}", issue(&house, person, kind).await);
        house.clock().advance(life.checked_sub(minute).unwrap());
        assert_eq!(browser.get(&path).await.status, 200, "{kind:?}");
        house.clock().advance(minute);
        assert_eq!(browser.get(&path).await.status, 404, "{kind:?}");
        assert_eq!(set(&browser, &path).await.status, 404, "{kind:?}");
    }
});

on_both!(only_the_newest_link_works, |house: House| async move {
    let server = house.serve().await;
    let browser = server.browser();
    let old = issue(&house, house.thandi.person, Kind::Reset).await;
    let new = issue(&house, house.thandi.person, Kind::Reset).await;
    let others = issue(&house, house.pieter.person, Kind::Reset).await;
    assert_eq!(set(&browser, &format!("/reset/{old}")).await.status, 404);
    assert_eq!(set(&browser, &format!("/reset/{new}")).await.status, 303);
    assert_eq!(browser.get(&format!("/reset/{others}")).await.status, 200);
    // And none of an account that was closed.
    let change = (house.pieter.person, house.clock().now());
    let closed = house.app.transact(change, |tx, (person, now)| {
        Box::pin(portico::store::person::set_disabled(
            tx, *person, true, *now,
        ))
    });
    closed.await.unwrap();
    assert_eq!(set(&browser, &format!("/reset/{others}")).await.status, 404);
});

/// Invites someone by the form; returns the invitation's path.
async fn invited(server: &Server, name: &str) -> (impl AsyncFn(&House) -> PersonId, String) {
    let naledi = server.signed_in("naledi").await;
    let email = format!("{name}@kestrel.example");
    let fields = [("name", "Zodwa Radebe"), ("email", &email)];
    assert_eq!(naledi.post("/admin/clients", &fields).await.status, 303);
    let path = link(&mail(&naledi, "/welcome/").await, "/welcome/");
    let person = async move |house: &House| {
        let mut tx = house.app.db.snapshot().await.unwrap();
        let found = portico::store::person::find_by_email(&mut tx, &email).await;
        found.unwrap().unwrap().0.id
    };
    (person, path)
}

on_both!(
    an_invited_client_chooses_a_password_and_is_in,
    |house: House| async move {
        let server = house.serve().await;
        let (_, path) = invited(&server, "zodwa").await;
        let mut zodwa = server.browser();
        // As a page without a referrer sends its form.
        let headers = [("sec-fetch-site", "same-origin"), ("origin", "null")];
        let body = crate::browser::form(&[("password", NEW)]);
        let answer = zodwa
            .send(reqwest::Method::POST, &path, &headers, Some(body))
            .await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        zodwa.keep_cookie(&answer);
        assert!(zodwa.get("/").await.body.contains("Zodwa"));
        assert_eq!(
            server.browser().try_password("zodwa", NEW).await.status,
            303
        );
    }
);

on_both!(
    an_invitation_never_sets_a_password_on_an_account_that_has_one,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let before = State::of(&house).await;
        let fields = [("name", "Not Thandi"), ("email", " THANDI@kestrel.example")];
        let answer = naledi.post("/admin/clients", &fields).await;
        assert_eq!(answer.status, 422);
        assert!(
            answer.body.contains("has an account already"),
            "{}",
            answer.body
        );
        assert_eq!(State::of(&house).await, before);
        // Even with a link that should not be: its kind, not its path, decides.
        let invitation = issue(&house, house.thandi.person, Kind::Invitation).await;
        let browser = server.browser();
        assert_eq!(
            set(&browser, &format!("/welcome/{invitation}"))
                .await
                .status,
            404
        );
        assert_eq!(
            set(&browser, &format!("/reset/{invitation}")).await.status,
            404
        );
        let reset = issue(&house, house.thandi.person, Kind::Reset).await;
        assert_eq!(
            set(&browser, &format!("/welcome/{reset}")).await.status,
            404
        );
        assert_eq!(browser.try_password("thandi", PASSWORD).await.status, 303);
    }
);

on_both!(
    an_invitation_that_ended_can_be_asked_for_again,
    |house: House| async move {
        let server = house.serve().await;
        let (_, old) = invited(&server, "zodwa").await;
        house.clock().advance(Duration::from_hours(8 * 24));
        let zodwa = server.browser();
        assert!(zodwa.get(&old).await.body.contains("Send a new link"));
        let fields = [("email", "zodwa@kestrel.example")];
        assert_eq!(zodwa.post("/reset", &fields).await.status, 200);
        let naledi = server.signed_in("naledi").await;
        let path = loop {
            // Written behind the answer's back; until then the old one stands there.
            let page = naledi.get(OUTBOX).await;
            let newest = page.texts("pre").into_iter().next().unwrap();
            if newest.contains("/welcome/") && !newest.contains(&old) {
                break link(&newest, "/welcome/");
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(set(&zodwa, &path).await.status, 303);
    }
);

on_both!(
    a_reset_ends_every_session_and_every_open_page,
    |house: House| async move {
        let server = house.serve().await;
        let (phone, desk) = (
            server.signed_in("thandi").await,
            server.signed_in("thandi").await,
        );
        let mut on_phone = phone.watch("/").await;
        let mut on_desk = desk.watch("/bookings").await;
        on_phone.quiet().await;
        on_desk.quiet().await;
        let secret = issue(&house, house.thandi.person, Kind::Reset).await;
        let other = server.browser();
        let answer = set(&other, &format!("/reset/{secret}")).await;
        assert_eq!(on_phone.closed().await, (4401, "session".to_owned()));
        assert_eq!(on_desk.closed().await, (4401, "session".to_owned()));
        for browser in [&phone, &desk] {
            assert_eq!(browser.get("/").await.header("location"), Some("/login"));
        }
        let mut thandi = server.browser();
        thandi.keep_cookie(&answer);
        assert_eq!(thandi.get("/").await.status, 200);
    }
);

on_both!(
    /// Right passwords are not slowed down: who knows the old one may try at the very moment.
    no_session_of_the_old_password_outlives_a_reset,
    |house: House| async move {
        let server = house.serve().await;
        let done = Arc::new(AtomicBool::new(false));
        let mut thief = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let (mut browser, done) = (server.browser(), Arc::clone(&done));
            thief.spawn(async move {
                let mut stolen = Vec::new();
                while !done.load(Ordering::Acquire) {
                    browser.cookie = None;
                    let answer = browser.try_password("thandi", PASSWORD).await;
                    if answer.status == 303 {
                        browser.keep_cookie(&answer);
                        stolen.push(browser.clone());
                    }
                }
                stolen
            });
        }
        for _ in 0..5 {
            assert_eq!(server.browser().try_password("pieter", PASSWORD).await.status, 303);
        }
        let secret = issue(&house, house.thandi.person, Kind::Reset).await;
        assert_eq!(set(&server.browser(), &format!("/reset/{secret}")).await.status, 303);
        assert_eq!(server.browser().try_password("pieter", PASSWORD).await.status, 303);
        done.store(true, Ordering::Release);
        let stolen: Vec<_> = thief.join_all().await.into_iter().flatten().collect();
        assert!(!stolen.is_empty());
        for browser in stolen {
            assert_eq!(browser.get("/").await.status, 303, "a stolen session lives");
        }
    }
);

on_both!(
    a_link_leads_to_the_configured_address_whatever_the_host_says,
    |house: House| async move {
        let app = house.another("https://portal.example").await;
        let server = Server::of(&app).await;
        let body = || crate::browser::form(&[("email", "thandi@kestrel.example")]);
        for headers in [
            [("host", "evil.example"), ("sec-fetch-site", "same-origin")],
            [("host", "evil.example"), ("origin", "https://evil.example")],
            [
                ("host", "portal.example.evil"),
                ("sec-fetch-site", "same-origin"),
            ],
        ] {
            let answer = server
                .browser()
                .send(reqwest::Method::POST, "/reset", &headers, Some(body()))
                .await;
            assert_eq!(answer.status, 421, "{headers:?}");
        }
        let headers = [
            ("host", "portal.example"),
            ("x-forwarded-host", "evil.example"),
            ("forwarded", "host=evil.example"),
            ("origin", "https://portal.example"),
        ];
        let answer = server
            .browser()
            .send(reqwest::Method::POST, "/reset", &headers, Some(body()))
            .await;
        assert_eq!(answer.status, 200);
        let mut naledi = server.browser();
        naledi.host = Some("portal.example");
        naledi.sign_in("naledi").await;
        let text = loop {
            // The mail is written behind the answer's back.
            let page = naledi.get(OUTBOX).await;
            if let Some(text) = page.texts("pre").into_iter().next() {
                break text;
            }
            tokio::task::yield_now().await;
        };
        assert!(text.contains(" https://portal.example/reset/"), "{text}");
        assert!(!text.contains("evil"), "{text}");
    }
);

on_both!(
    a_page_behind_a_link_tells_nobody_where_it_is,
    |house: House| async move {
        let server = house.serve().await;
        let secret = issue(&house, house.thandi.person, Kind::Reset).await;
        for path in ["/reset/", "/welcome/"] {
            let answer = server.browser().get(&format!("{path}{secret}")).await;
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
);
