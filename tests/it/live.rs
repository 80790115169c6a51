//! Live pages through a real socket: what is pushed, how little of it, and that nothing committed is ever missed.

use crate::browser::Heard;
use crate::house::{House, On, Server, at, on, on_both};
use portico::domain::slot::Window;
use portico::store;
use std::time::Duration;

const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
const THURSDAY_8: &str = "2026-11-26T06:00:00Z";
const WEEK: &str = "/bookings?week=2026-W48";

/// The id of a slot's element.
fn slot(start: &str) -> String {
    format!("slot-{}", at(start).as_second() / 60)
}

on_both!(
    a_booking_shows_on_every_screen_at_once,
    |house: House| async move {
        let server = house.serve().await;
        let mut thandi = server.signed_in("thandi").await.watch(WEEK).await;
        let mut pieter = server.signed_in("pieter").await.watch(WEEK).await;
        let mut naledi = server.signed_in("naledi").await.watch("/admin").await;
        thandi.quiet().await;
        pieter.quiet().await;
        naledi.quiet().await;
        house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();

        let mine = thandi
            .content(|html| html.contains("data-state=\"mine\""))
            .await;
        assert!(
            mine.contains(&format!("hx-target=\"#{}\"", slot(TUESDAY_8))),
            "{mine}"
        );
        let taken = pieter
            .content(|html| html.contains("data-state=\"taken\""))
            .await;
        assert!(
            !taken.contains("Thandi"),
            "a client is never told who booked: {taken}"
        );
        naledi
            .content(|html| html.contains("Thandi Mokoena") && html.contains("booked"))
            .await;
        assert!(
            pieter.bytes < 2048,
            "a booking cost a watching calendar {} bytes",
            pieter.bytes
        );
        assert!(
            naledi.bytes < 4096,
            "and staff's first page {} bytes",
            naledi.bytes
        );
    }
);

on_both!(
    whoever_was_away_gets_exactly_what_changed,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.signed_in("pieter").await;
        let page = browser.get(WEEK).await.live_url();
        let (address, _) = page.split_once("&since=").unwrap();
        let mut watcher = browser.connect(&page).await;
        watcher.quiet().await;
        // The week was taken over from the page's cursor.
        house.has_loaded(2).await;
        house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        watcher
            .content(|html| html.contains("data-state=\"taken\""))
            .await;
        let cursor = watcher.cursor.clone().unwrap();

        // Somebody else keeps looking, so that this instance remembers.
        let mut keeper = server.signed_in("aisha").await.watch(WEEK).await;
        keeper.quiet().await;
        watcher.leave().await;

        // Up to date: the first that it hears is the next change, and of that one part.
        let mut back = browser.connect(&format!("{address}&since={cursor}")).await;
        house
            .book(&house.aisha, &house.follow_up, THURSDAY_8)
            .await
            .unwrap();
        let first = back.content(|_| true).await;
        assert_eq!(first.matches("<hx-").count(), 1, "{first}");
        assert!(
            first.contains(&slot(THURSDAY_8)) && first.contains("outerMorph"),
            "{first}"
        );
        back.leave().await;

        // Behind by one rendering that this instance made: the same one part.
        let mut behind = browser.connect(&format!("{address}&since={cursor}")).await;
        assert_eq!(behind.content(|_| true).await, first);
        behind.leave().await;

        // Behind by two: both parts, and no more.
        let mut further = browser.connect(&page).await;
        let both = further.content(|_| true).await;
        assert_eq!(both.matches("<hx-").count(), 2, "{both}");
        assert!(
            both.contains(&slot(TUESDAY_8)) && both.contains(&slot(THURSDAY_8)),
            "{both}"
        );
    }
);

on_both!(
    a_storm_of_pages_that_are_up_to_date_loads_nothing,
    |house: House| async move {
        let here = house.serve().await;
        let other = house.another("http://127.0.0.1").await;
        let there = Server::of(&other).await;
        let mut pages = Vec::new();
        for who in ["thandi", "pieter", "aisha"] {
            let signed_in = here.signed_in(who).await;
            let home = signed_in.get("/").await.live_url();
            let mut moved = there.browser();
            moved.cookie = signed_in.cookie;
            pages.push((moved, home));
        }
        let mut watching = Vec::new();
        for (browser, home) in &pages {
            let mut watcher = browser.connect(home).await;
            assert!(watcher.quiet().await.is_empty(), "it has everything");
            watching.push(watcher);
        }
        assert!(
            other.hub.region_count() >= 12,
            "each has regions of their own"
        );
        // Nobody waited for these: the badges, which are worth knowing part by part.
        assert!(other.hub.load_count() <= 3, "{}", other.hub.load_count());

        // And none of them is forgotten: what changes afterwards is loaded, and reaches the one whom it concerns.
        house
            .book(&house.pieter, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        watching[1].content(|html| html.contains("Follow-up")).await;
        assert!(other.hub.load_count() <= 7, "only what concerns Pieter");
    }
);

on_both!(
    nonsense_as_a_cursor_gets_the_whole,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.signed_in("pieter").await;
        let page = browser.get(WEEK).await.live_url();
        let (address, _) = page.split_once("&since=").unwrap();
        for since in ["", "x", "AAAA", "%00", &"A".repeat(4000)] {
            let mut watcher = browser.connect(&format!("{address}&since={since}")).await;
            let is_whole = "hx-target=\"#calendar\" hx-swap=\"innerMorph\"";
            watcher.content(|html| html.contains(is_whole)).await;
            watcher.leave().await;
        }
    }
);

on_both!(
    one_load_serves_everyone_who_watches,
    |house: House| async move {
        let server = house.serve().await;
        let mut watchers = Vec::new();
        for who in ["pieter", "aisha"] {
            let browser = server.signed_in(who).await;
            for _ in 0..10 {
                watchers.push(browser.watch(WEEK).await);
            }
        }
        for watcher in &mut watchers {
            watcher.quiet().await;
        }
        let before = house.app.hub.load_count();
        house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        for watcher in &mut watchers {
            watcher
                .content(|html| html.contains(&slot(TUESDAY_8)))
                .await;
        }
        // The shared week, once. Again only if a sweep looked between the commit and the load.
        let loads = house.app.hub.load_count() - before;
        assert!((1..=2).contains(&loads), "{loads} loads for 20 watchers");
    }
);

on_both!(
    what_only_the_clock_changes_is_shown_when_it_does,
    |house: House| async move {
        let server = house.serve().await;
        let mut watcher = server.signed_in("pieter").await.watch(WEEK).await;
        watcher.quiet().await;
        // 10:15 today needs two hours of notice: at 08:15 and a moment it is gone.
        house.clock().advance(Duration::from_secs(15 * 60 + 1));
        let gone = watcher
            .content(|html| html.contains("data-state=\"taken\""))
            .await;
        assert!(gone.contains(&slot("2026-11-23T08:15:00Z")), "{gone}");
    }
);

on_both!(
    a_change_of_hours_redraws_the_week,
    |house: House| async move {
        let server = house.serve().await;
        let mut watcher = server.signed_in("pieter").await.watch(WEEK).await;
        watcher.quiet().await;
        let closed = (house.naledi.staff, on("2026-11-27"));
        house
            .app
            .transact(closed, |tx, (staff, day)| {
                Box::pin(store::staff::override_day(tx, *staff, *day, &[]))
            })
            .await
            .unwrap();
        let whole = watcher.content(|html| html.contains("innerMorph")).await;
        assert!(whole.contains("Closed"));
        let open = (house.naledi.staff, on("2026-11-27"));
        house
            .app
            .transact(open, |tx, (staff, day)| {
                Box::pin(async move {
                    store::staff::override_day(
                        tx,
                        *staff,
                        *day,
                        &[Window {
                            start: 480,
                            end: 525,
                        }],
                    )
                    .await
                })
            })
            .await
            .unwrap();
        watcher
            .content(|html| html.contains(&slot("2026-11-27T06:00:00Z")))
            .await;
    }
);

on_both!(
    the_sweep_finds_what_nobody_was_told,
    |house: House| async move {
        let server = house.serve().await;
        let mut watcher = server.signed_in("pieter").await.watch(WEEK).await;
        watcher.quiet().await;
        // Another process on the same database: its hub hears it, ours does not.
        let (other, _unheard) = store::Db::open(&house.app.config.database_url)
            .await
            .unwrap();
        let wish = house.wish(
            &house.thandi,
            house.naledi.staff,
            house.follow_up.id,
            at(TUESDAY_8),
        );
        other
            .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)))
            .await
            .unwrap();
        watcher
            .content(|html| html.contains(&slot(TUESDAY_8)))
            .await;
        assert!(house.dir().exists());
    }
);

on_both!(
    signing_out_ends_the_live_pages_of_that_person,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.signed_in("pieter").await;
        let page = browser.get(WEEK).await.live_url();
        let mut watcher = browser.connect(&page).await;
        watcher.quiet().await;
        browser.post("/logout", &[]).await;
        assert_eq!(watcher.closed().await.0, 4401);
        // Let in, and told why: a refused upgrade would be tried for ever.
        let mut again = browser.connect(&page).await;
        assert_eq!(
            again.next().await,
            Heard::Closed(4401, "session".to_owned())
        );
    }
);

on_both!(
    a_socket_shows_only_what_its_viewer_may_see,
    |house: House| async move {
        let server = house.serve().await;
        let pieter = server.signed_in("pieter").await;
        let staff = house.naledi.staff;
        let refused = [
            "/live?page=today".to_owned(),
            "/live?page=clients".to_owned(),
            "/live?page=outbox".to_owned(),
            "/live?page=badges".to_owned(),
            "/live?page=calendar&week=2026-W48".to_owned(),
            format!("/live?page=client&client={}", house.thandi.client),
            "/live?page=bookings&week=2026-W48&staff=0193c0de-0000-7000-8000-000000000000"
                .to_owned(),
            format!("/live?page=bookings&week=1999-W01&staff={staff}"),
            "/live?page=*".to_owned(),
            "/live".to_owned(),
        ];
        for url in &refused {
            let mut watcher = pieter.connect(url).await;
            assert_eq!(
                watcher.next().await,
                Heard::Closed(4403, "page".to_owned()),
                "{url}"
            );
        }
        let thandis = server.signed_in("thandi").await.get("/").await.live_url();
        let mut watcher = pieter.connect(&thandis).await;
        assert_eq!(
            watcher.next().await,
            Heard::Closed(4401, "viewer".to_owned()),
            "another person's cursor"
        );
    }
);

on_both!(
    a_restored_database_is_another_past,
    |house: House| async move {
        let server = house.serve().await;
        let browser = server.signed_in("pieter").await;
        let page = browser.get(WEEK).await.live_url();
        let before = house.app.db.epoch();
        house
            .app
            .transact((), |tx, ()| {
                Box::pin(async move {
                    tx.q("UPDATE settings SET value = 'another' WHERE name = 'epoch'")
                        .run()
                        .await
                })
            })
            .await
            .unwrap();
        // A sweep sees it, and what the page says it has is not believed any more.
        let swept = async {
            while house.app.db.epoch() == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), swept)
            .await
            .unwrap();
        let mut watcher = browser.connect(&page).await;
        watcher
            .content(|html| html.contains("hx-target=\"#calendar\" hx-swap=\"innerMorph\""))
            .await;
    }
);
