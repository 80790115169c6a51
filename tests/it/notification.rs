//! What people are told of what others did: who hears what, the bell on every page, and that looking is what makes it seen.

use crate::browser::Browser;
use crate::house::{House, On, at, on_both};
use portico::domain::id::{BookingId, NotificationId, PersonId};
use portico::domain::notification::{Kind, Notification};
use portico::domain::viewer::Viewer;
use portico::store;
use portico::store::booking::{Book, Cancel, Move};
use portico::store::notification::See;
use std::time::Duration;

const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
const WEDNESDAY_8: &str = "2026-11-25T06:00:00Z";
const THURSDAY_10_15: &str = "2026-11-26T08:15:00Z";
const FRIDAY_8: &str = "2026-11-27T06:00:00Z";
const WEEK: &str = "/bookings?week=2026-W48";

async fn told(house: &House, person: PersonId) -> Vec<Notification> {
    let mut tx = house.app.db.snapshot().await.unwrap();
    store::notification::list(&mut tx, person, 50)
        .await
        .unwrap()
}

async fn kinds(house: &House, person: PersonId) -> Vec<Kind> {
    let told = told(house, person).await;
    told.iter().rev().map(|one| one.kind).collect()
}

async fn unseen(house: &House, person: PersonId) -> i64 {
    let mut tx = house.app.db.snapshot().await.unwrap();
    let today = "2026-11-23".parse().unwrap();
    let waiting = store::badge::waiting(&mut tx, person, None, today).await;
    waiting.unwrap().unseen
}

async fn see(house: &House, person: PersonId, upto: NotificationId) -> Result<(), store::Error> {
    let now = house.clock().now();
    let see = See { person, upto, now };
    house
        .app
        .transact(see, |tx, see| Box::pin(store::notification::see(tx, see)))
        .await
}

/// Naledi books for Thandi.
async fn staff_book(house: &House, start: &str) -> BookingId {
    let (staff, service) = (house.naledi.staff, house.follow_up.id);
    let wish = Book {
        viewer: Viewer::Staff(house.naledi.clone()),
        ..house.wish(&house.thandi, staff, service, at(start))
    };
    let booked = house
        .app
        .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)));
    booked.await.unwrap()
}

async fn reschedule(house: &House, viewer: Viewer, booking: BookingId, version: i64, start: &str) {
    let to = Move {
        viewer,
        booking,
        version,
        staff: house.naledi.staff,
        start: at(start),
        reason: None,
        now: house.clock().now(),
    };
    house
        .app
        .transact(to, |tx, to| Box::pin(store::booking::reschedule(tx, to)))
        .await
        .unwrap();
}

async fn cancel(house: &House, viewer: Viewer, booking: BookingId, version: i64) {
    let gone = Cancel {
        viewer,
        booking,
        version,
        told: None,
        reason: None,
        now: house.clock().now(),
    };
    house
        .app
        .transact(gone, |tx, gone| Box::pin(store::booking::cancel(tx, gone)))
        .await
        .unwrap();
}

/// Writes rows as the invoices and the messages will.
async fn tell(house: &House, person: PersonId, rows: &[(&str, i64)]) {
    let (client, now) = (house.thandi.client, house.clock().now().as_millisecond());
    let rows: Vec<_> = rows
        .iter()
        .map(|(kind, version)| ((*kind).to_owned(), *version))
        .collect();
    house
        .app
        .transact((person, rows), move |tx, (person, rows)| {
            Box::pin(async move {
                for (kind, version) in rows {
                    tx.q("INSERT INTO notifications (id, person_id, subject, version, kind, client_id, amount, created_at)
                          VALUES ($1, $2, $3, $4, $5, $6, 85000, $7)")
                        .bind(NotificationId::new().0)
                        .bind(person.0)
                        .bind(format!("thread/{client}"))
                        .bind(*version)
                        .bind(kind.clone())
                        .bind(client.0)
                        .bind(now)
                        .run()
                        .await?;
                }
                tx.touch(portico::domain::topic::Topic::Notifications(*person));
                Ok(())
            })
        })
        .await
        .unwrap();
}

/// The figures at the bell: in the side column, and in the phone's bar.
async fn bell(browser: &Browser, path: &str) -> [String; 2] {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{path}");
    ["#bell-side", "#bell-bar"].map(|badge| page.attribute(badge, "data-count").unwrap())
}

on_both!(
    staff_hear_what_a_client_does_and_the_client_does_not,
    |house: House| async move {
        let thandi = Viewer::Client(house.thandi.clone());
        let booking = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        reschedule(&house, thandi.clone(), booking, 1, WEDNESDAY_8).await;
        cancel(&house, thandi, booking, 2).await;
        let all = [Kind::Booked, Kind::Moved, Kind::Cancelled];
        for staff in [&house.naledi, &house.sipho] {
            assert_eq!(kinds(&house, staff.person).await, all, "{}", staff.name);
        }
        assert_eq!(kinds(&house, house.thandi.person).await, []);
        assert_eq!(kinds(&house, house.pieter.person).await, []);
    }
);

on_both!(
    a_client_and_the_colleagues_hear_what_staff_do,
    |house: House| async move {
        let naledi = Viewer::Staff(house.naledi.clone());
        let booking = staff_book(&house, TUESDAY_8).await;
        reschedule(&house, naledi.clone(), booking, 1, WEDNESDAY_8).await;
        cancel(&house, naledi, booking, 2).await;
        let all = [Kind::Booked, Kind::Moved, Kind::Cancelled];
        assert_eq!(kinds(&house, house.thandi.person).await, all);
        assert_eq!(kinds(&house, house.sipho.person).await, all);
        assert_eq!(
            kinds(&house, house.naledi.person).await,
            [],
            "nobody is told of what they did themselves"
        );
    }
);

on_both!(the_same_fact_is_told_once, |house: House| async move {
    let thandi = Viewer::Client(house.thandi.clone());
    let (staff, service) = (house.naledi.staff, house.follow_up.id);
    let wish = house.wish(&house.thandi, staff, service, at(TUESDAY_8));
    for _ in 0..2 {
        let wish = wish.clone();
        let booked = house
            .app
            .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)));
        booked.await.unwrap();
    }
    let booking = told(&house, house.naledi.person).await;
    assert_eq!(booking.len(), 1, "a form sent twice: {booking:?}");
    let portico::domain::notification::About::Booking(booking) = booking[0].about else {
        panic!("{booking:?}");
    };
    for _ in 0..2 {
        reschedule(&house, thandi.clone(), booking, 1, WEDNESDAY_8).await;
    }
    for _ in 0..2 {
        cancel(&house, thandi.clone(), booking, 2).await;
    }
    assert_eq!(unseen(&house, house.naledi.person).await, 3);
});

on_both!(
    whoever_looks_has_seen_their_own_and_nothing_newer,
    |house: House| async move {
        let (naledi, sipho) = (house.naledi.person, house.sipho.person);
        // All in one millisecond of the standing clock: the order is that of the ids.
        for start in [TUESDAY_8, WEDNESDAY_8, FRIDAY_8] {
            house
                .book(&house.thandi, &house.follow_up, start)
                .await
                .unwrap();
        }
        house.clock().advance(Duration::from_mins(1));
        house
            .book(&house.pieter, &house.follow_up, THURSDAY_10_15)
            .await
            .unwrap();
        let all = told(&house, naledi).await;
        assert_eq!(all[0].client_name, "Pieter Botha");
        see(&house, naledi, all[2].id).await.unwrap();
        let marks = |told: &[Notification]| told.iter().map(|one| one.is_seen).collect::<Vec<_>>();
        let after = told(&house, naledi).await;
        assert_eq!(marks(&after), [false, false, true, true]);
        assert_eq!(unseen(&house, naledi).await, 2);
        assert_eq!(unseen(&house, sipho).await, 4, "a colleague's stay");

        // Another's name for it, one that never was, and the same again.
        for foreign in [told(&house, sipho).await[0].id, NotificationId::new()] {
            let refused = see(&house, naledi, foreign).await;
            assert!(matches!(refused, Err(store::Error::NotFound)));
        }
        see(&house, naledi, all[2].id).await.unwrap();
        assert_eq!(unseen(&house, naledi).await, 2);
        see(&house, naledi, all[0].id).await.unwrap();
        assert_eq!(unseen(&house, naledi).await, 0);
        assert_eq!(told(&house, naledi).await.len(), 4, "and all stay listed");
    }
);

on_both!(
    what_was_seen_is_forgotten_after_ninety_days_and_nothing_else,
    |house: House| async move {
        let naledi = house.naledi.person;
        for start in [TUESDAY_8, WEDNESDAY_8] {
            house
                .book(&house.thandi, &house.follow_up, start)
                .await
                .unwrap();
        }
        let older = told(&house, naledi).await[1].id;
        see(&house, naledi, older).await.unwrap();
        let sweep = |days: u64| {
            let then = house.clock().now() + Duration::from_hours(days * 24);
            house.app.transact(then, |tx, then| {
                Box::pin(store::notification::sweep(tx, *then))
            })
        };
        sweep(90).await.unwrap();
        assert_eq!(told(&house, naledi).await.len(), 2);
        sweep(91).await.unwrap();
        let left = told(&house, naledi).await;
        assert_eq!(left.len(), 1);
        assert!(!left[0].is_seen && left[0].id != older);
        assert_eq!(unseen(&house, house.sipho.person).await, 2);
    }
);

on_both!(
    the_bell_counts_on_every_page_in_one_small_frame,
    |house: House| async move {
        let server = house.serve().await;
        let (naledi, sipho) = (
            server.signed_in("naledi").await,
            server.signed_in("sipho").await,
        );
        let thandi = server.signed_in("thandi").await;
        let staffs = [
            "/admin".to_owned(),
            "/admin/calendar?week=2026-W48".to_owned(),
            format!("/admin/calendar?week=2026-W48&staff={}", house.sipho.staff),
            "/admin/clients".to_owned(),
            format!("/admin/clients/{}", house.aisha.client),
            "/admin/settings/outbox".to_owned(),
            "/notifications".to_owned(),
        ];
        for path in &staffs {
            assert_eq!(bell(&naledi, path).await, ["0", "0"], "{path}");
        }
        for path in ["/", WEEK, "/notifications"] {
            assert_eq!(bell(&thandi, path).await, ["0", "0"], "{path}");
        }
        for path in [
            "/admin/settings",
            "/admin/invoices/new",
            "/admin/messages?q=x",
        ] {
            assert_eq!(bell(&naledi, path).await, ["0", "0"], "{path}");
        }

        let mut watching = Vec::new();
        for path in &staffs {
            watching.push((path, naledi.watch(path).await));
        }
        let (mut home, mut own_week) = (thandi.watch("/").await, thandi.watch(WEEK).await);
        let mut others = sipho.watch("/admin/clients").await;
        for (_, watcher) in &mut watching {
            watcher.quiet().await;
        }
        for watcher in [&mut home, &mut own_week, &mut others] {
            watcher.quiet().await;
        }
        // Nobody's session on these pages: what comes is the badge alone, where nothing else changed.
        tell(&house, house.naledi.person, &[("paid", 1), ("paid", 2)]).await;
        for (path, watcher) in &mut watching {
            let frame = watcher
                .content(|html| html.contains("id=\"bell-side\""))
                .await;
            for badge in [
                "hx-target=\"#bell-side\" hx-swap=\"outerMorph\"",
                "hx-target=\"#bell-bar\" hx-swap=\"outerMorph\"",
                "2<span class=\"visually-hidden\"> unread</span>",
                "<span class=\"visually-hidden\">2 unread</span>",
            ] {
                assert!(frame.contains(badge), "{path}: {frame}");
            }
            if *path != "/notifications" {
                assert!(watcher.bytes < 1536, "{path}: {} bytes", watcher.bytes);
                assert!(!frame.contains("innerMorph"), "{path}: {frame}");
            }
        }
        // And once the instance knows them: the two that changed, and no other.
        let before: Vec<_> = watching.iter().map(|(_, watcher)| watcher.bytes).collect();
        tell(&house, house.naledi.person, &[("paid", 3)]).await;
        for ((path, watcher), before) in watching.iter_mut().zip(before) {
            let frame = watcher
                .content(|html| html.contains("data-count=\"3\""))
                .await;
            if *path != "/notifications" {
                assert_eq!(frame.matches("<hx-").count(), 2, "{path}: {frame}");
                let bytes = watcher.bytes - before;
                assert!(bytes < 1024, "{path}: {bytes} bytes");
            }
        }
        assert_eq!(bell(&naledi, "/admin").await, ["3", "3"]);
        assert_eq!(bell(&thandi, "/").await, ["0", "0"]);

        // A client hears of a session that staff booked, beside the session itself; and so does the colleague.
        staff_book(&house, TUESDAY_8).await;
        for watcher in [&mut home, &mut own_week, &mut others] {
            watcher
                .content(|html| html.contains("1<span class=\"visually-hidden\"> unread</span>"))
                .await;
        }
        assert_eq!(bell(&naledi, "/admin").await, ["3", "3"]);
    }
);

on_both!(
    the_list_tells_in_a_sentence_and_leads_there,
    |house: House| async move {
        let server = house.serve().await;
        let (naledi, thandi) = (
            server.signed_in("naledi").await,
            server.signed_in("thandi").await,
        );
        let page = naledi.get("/notifications").await;
        assert_eq!(page.texts("[data-notification]").len(), 0);
        assert_eq!(page.texts(".empty").len(), 1);
        assert!(page.attribute("#seen", "hidden").is_some());

        let booking = house
            .book(&house.thandi, &house.follow_up, THURSDAY_10_15)
            .await
            .unwrap();
        let page = naledi.get("/notifications").await;
        let line = page.texts("[data-notification]");
        assert_eq!(line, ["Thandi Mokoena booked Thu 26 Nov, 10:15 New 08:00"]);
        let there = format!("/bookings/{booking}");
        assert_eq!(
            page.attribute("[data-notification] a", "href").as_ref(),
            Some(&there)
        );
        assert_eq!(naledi.get(&there).await.status, 200);
        assert!(page.texts("[data-notification] .badge") == ["New"]);
        let told_of = told(&house, house.naledi.person).await[0].id.to_string();
        for (selector, name) in [
            ("[data-notification]", "data-notification"),
            ("#seen [name=upto]", "value"),
        ] {
            assert_eq!(page.attribute(selector, name).as_ref(), Some(&told_of));
        }

        let staff = Viewer::Staff(house.naledi.clone());
        house.clock().advance(Duration::from_mins(1));
        reschedule(&house, staff.clone(), booking, 1, FRIDAY_8).await;
        house.clock().advance(Duration::from_mins(1));
        cancel(&house, staff, booking, 2).await;
        let page = thandi.get("/notifications").await;
        assert_eq!(
            page.texts("[data-notification]"),
            [
                "Your session on Fri 27 Nov, 08:00 was cancelled New 08:02",
                "Your session was moved to Fri 27 Nov, 08:00 New 08:01",
            ]
        );
        assert_eq!(
            page.attribute("[data-notification] a", "href").as_ref(),
            Some(&there)
        );
        assert_eq!(thandi.get(&there).await.status, 200);
    }
);

on_both!(
    new_messages_of_one_conversation_are_one_line,
    |house: House| async move {
        let server = house.serve().await;
        let (naledi, thandi) = (
            server.signed_in("naledi").await,
            server.signed_in("thandi").await,
        );
        let messages = [("message", 1), ("message", 2), ("message", 3)];
        tell(&house, house.thandi.person, &messages).await;
        tell(&house, house.naledi.person, &messages[..1]).await;
        tell(&house, house.naledi.person, &[("failed", 2)]).await;
        let page = thandi.get("/notifications").await;
        assert_eq!(
            page.texts("[data-notification]"),
            ["3 new messages from Kestrel Physio New 08:00"]
        );
        assert_eq!(
            page.attribute("[data-notification] a", "href").unwrap(),
            "/messages"
        );
        assert_eq!(bell(&thandi, "/").await, ["3", "3"]);
        let newest = told(&house, house.thandi.person).await[0].id;
        see(&house, house.thandi.person, newest).await.unwrap();
        tell(&house, house.thandi.person, &[("message", 4)]).await;
        assert_eq!(
            thandi
                .get("/notifications")
                .await
                .texts("[data-notification]"),
            [
                "New message from Kestrel Physio New 08:00",
                "3 messages from Kestrel Physio 08:00",
            ]
        );
        let page = naledi.get("/notifications").await;
        assert_eq!(
            page.texts("[data-notification]"),
            [
                "Thandi Mokoena tried to pay R\u{a0}850.00, and it did not go through New 08:00"
                    .replace('\u{a0}', " "),
                "Thandi Mokoena sent a new message New 08:00".to_owned(),
            ]
        );
        let thread = format!("a[href=\"/admin/messages/{}\"]", house.thandi.client);
        assert_eq!(page.texts(&thread).len(), 2);
    }
);

on_both!(
    opening_the_list_changes_nothing_and_its_form_marks_it_everywhere,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        let before = crate::state::State::of(&house).await;
        let page = naledi.get("/notifications").await;
        naledi
            .send(reqwest::Method::HEAD, "/notifications", &[], None)
            .await;
        assert_eq!(crate::state::State::of(&house).await, before);
        let upto = page.attribute("#seen [name=upto]", "value").unwrap();
        assert_eq!(
            page.attribute("#seen", "action").unwrap(),
            "/notifications/seen"
        );

        let mut list = naledi.watch("/notifications").await;
        let mut clients = naledi.watch("/admin/clients").await;
        for watcher in [&mut list, &mut clients] {
            watcher.quiet().await;
        }
        // Someone else books while the list is open: that stays new.
        house
            .book(&house.pieter, &house.follow_up, WEDNESDAY_8)
            .await
            .unwrap();
        list.content(|html| html.contains("Pieter Botha")).await;
        let answer = naledi
            .post_fragment("/notifications/seen", &[("upto", &upto)])
            .await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        list.content(|html| html.contains("Thandi Mokoena") && !html.contains("New"))
            .await;
        clients
            .content(|html| html.contains("1<span class=\"visually-hidden\"> unread</span>"))
            .await;
        let page = naledi.get("/notifications").await;
        assert_eq!(page.texts(".unseen [href]").len(), 1);
        assert!(page.texts(".unseen")[0].starts_with("Pieter Botha booked"));

        // Without scripts: the button, and back to the list.
        let upto = page.attribute("#seen [name=upto]", "value").unwrap();
        assert_eq!(page.texts("#seen button"), ["Mark all as seen"]);
        let answer = naledi.post("/notifications/seen", &[("upto", &upto)]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/notifications"))
        );
        assert_eq!(bell(&naledi, "/admin").await, ["0", "0"]);
        let page = naledi.get("/notifications").await;
        assert_eq!(page.texts("[data-notification]").len(), 2);
        assert!(page.texts("#seen button").is_empty());
        assert!(page.attribute("#seen", "hidden").is_some());
    }
);

on_both!(
    a_list_of_someone_else_is_out_of_reach,
    |house: House| async move {
        let server = house.serve().await;
        let (naledi, pieter) = (
            server.signed_in("naledi").await,
            server.signed_in("pieter").await,
        );
        staff_book(&house, TUESDAY_8).await;
        let thandis = told(&house, house.thandi.person).await[0].id.to_string();
        let before = crate::state::State::of(&house).await;
        let unknown = NotificationId::new().to_string();
        for browser in [&naledi, &pieter] {
            let answers = [
                browser
                    .post("/notifications/seen", &[("upto", &thandis)])
                    .await,
                browser
                    .post("/notifications/seen", &[("upto", &unknown)])
                    .await,
            ];
            assert_eq!(answers[0].status, 404);
            assert_eq!(answers[0].body, answers[1].body);
            let mut fields = vec![("upto", thandis.as_str())];
            let person = house.thandi.person.to_string();
            fields.extend([("person", person.as_str()), ("person_id", &person)]);
            let answer = browser.post("/notifications/seen", &fields).await;
            assert_eq!(answer.status, 404, "no field says whose");
            for nonsense in ["", "x", "' OR 1=1"] {
                let answer = browser
                    .post("/notifications/seen", &[("upto", nonsense)])
                    .await;
                assert_eq!(answer.status, 422, "{nonsense}");
            }
        }
        let get = naledi.get("/notifications/seen").await;
        assert_eq!(get.status, 405);
        assert_eq!(crate::state::State::of(&house).await, before);

        // And no socket tells it: the page names nobody.
        let mut watcher = pieter.watch("/notifications").await;
        watcher.quiet().await;
        staff_book(&house, WEDNESDAY_8).await;
        assert!(watcher.quiet().await.is_empty());
        let mut guest = server.browser().connect("/live?page=notifications").await;
        assert_eq!(guest.closed().await.0, 4401);
    }
);
