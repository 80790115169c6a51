//! Mails on their way out, to a real mail server that fails in every way, on both databases.

use crate::browser::Browser;
use crate::house::{House, On, Server, at, on_both};
use crate::post::{Arrived, Post};
use jiff::SignedDuration;
use portico::app::App;
use portico::config::Config;
use portico::domain::email::{Email, Kind, Progress};
use portico::domain::id::BookingId;
use portico::domain::rule::Reason;
use portico::domain::viewer::Viewer;
use portico::store::booking::{Cancel, Move};
use portico::{jobs, store};
use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
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

/// Waits until none is under way: a lease that the clock jumps over is taken to be a dead one's.
async fn is_calm(house: &House) {
    until(house, "none waits", |mails| {
        mails.iter().all(|mail| mail.progress != Progress::Waiting)
    })
    .await;
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
        told: None,
        reason: None,
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
        reason: Reason::parse("The room is being painted"),
        now: house.clock().now(),
    };
    let done = house
        .app
        .transact(to, |tx, to| Box::pin(store::booking::reschedule(tx, to)));
    done.await.unwrap();
}

/// An instance of this house that hands its mails to that server; its jobs are not started.
async fn instance(post: &Post, house: &House) -> App {
    let config = Config {
        smtp_url: Some(post.url.clone()),
        mail_from: Some("hello@kestrel.example".to_owned()),
        ..Config::clone(&house.app.config)
    };
    App::start(config, house.clock().clone()).await.unwrap()
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
        let app = instance(&post, &house).await;
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
        let app = instance(&post, &house).await;
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
        let app = instance(&post, &house).await;
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
        let app = instance(&post, &house).await;
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
        let (one, two) = (instance(&post, &house).await, instance(&post, &house).await);
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
        let app = instance(&post, &house).await;
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
        let (one, two) = (instance(&post, &house).await, instance(&post, &house).await);
        let starts = [THURSDAY_8, THURSDAY_8_45, FRIDAY_8].into_iter();
        let clients = [&house.thandi, &house.pieter, &house.aisha];
        for (client, start) in clients.into_iter().zip(starts) {
            let booking = house.book(client, &house.follow_up, start).await.unwrap();
            reschedule(&house, booking, 1, start, true).await;
        }
        start(&[&one, &two]).await;
        is_calm(&house).await;
        let arrived = post.arrived();
        let ids: HashSet<&String> = arrived.iter().map(|mail| &mail.id).collect();
        assert_eq!((arrived.len(), ids.len()), (9, 9));
    }
);

on_both!(
    a_client_is_reminded_once_however_many_instances_there_are,
    |house: House| async move {
        let post = Post::open().await;
        let (one, two) = (instance(&post, &house).await, instance(&post, &house).await);
        let booking = house
            .book(&house.thandi, &house.follow_up, THURSDAY_8)
            .await
            .unwrap();
        house
            .book(&house.pieter, &house.follow_up, FRIDAY_8)
            .await
            .unwrap();
        house.clock().advance(Duration::from_hours(47));
        start(&[&one, &two]).await;
        post.has(4).await;
        assert_eq!(remind(&house).await, 0, "it is a day and an hour ahead");
        is_calm(&house).await;
        house.clock().advance(Duration::from_hours(1));
        let (first, second) = tokio::join!(remind(&house), remind(&house));
        assert!(first + second >= 1);
        let arrived = post.has(5).await;
        let reminder = to(&arrived, "thandi")[1];
        assert_eq!(
            reminder.subject,
            "Reminder from Kestrel Physio: Thursday 26 November, 08:00"
        );
        assert!(reminder.entry.is_none(), "the entry is there already");
        assert_eq!(
            reminder.one_click.as_deref(),
            Some("List-Unsubscribe=One-Click")
        );
        assert_eq!(remind(&house).await, 0);

        // Moved to Friday, within a day of it: whoever hears of it now needs no reminder.
        is_calm(&house).await;
        house.clock().advance(Duration::from_hours(12));
        reschedule(&house, booking, 1, "2026-11-26T13:15:00Z", false).await;
        post.has(7).await;
        assert_eq!(remind(&house).await, 0);
        is_calm(&house).await;
        house.clock().advance(Duration::from_hours(12));
        assert_eq!(remind(&house).await, 1, "Pieter's comes up");
        let arrived = post.has(8).await;
        assert_eq!(to(&arrived, "pieter").len(), 2);
        until(&house, "all are sent", are(Progress::Sent)).await;
    }
);

/// Writes the reminders that are due now.
async fn remind(house: &House) -> usize {
    let written = house.app.transact(house.clock().now(), |tx, now| {
        Box::pin(store::reminder::write(tx, *now))
    });
    written.await.unwrap()
}

on_both!(
    one_click_stops_reminders_and_the_account_brings_them_back,
    |house: House| async move {
        let post = Post::open().await;
        let app = instance(&post, &house).await;
        let server = Server::of(&app).await;
        for start in [THURSDAY_8, FRIDAY_8] {
            let booked = house.book(&house.thandi, &house.follow_up, start).await;
            booked.unwrap();
        }
        post.has(4).await;
        is_calm(&house).await;
        house.clock().advance(Duration::from_hours(48));
        remind(&house).await;
        let arrived = post.has(5).await;
        let link = to(&arrived, "thandi")[2].unsubscribe.clone().unwrap();
        let link = link.trim_matches(['<', '>']).to_owned();
        assert!(to(&arrived, "thandi")[2].text.contains(&link));
        let path = link.strip_prefix("http://127.0.0.1").unwrap();

        // A mail program: no cookie, no origin. Looking alone changes nothing.
        let stranger = server.browser();
        let page = stranger.get(path).await;
        assert_eq!(page.status, 200);
        let is_wanted = async || {
            let mut tx = house.app.db.snapshot().await.unwrap();
            let person = house.thandi.person;
            store::reminder::is_wanted(&mut tx, person).await.unwrap()
        };
        assert!(is_wanted().await);
        let forged = path.replace('.', "x.");
        assert_eq!(stranger.post(&forged, &[]).await.status, 404);
        let body = [("List-Unsubscribe", "One-Click")];
        assert_eq!(stranger.post(path, &body).await.status, 200);
        assert!(!is_wanted().await);
        is_calm(&house).await;
        house.clock().advance(Duration::from_hours(24));
        assert_eq!(remind(&house).await, 0, "Friday's is not written");

        let thandi = server.signed_in("thandi").await;
        assert!(!thandi.get("/account").await.body.contains(" checked"));
        let answer = thandi
            .post("/account/reminders", &[("reminders", "on")])
            .await;
        assert_eq!(answer.status, 303);
        assert!(is_wanted().await);
        assert!(thandi.get("/account").await.body.contains(" checked"));
        assert_eq!(remind(&house).await, 1);
        post.has(6).await;
    }
);

on_both!(
    reminders_that_are_stopped_while_one_waits_are_not_sent,
    |house: House| async move {
        let post = Post::open().await;
        let app = instance(&post, &house).await;
        house
            .book(&house.thandi, &house.follow_up, THURSDAY_8)
            .await
            .unwrap();
        house.clock().advance(Duration::from_hours(48));
        assert_eq!(remind(&house).await, 1);
        let person = house.thandi.person;
        let stopped = house.app.transact(person, |tx, person| {
            Box::pin(store::reminder::want(tx, *person, false))
        });
        stopped.await.unwrap();
        start(&[&app]).await;
        let mails = until(&house, "none waits", |mails| {
            mails.iter().all(|mail| mail.progress != Progress::Waiting)
        })
        .await;
        assert_eq!(post.arrived().len(), 2);
        let dropped = mails.iter().find(|mail| mail.progress == Progress::Dropped);
        assert_eq!(dropped.unwrap().kind, Kind::Reminder);
    }
);

on_both!(
    the_owner_reads_what_failed_and_sends_it_again,
    |house: House| async move {
        let server = house.serve().await;
        house
            .book(&house.thandi, &house.follow_up, THURSDAY_8)
            .await
            .unwrap();
        let naledi = server.signed_in("naledi").await;
        let page = naledi.get("/admin/settings/outbox").await.body;
        assert!(page.contains("No mail server is set up"));
        assert!(!page.contains("Send again"));
        let id = house.fail_mails().await;
        let page = naledi.get("/admin/settings/outbox").await.body;
        assert_eq!(page.matches("Send again").count(), 2);
        assert!(page.contains("The mail server said: 550"));
        let retry = format!("/admin/settings/outbox/{id}/retry");
        for _ in 0..2 {
            assert_eq!(naledi.post(&retry, &[]).await.status, 303);
        }
        let mails = mails(&house).await;
        let waiting: Vec<_> = mails
            .iter()
            .filter(|mail| mail.progress == Progress::Waiting)
            .collect();
        assert_eq!((waiting.len(), waiting[0].tries), (1, 0));
        let unknown = format!("/admin/settings/outbox/{}/retry", house.thandi.client);
        assert_eq!(naledi.post(&unknown, &[]).await.status, 404);
    }
);

on_both!(
    the_owner_chooses_when_clients_are_reminded,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let wrong = [("times", "1441")];
        let answer = naledi.post("/admin/settings/reminders", &wrong).await;
        assert_eq!(answer.status, 422);
        let right = [("times", "2880,120")];
        let answer = naledi.post("/admin/settings/reminders", &right).await;
        assert_eq!(answer.status, 303);
        house
            .book(&house.thandi, &house.follow_up, FRIDAY_8)
            .await
            .unwrap();
        house.clock().advance(Duration::from_hours(48));
        assert_eq!(remind(&house).await, 1, "two days before");
        house.clock().advance(Duration::from_hours(40));
        assert_eq!(remind(&house).await, 0);
        house.clock().advance(Duration::from_hours(6));
        assert_eq!(remind(&house).await, 1, "two hours before");
        let never = [("times", "")];
        naledi.post("/admin/settings/reminders", &never).await;
        house
            .book(&house.pieter, &house.follow_up, "2026-12-03T06:00:00Z")
            .await
            .unwrap();
        house.clock().advance(Duration::from_hours(144));
        assert_eq!(remind(&house).await, 0);
    }
);

on_both!(
    a_calendar_to_subscribe_to_shows_ones_own_sessions_until_it_is_ended,
    |house: House| async move {
        let server = house.serve().await;
        let mut ids = Vec::new();
        for (client, start) in [
            (&house.thandi, THURSDAY_8),
            (&house.thandi, FRIDAY_8),
            (&house.pieter, THURSDAY_8_45),
        ] {
            ids.push(house.book(client, &house.assessment, start).await.ok());
        }
        // The assessment of 08:00 lasts until 09:15: Pieter's is refused.
        assert!(ids[2].is_none());
        let pieters = house
            .book(&house.pieter, &house.follow_up, "2026-11-26T07:30:00Z")
            .await
            .unwrap();
        cancel(&house, ids[1].unwrap(), 1).await;

        let (thandi, naledi) = (
            server.signed_in("thandi").await,
            server.signed_in("naledi").await,
        );
        let address = async |browser: &Browser| {
            let page = browser.post("/account/feed", &[]).await;
            assert_eq!(page.status, 200);
            let (_, rest) = page.body.split_once("http://127.0.0.1/calendar/").unwrap();
            format!("/calendar/{}", rest.split('"').next().unwrap())
        };
        let (own, staffs) = (address(&thandi).await, address(&naledi).await);
        let secret = own.split('/').nth(2).unwrap();
        assert!(!thandi.get("/account").await.body.contains(secret));

        // A calendar program: nobody is signed in.
        let program = server.browser();
        let answer = program.get(&own).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.headers["content-type"],
            "text/calendar; charset=utf-8"
        );
        let events = read_calendar(&answer.body);
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0]["uid"], format!("{}@portico", ids[0].unwrap()));
        assert_eq!(events[0]["start"], "2026-11-26T06:00:00+00:00");
        assert_eq!(events[0]["summary"], "First assessment at Kestrel Physio");
        assert!(
            events[0]["description"]
                .as_str()
                .unwrap()
                .contains("Johannesburg time")
        );
        let events = read_calendar(&program.get(&staffs).await.body);
        assert_eq!(events.len(), 2);
        assert_eq!(events[1]["uid"], format!("{pieters}@portico"));
        assert_eq!(events[1]["summary"], "Pieter Botha: Follow-up treatment");

        let newer = address(&thandi).await;
        assert_eq!(program.get(&own).await.status, 404, "the old one ended");
        assert_eq!(program.get(&newer).await.status, 200);
        thandi.post("/account/feed/revoke", &[]).await;
        assert_eq!(program.get(&newer).await.status, 404);
        assert_eq!(program.get("/calendar/x/feed.ics").await.status, 404);
        let change = (house.naledi.person, house.clock().now());
        let disabled = house.app.transact(change, |tx, (who, now)| {
            Box::pin(store::person::set_disabled(tx, *who, true, *now))
        });
        disabled.await.unwrap();
        assert_eq!(program.get(&staffs).await.status, 404);
    }
);

/// The entries of a calendar, as a parser that is not ours reads them.
fn read_calendar(text: &str) -> Vec<serde_json::Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/entries.py");
    let python = std::env::var("PORTICO_TEST_PYTHON").expect("run this with bin/test");
    let mut reader = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    reader
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let read = reader.wait_with_output().unwrap();
    assert!(read.status.success(), "{text}");
    serde_json::from_slice(&read.stdout).unwrap()
}
