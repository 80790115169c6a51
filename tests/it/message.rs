//! Messages: one thread for each client, through the store, through HTTP and through sockets.

use crate::browser::{Answer, Browser};
use crate::house::{House, On, on_both};
use crate::state::State;
use portico::domain::message::Marks;
use portico::domain::viewer::{ClientViewer, StaffViewer, Viewer};
use portico::store::thread::{self, Read};
use portico::store::{self, Error};
use std::time::Duration;

const UNKNOWN: &str = "0193c0de-0000-7000-8000-000000000000";

fn as_client(client: &ClientViewer) -> Viewer {
    Viewer::Client(client.clone())
}

fn as_staff(staff: &StaffViewer) -> Viewer {
    Viewer::Staff(staff.clone())
}

async fn read(house: &House, viewer: &Viewer, of: &ClientViewer, upto: i64) -> Result<(), Error> {
    let read = Read {
        viewer: viewer.clone(),
        client: of.client,
        upto,
        now: house.clock().now(),
    };
    let done = house
        .app
        .transact(read, |tx, read| Box::pin(thread::read(tx, read)));
    done.await
}

async fn marks(house: &House, of: &ClientViewer) -> Marks {
    let mut tx = house.app.db.snapshot().await.unwrap();
    thread::marks(&mut tx, of.client).await.unwrap()
}

async fn unread(house: &House, viewer: &Viewer) -> i64 {
    let mut tx = house.app.db.snapshot().await.unwrap();
    let client = match viewer {
        Viewer::Client(client) => Some(client.client),
        _ => None,
    };
    let person = viewer.person().unwrap();
    let today = "2026-11-23".parse().unwrap();
    let waiting = store::badge::waiting(&mut tx, person, client, today).await;
    waiting.unwrap().messages
}

/// Notifications about messages that someone has not seen.
async fn told(house: &House, viewer: &Viewer) -> i64 {
    let (count,): (i64,) = house
        .app
        .db
        .q("SELECT COUNT(*) FROM notifications WHERE person_id = $1 AND kind = 'message' AND seen_at IS NULL")
        .bind(viewer.person().unwrap().0)
        .one()
        .await
        .unwrap();
    count
}

on_both!(
    what_a_client_writes_is_read_and_answered,
    |house: House| async move {
        let (thandi, naledi, sipho) = (
            as_client(&house.thandi),
            as_staff(&house.naledi),
            as_staff(&house.sipho),
        );
        assert_eq!(house.write(&house.thandi, "Is there parking?").await, 1);
        let asked_at = house.clock().now();
        house.clock().advance(Duration::from_mins(1));
        assert_eq!(house.write(&house.thandi, "For two cars?").await, 2);
        assert_eq!(
            house.write(&house.pieter, "Hello").await,
            1,
            "each thread counts for itself"
        );
        assert_eq!(
            (unread(&house, &naledi).await, unread(&house, &sipho).await),
            (2, 2)
        );
        assert_eq!(
            (told(&house, &naledi).await, told(&house, &sipho).await),
            (3, 3)
        );
        assert_eq!(
            told(&house, &thandi).await,
            0,
            "nobody is told what they wrote"
        );
        let mut tx = house.app.db.snapshot().await.unwrap();
        assert_eq!(thread::waiting(&mut tx).await.unwrap(), (2, Some(asked_at)));
        drop(tx);

        // Staff share one mark, and each sees for themselves what they were told.
        read(&house, &naledi, &house.thandi, 2).await.unwrap();
        assert_eq!(
            (unread(&house, &naledi).await, unread(&house, &sipho).await),
            (1, 1)
        );
        assert_eq!(
            (told(&house, &naledi).await, told(&house, &sipho).await),
            (1, 3)
        );
        assert_eq!(house.answer(&house.thandi, "For three.").await, 3);
        assert_eq!(
            (unread(&house, &thandi).await, told(&house, &thandi).await),
            (1, 1)
        );
        let mut tx = house.app.db.snapshot().await.unwrap();
        let (waiting, since) = thread::waiting(&mut tx).await.unwrap();
        assert_eq!(
            (waiting, since.is_some()),
            (1, true),
            "only Pieter still waits"
        );
        let threads = thread::list(&mut tx, false, 10).await.unwrap();
        drop(tx);
        assert_eq!(threads.len(), 2);
        let thandis = threads
            .iter()
            .find(|one| one.client == house.thandi.client)
            .unwrap();
        assert_eq!((thandis.unread, thandis.waiting_since), (0, None));
        assert_eq!(thandis.last.body, "For three.");

        // Whoever writes has read what stands above.
        house.write(&house.thandi, "Thank you").await;
        assert_eq!(
            (unread(&house, &thandi).await, told(&house, &thandi).await),
            (0, 0)
        );
        assert_eq!(
            marks(&house, &house.thandi).await,
            Marks {
                last: 4,
                client: 4,
                staff: 3
            }
        );
        house.assert_sound().await;
    }
);

on_both!(
    a_read_mark_never_goes_back_and_never_ahead,
    |house: House| async move {
        let thandi = as_client(&house.thandi);
        read(&house, &thandi, &house.thandi, 5).await.unwrap();
        for n in 0..5 {
            house.answer(&house.thandi, &format!("Line {n}")).await;
        }
        for (upto, expected) in [
            (3, 3),
            (2, 3),
            (-1, 3),
            (i64::MIN, 3),
            (4, 4),
            (i64::MAX, 5),
            (1, 5),
        ] {
            read(&house, &thandi, &house.thandi, upto).await.unwrap();
            assert_eq!(
                marks(&house, &house.thandi).await.client,
                expected,
                "read to {upto}"
            );
        }
        assert_eq!(told(&house, &thandi).await, 0);
        let before = State::of(&house).await;
        read(&house, &thandi, &house.thandi, 5).await.unwrap();
        assert_eq!(
            State::of(&house).await,
            before,
            "no topic moves for nothing"
        );
        house.assert_sound().await;
    }
);

on_both!(a_message_sent_twice_is_one, |house: House| async move {
    let server = house.serve().await;
    let thandi = server.signed_in("thandi").await;
    let fields = [("body", "Only once"), ("key", "one")];
    for answer in [
        thandi.post("/messages", &fields).await,
        thandi.post("/messages", &fields).await,
    ] {
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/messages"))
        );
    }
    assert_eq!(thandi.post_fragment("/messages", &fields).await.status, 200);
    // The same form with other words is another message, and is kept until it is sent under a key of its own.
    let fields = [("body", "Something else"), ("key", "one")];
    let answer = thandi.post_fragment("/messages", &fields).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.texts("textarea"), ["Something else"]);
    let key = answer.attribute("input[name=key]", "value").unwrap();
    assert_ne!(key, "one");
    let fields = [("body", "Something else"), ("key", key.as_str())];
    assert_eq!(thandi.post_fragment("/messages", &fields).await.status, 200);
    let page = thandi.get("/messages").await;
    assert_eq!(
        page.texts("#messages .msg > p:first-child"),
        ["Only once", "Something else"]
    );
    house.assert_sound().await;
});

on_both!(
    who_writes_at_the_same_time_gets_numbers_without_a_gap,
    |house: House| async move {
        let mut sending = tokio::task::JoinSet::new();
        for n in 0..64 {
            let viewer = if n % 2 == 0 {
                as_client(&house.thandi)
            } else {
                as_staff(&house.sipho)
            };
            let message = house.message(&viewer, house.thandi.client, &format!("Message {n}"));
            let app = house.app.clone();
            sending.spawn(async move {
                app.transact(message, |tx, message| Box::pin(thread::send(tx, message)))
                    .await
                    .unwrap()
            });
        }
        let mut numbers = sending.join_all().await;
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=64).collect::<Vec<i64>>());
        house.assert_sound().await;
    }
);

on_both!(
    a_text_that_cannot_be_sent_is_kept_and_explained,
    |house: House| async move {
        let server = house.serve().await;
        let (thandi, naledi) = (
            server.signed_in("thandi").await,
            server.signed_in("naledi").await,
        );
        let client = house.thandi.client.to_string();
        let before = State::of(&house).await;
        let long = "x".repeat(10_001);
        for (body, words) in [
            (long.as_str(), "10,000 characters"),
            ("  \r\n ", "Write something"),
            ("a\u{7}b", "cannot be shown"),
        ] {
            for browser in [&thandi, &naledi] {
                let fields = [("body", body), ("key", "k"), ("client", &client)];
                for answer in [
                    browser.post("/messages", &fields).await,
                    browser.post_fragment("/messages", &fields).await,
                ] {
                    assert_eq!(answer.status, 422, "{words}");
                    assert!(
                        answer.texts(".note.bad")[0].contains(words),
                        "{}",
                        answer.body
                    );
                    let kept = text_of(&answer);
                    assert_eq!(
                        kept.trim(),
                        body.replace("\r\n", "\n")
                            .replace('\u{7}', "\u{fffd}")
                            .trim()
                    );
                    assert_eq!(
                        answer
                            .attribute("#composer input[name=key]", "value")
                            .unwrap(),
                        "k"
                    );
                }
            }
        }
        for key in ["", &"k".repeat(101)] {
            assert_eq!(
                thandi
                    .post("/messages", &[("body", "a"), ("key", key)])
                    .await
                    .status,
                422
            );
        }
        assert_eq!(State::of(&house).await, before);
        // The longest that may be sent, in letters that a form spells with twelve signs each.
        let smiles = "🙂".repeat(10_000);
        let answer = thandi
            .post("/messages", &[("body", smiles.as_str()), ("key", "k")])
            .await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let page = thandi.get("/messages").await;
        assert!(page.body.contains(&smiles));
        let huge = "x".repeat(1024 * 1024);
        assert_eq!(
            thandi
                .post("/messages", &[("body", huge.as_str()), ("key", "h")])
                .await
                .status,
            413
        );
    }
);

/// What stands in the form to write in, as it stands there.
fn text_of(answer: &Answer) -> String {
    let html = scraper::Html::parse_document(&answer.body);
    let selector = scraper::Selector::parse("#composer textarea").unwrap();
    html.select(&selector).next().unwrap().text().collect()
}

on_both!(
    a_client_has_one_thread_whatever_the_form_says,
    |house: House| async move {
        let server = house.serve().await;
        let (pieter, naledi) = (
            server.signed_in("pieter").await,
            server.signed_in("naledi").await,
        );
        house.write(&house.thandi, "A secret of Thandi's").await;
        let thandis = house.thandi.client.to_string();
        for path in [
            format!("/messages?client={thandis}&before=9"),
            format!("/messages?client={thandis}&q=secret"),
            format!("/messages?client={thandis}"),
        ] {
            let page = pieter.get(&path).await;
            assert_eq!(page.status, 200);
            assert!(!page.body.contains("of Thandi's"), "{path}");
        }
        let older = format!("/messages/older?before=9&client={thandis}");
        assert!(
            pieter
                .get_fragment(&older)
                .await
                .texts("[data-message]")
                .is_empty()
        );
        assert_eq!(
            naledi
                .get_fragment(&older)
                .await
                .texts("[data-message]")
                .len(),
            1
        );
        let fields = [
            ("body", "Mine"),
            ("key", "k"),
            ("client", &thandis),
            ("from_staff", "true"),
            ("seq", "1"),
        ];
        assert_eq!(pieter.post("/messages", &fields).await.status, 303);
        assert_eq!(
            pieter
                .post("/messages/read", &[("upto", "9"), ("client", &thandis)])
                .await
                .status,
            303
        );
        assert_eq!(
            marks(&house, &house.thandi).await,
            Marks {
                last: 1,
                client: 1,
                staff: 0
            }
        );
        assert_eq!(
            marks(&house, &house.pieter).await,
            Marks {
                last: 1,
                client: 1,
                staff: 0
            }
        );

        // Someone else's, as the store sees it.
        let before = State::of(&house).await;
        let message = house.message(&as_client(&house.pieter), house.thandi.client, "Not mine");
        let sent = house
            .app
            .transact(message, |tx, message| Box::pin(thread::send(tx, message)));
        assert!(matches!(sent.await, Err(Error::NotFound)));
        let done = read(&house, &as_client(&house.pieter), &house.thandi, 1).await;
        assert!(matches!(done, Err(Error::NotFound)));

        // Staff name a client, and it must be one.
        for client in [UNKNOWN, "x", "", &house.naledi.staff.to_string()] {
            let fields = [("body", "Hello"), ("key", "k2"), ("client", client)];
            assert_eq!(
                naledi.post("/messages", &fields).await.status,
                404,
                "{client}"
            );
            let fields = [("upto", "1"), ("client", client)];
            assert_eq!(
                naledi.post("/messages/read", &fields).await.status,
                404,
                "{client}"
            );
            let older = format!("/messages/older?before=9&client={client}");
            assert_eq!(naledi.get_fragment(&older).await.status, 404, "{client}");
        }
        assert_eq!(
            naledi
                .post("/messages", &[("body", "Hello"), ("key", "k2")])
                .await
                .status,
            404
        );
        assert_eq!(
            naledi
                .get(&format!("/admin/messages/{UNKNOWN}"))
                .await
                .status,
            404
        );
        assert_eq!(State::of(&house).await, before);
    }
);

/// The texts of the messages of a page or fragment.
fn bodies(answer: &Answer) -> Vec<String> {
    answer.texts("[data-message] .msg > p:first-child")
}

on_both!(
    older_messages_are_a_page_further,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        for n in 1..=95 {
            house.write(&house.thandi, &format!("Message {n}")).await;
        }
        let expected = |from: i64, to: i64| -> Vec<String> {
            (from..=to).map(|n| format!("Message {n}")).collect()
        };
        let page = thandi.get("/messages").await;
        assert_eq!(bodies(&page), expected(56, 95));
        let href = page.attribute(".older a", "href").unwrap();
        assert_eq!(href, "/messages?before=56");
        let fragment = page.attribute(".older a", "hx-get").unwrap();
        let older = thandi.get_fragment(&fragment).await;
        assert_eq!(bodies(&older), expected(16, 55));
        let oldest = thandi
            .get_fragment(&older.attribute(".older a", "hx-get").unwrap())
            .await;
        assert_eq!(bodies(&oldest), expected(1, 15));
        assert!(
            oldest.texts(".older a").is_empty(),
            "there is nothing before the first"
        );
        // Without scripts the same, as pages.
        let page = thandi.get(&href).await;
        assert_eq!(bodies(&page), expected(16, 55));
        let newer = page.attribute(".acts a", "href").unwrap();
        assert_eq!(bodies(&thandi.get(&newer).await), expected(56, 95));
        let answer = thandi.get("/messages/older?before=56").await;
        assert_eq!(answer.header("location"), Some("/messages?before=56"));
        for before in [
            "0",
            "-5",
            "9223372036854775807",
            "-9223372036854775808",
            "x",
            "",
        ] {
            assert_eq!(
                thandi
                    .get(&format!("/messages?before={before}"))
                    .await
                    .status,
                200,
                "{before}"
            );
            assert_eq!(
                thandi
                    .get_fragment(&format!("/messages/older?before={before}"))
                    .await
                    .status,
                200
            );
        }
    }
);

on_both!(
    a_search_finds_what_was_written_in_any_case,
    |house: House| async move {
        let server = house.serve().await;
        let (thandi, naledi) = (
            server.signed_in("thandi").await,
            server.signed_in("naledi").await,
        );
        house
            .write(&house.thandi, "My KNEE hurts.\nThe other knee is fine.")
            .await;
        house
            .answer(&house.thandi, "Rest the Knee: 100% of it!")
            .await;
        house
            .write(&house.pieter, "My knee_cap, Élan and İstanbul")
            .await;
        let found = |page: &Answer| page.texts("[data-message]").len();
        let page = thandi.get("/messages?q=knee").await;
        assert_eq!(found(&page), 2);
        assert_eq!(
            page.texts("mark"),
            ["Knee", "KNEE", "knee"],
            "the newest first"
        );
        for (q, expected) in [
            ("KNEE", 3),
            ("100%25", 1),
            ("knee_", 1),
            ("n%25e", 0),
            ("_nee", 0),
            ("!", 1),
            ("élan", 1),
            ("hurts. the", 1),
            ("elbow", 0),
        ] {
            let page = naledi
                .get(&format!(
                    "/admin/messages?q={}",
                    q.replace(' ', "%20").replace('é', "%C3%89")
                ))
                .await;
            assert_eq!((page.status, found(&page)), (200, expected), "{q}");
            assert_eq!(page.texts("mark").is_empty(), expected == 0, "{q}");
        }
        let page = naledi
            .get(&format!("/admin/messages/{}?q=knee", house.thandi.client))
            .await;
        assert_eq!(found(&page), 2);
        let place = page.attribute("[data-message] a", "href").unwrap();
        let (path, anchor) = place.split_once('#').unwrap();
        let page = naledi.get(path).await;
        assert_eq!(
            page.attribute(&format!("#{anchor}"), "id").as_deref(),
            Some(anchor)
        );
        // A blank is no search.
        assert_eq!(
            thandi.get("/messages?q=%20").await.texts("#messages").len(),
            1
        );
        let long = "x".repeat(5000);
        assert_eq!(found(&thandi.get(&format!("/messages?q={long}")).await), 0);
    }
);

on_both!(
    days_names_and_marks_stand_where_they_belong,
    |house: House| async move {
        let server = house.serve().await;
        let (thandi, naledi) = (
            server.signed_in("thandi").await,
            server.signed_in("naledi").await,
        );
        let naledis = format!("/admin/messages/{}", house.thandi.client);
        assert_eq!(
            thandi.get("/messages").await.texts("#thread .empty").len(),
            1
        );
        house.answer(&house.thandi, "How did the knee feel?").await;
        house.clock().advance(Duration::from_hours(48));
        house.write(&house.thandi, "Better").await;
        let message = house.message(&as_staff(&house.sipho), house.thandi.client, "Good");
        let sent = house
            .app
            .transact(message, |tx, message| Box::pin(thread::send(tx, message)));
        sent.await.unwrap();
        house.answer(&house.thandi, "See you").await;
        house.clock().advance(Duration::from_hours(24));
        house.answer(&house.thandi, "Tomorrow").await;
        let page = thandi.get("/messages").await;
        assert_eq!(
            page.texts(".daymark"),
            ["Monday 23 November", "Yesterday", "Today"]
        );
        assert_eq!(
            page.texts(".who"),
            [
                "Naledi Khumalo",
                "Sipho Dube",
                "Naledi Khumalo",
                "Naledi Khumalo"
            ]
        );
        assert_eq!(page.texts(".mine .meta"), ["08:00 · read"]);
        assert_eq!(
            page.attribute("#read input[name=upto]", "value").as_deref(),
            Some("5")
        );
        let page = naledi.get(&naledis).await;
        let meta = page.texts(".mine .meta");
        assert_eq!(
            meta,
            ["08:00", "08:00", "08:00", "08:00 · sent"],
            "only the last one is marked"
        );
        assert!(page.texts("#read-upto button").is_empty());
        thandi.post("/messages/read", &[("upto", "5")]).await;
        assert!(
            thandi
                .get("/messages")
                .await
                .texts("#read-upto button")
                .is_empty()
        );
        assert_eq!(
            naledi.get(&naledis).await.texts(".mine .meta")[3],
            "08:00 · read"
        );
        let rows = naledi
            .get("/admin/messages")
            .await
            .texts("#thread-rows .what");
        assert_eq!(rows, ["Thandi MokoenaNaledi: Tomorrow"]);
    }
);

/// Takes what the socket has said of a list, as a page would: ids in their order.
fn apply(ids: &mut Vec<String>, content: &str) {
    let id = |html: &str| {
        html.split("id=\"")
            .nth(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned())
    };
    if content.contains("innerMorph") {
        ids.clear();
        ids.extend(
            content
                .split("<li ")
                .skip(1)
                .filter_map(|html| id(&format!("<li {html}"))),
        );
        return;
    }
    for push in content.split("<hx-upsert ").skip(1) {
        let id = id(push.split_once("<li ").map_or("", |(_, li)| li)).unwrap();
        if !ids.contains(&id) {
            ids.push(id);
            ids.sort();
        }
    }
}

fn expected_ids(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|n| format!("msg-{n:012}")).collect()
}

on_both!(
    a_message_stands_on_the_other_screen_and_costs_little,
    |house: House| async move {
        let server = house.serve().await;
        for n in 0..60 {
            house
                .write(
                    &house.thandi,
                    &format!("Message {n}, of a usual length for a question."),
                )
                .await;
            house
                .answer(
                    &house.thandi,
                    &format!("Answer {n}, of a usual length for an answer."),
                )
                .await;
        }
        let thandi = server.signed_in("thandi").await;
        let naledi = server.signed_in("naledi").await;
        let page = thandi.get("/messages").await;
        let mut thandis = thandi.connect(&page.live_url()).await;
        let mut naledis = naledi
            .watch(&format!("/admin/messages/{}", house.thandi.client))
            .await;
        let mut list = naledi.watch("/admin/messages").await;
        for watcher in [&mut thandis, &mut naledis, &mut list] {
            watcher.quiet().await;
            watcher.bytes = 0;
        }
        // What the pages brought along is loaded behind them, so that what follows is little: two threads, the badges of
        // both, and the list.
        house.has_loaded(5).await;
        house
            .answer(&house.thandi, "Come at nine, the door on the left is open.")
            .await;
        let pushed = thandis.content(|html| html.contains("Come at nine")).await;
        assert!(
            pushed.contains("hx-target=\"#messages\"") && pushed.contains("msg-000000000121"),
            "{pushed}"
        );
        assert!(
            !pushed.contains("innerMorph") && !pushed.contains("delete"),
            "{pushed}"
        );
        naledis.content(|html| html.contains("Come at nine")).await;
        list.content(|html| html.contains("Come at nine")).await;
        let whole = page.body.split("id=\"thread\"").nth(1).unwrap().len();
        assert!(whole > 8 * 1536, "a thread has {whole} bytes");
        for (name, watcher) in [
            ("the client's page", &mut thandis),
            ("staff's page", &mut naledis),
            ("the list", &mut list),
        ] {
            watcher.quiet().await;
            assert!(
                watcher.bytes < 1536,
                "a message cost {name} {} bytes",
                watcher.bytes
            );
            watcher.bytes = 0;
        }
        // Read: a mark here, a form gone there.
        thandi.post("/messages/read", &[("upto", "121")]).await;
        let mark = naledis.content(|html| html.contains("read")).await;
        assert!(
            mark.contains("#msg-000000000121") && mark.contains(" · read"),
            "{mark}"
        );
        thandis.content(|html| html.contains("read-upto")).await;
        for watcher in [&mut thandis, &mut naledis] {
            watcher.quiet().await;
            assert!(watcher.bytes < 1024, "a mark cost {} bytes", watcher.bytes);
        }
    }
);

on_both!(
    what_was_written_while_away_is_there_once_and_in_order,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.signed_in("thandi").await;
        // Staff keep looking, so that this instance remembers their side; nobody keeps the client's.
        let naledi = server.signed_in("naledi").await;
        for n in 0..10 {
            house.answer(&house.thandi, &format!("Before {n}")).await;
        }
        for away in [1, 12, 39, 50] {
            let page = browser.get("/messages").await;
            let url = page.live_url();
            let (address, _) = url.split_once("&since=").unwrap();
            let mut ids: Vec<String> = Vec::new();
            let html = scraper::Html::parse_document(&page.body);
            let rows = scraper::Selector::parse("#messages > li").unwrap();
            ids.extend(
                html.select(&rows)
                    .map(|row| row.attr("id").unwrap().to_owned()),
            );
            let mut watcher = browser.connect(&url).await;
            watcher.quiet().await;
            house.answer(&house.thandi, "The last that it saw").await;
            apply(
                &mut ids,
                &watcher.content(|html| html.contains("it saw")).await,
            );
            let cursor = watcher.cursor.clone().unwrap();
            let keeper = server.signed_in("thandi").await.watch("/messages").await;
            watcher.leave().await;
            let mut watching = naledi
                .watch(&format!("/admin/messages/{}", house.thandi.client))
                .await;
            for n in 0..away {
                house
                    .answer(&house.thandi, &format!("While away {n}"))
                    .await;
            }
            let last = marks(&house, &house.thandi).await.last;
            let newest = format!("msg-{last:012}");
            watching.content(|html| html.contains(&newest)).await;
            let mut back = browser.connect(&format!("{address}&since={cursor}")).await;
            // On a busy machine it comes in more than one frame.
            loop {
                let content = back.content(|_| true).await;
                apply(&mut ids, &content);
                if content.contains(&newest) {
                    break;
                }
            }
            let first = u32::try_from(last).unwrap() + 1 - u32::try_from(ids.len()).unwrap();
            assert_eq!(
                ids,
                expected_ids(first..=u32::try_from(last).unwrap()),
                "{away} away"
            );
            assert!(
                ids.len() >= 40.min(usize::try_from(last).unwrap()),
                "{away}: {}",
                ids.len()
            );
            back.leave().await;
            keeper.leave().await;
        }
        house.assert_sound().await;
    }
);

on_both!(
    nobody_watches_a_thread_that_is_not_theirs,
    |house: House| async move {
        let server = house.serve().await;
        house.write(&house.thandi, "A secret of Thandi's").await;
        let (pieter, naledi) = (
            server.signed_in("pieter").await,
            server.signed_in("naledi").await,
        );
        let refused = |who: &Browser, url: String| {
            let who = who.clone();
            async move { who.connect(&url).await.closed().await }
        };
        let thandi = house.thandi.client;
        for url in [
            "/live?page=threads".to_owned(),
            format!("/live?page=thread&client={thandi}"),
        ] {
            assert_eq!(refused(&pieter, url).await, (4403, "page".to_owned()));
        }
        for url in [
            "/live?page=messages".to_owned(),
            format!("/live?page=thread&client={UNKNOWN}"),
            "/live?page=thread".to_owned(),
        ] {
            assert_eq!(refused(&naledi, url).await, (4403, "page".to_owned()));
        }
        // Whatever else is in the address, one's own.
        let mut own = pieter
            .connect(&format!("/live?page=messages&client={thandi}"))
            .await;
        house.write(&house.thandi, "Another secret").await;
        house.answer(&house.pieter, "For Pieter").await;
        let mut heard = String::new();
        while !heard.contains("For Pieter") {
            heard += &own.content(|_| true).await;
        }
        assert!(!heard.contains("secret"), "{heard}");
    }
);

on_both!(midnight_makes_today_yesterday, |house: House| async move {
    let server = house.serve().await;
    house.answer(&house.thandi, "Hello").await;
    let mut page = server.signed_in("thandi").await.watch("/messages").await;
    page.quiet().await;
    house.clock().advance(Duration::from_hours(17));
    let whole = page.content(|html| html.contains("Yesterday")).await;
    assert!(
        whole.contains("innerMorph"),
        "what was kept from before is made anew: {whole}"
    );
});
