//! Every path that a page links to, in one place.

use crate::domain::id::{
    BookingId, CheckoutId, ClientId, EmailId, HoldId, InvoiceId, ServiceId, StaffId, WaitId,
};
use crate::domain::invoice::Filter;
use crate::domain::outcome::Back;
use crate::domain::wait::Offer;
use crate::domain::week::Week;
use jiff::Timestamp;
use std::fmt::Write as _;

pub const HOME: &str = "/";
pub const LOGIN: &str = "/login";
pub const LOGOUT: &str = "/logout";
pub const RESET: &str = "/reset";
pub const BOOKINGS: &str = "/bookings";
pub const NEW_BOOKING: &str = "/bookings/new";
pub const HISTORY: &str = "/bookings/history";
pub const HOLDS: &str = "/holds";
/// Where a client asks for a time that is not free.
pub const WAITS: &str = "/waits";
/// What a client waits for, on their calendar.
pub const OWN_WAITS: &str = "/bookings#waits";
/// Who waits, for staff.
pub const LINE: &str = "/admin/waits";
pub const INVOICES: &str = "/invoices";
pub const MESSAGES: &str = "/messages";
pub const READ: &str = "/messages/read";
pub const OLDER: &str = "/messages/older";
pub const ADMIN: &str = "/admin";
pub const LEDGER: &str = "/admin/invoices";
pub const NEW_INVOICE: &str = "/admin/invoices/new";
pub const CALENDAR: &str = "/admin/calendar";
/// All sessions that were, for staff.
pub const SESSIONS: &str = "/admin/bookings";
pub const CLIENTS: &str = "/admin/clients";
/// Clients without a session for long.
pub const QUIET: &str = "/admin/clients?show=quiet";
pub const THREADS: &str = "/admin/messages";
/// Threads whose clients wait for an answer.
pub const WAITING: &str = "/admin/messages?show=waiting";
pub const SETTINGS: &str = "/admin/settings";
pub const OUTBOX: &str = "/admin/settings/outbox";
pub const SERVICES: &str = "/admin/settings/services";
pub const RULES: &str = "/admin/settings/rules";
pub const NEW_SERVICE: &str = "/admin/settings/services/new";
pub const REMINDERS: &str = "/admin/settings/reminders";
pub const ACCOUNT: &str = "/account";
pub const OWN_REMINDERS: &str = "/account/reminders";
pub const OWN_FEED: &str = "/account/feed";
pub const REVOKE_FEED: &str = "/account/feed/revoke";
pub const NOTIFICATIONS: &str = "/notifications";
pub const SEEN: &str = "/notifications/seen";

/// A client's calendar.
pub fn bookings(week: Week, staff: StaffId, moving: Option<BookingId>) -> String {
    let mut url = format!("{BOOKINGS}?week={week}&staff={staff}");
    if let Some(id) = moving {
        let _ = write!(url, "&move={id}");
    }
    url
}

/// Where a booking's new time is chosen: the week and staff that it has now.
pub fn moving(id: BookingId, by_staff: bool) -> String {
    format!("{}?move={id}", if by_staff { CALENDAR } else { BOOKINGS })
}

/// The sheet for a time.
pub fn new_booking(start: Timestamp, staff: StaffId) -> String {
    format!("{NEW_BOOKING}?start={start}&staff={staff}")
}

/// The sheet for another time, with what was chosen in the one before.
pub fn choose_again(
    start: Timestamp,
    staff: StaffId,
    service: Option<ServiceId>,
    client: Option<ClientId>,
) -> String {
    let mut url = new_booking(start, staff);
    if let Some(id) = service {
        let _ = write!(url, "&service={id}");
    }
    if let Some(id) = client {
        let _ = write!(url, "&client={id}");
    }
    url
}

pub fn booking(id: BookingId) -> String {
    format!("{BOOKINGS}/{id}")
}

pub fn outcome(id: BookingId) -> String {
    format!("{BOOKINGS}/{id}/outcome")
}

/// Looking back at sessions, with what is chosen; from the latest unless `before` one.
pub fn history(back: &Back, by_staff: bool, before: Option<BookingId>) -> String {
    let all = if by_staff { SESSIONS } else { HISTORY };
    let mut url = format!("{all}?show={}", back.filter.as_str());
    if let Some(staff) = back.staff {
        let _ = write!(url, "&staff={staff}");
    }
    if let Some(client) = back.client {
        let _ = write!(url, "&client={client}");
    }
    if let Some(before) = before {
        let _ = write!(url, "&before={before}");
    }
    url
}

pub fn reschedule(id: BookingId) -> String {
    format!("{BOOKINGS}/{id}/reschedule")
}

pub fn cancel(id: BookingId) -> String {
    format!("{BOOKINGS}/{id}/cancel")
}

/// Where a hold is given back.
pub fn release(id: HoldId) -> String {
    format!("{HOLDS}/{id}/release")
}

/// Staff's calendar; without staff, everybody's.
pub fn calendar(week: Week, staff: Option<StaffId>, moving: Option<BookingId>) -> String {
    let mut url = format!("{CALENDAR}?week={week}");
    if let Some(id) = staff {
        let _ = write!(url, "&staff={id}");
    }
    if let Some(id) = moving {
        let _ = write!(url, "&move={id}");
    }
    url
}

/// One client's page, for staff.
pub fn client(id: ClientId) -> String {
    format!("{CLIENTS}/{id}")
}

/// One invoice.
pub fn invoice(id: InvoiceId) -> String {
    format!("{INVOICES}/{id}")
}

/// Where paying begins.
pub fn pay(id: InvoiceId) -> String {
    format!("{INVOICES}/{id}/pay")
}

/// Staff's invoices behind a filter.
pub fn ledger(filter: Filter) -> String {
    match filter {
        Filter::All => LEDGER.to_owned(),
        other => format!("{LEDGER}?show={}", other.as_str()),
    }
}

/// The invoices behind a filter that were made before one of them.
pub fn ledger_before(filter: Filter, before: InvoiceId) -> String {
    format!("{LEDGER}?show={}&before={before}", filter.as_str())
}

/// The form that makes an invoice, for a client or one of their sessions.
pub fn new_invoice(client: Option<ClientId>, booking: Option<BookingId>) -> String {
    match (client, booking) {
        (_, Some(id)) => format!("{NEW_INVOICE}?booking={id}"),
        (Some(id), None) => format!("{NEW_INVOICE}?client={id}"),
        (None, None) => NEW_INVOICE.to_owned(),
    }
}

/// What staff do with an invoice: `issue`, `discard`, `void`.
pub fn invoice_act(id: InvoiceId, act: &str) -> String {
    format!("{LEDGER}/{id}/{act}")
}

/// One service, for the owner.
pub fn service(id: ServiceId) -> String {
    format!("{SERVICES}/{id}")
}

/// What the owner does with a service: `retire`, `offer`.
pub fn service_act(id: ServiceId, act: &str) -> String {
    format!("{SERVICES}/{id}/{act}")
}

/// When someone works, for the owner.
pub fn hours(staff: StaffId) -> String {
    format!("{SETTINGS}/staff/{staff}/hours")
}

/// Gives up a place on the waiting list.
pub fn withdraw(id: WaitId) -> String {
    format!("{WAITS}/{id}/withdraw")
}

/// Lets an offer go.
pub fn decline(offer: &Offer) -> String {
    format!("/offers/{}/decline", offer.hold)
}

/// The sandbox's payment page.
pub fn sandbox(id: CheckoutId) -> String {
    format!("/sandbox/{id}")
}

/// A thread: for staff a client's, for a client their own.
pub fn messages(client: Option<ClientId>) -> String {
    client.map_or_else(|| MESSAGES.to_owned(), thread)
}

/// A client's thread, for staff.
pub fn thread(client: ClientId) -> String {
    format!("{THREADS}/{client}")
}

/// What was written before a message, as a page.
pub fn messages_before(client: Option<ClientId>, before: i64) -> String {
    format!("{}?before={before}", messages(client))
}

/// A message among its neighbours.
pub fn message(client: Option<ClientId>, seq: i64) -> String {
    format!("{}#msg-{seq:012}", messages_before(client, seq + 20))
}

/// What was written before a message, as a fragment.
pub fn older(client: Option<ClientId>, before: i64) -> String {
    let mut url = format!("{OLDER}?before={before}");
    if let Some(id) = client {
        let _ = write!(url, "&client={id}");
    }
    url
}

/// The link of an invitation; its token is the secret.
pub fn welcome(token: &str) -> String {
    format!("/welcome/{token}")
}

/// The link of a reset; its token is the secret.
pub fn reset(token: &str) -> String {
    format!("{RESET}/{token}")
}

/// Tries a failed mail again.
pub fn retry(id: EmailId) -> String {
    format!("{OUTBOX}/{id}/retry")
}

/// Stops reminders, without signing in.
pub fn unsubscribe(token: &str) -> String {
    format!("/unsubscribe/{token}")
}

/// A calendar to subscribe to.
pub fn feed(secret: &str) -> String {
    format!("/calendar/{secret}/feed.ics")
}

/// The stylesheet with the business's hue.
pub fn accent(hue: u16) -> String {
    format!("/accent/{hue}")
}

/// A page's live address, from what it shows and what it has seen.
pub fn live(page: &str, cursor: &str) -> String {
    format!("/live?{page}&since={cursor}")
}
