//! The owner sets the business up: what can be booked and when, live on every open calendar, and nobody's session is left
//! behind unseen.

use crate::browser::Answer;
use crate::house::{House, On, Server, at, on, on_both};
use crate::state::State;
use portico::domain::hours::{Change, line};
use portico::domain::id::ServiceId;
use portico::domain::service::Service;
use portico::domain::slot::Window;
use portico::store;
use portico::store::hours::Set;
use portico::store::service::Offer;
use portico::store::stranded::Outcome;

const WEEK: &str = "/bookings?week=2026-W48";
const SERVICES: &str = "/admin/settings/services";
const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
const TUESDAY_8_45: &str = "2026-11-24T06:45:00Z";

/// The form of a service of 15 minutes that both offer, with some fields filled in otherwise.
fn massage(house: &House, other: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = [
        ("name", "Quick massage"),
        ("price", "450"),
        ("minutes", "15"),
        ("step", "15"),
        ("before", "0"),
        ("after", "0"),
        ("notice", "0"),
        ("horizon", ""),
        ("place", "person"),
        ("colour", "rose"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for staff in [house.naledi.staff, house.sipho.staff] {
        fields.push((format!("staff-{staff}"), "on".to_owned()));
    }
    fields.push(("id".to_owned(), ServiceId::new().to_string()));
    for (name, value) in other {
        fields.retain(|(field, _)| field != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    fields
}

async fn send(server: &Server, path: &str, fields: &[(String, String)]) -> Answer {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    server.signed_in("naledi").await.post(path, &fields).await
}

/// What stands in the follow-up's form, with some fields filled in otherwise.
async fn follow_up(
    server: &Server,
    house: &House,
    other: &[(&str, &str)],
) -> Vec<(String, String)> {
    let path = format!("{SERVICES}/{}", house.follow_up.id);
    let page = server.signed_in("naledi").await.get(&path).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let version = page.attribute("[name=version]", "value").unwrap();
    let mut fields = massage(
        house,
        &[
            ("name", "Follow-up treatment"),
            ("price", "850.00"),
            ("minutes", "45"),
            ("step", "45"),
            ("notice", "120"),
            ("version", &version),
        ],
    );
    for (name, value) in other {
        fields.retain(|(field, _)| field != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    fields
}

on_both!(
    a_new_service_shows_on_every_open_calendar_and_can_be_booked,
    |house: House| async move {
        let server = house.serve().await;
        let thandi = server.signed_in("thandi").await;
        let mut calendar = thandi.watch(WEEK).await;
        let mut today = server.signed_in("sipho").await.watch("/admin").await;
        calendar.quiet().await;
        today.quiet().await;
        let quarter_past = "2026-11-24T06:15:00Z";
        let fields = massage(&house, &[]);
        let answer = send(&server, SERVICES, &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);

        calendar.content(|html| html.contains(quarter_past)).await;
        today
            .content(|html| html.contains("added the service Quick massage"))
            .await;
        let id: ServiceId = fields
            .iter()
            .find(|(name, _)| name == "id")
            .unwrap()
            .1
            .parse()
            .unwrap();
        let wish = house.wish(&house.thandi, house.sipho.staff, id, at(quarter_past));
        let booked = house
            .app
            .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)));
        booked.await.unwrap();

        // Sent twice it is added once.
        assert_eq!(send(&server, SERVICES, &fields).await.status, 303);
        let list = server.signed_in("naledi").await.get(SERVICES).await;
        let names = list.texts(".list a");
        assert_eq!(
            names,
            ["Follow-up treatment", "First assessment", "Quick massage"]
        );
    }
);

on_both!(
    what_is_wrong_with_a_service_stands_beside_its_field,
    |house: House| async move {
        let server = house.serve().await;
        let everyone = [house.naledi.staff, house.sipho.staff].map(|id| format!("staff-{id}"));
        // Sends both forms once, so that all that a sign-in changes is done.
        let change = format!("{SERVICES}/{}", house.follow_up.id);
        for (field, value) in [
            ("name", " "),
            ("name", "two\nlines"),
            ("price", "-1"),
            ("price", "much"),
            ("minutes", "0"),
            ("minutes", "47"),
            ("minutes", "99999999999999999999"),
            ("step", "7"),
            ("before", "1000"),
            ("after", ""),
            ("notice", "soon"),
            ("horizon", "0"),
            ("horizon", "1.5"),
            ("video_url", "javascript:alert(1)"),
            ("staff", ""),
        ] {
            let mut fields = massage(&house, &[(field, value), ("version", "1")]);
            if field == "video_url" {
                fields.retain(|(name, _)| name != "place");
                fields.push(("place".to_owned(), "video".to_owned()));
            }
            if field == "staff" {
                fields.retain(|(name, _)| !everyone.contains(name));
            }
            for path in [SERVICES, change.as_str()] {
                let naledi = server.signed_in("naledi").await;
                let before = State::of(&house).await;
                let borrowed: Vec<_> = fields
                    .iter()
                    .map(|(n, v)| (n.as_str(), v.as_str()))
                    .collect();
                let answer = naledi.post(path, &borrowed).await;
                let story = format!("{field}={value} to {path}");
                assert_eq!(answer.status, 422, "{story}: {}", answer.body);
                let said = answer.texts(&format!("#{field}-wrong"));
                assert!(
                    said.len() == 1 && said[0].ends_with('.'),
                    "{story}: {said:?}"
                );
                assert_eq!(answer.texts("p.error").len(), 1, "{story}");
                assert_eq!(answer.texts("h1").len(), 1, "{story}");
                assert!(
                    State::of(&house).await == before,
                    "{story} changed something"
                );
            }
        }
    }
);

on_both!(
    whoever_saves_an_older_state_is_told_what_has_changed,
    |house: House| async move {
        let server = house.serve().await;
        let path = format!("{SERVICES}/{}", house.follow_up.id);
        let first = follow_up(&server, &house, &[("price", "900")]).await;
        let second = follow_up(&server, &house, &[("name", "Treatment")]).await;
        assert_eq!(send(&server, &path, &first).await.status, 303);
        // The same form again is no news.
        assert_eq!(send(&server, &path, &first).await.status, 303);
        let late = send(&server, &path, &second).await;
        assert_eq!(late.status, 409, "{}", late.body);
        let note = late.texts(".note.bad").join(" ");
        assert!(note.contains("the price: R 900.00"), "{note}");
        assert!(note.contains("the name: Follow-up treatment"), "{note}");
        // Hers is kept in the form, and can be put in its place.
        assert_eq!(late.attribute("#name", "value").unwrap(), "Treatment");
        let again: Vec<_> = second
            .into_iter()
            .map(|(name, value)| {
                let seen = late.attribute("[name=version]", "value").unwrap();
                let value = if name == "version" { seen } else { value };
                (name, value)
            })
            .collect();
        assert_eq!(send(&server, &path, &again).await.status, 303);
        let mut tx = house.app.db.snapshot().await.unwrap();
        let stands = store::service::find(&mut tx, house.follow_up.id)
            .await
            .unwrap();
        assert_eq!(
            (stands.name.as_str(), stands.price, stands.version),
            ("Treatment", 85_000, 3)
        );
    }
);

on_both!(
    a_service_is_retired_only_by_whoever_has_seen_its_sessions,
    |house: House| async move {
        let server = house.serve().await;
        let retire = format!("{SERVICES}/{}/retire", house.follow_up.id);
        let form = |seal: Option<&str>| {
            let mut fields = vec![("version".to_owned(), "1".to_owned())];
            fields.extend(seal.map(|seal| ("agreed".to_owned(), seal.to_owned())));
            fields
        };
        let kept = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        let asked = send(&server, &retire, &form(None)).await;
        assert_eq!(asked.status, 422, "{}", asked.body);
        assert_eq!(asked.texts("#stranded a"), ["Thandi Mokoena"]);
        assert!(asked.attribute("[name=agreed]", "required").is_some());
        let seal = asked.attribute("[name=agreed]", "value").unwrap();

        // Somebody books meanwhile: the answer was not about them.
        house
            .book(&house.pieter, &house.follow_up, TUESDAY_8_45)
            .await
            .unwrap();
        let asked = send(&server, &retire, &form(Some(&seal))).await;
        assert_eq!(asked.status, 422);
        assert_eq!(
            asked.texts("#stranded a"),
            ["Thandi Mokoena", "Pieter Botha"]
        );
        let seal = asked.attribute("[name=agreed]", "value").unwrap();
        let done = send(&server, &retire, &form(Some(&seal))).await;
        assert_eq!(done.status, 303, "{}", done.body);

        let refused = house
            .book(&house.aisha, &house.follow_up, "2026-11-25T06:00:00Z")
            .await;
        assert!(
            matches!(refused, Err(store::Error::NotFound)),
            "{refused:?}"
        );
        // What was booked stays, and can still be moved.
        let thandi = server.signed_in("thandi").await;
        let fields = [
            ("start", "2026-11-26T06:00:00Z"),
            ("staff", &house.naledi.staff.to_string()),
            ("version", "1"),
        ];
        let moved = thandi
            .post(&format!("/bookings/{kept}/reschedule"), &fields)
            .await;
        assert_eq!(moved.status, 303, "{}", moved.body);

        let back = format!("{SERVICES}/{}/offer", house.follow_up.id);
        let fields = [("version".to_owned(), "2".to_owned())];
        assert_eq!(send(&server, &back, &fields).await.status, 303);
        house
            .book(&house.aisha, &house.follow_up, "2026-11-25T06:00:00Z")
            .await
            .unwrap();
        house.assert_sound().await;
    }
);

on_both!(
    only_who_offers_a_service_is_booked_for_it,
    |house: House| async move {
        let server = house.serve().await;
        let path = format!("{SERVICES}/{}", house.follow_up.id);
        let sipho = format!("staff-{}", house.sipho.staff);
        let mut fields = follow_up(&server, &house, &[]).await;
        fields.retain(|(name, _)| *name != sipho);
        let start = at(TUESDAY_8);
        let wish = |client| house.wish(client, house.sipho.staff, house.follow_up.id, start);
        let booked = house.app.transact(wish(&house.thandi), |tx, wish| {
            Box::pin(store::booking::book(tx, wish))
        });
        booked.await.unwrap();

        let asked = send(&server, &path, &fields).await;
        assert_eq!(asked.status, 422, "{}", asked.body);
        assert_eq!(asked.texts("#stranded a"), ["Thandi Mokoena"]);
        // The page holds all that was typed: sent as it stands, with the tick, it saves.
        let held = asked.fields("main form");
        assert_eq!(send(&server, &path, &held).await.status, 303);

        let mut wish = wish(&house.pieter);
        wish.start = at(TUESDAY_8_45);
        let refused = house
            .app
            .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)));
        let refused = refused.await;
        assert!(
            matches!(refused, Err(store::Error::Refused(_))),
            "{refused:?}"
        );
        let sheet = format!(
            "/bookings/new?start=2026-11-25T06:00:00Z&staff={}",
            house.sipho.staff
        );
        let sheet = server.signed_in("pieter").await.get_fragment(&sheet).await;
        let offered = sheet.attributes("[name=service]:not([disabled])", "value");
        assert_eq!(offered, [house.assessment.id.to_string()]);
        // With the other it is as before.
        house
            .book(&house.pieter, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
    }
);

on_both!(
    a_service_is_booked_as_far_ahead_as_it_says,
    |house: House| async move {
        let server = house.serve().await;
        let path = format!("{SERVICES}/{}", house.follow_up.id);
        let fields = follow_up(&server, &house, &[("horizon", "1")]).await;
        assert_eq!(send(&server, &path, &fields).await.status, 303);
        let (last, first) = ("2026-12-04T06:00:00Z", "2026-12-07T06:00:00Z");
        house
            .book(&house.thandi, &house.follow_up, last)
            .await
            .unwrap();
        let refused = house.book(&house.thandi, &house.follow_up, first).await;
        assert!(
            matches!(refused, Err(store::Error::Refused(_))),
            "{refused:?}"
        );
        house
            .book(&house.thandi, &house.assessment, first)
            .await
            .unwrap();
    }
);

/// Naledi's hours in the words of the page.
fn hours_path(house: &House) -> String {
    format!("/admin/settings/staff/{}/hours", house.naledi.staff)
}

/// A form of the hours' page, on top of the hours as they stand.
async fn hours_form(
    server: &Server,
    house: &House,
    fields: &[(&str, &str)],
) -> Vec<(String, String)> {
    let page = server
        .signed_in("naledi")
        .await
        .get(&hours_path(house))
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
    let seen = page.attribute("[name=seen]", "value").unwrap();
    let mut all = vec![("seen".to_owned(), seen)];
    all.extend(
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    all
}

/// The week's form, with one day filled in otherwise.
async fn week_form(
    server: &Server,
    house: &House,
    day: usize,
    text: &str,
) -> Vec<(String, String)> {
    let mut fields = hours_form(server, house, &[("act", "week")]).await;
    for n in 0..7 {
        let usual = if n < 5 {
            "08:00-11:45, 13:00-16:00"
        } else {
            ""
        };
        let text = if n == day { text } else { usual };
        fields.push((format!("day-{n}"), text.to_owned()));
    }
    fields
}

async fn hours_of(house: &House) -> String {
    let mut tx = house.app.db.snapshot().await.unwrap();
    let hours = store::staff::hours(&mut tx, house.naledi.staff, on("2026-11-23")).await;
    line(&hours.unwrap())
}

on_both!(
    new_hours_show_on_every_open_calendar,
    |house: House| async move {
        let server = house.serve().await;
        let mut calendar = server.signed_in("thandi").await.watch(WEEK).await;
        let mut today = server.signed_in("sipho").await.watch("/admin").await;
        calendar.quiet().await;
        today.quiet().await;
        // Saturday late, past midnight, with a break: 22:00 to 00:00 and 00:30 to 02:00 are two windows of two days.
        let fields = week_form(&server, &house, 5, "09:00-12:00, 22:00-02:00").await;
        let answer = send(&server, &hours_path(&house), &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        calendar
            .content(|html| html.contains("2026-11-28T07:00:00Z"))
            .await;
        today
            .content(|html| html.contains("changed the hours of Naledi Khumalo"))
            .await;
        for start in [
            "2026-11-28T07:00:00Z",
            "2026-11-28T20:00:00Z",
            "2026-11-28T22:15:00Z",
        ] {
            house
                .book(&house.thandi, &house.follow_up, start)
                .await
                .unwrap();
        }
        let page = server
            .signed_in("naledi")
            .await
            .get(&hours_path(&house))
            .await;
        assert_eq!(
            page.attribute("#day-5", "value").unwrap(),
            "09:00-12:00, 22:00-02:00"
        );
        house.assert_sound().await;
    }
);

on_both!(
    hours_that_cannot_be_read_change_nothing,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        for (field, fields) in [
            ("day-1", week_form(&server, &house, 1, "8 to 12").await),
            (
                "day-6",
                week_form(&server, &house, 6, "08:00-12:00, 11:00-13:00").await,
            ),
            (
                "day",
                hours_form(
                    &server,
                    &house,
                    &[("act", "override"), ("day", "soon"), ("hours", "")],
                )
                .await,
            ),
            (
                "day",
                hours_form(
                    &server,
                    &house,
                    &[("act", "override"), ("day", "2026-11-22"), ("hours", "")],
                )
                .await,
            ),
            (
                "hours",
                hours_form(
                    &server,
                    &house,
                    &[("act", "override"), ("day", "2026-11-25"), ("hours", "x")],
                )
                .await,
            ),
            (
                "from",
                hours_form(
                    &server,
                    &house,
                    &[("act", "off"), ("from", ""), ("to", "2026-11-25")],
                )
                .await,
            ),
            (
                "to",
                hours_form(
                    &server,
                    &house,
                    &[("act", "off"), ("from", "2026-11-25"), ("to", "2026-11-24")],
                )
                .await,
            ),
        ] {
            let before = State::of(&house).await;
            let borrowed: Vec<_> = fields
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect();
            let answer = naledi.post(&hours_path(&house), &borrowed).await;
            assert_eq!(answer.status, 422, "{fields:?}: {}", answer.body);
            let said = answer.texts(&format!("#{field}-wrong"));
            assert!(
                said.len() == 1 && said[0].ends_with('.'),
                "{fields:?}: {said:?}"
            );
            assert_eq!(answer.texts("p.error").len(), 1, "{fields:?}");
            assert!(
                State::of(&house).await == before,
                "{fields:?} changed something"
            );
        }
        // Half a form closes nothing.
        let half = hours_form(&server, &house, &[("act", "week"), ("day-0", "")]).await;
        assert_eq!(send(&server, &hours_path(&house), &half).await.status, 422);
    }
);

on_both!(
    a_change_of_hours_names_the_sessions_that_it_strands,
    |house: House| async move {
        let server = house.serve().await;
        let path = hours_path(&house);
        house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        house
            .book(&house.pieter, &house.follow_up, "2026-11-25T11:00:00Z")
            .await
            .unwrap();
        let before = hours_of(&house).await;
        for (act, names) in [
            (
                week_form(&server, &house, 1, "09:00-16:00").await,
                vec!["Thandi Mokoena"],
            ),
            (
                hours_form(
                    &server,
                    &house,
                    &[
                        ("act", "override"),
                        ("day", "2026-11-25"),
                        ("hours", "08:00-13:40"),
                    ],
                )
                .await,
                vec!["Pieter Botha"],
            ),
            (
                hours_form(
                    &server,
                    &house,
                    &[("act", "off"), ("from", "2026-11-24"), ("to", "2026-11-25")],
                )
                .await,
                vec!["Thandi Mokoena", "Pieter Botha"],
            ),
        ] {
            let asked = send(&server, &path, &act).await;
            assert_eq!(asked.status, 422, "{}", asked.body);
            assert_eq!(asked.texts("#stranded a"), names);
            assert_eq!(
                hours_of(&house).await,
                before,
                "asked before anything is saved"
            );
            // Without the tick it stays a question.
            let mut held = asked.fields("main form");
            held.retain(|(name, _)| name != "agreed");
            assert_eq!(send(&server, &path, &held).await.status, 422);
        }
        // What takes nobody's time asks nothing.
        let lunch = week_form(&server, &house, 1, "08:00-09:00, 13:00-16:00").await;
        assert_eq!(send(&server, &path, &lunch).await.status, 303);
        let off = [("act", "off"), ("from", "2026-11-24"), ("to", "2026-11-25")];
        let off = hours_form(&server, &house, &off).await;
        let asked = send(&server, &path, &off).await;
        let done = send(&server, &path, &asked.fields("main form")).await;
        assert_eq!(done.status, 303, "{}", done.body);
        assert!(hours_of(&house).await.contains("2026-11-24/2026-11-25"));
        let kept = house.clock().now();
        let mut tx = house.app.db.snapshot().await.unwrap();
        let coming = store::booking::upcoming(&mut tx, house.thandi.client, kept)
            .await
            .unwrap();
        assert_eq!(
            coming.len(),
            1,
            "a stranded session stays until someone moves it"
        );
    }
);

on_both!(
    two_owners_do_not_overwrite_each_others_hours,
    |house: House| async move {
        let server = house.serve().await;
        let path = hours_path(&house);
        let first = week_form(&server, &house, 0, "08:00-10:00").await;
        let second = week_form(&server, &house, 4, "").await;
        assert_eq!(send(&server, &path, &first).await.status, 303);
        assert_eq!(
            send(&server, &path, &first).await.status,
            303,
            "again is no news"
        );
        let late = send(&server, &path, &second).await;
        assert_eq!(late.status, 409, "{}", late.body);
        assert_eq!(late.texts("#day-0-wrong"), ["It is 08:00-10:00 now."]);
        assert_eq!(late.attribute("#day-4", "value").unwrap(), "");
        assert!(
            hours_of(&house)
                .await
                .starts_with("08:00-10:00;08:00-11:45, 13:00-16:00")
        );
    }
);

on_both!(
    a_public_holiday_is_off_with_one_click,
    |house: House| async move {
        let server = house.serve().await;
        let path = hours_path(&house);
        let naledi = server.signed_in("naledi").await;
        let page = naledi.get(&path).await;
        let holidays = page.texts("#holidays b");
        assert_eq!(
            holidays[..3],
            ["Day of Reconciliation", "Christmas Day", "Day of Goodwill"]
        );
        assert_eq!(holidays.len(), 13, "{holidays:?}");
        let reconciliation = "2026-12-16T06:00:00Z";
        let click = page.fields("#holidays li:first-child form");
        assert_eq!(send(&server, &path, &click).await.status, 303);
        let refused = house
            .book(&house.thandi, &house.follow_up, reconciliation)
            .await;
        assert!(
            matches!(refused, Err(store::Error::Refused(_))),
            "{refused:?}"
        );
        let page = naledi.get(&path).await;
        assert_eq!(page.texts("#holidays .badge"), ["Off"]);

        // And at work again.
        let back = [("act", "on"), ("day", "2026-12-16")];
        let back = hours_form(&server, &house, &back).await;
        assert_eq!(send(&server, &path, &back).await.status, 303);
        house
            .book(&house.thandi, &house.follow_up, reconciliation)
            .await
            .unwrap();
    }
);

on_both!(
    other_hours_on_a_date_are_set_and_taken_back,
    |house: House| async move {
        let server = house.serve().await;
        let path = hours_path(&house);
        let before = hours_of(&house).await;
        let sunday = "2026-11-29T08:00:00Z";
        let open = [
            ("act", "override"),
            ("day", "2026-11-29"),
            ("hours", "10:00-12:00"),
        ];
        let open = hours_form(&server, &house, &open).await;
        assert_eq!(send(&server, &path, &open).await.status, 303);
        let wish = Change::Override(
            on("2026-11-29"),
            vec![Window {
                start: 600,
                end: 720,
            }],
        );
        let mut tx = house.app.db.snapshot().await.unwrap();
        let stands = store::staff::hours(&mut tx, house.naledi.staff, on("2026-11-23"))
            .await
            .unwrap();
        drop(tx);
        assert_eq!(line(&wish.applied(&stands)), line(&stands));
        house
            .book(&house.thandi, &house.follow_up, sunday)
            .await
            .unwrap();

        // Taking it back would leave that session behind.
        let back = hours_form(&server, &house, &[("act", "plain"), ("day", "2026-11-29")]).await;
        let asked = send(&server, &path, &back).await;
        assert_eq!(asked.texts("#stranded a"), ["Thandi Mokoena"]);
        assert_eq!(
            send(&server, &path, &asked.fields("main form"))
                .await
                .status,
            303
        );
        assert_eq!(hours_of(&house).await, before);
    }
);

on_both!(
    a_session_by_video_says_where_to_its_client_alone,
    |house: House| async move {
        let server = house.serve().await;
        let path = format!("{SERVICES}/{}", house.follow_up.id);
        let room = "https://meet.example/kestrel?a=1&b=2";
        let video = [("place", "video"), ("video_url", room), ("colour", "amber")];
        let fields = follow_up(&server, &house, &video).await;
        let booking = house
            .book(&house.thandi, &house.follow_up, TUESDAY_8)
            .await
            .unwrap();
        assert_eq!(send(&server, &path, &fields).await.status, 303);
        let thandi = server.signed_in("thandi").await;
        for page in ["/".to_owned(), format!("/bookings/{booking}")] {
            let page = thandi.get(&page).await;
            let link = page.attribute("a[rel~=noopener]", "href");
            assert_eq!(link.as_deref(), Some(room), "{}", page.body);
        }
        let sheet = format!(
            "/bookings/new?start={TUESDAY_8_45}&staff={}",
            house.naledi.staff
        );
        let pieter = server.signed_in("pieter").await;
        let sheet = pieter.get_fragment(&sheet).await;
        assert!(sheet.body.contains("by video"), "{}", sheet.body);
        assert!(!sheet.body.contains("meet.example"), "{}", sheet.body);
        let calendar = server.signed_in("sipho").await;
        let calendar = calendar.get("/admin/calendar?week=2026-W48").await;
        assert_eq!(calendar.texts(".ev .swatch.amber").len(), 1);
    }
);

on_both!(
    nobody_books_what_is_being_taken_away,
    |house: House| async move {
        let (by, now) = (house.naledi.clone(), house.clock().now());
        let mut days = Vec::new();
        for n in 0..10 {
            // A day and a service of its own for each race.
            let start = at(TUESDAY_8) + jiff::SignedDuration::from_hours(24 * 7 * n);
            let service = Service {
                id: ServiceId::new(),
                ..house.follow_up.clone()
            };
            let retire = Offer {
                by: by.clone(),
                service: service.id,
                version: 1,
                on: false,
                agreed: None,
                now,
            };
            let wish = house.wish(&house.thandi, house.naledi.staff, service.id, start);
            let made = house.app.transact(service, |tx, service| {
                Box::pin(store::service::create(tx, service))
            });
            made.await.unwrap();
            let retired = house.app.transact(retire, |tx, retire| {
                Box::pin(store::service::offer(tx, retire))
            });
            let booked = house
                .app
                .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)));
            let (retired, booked) = tokio::join!(retired, booked);
            let is_retired = matches!(retired.unwrap(), Outcome::Done);
            assert_eq!(is_retired, booked.is_err(), "{n}: {booked:?}");
            days.push(start);
        }
        let mut tx = house.app.db.snapshot().await.unwrap();
        let hours = store::staff::hours(&mut tx, house.sipho.staff, on("2026-11-23")).await;
        let mut stands = hours.unwrap();
        drop(tx);
        for start in days {
            let day = start
                .to_zoned(jiff::tz::TimeZone::get("Africa/Johannesburg").unwrap())
                .date();
            let set = Set {
                by: by.clone(),
                staff: house.sipho.staff,
                change: Change::Off(day, day),
                seen: line(&stands),
                agreed: None,
                now,
            };
            let off = set.change.applied(&stands);
            let wish = house.wish(&house.thandi, house.sipho.staff, house.follow_up.id, start);
            let set = house
                .app
                .transact(set, |tx, set| Box::pin(store::hours::set(tx, set)));
            let booked = house
                .app
                .transact(wish, |tx, wish| Box::pin(store::booking::book(tx, wish)));
            let (set, booked) = tokio::join!(set, booked);
            let is_off = matches!(set.unwrap(), Outcome::Done);
            assert_eq!(is_off, booked.is_err(), "{day}: {booked:?}");
            if is_off {
                stands = off;
            }
        }
        house.assert_sound().await;
    }
);
