//! Law 12: what is answered to htmx goes into the sheet, and never touches a live part, which a push may have made newer.

use crate::browser::{Answer, Browser};
use crate::house::{House, On, on_both};
use crate::money;
use portico::http::routes;
use portico::secret;
use reqwest::Method;
use scraper::{Html, Selector};
use std::collections::BTreeSet;

const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
const TUESDAY_8_45: &str = "2026-11-24T06:45:00Z";
const TUESDAY_9_30: &str = "2026-11-24T07:30:00Z";
const TODAY_10_15: &str = "2026-11-23T08:15:00Z";

/// The ids of all elements that match, and of those inside them.
fn ids(html: &str, selector: &str) -> BTreeSet<String> {
    let html = Html::parse_document(html);
    let inside = format!("{selector}[id], {selector} [id]");
    let elements = Selector::parse(&inside).unwrap();
    html.select(&elements)
        .filter_map(|element| element.attr("id").map(str::to_owned))
        .collect()
}

/// The ids of every live region of every page, and of their parts.
struct Live(BTreeSet<String>);

impl Live {
    async fn collect(pages: &[(&Browser, String)]) -> Self {
        let mut all = BTreeSet::new();
        for (browser, path) in pages {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200, "{path}");
            let found = ids(&page.body, "[data-region]");
            assert!(!found.is_empty(), "{path} has no live part");
            all.extend(found);
        }
        Self(all)
    }

    /// Panics when an answer could overwrite a live part.
    fn assert_untouched(&self, answer: &Answer, story: &str) {
        assert!(
            answer.texts("[data-region]").is_empty(),
            "{story} holds a region"
        );
        let page = answer.body.to_ascii_lowercase();
        assert!(!page.contains("<!doctype"), "{story} is a page");
        assert!(
            !page.contains("hx-partial") && !page.contains("hx-swap-oob"),
            "{story} reaches out of the sheet"
        );
        for id in ids(&answer.body, "body") {
            assert!(!self.0.contains(&id), "{story} holds the live part {id}");
            assert!(
                id.starts_with("sheet-") || id.starts_with("composer"),
                "{story}: {id} is not named after the sheet or the form to write in"
            );
        }
    }
}

on_both!(no_fragment_holds_a_live_part, |house: House| async move {
    let server = house.serve().await;
    let (thandi, pieter) = (
        server.signed_in("thandi").await,
        server.signed_in("pieter").await,
    );
    let naledi = server.signed_in("naledi").await;
    let booking = house
        .book(&house.thandi, &house.follow_up, TUESDAY_8)
        .await
        .unwrap();
    house
        .book(&house.pieter, &house.follow_up, TODAY_10_15)
        .await
        .unwrap();
    let client = house.thandi.client;
    let invoice = house.charge(&house.thandi, 85_000).await;
    let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
    let draft = house.draft(&house.pieter, 85_000).await;
    let pages = [
        (&thandi, "/".to_owned()),
        (&thandi, "/bookings?week=2026-W48".to_owned()),
        (&thandi, "/invoices".to_owned()),
        (&thandi, format!("/invoices/{invoice}")),
        (&naledi, format!("/invoices/{invoice}")),
        (&naledi, format!("/invoices/{draft}")),
        (&naledi, "/admin/invoices".to_owned()),
        (&naledi, "/admin/invoices?show=unapplied".to_owned()),
        (&naledi, "/admin".to_owned()),
        (&naledi, "/admin/calendar?week=2026-W48".to_owned()),
        (
            &naledi,
            format!("/admin/calendar?week=2026-W48&staff={}", house.naledi.staff),
        ),
        (&naledi, "/admin/clients".to_owned()),
        (&naledi, format!("/admin/clients/{client}")),
        (&naledi, "/admin/settings/outbox".to_owned()),
        (&thandi, "/messages".to_owned()),
        (&naledi, "/admin/messages".to_owned()),
        (&naledi, format!("/admin/messages/{client}")),
        (&naledi, "/notifications".to_owned()),
        (&thandi, "/notifications".to_owned()),
    ];
    for n in 0..45 {
        house.write(&house.thandi, &format!("Message {n}")).await;
    }
    let live = Live::collect(&pages).await;
    assert!(live.0.len() > 120, "{:?}", live.0);
    for part in ["bell-side", "bell-bar", "seen", "notification-lines"] {
        assert!(live.0.contains(part), "{part} is live: {:?}", live.0);
    }

    // What people do in the sheet, and all that comes of it.
    let (staff, service) = (
        house.naledi.staff.to_string(),
        house.follow_up.id.to_string(),
    );
    let sheet = |start: &str| format!("/bookings/new?start={start}&staff={staff}");
    let mut stories: Vec<(String, u16, Answer)> = Vec::new();
    let mut tell = |story: &str, expected: u16, answer: Answer| {
        stories.push((story.to_owned(), expected, answer));
    };
    for (who, browser) in [("client", &thandi), ("staff", &naledi)] {
        tell(
            &format!("a free time, {who}"),
            200,
            browser.get_fragment(&sheet(TUESDAY_9_30)).await,
        );
        tell(
            &format!("a taken time, {who}"),
            200,
            browser.get_fragment(&sheet(TODAY_10_15)).await,
        );
        tell(
            &format!("one's own time, {who}"),
            200,
            browser.get_fragment(&sheet(TUESDAY_8)).await,
        );
        tell(
            &format!("no time, {who}"),
            422,
            browser.get_fragment(&sheet("never")).await,
        );
        tell(
            &format!("a session, {who}"),
            200,
            browser.get_fragment(&format!("/bookings/{booking}")).await,
        );
        let to = format!("{}&move={booking}", sheet(TUESDAY_8_45));
        tell(
            &format!("a new time, {who}"),
            200,
            browser.get_fragment(&to).await,
        );
        let to = format!("{}&move={booking}", sheet(TODAY_10_15));
        tell(
            &format!("a new time that is taken, {who}"),
            200,
            browser.get_fragment(&to).await,
        );
    }
    let book = |start: &str| {
        vec![
            ("start", start.to_owned()),
            ("staff", staff.clone()),
            ("service", service.clone()),
            ("client", client.to_string()),
            ("key", secret::token()),
        ]
    };
    for (story, expected, browser, start) in [
        ("taken", 409, &pieter, TUESDAY_8),
        ("taken, staff", 409, &naledi, TUESDAY_8),
        ("no slot", 422, &pieter, "2026-11-24T06:07:00Z"),
        ("booked", 200, &pieter, TUESDAY_8_45),
        ("booked by staff", 200, &naledi, TUESDAY_9_30),
        ("unreadable", 422, &pieter, "x"),
    ] {
        let fields = book(start);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        tell(
            story,
            expected,
            browser.post_fragment("/bookings", &fields).await,
        );
    }
    let (path, cancel) = (
        format!("/bookings/{booking}/reschedule"),
        format!("/bookings/{booking}/cancel"),
    );
    for (story, expected, start, version) in [
        ("moved onto another", 409, TUESDAY_8_45, "1"),
        ("moved to no slot", 422, "2026-11-24T06:07:00Z", "1"),
        ("moved", 200, "2026-11-26T06:00:00Z", "1"),
        ("moved by an old page", 409, "2026-11-27T06:00:00Z", "1"),
    ] {
        let fields = [("start", start), ("staff", &staff), ("version", version)];
        tell(story, expected, thandi.post_fragment(&path, &fields).await);
    }
    tell(
        "another's",
        404,
        pieter.post_fragment(&cancel, &[("version", "2")]).await,
    );
    tell(
        "cancelled by an old page",
        409,
        thandi.post_fragment(&cancel, &[("version", "1")]).await,
    );
    tell(
        "cancelled without a version",
        422,
        thandi.post_fragment(&cancel, &[]).await,
    );
    tell(
        "cancelled",
        200,
        thandi.post_fragment(&cancel, &[("version", "2")]).await,
    );
    tell(
        "moved after that",
        422,
        thandi
            .post_fragment(
                &path,
                &[("start", TUESDAY_8), ("staff", &staff), ("version", "3")],
            )
            .await,
    );
    tell(
        "an invitation that is wrong",
        422,
        naledi
            .post_fragment("/admin/clients", &[("name", ""), ("email", "")])
            .await,
    );
    tell(
        "an invitation of someone known",
        422,
        naledi
            .post_fragment(
                "/admin/clients",
                &[("name", "T"), ("email", "thandi@kestrel.example")],
            )
            .await,
    );
    for (story, expected, answer) in &stories {
        assert_eq!(answer.status, *expected, "{story}: {}", answer.body);
        live.assert_untouched(answer, story);
        assert_eq!(
            answer.texts("#sheet-title").len(),
            1,
            "{story} names the dialog"
        );
    }

    // What is written, and what was written before.
    let client = client.to_string();
    let long = "x".repeat(10_001);
    for (story, expected, browser, body) in [
        ("sent", 200, &thandi, "Hello"),
        ("sent by staff", 200, &naledi, "Hello"),
        ("too long", 422, &thandi, &long),
        ("nothing", 422, &naledi, " "),
    ] {
        let fields = [("body", body), ("key", story), ("client", &client)];
        let answer = browser.post_fragment("/messages", &fields).await;
        assert_eq!(answer.status, expected, "{story}: {}", answer.body);
        live.assert_untouched(&answer, story);
        assert_eq!(answer.texts("form#composer").len(), 1, "{story}");
    }
    for (browser, of) in [
        (&thandi, String::new()),
        (&naledi, format!("&client={client}")),
    ] {
        let older = format!("/messages/older?before=6{of}");
        let answer = browser.get_fragment(&older).await;
        assert_eq!(answer.texts("[data-message]").len(), 5, "{older}");
        live.assert_untouched(&answer, &older);
        let fields = [("upto", "60"), ("client", client.as_str())];
        let answer = browser.post_fragment("/messages/read", &fields).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }

    // Whatever else htmx may ask for: pages are gone to, not swapped in.
    for (who, browser) in [
        ("client", &thandi),
        ("staff", &naledi),
        ("guest", &server.browser()),
    ] {
        for route in routes::table() {
            let id = if let Some(id) = money::id_in(route.path, invoice, checkout.id) {
                id
            } else if route.path.starts_with("/admin") {
                client.clone()
            } else {
                booking.to_string()
            };
            let path = route
                .path
                .replace("{id}", &id)
                .replace("{token}", "x")
                .replace("{name}", "x")
                .replace("{provider}", "sandbox")
                .replace("{hue}", "172");
            if path == "/logout" || path == "/login" && route.method == Method::POST {
                continue;
            }
            let answer = if route.method == Method::GET {
                browser.get_fragment(&path).await
            } else {
                browser.post_fragment(&path, &[]).await
            };
            let story = format!("{} {path} by {who}", route.method);
            let is_lone_page = route.method == Method::POST
                && !route.path.starts_with("/admin")
                && !route.in_sheet;
            if is_lone_page {
                // Sent by pages that are not live, and answered by such.
                assert!(answer.texts("[data-region]").is_empty(), "{story}");
            } else {
                live.assert_untouched(&answer, &story);
            }
            if answer.status == 200
                && answer
                    .header("content-type")
                    .is_some_and(|kind| kind.starts_with("text/html"))
            {
                assert!(
                    route.in_sheet || is_lone_page,
                    "{story} is html: {}",
                    answer.body
                );
            }
        }
    }
    let answer = thandi.get_fragment("/bookings?week=2026-W48").await;
    assert_eq!(
        answer.header("hx-redirect"),
        Some("/bookings?week=2026-W48")
    );
    let answer = server.browser().get_fragment("/bookings").await;
    assert_eq!(answer.header("hx-redirect"), Some("/login"));
});
