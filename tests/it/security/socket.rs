//! S3, S9 to S12: how a live page ends, what it may send, and that nobody's name leaks through it.

use crate::browser::{Browser, Heard, Watcher};
use crate::house::{House, On, Server, at, on_both};
use portico::store;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

const DAY: Duration = Duration::from_hours(24);

/// A client's open home, heard once.
async fn home(server: &Server, who: &str) -> (Browser, Watcher) {
    let browser = server.signed_in(who).await;
    let mut watcher = browser.watch("/").await;
    watcher.quiet().await;
    (browser, watcher)
}

on_both!(
    signing_out_at_one_instance_closes_the_page_at_another,
    |house: House| async move {
        let other = house.another("http://127.0.0.1").await;
        let (here, there) = (house.serve().await, Server::of(&other).await);
        let browser = here.signed_in("pieter").await;
        let mut there_too = there.browser();
        there_too.cookie.clone_from(&browser.cookie);
        let url = there_too.get("/").await.live_url();
        let mut watcher = there_too.connect(&url).await;
        watcher.quiet().await;
        browser.post("/logout", &[]).await;
        assert_eq!(watcher.closed().await, (4401, "session".to_owned()));
        let mut again = there_too.connect(&url).await;
        assert_eq!(
            again.next().await,
            Heard::Closed(4401, "session".to_owned())
        );
    }
);

on_both!(
    a_page_closes_when_its_session_has_been_idle_too_long,
    |house: House| async move {
        let server = house.serve().await;
        let (_, mut watcher) = home(&server, "pieter").await;
        // A page that talks is still nobody at work.
        house.clock().advance(13 * DAY);
        watcher.send(Message::text("I am here")).await.unwrap();
        watcher.quiet().await;
        house.clock().advance(DAY);
        assert_eq!(watcher.closed().await, (4401, "session".to_owned()));
    }
);

on_both!(
    a_page_closes_when_its_session_is_a_month_old,
    |house: House| async move {
        let server = house.serve().await;
        let (browser, mut watcher) = home(&server, "pieter").await;
        for _ in 0..3 {
            house.clock().advance(9 * DAY);
            assert_eq!(browser.get("/").await.status, 200);
        }
        watcher.quiet().await;
        house.clock().advance(3 * DAY);
        assert_eq!(watcher.closed().await, (4401, "session".to_owned()));
    }
);

/// A frame as a client must mask it, with any first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

on_both!(
    whoever_breaks_the_rules_of_the_line_is_cut_off,
    |house: House| async move {
        let server = house.serve().await;
        let huge = [&[0x82, 0xff][..], &(16u64 << 20).to_be_bytes(), &[0; 4]].concat();
        let one_byte = frame(0x00, b"x");
        let fragments = [frame(0x01, b"x"), one_byte.repeat(70_000)].concat();
        let cases: [(&str, Vec<u8>, u16); 8] = [
            ("unmasked", vec![0x81, 1, b'x'], 1002),
            ("a reserved bit", frame(0xc1, b"x"), 1002),
            ("an unknown kind", frame(0x83, b"x"), 1002),
            ("a ping in pieces", frame(0x09, b"x"), 1002),
            ("a piece of nothing", frame(0x80, b"x"), 1002),
            ("text that is none", frame(0x81, &[0xff, 0xfe]), 1002),
            ("a frame of 16 MiB", huge, 1009),
            ("a message in 70,000 pieces", fragments, 1009),
        ];
        let (browser, _first) = home(&server, "pieter").await;
        for (story, bytes, code) in cases {
            let mut watcher = browser.watch("/").await;
            watcher.quiet().await;
            watcher.send_raw(&bytes).await;
            assert_eq!(watcher.closed().await.0, code, "{story}");
        }
        assert_eq!(browser.get("/").await.status, 200);
    }
);

on_both!(
    a_message_longer_than_64_kib_is_too_big,
    |house: House| async move {
        let server = house.serve().await;
        let (browser, mut watcher) = home(&server, "pieter").await;
        watcher
            .send(Message::text("x".repeat(64 * 1024)))
            .await
            .unwrap();
        watcher.quiet().await;
        let _ = watcher.send(Message::text("x".repeat(65 * 1024))).await;
        assert_eq!(watcher.closed().await.0, 1009);
        let mut other = browser.watch("/").await;
        let _ = other.send(Message::binary(vec![0; 65 * 1024])).await;
        assert_eq!(other.closed().await.0, 1009);
    }
);

on_both!(
    a_browser_has_a_hundred_messages_a_minute,
    |house: House| async move {
        let server = house.serve().await;
        for message in [Message::text("x"), Message::Ping(Vec::new().into())] {
            let (_, mut watcher) = home(&server, "pieter").await;
            for _ in 0..100 {
                watcher.send(message.clone()).await.unwrap();
            }
            watcher.quiet().await;
            let _ = watcher.send(message).await;
            assert_eq!(watcher.closed().await.0, 1008);
        }
    }
);

on_both!(
    a_person_has_twenty_pages_open_and_no_more,
    |house: House| async move {
        let server = house.serve().await;
        let pieter = server.signed_in("pieter").await;
        let mut open = Vec::new();
        for _ in 0..20 {
            let mut watcher = pieter.watch("/").await;
            watcher.quiet().await;
            open.push(watcher);
        }
        // Another sign-in of the same person is the same person.
        let again = server.signed_in("pieter").await;
        for browser in [&pieter, &again] {
            assert_eq!(browser.watch("/").await.closed().await.0, 1008);
        }
        home(&server, "thandi").await;
        let last = open.pop().unwrap();
        let before = house.app.hub.socket_count();
        last.leave().await;
        while house.app.hub.socket_count() == before {
            tokio::task::yield_now().await;
        }
        pieter.watch("/").await.quiet().await;
    }
);

on_both!(compression_is_not_taken_up, |house: House| async move {
    let server = house.serve().await;
    let pieter = server.signed_in("pieter").await;
    let url = pieter.get("/").await.live_url();
    let origin = format!("http://{}", server.address);
    let headers = [
        ("origin", origin.as_str()),
        (
            "sec-websocket-extensions",
            "permessage-deflate; client_max_window_bits",
        ),
        ("sec-websocket-protocol", "chat, portico"),
    ];
    let answer = pieter.handshake(&url, &headers).await;
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-extensions"), None);
    assert_eq!(answer.header("sec-websocket-protocol"), None);
});

on_both!(
    two_hundred_bookings_of_others_tell_a_client_nobodys_name,
    |house: House| async move {
        let server = house.serve().await;
        let pieter = server.signed_in("pieter").await;
        let mut pages = Vec::new();
        for week in 49..=53 {
            pages.push(pieter.watch(&format!("/bookings?week=2026-W{week}")).await);
        }
        // What would tell who came.
        let names = ["Thandi", "Mokoena", "Aisha", "Dlamini", "thandi@", "aisha@"];
        let mut hidden = names.map(str::to_owned).to_vec();
        hidden.push(house.thandi.client.to_string());
        hidden.push(house.aisha.client.to_string());
        let monday = at("2026-11-30T06:00:00Z");
        let mut last = Vec::new();
        for n in 0..200 {
            // Nine starts a weekday: five in the morning from 08:00, four from 13:00.
            let (day, slot) = (n / 9 / 5 * 7 + n / 9 % 5, n % 9);
            let minutes = if slot < 5 {
                slot * 45
            } else {
                300 + (slot - 5) * 45
            };
            let start = monday + jiff::SignedDuration::from_mins(day * 24 * 60 + minutes);
            let client = if n % 2 == 0 {
                &house.thandi
            } else {
                &house.aisha
            };
            let booked = house
                .book(client, &house.follow_up, &start.to_string())
                .await;
            hidden.push(booked.unwrap().to_string());
            last.truncate(usize::try_from(day / 7).unwrap());
            last.push(format!("slot-{}", start.as_second() / 60));
        }
        assert_eq!(last.len(), pages.len());
        for (page, last) in pages.iter_mut().zip(&last) {
            let mut is_told = false;
            while !is_told {
                let Heard::Content(html) = page.next().await else {
                    continue;
                };
                for word in &hidden {
                    assert!(!html.contains(word), "{word} in {html}");
                }
                is_told = html.contains(last);
            }
        }
        let mut tx = house.app.db.snapshot().await.unwrap();
        assert_eq!(
            store::activity::list(&mut tx, 500).await.unwrap().len(),
            200
        );
    }
);
