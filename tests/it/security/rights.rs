//! S2, S4, S5: forms that name what is not theirs to name, fields that no form has, and rights that end while a page is open.

use super::links;
use crate::browser::{Browser, Heard};
use crate::house::{House, On, on_both};
use crate::state::State;
use portico::domain::id::{BookingId, InvoiceId};
use portico::domain::viewer::Role;
use portico::{secret, store};

const TUESDAY_8: &str = "2026-11-24T06:00:00Z";
const WEDNESDAY_8: &str = "2026-11-25T06:00:00Z";
const WEDNESDAY_8_45: &str = "2026-11-25T06:45:00Z";
const UNKNOWN: &str = "0193c0de-0000-7000-8000-000000000000";

/// What nobody decides by adding a field to a form.
const EXTRA: [(&str, &str); 12] = [
    ("role", "owner"),
    ("status", "completed"),
    ("price", "0"),
    ("amount", "0"),
    ("minutes", "5"),
    ("late", "false"),
    ("disabled", "false"),
    ("id", UNKNOWN),
    ("person_id", UNKNOWN),
    ("client_id", UNKNOWN),
    ("password_hash", "x"),
    ("now", "2020-01-01T00:00:00Z"),
];

/// How a booking stands: client, staff, price, minutes, status, version.
type Stands = (uuid::Uuid, uuid::Uuid, i64, i64, String, i64);

async fn stands(house: &House, id: BookingId) -> Stands {
    let db = &house.app.db;
    db.q("SELECT client_id, staff_id, price, minutes, status, version FROM bookings WHERE id = $1")
        .bind(id.0)
        .one()
        .await
        .unwrap()
}

async fn only_booking(house: &House) -> BookingId {
    let (id,): (uuid::Uuid,) = house
        .app
        .db
        .q("SELECT id FROM bookings")
        .one()
        .await
        .unwrap();
    id.into()
}

async fn set_role(house: &House, role: Role) {
    let change = (house.naledi.person, role);
    let changed = house.app.transact(change, |tx, (person, role)| {
        Box::pin(store::staff::set_role(tx, *person, *role))
    });
    changed.await.unwrap();
}

async fn set_disabled(house: &House, person: portico::domain::id::PersonId) {
    let change = (person, house.clock().now());
    let changed = house.app.transact(change, |tx, (person, now)| {
        Box::pin(store::person::set_disabled(tx, *person, true, *now))
    });
    changed.await.unwrap();
}

on_both!(
    a_form_that_names_what_is_not_there_changes_nothing,
    |house: House| async move {
        let server = house.serve().await;
        let thandis = house
            .book(&house.thandi, &house.follow_up, WEDNESDAY_8)
            .await
            .unwrap();
        let (staff, service, client) = (
            house.naledi.staff.to_string(),
            house.follow_up.id.to_string(),
            house.thandi.client.to_string(),
        );
        let pieter = server.signed_in("pieter").await;
        let sipho = server.signed_in("sipho").await;
        let before = State::of(&house).await;
        // Staff and service unknown, of another kind, or nonsense.
        let wrong_pairs = [
            (UNKNOWN, service.as_str()),
            (service.as_str(), service.as_str()),
            (client.as_str(), service.as_str()),
            (staff.as_str(), UNKNOWN),
            (staff.as_str(), staff.as_str()),
            ("x", service.as_str()),
            (staff.as_str(), "' OR 1=1"),
        ];
        for browser in [&pieter, &sipho] {
            for (staff, service) in wrong_pairs {
                let fields = [
                    ("start", TUESDAY_8),
                    ("staff", staff),
                    ("service", service),
                    ("key", "one"),
                    ("client", &client),
                ];
                let answer = browser.post("/bookings", &fields).await;
                assert_eq!(answer.status, 404, "{staff} {service}: {}", answer.body);
            }
        }
        // Staff must say for whom, and it must be someone's.
        for (client, expected) in [(UNKNOWN, 404), (&staff, 404), ("x", 422), ("", 422)] {
            let fields = [
                ("start", TUESDAY_8),
                ("staff", &staff),
                ("service", &service),
                ("key", "two"),
                ("client", client),
            ];
            assert_eq!(
                sipho.post("/bookings", &fields).await.status,
                expected,
                "{client}"
            );
        }
        // Another's booking, with the right version and any wish.
        for wish in [
            ("staff", staff.as_str()),
            ("staff", UNKNOWN),
            ("staff", "x"),
        ] {
            let fields = [("start", TUESDAY_8), wish, ("version", "1")];
            let path = format!("/bookings/{thandis}/reschedule");
            assert_eq!(pieter.post(&path, &fields).await.status, 404, "{wish:?}");
        }
        for link in [
            format!("/bookings?move={thandis}"),
            format!("/bookings?staff={UNKNOWN}"),
            format!("/bookings/new?start={TUESDAY_8}&staff={staff}&move={thandis}"),
            format!("/bookings/new?start={TUESDAY_8}&staff={UNKNOWN}"),
            format!("/bookings/new?start={TUESDAY_8}&staff={client}"),
        ] {
            assert_eq!(pieter.get(&link).await.status, 404, "{link}");
        }
        assert_eq!(State::of(&house).await, before);
    }
);

on_both!(
    a_client_books_for_themselves_whatever_the_form_says,
    |house: House| async move {
        let server = house.serve().await;
        let pieter = server.signed_in("pieter").await;
        let (staff, service, client) = (
            house.naledi.staff.to_string(),
            house.follow_up.id.to_string(),
            house.thandi.client.to_string(),
        );
        let mut fields = EXTRA.to_vec();
        fields.extend([
            ("start", TUESDAY_8),
            ("staff", &staff),
            ("service", &service),
            ("key", "one"),
            ("client", &client),
        ]);
        assert_eq!(pieter.post("/bookings", &fields).await.status, 303);
        let id = only_booking(&house).await;
        let mine = (house.pieter.client.0, house.naledi.staff.0);
        let confirmed = || "confirmed".to_owned();
        let expected = (mine.0, mine.1, house.follow_up.price, 45, confirmed(), 1);
        assert_eq!(stands(&house, id).await, expected);

        let mut fields = EXTRA.to_vec();
        fields.extend([("start", WEDNESDAY_8), ("staff", &staff), ("version", "1")]);
        fields.extend([("client", client.as_str()), ("service", UNKNOWN)]);
        let path = format!("/bookings/{id}/reschedule");
        assert_eq!(pieter.post(&path, &fields).await.status, 303);
        let expected = (mine.0, mine.1, house.follow_up.price, 45, confirmed(), 2);
        assert_eq!(stands(&house, id).await, expected);

        // A day before is late, whatever the form says of it.
        house.clock().advance(std::time::Duration::from_hours(40));
        let mut fields = EXTRA.to_vec();
        fields.push(("version", "2"));
        let path = format!("/bookings/{id}/cancel");
        assert_eq!(pieter.post(&path, &fields).await.status, 303);
        let (late, status): (bool, String) = house
            .app
            .db
            .q("SELECT late, status FROM bookings WHERE id = $1")
            .bind(id.0)
            .one()
            .await
            .unwrap();
        assert_eq!((late, status.as_str()), (true, "cancelled"));
    }
);

on_both!(
    an_invitation_makes_a_client_and_nothing_more,
    |house: House| async move {
        let server = house.serve().await;
        let sipho = server.signed_in("sipho").await;
        let before = State::of(&house).await;
        let mut fields = EXTRA.to_vec();
        fields.extend([("name", "Zodwa Radebe"), ("email", "zodwa@kestrel.example")]);
        fields.push(("password", "a long enough secret"));
        assert_eq!(sipho.post("/admin/clients", &fields).await.status, 303);
        let after = State::of(&house).await;
        assert_eq!(after.rows("staff"), before.rows("staff"));
        assert_eq!(
            after.rows("clients").len(),
            before.rows("clients").len() + 1
        );
        let (password, disabled): (Option<String>, bool) = house
            .app
            .db
            .q("SELECT password_hash, disabled FROM people WHERE email = 'zodwa@kestrel.example'")
            .one()
            .await
            .unwrap();
        assert_eq!((password, disabled), (None, false));
        let answer = server
            .browser()
            .try_password("zodwa", "a long enough secret")
            .await;
        assert_eq!(answer.status, 422);
    }
);

on_both!(
    a_sign_in_and_a_new_password_grant_nothing_more,
    |house: House| async move {
        let server = house.serve().await;
        let mut fields = EXTRA.to_vec();
        fields.extend([
            ("email", "pieter@kestrel.example"),
            ("password", crate::house::PASSWORD),
        ]);
        fields.push(("person", UNKNOWN));
        let mut browser = server.browser();
        let answer = browser.post("/login", &fields).await;
        browser.keep_cookie(&answer);
        assert_eq!(browser.get("/admin").await.status, 404);
        assert_eq!(browser.get("/").await.texts("h1").len(), 1);

        let link = links::issue(&house, house.pieter.person, store::token::Kind::Reset).await;
        let mut fields = EXTRA.to_vec();
        let person = house.naledi.person.to_string();
        fields.extend([
            ("password", "another long secret"),
            ("email", "naledi@kestrel.example"),
        ]);
        fields.extend([
            ("person", person.as_str()),
            ("username", "naledi@kestrel.example"),
        ]);
        let answer = server
            .browser()
            .post(&format!("/reset/{link}"), &fields)
            .await;
        assert_eq!(answer.status, 303);
        browser.keep_cookie(&answer);
        assert_eq!(browser.get("/admin").await.status, 404);
        assert_eq!(
            server
                .browser()
                .try_password("pieter", "another long secret")
                .await
                .status,
            303
        );
        assert_eq!(
            server
                .browser()
                .try_password("naledi", "another long secret")
                .await
                .status,
            422
        );
    }
);

/// An open page of the owner's, and whether it is still there.
async fn reads_outbox(browser: &Browser) -> u16 {
    browser.get("/admin/settings/outbox").await.status
}

on_both!(
    an_owner_who_becomes_staff_loses_the_mails_at_once,
    |house: House| async move {
        let server = house.serve().await;
        let naledi = server.signed_in("naledi").await;
        let url = naledi.get("/admin/settings/outbox").await.live_url();
        let mut mails = naledi.connect(&url).await;
        mails.quiet().await;
        set_role(&house, Role::Staff).await;
        assert_eq!(reads_outbox(&naledi).await, 404);
        assert_eq!(mails.closed().await, (4401, "viewer".to_owned()));
        let mut again = naledi.connect(&url).await;
        assert_eq!(again.closed().await.0, 4403, "the old address is no right");
        assert_eq!(naledi.get("/admin").await.status, 200);
        set_role(&house, Role::Owner).await;
        assert_eq!(reads_outbox(&naledi).await, 200);
    }
);

on_both!(
    whoever_is_disabled_is_out_at_once,
    |house: House| async move {
        let server = house.serve().await;
        let sipho = server.signed_in("sipho").await;
        let url = sipho.get("/admin").await.live_url();
        let mut today = sipho.connect(&url).await;
        today.quiet().await;
        let booking = house
            .book(&house.thandi, &house.follow_up, WEDNESDAY_8_45)
            .await
            .unwrap();
        let detail = format!("/bookings/{booking}");
        assert_eq!(sipho.get(&detail).await.status, 200);
        set_disabled(&house, house.sipho.person).await;
        let answer = sipho.get(&detail).await;
        assert!(answer.header("location").unwrap().starts_with("/login"));
        assert_eq!(today.closed().await, (4401, "session".to_owned()));
        let mut again = sipho.connect(&url).await;
        assert_eq!(again.closed().await, (4401, "session".to_owned()));
        assert_eq!(
            sipho
                .try_password("sipho", crate::house::PASSWORD)
                .await
                .status,
            422
        );
        // Nobody is given to them any more either, from a page that was open before.
        let pieter = server.signed_in("pieter").await;
        let fields = [
            ("start", TUESDAY_8),
            ("staff", &house.sipho.staff.to_string()),
            ("service", &house.follow_up.id.to_string()),
            ("key", &secret::token()),
        ];
        assert_eq!(pieter.post("/bookings", &fields).await.status, 404);
    }
);

/// What an invoice says, its lines aside.
type Bill = (
    uuid::Uuid,
    Option<i64>,
    String,
    String,
    i64,
    i64,
    String,
    i64,
);

async fn bill(house: &House, id: InvoiceId) -> Bill {
    let db = &house.app.db;
    db.q("SELECT client_id, number, status, currency, tax, total, due_on, version FROM invoices WHERE id = $1")
        .bind(id.0)
        .one()
        .await
        .unwrap()
}

/// What nobody decides about money by adding a field to a form.
const MONEY: [(&str, &str); 12] = [
    ("total", "1"),
    ("tax", "0"),
    ("currency", "ZWL"),
    ("number", "999"),
    ("issued_on", "2020-01-01"),
    ("applied", "true"),
    ("paid", "1"),
    ("reference", "x"),
    ("invoice", UNKNOWN),
    ("invoice_id", UNKNOWN),
    ("checkout", UNKNOWN),
    ("provider", "nobody"),
];

on_both!(
    an_invoice_comes_to_its_lines_whatever_the_form_says,
    |house: House| async move {
        let server = house.serve().await;
        let sipho = server.signed_in("sipho").await;
        let thandi = server.signed_in("thandi").await;
        let client = house.thandi.client.to_string();
        let extra = [EXTRA.as_slice(), &MONEY].concat();
        let with = |fields: &[(&'static str, &'static str)]| [&extra, fields].concat();
        let mut fields: Vec<(&str, &str)> = with(&[
            ("due_on", "2026-11-30"),
            ("key", "one"),
            ("words-0", "Follow-up treatment"),
            ("price-0", "850"),
            ("tax-0", "15"),
            ("amount-0", "1"),
            ("total-0", "1"),
            ("position-0", "7"),
        ]);
        fields.push(("client", &client));
        let made = sipho.post("/admin/invoices", &fields).await;
        assert_eq!(made.status, 303, "{}", made.body);
        let path = made.header("location").unwrap().to_owned();
        let id: InvoiceId = path.trim_start_matches("/invoices/").parse().unwrap();
        let stands = |status: &str, version| {
            let (currency, due) = ("ZAR".to_owned(), "2026-11-30".to_owned());
            let status = status.to_owned();
            (
                house.thandi.client.0,
                Some(1),
                status,
                currency,
                11_087,
                85_000,
                due,
                version,
            )
        };
        assert_eq!(bill(&house, id).await, stands("open", 2));

        let fields = with(&[("client", UNKNOWN), ("outcome", "pay"), ("version", "2")]);
        let set_out = thandi.post(&format!("{path}/pay"), &fields).await;
        let page = set_out.header("location").unwrap().to_owned();
        let (of, amount, currency): (uuid::Uuid, i64, String) = house
            .app
            .db
            .q("SELECT invoice_id, amount, currency FROM checkouts")
            .one()
            .await
            .unwrap();
        assert_eq!((of, amount, currency.as_str()), (id.0, 85_000, "ZAR"));
        assert_eq!(bill(&house, id).await, stands("open", 2));
        assert_eq!(thandi.post(&page, &fields).await.status, 303);
        assert_eq!(house.received(id).await, [(85_000, true)]);
        assert_eq!(bill(&house, id).await, stands("paid", 3));

        let other = house.draft(&house.thandi, 50_000).await;
        let fields = with(&[("version", "1"), ("client", UNKNOWN)]);
        let issue = format!("/admin/invoices/{other}/issue");
        assert_eq!(sipho.post(&issue, &fields).await.status, 303);
        let issued = bill(&house, other).await;
        assert_eq!(
            (issued.1, issued.2.as_str(), issued.5),
            (Some(2), "open", 50_000)
        );
        let fields = with(&[("version", "2"), ("client", UNKNOWN)]);
        let void = format!("/admin/invoices/{other}/void");
        assert_eq!(sipho.post(&void, &fields).await.status, 303);
        assert_eq!(bill(&house, other).await.2, "void");
        house.assert_sound().await;
    }
);

on_both!(
    a_socket_shows_nobody_elses_invoice_and_no_draft,
    |house: House| async move {
        let server = house.serve().await;
        let (thandi, pieter) = (
            server.signed_in("thandi").await,
            server.signed_in("pieter").await,
        );
        let naledi = server.signed_in("naledi").await;
        let invoice = house.charge(&house.thandi, 85_000).await;
        let draft = house.draft(&house.thandi, 85_000).await;
        let of = |id: InvoiceId| format!("/live?page=invoice&invoice={id}");
        let refused = [
            (&pieter, of(invoice)),
            (&pieter, of(draft)),
            (&thandi, of(draft)),
            (&thandi, format!("/live?page=invoice&invoice={UNKNOWN}")),
            (&thandi, "/live?page=invoice".to_owned()),
            (&thandi, "/live?page=invoice&invoice=*".to_owned()),
            (&thandi, "/live?page=ledger&show=all".to_owned()),
            (&thandi, "/live?page=ledger".to_owned()),
            (&naledi, "/live?page=ledger&show=x".to_owned()),
            (&naledi, "/live?page=invoices".to_owned()),
            (&naledi, format!("/live?page=invoice&invoice={UNKNOWN}")),
        ];
        for (browser, url) in &refused {
            let mut watcher = browser.connect(url).await;
            let heard = watcher.next().await;
            assert_eq!(heard, Heard::Closed(4403, "page".to_owned()), "{url}");
        }
        // One's own shows, and staff's; and to the client nothing that only staff should do.
        for (browser, acts) in [(&thandi, false), (&naledi, true)] {
            let mut watcher = browser.connect(&of(invoice)).await;
            let whole = watcher.content(|html| html.contains("invoice-head")).await;
            assert_eq!(whole.contains("/void"), acts);
            assert_eq!(whole.contains("/pay\""), !acts);
        }
        // What happens to Thandi's invoices is no word to Pieter.
        let mut his = pieter.watch("/invoices").await;
        his.quiet().await;
        let checkout = house.set_out(&house.thandi, invoice).await.unwrap();
        let told = house.told(&checkout, portico::domain::payment::Result::Succeeded);
        assert_eq!(server.hears(&told).await.status, 200);
        assert_eq!(his.quiet().await, [""; 0]);
    }
);
