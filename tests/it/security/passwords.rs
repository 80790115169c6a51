//! S16 to S18: which passwords are taken, how they are kept, and that a sign-in tells nobody who has an account.

use super::links;
use crate::browser::Answer;
use crate::house::{House, On, PASSWORD, on_both};
use crate::state::State;
use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use portico::store::{self, token::Kind};

/// What a stranger can compare between two answers to addresses of one length.
fn seen(answer: &Answer, email: &str) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.body.replace(email, "EMAIL"))
}

on_both!(
    a_stranger_cannot_tell_who_has_an_account,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let fields = [
            ("name", "Zodwa Radebe"),
            ("email", "zodwad@kestrel.example"),
        ];
        assert_eq!(naledi.post("/admin/clients", &fields).await.status, 303);
        let change = (house.pieter.person, house.clock().now());
        let disabled = house.app.transact(change, |tx, (person, now)| {
            Box::pin(store::person::set_disabled(tx, *person, true, *now))
        });
        disabled.await.unwrap();
        let stranger = server.browser();
        // Known; unknown; disabled, even with the right password; invited and without one.
        for (path, password) in [("/login", "not the right one"), ("/reset", "")] {
            let mut answers = Vec::new();
            for who in ["thandi", "nobody", "pieter", "zodwad"] {
                let email = format!("{who}@kestrel.example");
                let password = if who == "pieter" { PASSWORD } else { password };
                let answer = stranger
                    .post(path, &[("email", &email), ("password", password)])
                    .await;
                answers.push(seen(&answer, &email));
            }
            assert_eq!(answers[0].0, if path == "/login" { 422 } else { 200 });
            for answer in &answers[1..] {
                assert_eq!(answer, &answers[0], "{path}");
            }
        }
        // And when tries are slowed, all are.
        let mut answers = Vec::new();
        for who in ["thandi", "nobody", "pieter", "zodwad"] {
            let email = format!("{who}@kestrel.example");
            let mut last = None;
            for _ in 0..6 {
                last = Some(stranger.try_password(who, "not the right one").await);
            }
            answers.push(last.map(|answer| seen(&answer, &email)));
        }
        assert_eq!(answers[0].as_ref().unwrap().0, 429);
    }
);

on_both!(
    a_link_tells_nobody_whether_it_ever_was_one,
    |house: House| async move {
        let server = house.serve().await;
        let stranger = server.browser();
        let used = links::issue(&house, house.thandi.person, Kind::Reset).await;
        let fields = [("password", "another long secret")];
        assert_eq!(
            stranger
                .post(&format!("/reset/{used}"), &fields)
                .await
                .status,
            303
        );
        let old = links::issue(&house, house.pieter.person, Kind::Reset).await;
        links::issue(&house, house.pieter.person, Kind::Reset).await;
        let closed = links::issue(&house, house.aisha.person, Kind::Reset).await;
        let change = (house.aisha.person, house.clock().now());
        let disabled = house.app.transact(change, |tx, (person, now)| {
            Box::pin(store::person::set_disabled(tx, *person, true, *now))
        });
        disabled.await.unwrap();
        let never = portico::secret::token();
        for path in ["/reset", "/welcome"] {
            let unknown = seen(&stranger.get(&format!("{path}/{never}")).await, &never);
            for secret in [&used, &old, &closed] {
                let answer = stranger.get(&format!("{path}/{secret}")).await;
                assert_eq!(seen(&answer, secret), unknown);
                let answer = stranger.post(&format!("{path}/{secret}"), &fields).await;
                assert_eq!(seen(&answer, secret), unknown);
            }
        }
    }
);

on_both!(
    a_password_is_long_and_not_everybodys,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.browser();
        let secret = links::issue(&house, house.thandi.person, Kind::Reset).await;
        let path = format!("/reset/{secret}");
        let (long, huge) = ("x1y2z3 ".repeat(37), "x".repeat(1024 * 1024));
        let refused = [
            ("", "at least 12"),
            ("elevenchars", "at least 12"),
            ("ünïcödéwör", "at least 12"),
            ("password1234", "among the first"),
            ("PASSWORD1234", "among the first"),
            ("123456789012", "among the first"),
            ("qwertyuiop12", "among the first"),
            ("q1w2e3r4t5y6", "among the first"),
            ("1qaz2wsx3edc", "among the first"),
            ("123qweasdzxc", "among the first"),
            ("qazwsxedcrfv", "among the first"),
            ("motherfucker", "among the first"),
            ("unbelievable", "among the first"),
            ("aaaaaaaaaaaa", "among the first"),
            ("portico12345", "among the first"),
            ("Kestrel Physio", "among the first"),
            ("kestrelphysio1", "among the first"),
            ("thandi@kestrel.example", "among the first"),
            ("Thandi Mokoena", "among the first"),
            (&long, "at most 256"),
        ];
        let before = State::of(&house).await;
        for (password, reason) in refused {
            let answer = browser.post(&path, &[("password", password)]).await;
            assert_eq!(answer.status, 422, "{password}");
            let said = answer.texts(".note").join(" ");
            assert!(said.contains(reason), "{password}: {said}");
            let given_back = answer.attribute("[name=password]", "value");
            assert_eq!(given_back, None, "{password}");
        }
        assert_eq!(
            browser.post(&path, &[("password", &huge)]).await.status,
            413
        );
        assert_eq!(State::of(&house).await, before);
    }
);

on_both!(
    a_password_is_taken_as_it_is_typed,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.browser();
        let (long, longest) = ("four words long ".repeat(8), "x1y2z3 *".repeat(32));
        for password in [
            "twelve chars",
            "all lower case and no digit",
            " a leading blank",
            "a trailing blank ",
            "ünïcödé wörd 日本語",
            "\u{1f41d}\u{1f41d} bees are emoji",
            "a+b&c=d%20e;f\"g<h>",
            &"four words long ".repeat(4),
            &long,
            &longest,
        ] {
            // So long that the wrong tries before are forgotten.
            house.clock().advance(std::time::Duration::from_mins(16));
            let secret = links::issue(&house, house.thandi.person, Kind::Reset).await;
            let answer = browser
                .post(&format!("/reset/{secret}"), &[("password", password)])
                .await;
            assert_eq!(answer.status, 303, "{password}: {}", answer.body);
            assert_eq!(
                browser.try_password("thandi", password).await.status,
                303,
                "{password}"
            );
            let mut shorter = password.to_owned();
            shorter.pop();
            for other in [&shorter, password.trim(), &password.to_uppercase()] {
                if other != password {
                    assert_eq!(
                        browser.try_password("thandi", other).await.status,
                        422,
                        "{other:?} is not {password:?}"
                    );
                }
            }
            assert_eq!(browser.try_password("thandi", password).await.status, 303);
        }
        // What is too long to be one is not hashed, and no other than wrong.
        assert_eq!(
            browser
                .try_password("thandi", &"x".repeat(300))
                .await
                .status,
            422
        );
    }
);

async fn kept(house: &House) -> String {
    let (hash,): (String,) = house
        .app
        .db
        .q("SELECT password_hash FROM people WHERE email = 'thandi@kestrel.example'")
        .one()
        .await
        .unwrap();
    hash
}

on_both!(
    a_password_is_kept_slowly_hashed_and_salted,
    |house: House| async move {
        let server = house.serve().await;
        let mut hashes = Vec::new();
        for _ in 0..2 {
            let secret = links::issue(&house, house.thandi.person, Kind::Reset).await;
            let fields = [("password", "another long secret")];
            server
                .browser()
                .post(&format!("/reset/{secret}"), &fields)
                .await;
            hashes.push(kept(&house).await);
        }
        assert_ne!(hashes[0], hashes[1]);
        for hash in hashes {
            assert!(
                hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
                "{hash}"
            );
        }
        assert!(!State::of(&house).await.holds("another long secret"));
    }
);

on_both!(
    an_older_hash_is_renewed_by_signing_in,
    |house: House| async move {
        let server = house.serve().await;
        let cheap = Params::new(8 * 1024, 1, 1, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, cheap)
            .hash_password(PASSWORD.as_bytes())
            .unwrap()
            .to_string();
        let change = (house.thandi.person, weak.clone(), house.clock().now());
        let set = house.app.transact(change, |tx, (person, weak, now)| {
            Box::pin(store::person::set_password(tx, *person, weak, *now))
        });
        set.await.unwrap();
        assert_eq!(
            server
                .browser()
                .try_password("thandi", "not the right one")
                .await
                .status,
            422
        );
        assert_eq!(kept(&house).await, weak);
        let thandi = server.signed_in("thandi").await;
        let renewed = kept(&house).await;
        assert!(
            renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{renewed}"
        );
        assert_eq!(
            thandi.get("/").await.status,
            200,
            "and nobody is signed out by it"
        );
        server.signed_in("thandi").await;
        assert_eq!(kept(&house).await, renewed);
    }
);
