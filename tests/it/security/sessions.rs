//! S13 to S15: what a cookie is worth, from where it came, and when it ends.

use super::links;
use crate::browser::Browser;
use crate::house::{House, On, Server, on_both};
use crate::state::State;
use portico::store::session::{self, Sessions};
use std::time::Duration;
use tower_sessions::SessionStore as _;
use tower_sessions::session::Id;

const DAY: Duration = Duration::from_hours(24);

/// The value of a browser's cookie.
fn value(browser: &Browser) -> &str {
    browser.cookie.as_ref().unwrap().split_once('=').unwrap().1
}

async fn is_in(browser: &Browser) -> bool {
    browser.get("/").await.status == 200
}

on_both!(
    a_planted_cookie_is_worth_nothing_after_signing_in,
    |house: House| async move {
        let server = house.serve().await;
        let planted = format!("portico={}", Id::default());
        let mut thandi = server.browser();
        thandi.cookie = Some(planted.clone());
        assert!(!is_in(&thandi).await);
        thandi.sign_in("thandi").await;
        assert_ne!(thandi.cookie.as_ref(), Some(&planted));
        assert!(is_in(&thandi).await);
        let mut attacker = server.browser();
        attacker.cookie = Some(planted);
        assert!(!is_in(&attacker).await);
    }
);

on_both!(
    signing_in_again_ends_the_session_before,
    |house: House| async move {
        let server = house.serve().await;
        let first = server.signed_in("thandi").await;
        let mut second = first.clone();
        second.sign_in("pieter").await;
        assert_ne!(first.cookie, second.cookie);
        assert!(!is_in(&first).await);
        assert!(is_in(&second).await);
        // A link that sets a password is a change of rights too.
        let link = links::issue(&house, house.aisha.person, store_kind()).await;
        let fields = [("password", "another long secret")];
        let answer = second.post(&format!("/reset/{link}"), &fields).await;
        let mut third = second.clone();
        third.keep_cookie(&answer);
        assert_ne!(second.cookie, third.cookie);
        assert!(!is_in(&second).await);
        assert!(third.get("/").await.body.contains("Aisha"));
    }
);

fn store_kind() -> portico::store::token::Kind {
    portico::store::token::Kind::Reset
}

on_both!(a_signed_out_cookie_stays_dead, |house: House| async move {
    let server = house.serve().await;
    let thandi = server.signed_in("thandi").await;
    let elsewhere = server.signed_in("thandi").await;
    let answer = thandi.post("/logout", &[]).await;
    assert_eq!(answer.header("location"), Some("/login"));
    let forgets = answer.header("set-cookie").unwrap();
    assert!(
        forgets.starts_with("portico=;") && forgets.contains("Max-Age=0"),
        "{forgets}"
    );
    assert!(!is_in(&thandi).await);
    // It cannot be used to post either, and saves nothing back.
    let before = State::of(&house).await;
    let posted = thandi.post("/bookings", &[("key", "x")]).await;
    assert_eq!(posted.header("location"), Some("/login"));
    assert_eq!(State::of(&house).await, before);
    assert!(is_in(&elsewhere).await, "only this browser is signed out");
});

on_both!(
    a_slow_request_does_not_bring_back_a_session_that_was_ended,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let id: Id = value(&thandi).parse().unwrap();
        let sessions = Sessions::new(house.app.db.clone(), house.clock().clone());
        let held = sessions.load(&id).await.unwrap().unwrap();
        thandi.post("/logout", &[]).await;
        sessions.save(&held).await.unwrap();
        assert_eq!(sessions.load(&id).await.unwrap(), None);
        assert!(!is_in(&thandi).await);
        let hash = session::hash(&id);
        let now = house.clock().now();
        let viewer = session::viewer(&house.app.db, &hash, now).await.unwrap();
        assert!(viewer.is_none());
    }
);

on_both!(
    a_cookie_on_this_machine_is_for_the_server_alone,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.browser();
        let answer = thandi.try_password("thandi", crate::house::PASSWORD).await;
        let cookie = answer.header("set-cookie").unwrap();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(pair.starts_with("portico="), "{cookie}");
        let mut attributes: Vec<_> = attributes.split("; ").collect();
        attributes.sort_unstable();
        let expected = ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax"];
        assert_eq!(attributes, expected);
        // 128 bits in base64.
        let id = pair.split_once('=').unwrap().1;
        assert_eq!(id.len(), 22);
        let state = State::of(&house).await;
        assert!(!state.holds(id), "only its hash is kept");
        let parsed: Id = id.parse().unwrap();
        assert!(state.holds(&session::hash(&parsed)));
    }
);

on_both!(
    a_cookie_on_the_network_is_locked_to_its_host,
    |house: House| async move {
        let app = house.another("https://portal.example").await;
        let server = Server::of(&app).await;
        let mut thandi = server.browser();
        thandi.host = Some("portal.example");
        let answer = thandi.try_password("thandi", crate::house::PASSWORD).await;
        let cookie = answer.header("set-cookie").unwrap();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(pair.starts_with("__Host-portico="), "{cookie}");
        let mut attributes: Vec<_> = attributes.split("; ").collect();
        attributes.sort_unstable();
        let expected = [
            "HttpOnly",
            "Max-Age=2592000",
            "Path=/",
            "SameSite=Lax",
            "Secure",
        ];
        assert_eq!(attributes, expected);
        thandi.keep_cookie(&answer);
        assert!(is_in(&thandi).await);
        // The other instance's name for it opens nothing here.
        let mut renamed = thandi.clone();
        renamed.cookie = thandi
            .cookie
            .as_ref()
            .map(|pair| pair.replace("__Host-", ""));
        assert!(!is_in(&renamed).await);
        // A browser takes a __Host- cookie back only as it was given.
        let answer = thandi.post("/logout", &[]).await;
        let forgets = answer.header("set-cookie").unwrap();
        for part in ["__Host-portico=;", "Max-Age=0", "Path=/", "Secure"] {
            assert!(forgets.contains(part), "{forgets}");
        }
    }
);

on_both!(
    a_session_ends_two_weeks_after_the_last_request,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        house.clock().advance(13 * DAY);
        assert!(is_in(&thandi).await);
        house.clock().advance(13 * DAY);
        assert!(is_in(&thandi).await, "the last request counts");
        let pieter = server.signed_in("pieter").await;
        house.clock().advance(14 * DAY);
        assert!(!is_in(&pieter).await);
    }
);

on_both!(
    a_session_ends_after_thirty_days_whatever_happens,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        for _ in 0..29 {
            house.clock().advance(DAY);
            assert!(is_in(&thandi).await);
        }
        house.clock().advance(DAY);
        assert!(!is_in(&thandi).await);
    }
);

on_both!(nonsense_as_a_cookie_is_a_guest, |house: House| async move {
    let server = house.serve().await;
    let real = server.signed_in("thandi").await;
    let real = value(&real).to_owned();
    let before = State::of(&house).await;
    let hash = session::hash(&real.parse().unwrap());
    for cookie in [
        "x",
        "",
        "AAAAAAAAAAAAAAAAAAAAAA",
        &hash,
        &real[1..],
        &"A".repeat(4000),
        "%00",
        "\"x\"",
    ] {
        let mut browser = server.browser();
        browser.cookie = Some(format!("portico={cookie}"));
        let answer = browser.get("/").await;
        assert_eq!(answer.header("location"), Some("/login"), "{cookie}");
    }
    assert_eq!(State::of(&house).await, before);
});

on_both!(
    everyone_arrives_at_their_own_first_page,
    |house: House| async move {
        let server = house.serve().await;
        let password = crate::house::PASSWORD;
        for (who, next, page) in [
            ("thandi", "", "/"),
            ("naledi", "", "/admin"),
            ("naledi", "/", "/admin"),
            ("sipho", "/admin/clients", "/admin/clients"),
            ("naledi", "//evil.example", "/admin"),
        ] {
            let email = format!("{who}@kestrel.example");
            let fields = [
                ("email", email.as_str()),
                ("password", password),
                ("next", next),
            ];
            let answer = server.browser().post("/login", &fields).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, Some(page)),
                "{who} {next}"
            );
        }
    }
);
