//! Mails on their way out, to a real mail server that fails in every way, on both databases.

use crate::house::{House, On, at, on_both};
use crate::post::{Arrived, Post};
use jiff::SignedDuration;
use portico::app::App;
use portico::domain::email::{Email, Progress};
use portico::domain::id::BookingId;
use portico::domain::viewer::Viewer;
use portico::store::booking::{Cancel, Move};
use portico::{jobs, store};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const THURSDAY_8: &str = "2026-11-26T06:00:00Z";
const THURSDAY_8_45: &str = "2026-11-26T06:45:00Z";
const FRIDAY_8: &str = "2026-11-27T06:00:00Z";
const MINUTE: Duration = Duration::from_mins(1);

async fn mails(house: &House) -> Vec<Email> {
    let mut tx = house.app.db.snapshot().await.unwrap();
    store::outbox::list(&mut tx, 100).await.unwrap()
}

/// Waits until the outbox stands as it should; the newest mail is the first.
async fn until(house: &House, what: &str, stands: impl Fn(&[Email]) -> bool) -> Vec<Email> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mails = mails(house).await;
        if stands(&mails) {
            return mails;
        }
        assert!(Instant::now() < deadline, "{what}: {mails:#?}");
        sleep(Duration::from_millis(5)).await;
    }
}

fn are(progress: Progress) -> impl Fn(&[Email]) -> bool {
    move |mails| mails.iter().all(|mail| mail.progress == progress)
}

/// Everybody's oldest mail that waits was tried so often, and is not under way. The newer ones wait behind it.
async fn tried(house: &House, times: i64) -> Vec<Email> {
    let now = house.clock().now();
    until(house, "each was tried", |mails| {
        let waiting = mails
            .iter()
            .filter(|mail| mail.progress == Progress::Waiting);
        let oldest: HashMap<&str, &Email> = waiting.map(|mail| (&*mail.to_address, mail)).collect();
        oldest
            .values()
            .all(|mail| mail.tries >= times && mail.due_at > now)
    })
    .await
}

async fn cancel(house: &House, booking: BookingId, version: i64) {
    let cancel = Cancel {
        viewer: Viewer::Client(house.thandi.clone()),
        booking,
        version,
        now: house.clock().now(),
    };
    let done = house.app.transact(cancel, |tx, cancel| {
        Box::pin(store::booking::cancel(tx, cancel))
    });
    done.await.unwrap();
}

async fn reschedule(house: &House, booking: BookingId, version: i64, start: &str, to_sipho: bool) {
    let to = Move {
        viewer: Viewer::Staff(house.naledi.clone()),
        booking,
        version,
        staff: if to_sipho {
            house.sipho.staff
        } else {
            house.naledi.staff
        },
        start: at(start),
        now: house.clock().now(),
    };
    let done = house
        .app
        .transact(to, |tx, to| Box::pin(store::booking::reschedule(tx, to)));
    done.await.unwrap();
}

fn to<'m>(arrived: &'m [Arrived], who: &str) -> Vec<&'m Arrived> {
    let address = format!("{who}@kestrel.example");
    arrived.iter().filter(|mail| mail.to == address).collect()
}

async fn start(apps: &[&App]) {
    for app in apps {
        jobs::start(app).await.unwrap();
    }
}

on_both!(
    both_sides_hear_of_a_session_and_their_calendars_follow_it,
    |house: House| async move {
        let post = Post::open().await;
        let app = post.instance(&house).await;
        start(&[&app]).await;
        let booking = house
            .book(&house.thandi, &house.follow_up, THURSDAY_8)
            .await
            .unwrap();
        let arrived = post.has(2).await;
        let (client, staff) = (
            to(&arrived, "thandi")[0].clone(),
            to(&arrived, "naledi")[0].clone(),
        );
        assert_eq!(client.from, "Kestrel Physio <hello@kestrel.example>");
        assert_eq!(client.header_to, "Thandi Mokoena <thandi@kestrel.example>");
        assert_eq!(
            client.subject,
            "Booked at Kestrel Physio: Thursday 26 November, 08:00"
        );
        let when = "Thursday 26 November, 08:00 to 08:45 (Johannesburg time)";
        for text in [&client.text, &client.html, &staff.text] {
            assert!(text.contains(when), "{text}");
        }
        let link = format!("http://127.0.0.1/bookings/{booking}");
        assert!(client.text.contains(&link) && client.html.contains(&link));
        assert!(client.text.contains("With: Naledi Khumalo"));
        assert!(
            staff
                .text
                .contains("The session with Thandi Mokoena is booked.")
        );
        let (own, theirs) = (client.entry.unwrap(), staff.entry.unwrap());
        assert_eq!(client.method.as_deref(), Some("REQUEST"));
        assert_eq!((own.method.as_str(), own.sequence), ("REQUEST", 1));
        assert_eq!(own.start, "2026-11-26T06:00:00+00:00");
        assert_eq!(own.end, "2026-11-26T06:45:00+00:00");
        assert_eq!(own.attendee, "mailto:thandi@kestrel.example");
        assert!(own.description.contains("Johannesburg time"));
        assert_eq!(own.uid, theirs.uid);

        reschedule(&house, booking, 1, FRIDAY_8, true).await;
        let arrived = post.has(5).await;
        let moved = to(&arrived, "thandi")[1].entry.clone().unwrap();
        assert_eq!((moved.method.as_str(), moved.sequence), ("REQUEST", 2));
        assert_eq!(
            (&moved.uid, moved.start.as_str()),
            (&own.uid, "2026-11-27T06:00:00+00:00")
        );
        let handed = to(&arrived, "naledi")[1].clone();
        assert!(
            handed.text.contains("is now with Sipho Dube"),
            "{}",
            handed.text
        );
        let handed = handed.entry.unwrap();
        assert_eq!(
            (handed.method.as_str(), handed.uid),
            ("CANCEL", own.uid.clone())
        );
        assert_eq!(to(&arrived, "sipho").len(), 1);

        cancel(&house, booking, 2).await;
        let arrived = post.has(7).await;
        for who in ["thandi", "sipho"] {
            let last = to(&arrived, who).last().unwrap().entry.clone().unwrap();
            assert_eq!((last.method.as_str(), last.sequence), ("CANCEL", 3));
            assert_eq!(
                (last.status.as_str(), last.uid),
                ("CANCELLED", own.uid.clone())
            );
        }
        let ids: HashSet<&String> = arrived.iter().map(|mail| &mail.id).collect();
        assert_eq!(ids.len(), 7);
        until(&house, "all is marked", are(Progress::Sent)).await;
    }
);

on_both!(
    what_is_no_longer_so_is_not_sent,
    |house: House| async move {
        let post = Post::open().await;
        let app = post.instance(&house).await;
        let booking = house
            .book(&house.thandi, &house.follow_up, THURSDAY_8)
            .await
            .unwrap();
        cancel(&house, booking, 1).await;
        start(&[&app]).await;
        let mails = until(&house, "none waits", |mails| {
            mails.iter().all(|mail| mail.progress != Progress::Waiting)
        })
        .await;
        let arrived = post.arrived();
        assert_eq!(arrived.len(), 2, "{arrived:#?}");
        assert!(
            arrived
                .iter()
                .all(|mail| mail.subject.starts_with("Cancelled"))
        );
        let dropped = mails
            .iter()
            .filter(|mail| mail.progress == Progress::Dropped);
        assert_eq!(dropped.count(), 2);
    }
);

on_both!(
    a_server_that_says_later_is_asked_again_and_one_that_says_never_is_not,
    |house: House| async move {
        let post = Post::open().await;
        post.fails("later");
        let app = post.instance(&house).await;
        start(&[&app]).await;
        house
            .book(&house.thandi, &house.follow_up, THURSDAY_8)
            .await
            .unwrap();
        let mails = tried(&house, 1).await;
        assert!(
            mails[0].reason.as_ref().unwrap().contains("451"),
            "{mails:#?}"
        );
        assert_eq!(mails[0].due_at, house.clock().now() + MINUTE);
        house.clock().advance(MINUTE);
        let mails = tried(&house, 2).await;
        assert_eq!(mails[0].due_at, house.clock().now() + 2 * MINUTE);

        post.fails("never thandi@kestrel.example");
        house.clock().advance(2 * MINUTE);
        let arrived = post.has(1).await;
        assert_eq!(to(&arrived, "naledi").len(), 1);
        let has_failed = |mails: &[Email]| {
            mails.iter().any(|mail| {
                mail.progress == Progress::Failed && mail.to_address == "thandi@kestrel.example"
            })
        };
        let mails = until(&house, "it failed", has_failed).await;
        let failed = mails
            .iter()
            .find(|mail| mail.progress == Progress::Failed)
            .unwrap();
        assert!(failed.reason.as_ref().unwrap().contains("550"));

        post.fails("");
        let (id, now) = (failed.id, house.clock().now());
        let retried = house.app.transact((id, now), |tx, (id, now)| {
            Box::pin(store::outbox::retry(tx, *id, *now))
        });
        retried.await.unwrap();
        let arrived = post.has(2).await;
        assert_eq!(to(&arrived, "thandi").len(), 1);
        until(&house, "both are sent", are(Progress::Sent)).await;
    }
);

on_both!(
    a_server_that_takes_a_mail_and_hangs_up_gets_it_again_under_one_name,
    |house: House| async move {
        let post = Post::open().await;
        post.fails("reset thandi@kestrel.example");
        let app = post.instance(&house).await;
        start(&[&app]).await;
        house
            .book(&house.thandi, &house.follow_up, THURSDAY_8)
            .await
            .unwrap();
        post.has(2).await;
        tried(&house, 1).await;
        post.fails("");
        house.clock().advance(MINUTE);
        let arrived = post.has(3).await;
        let copies = to(&arrived, "thandi");
        assert_eq!((copies.len(), &copies[0].id), (2, &copies[1].id));
        until(&house, "both are sent", are(Progress::Sent)).await;
    }
);

on_both!(
    after_an_hour_without_a_server_every_mail_arrives_in_order,
    |house: House| async move {
        let post = Post::open().await;
        post.fails("gone");
        let (one, two) = (post.instance(&house).await, post.instance(&house).await);
        start(&[&one, &two]).await;
        let first = house
            .book(&house.thandi, &house.follow_up, THURSDAY_8)
            .await
            .unwrap();
        for (minute, pause) in [1, 2, 4, 8, 16, 32].into_iter().enumerate() {
            tried(&house, i64::try_from(minute).unwrap() + 1).await;
            if minute == 2 {
                let second = house.book(&house.thandi, &house.follow_up, THURSDAY_8_45);
                second.await.unwrap();
            }
            house.clock().advance(pause * MINUTE);
        }
        assert!(post.arrived().is_empty());
        tried(&house, 7).await;
        post.fails("");
        house.clock().advance(60 * MINUTE);
        let arrived = post.has(4).await;
        until(&house, "all are sent", are(Progress::Sent)).await;
        for who in ["thandi", "naledi"] {
            let own = to(&arrived, who);
            assert_eq!(own.len(), 2, "{own:#?}");
            assert!(own[0].subject.ends_with("08:00") && own[1].subject.ends_with("08:45"));
        }
        let ids: HashSet<&String> = arrived.iter().map(|mail| &mail.id).collect();
        assert_eq!((arrived.len(), ids.len()), (4, 4), "{first}");
    }
);

on_both!(
    a_mail_that_cannot_be_sent_for_two_days_is_given_up,
    |house: House| async move {
        let post = Post::open().await;
        post.fails("gone");
        let app = post.instance(&house).await;
        start(&[&app]).await;
        house
            .book(&house.thandi, &house.follow_up, FRIDAY_8)
            .await
            .unwrap();
        tried(&house, 1).await;
        house.clock().advance(Duration::from_hours(47));
        tried(&house, 2).await;
        house.clock().advance(Duration::from_hours(1) + MINUTE);
        let mails = until(&house, "both failed", are(Progress::Failed)).await;
        let late = mails[0]
            .ended_at
            .unwrap()
            .duration_since(mails[0].created_at);
        assert!(late > SignedDuration::from_hours(48));
        assert!(post.arrived().is_empty());
    }
);

on_both!(
    several_instances_send_each_mail_once,
    |house: House| async move {
        let post = Post::open().await;
        let (one, two) = (post.instance(&house).await, post.instance(&house).await);
        for client in [&house.thandi, &house.pieter, &house.aisha] {
            for start in [THURSDAY_8, THURSDAY_8_45, FRIDAY_8] {
                let mut wish =
                    house.wish(client, house.naledi.staff, house.follow_up.id, at(start));
                wish.start = wish.start
                    + Duration::from_mins(90) * {
                        match client.name.as_str() {
                            "Thandi Mokoena" => 0,
                            "Pieter Botha" => 1,
                            _ => 4,
                        }
                    };
                let booked = house
                    .app
                    .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)));
                booked.await.unwrap();
            }
        }
        start(&[&one, &two]).await;
        until(&house, "all are sent", are(Progress::Sent)).await;
        let arrived = post.arrived();
        let ids: HashSet<&String> = arrived.iter().map(|mail| &mail.id).collect();
        assert_eq!((arrived.len(), ids.len()), (18, 18));
    }
);
