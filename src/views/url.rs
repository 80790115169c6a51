//! Every path that a page links to, in one place.

use crate::domain::id::{BookingId, ClientId, InvoiceId, ServiceId, StaffId};
use crate::domain::week::Week;
use jiff::Timestamp;
use std::fmt::Write as _;

pub const HOME: &str = "/";
pub const LOGIN: &str = "/login";
pub const LOGOUT: &str = "/logout";
pub const RESET: &str = "/reset";
pub const BOOKINGS: &str = "/bookings";
pub const NEW_BOOKING: &str = "/bookings/new";
pub const ADMIN: &str = "/admin";
pub const CALENDAR: &str = "/admin/calendar";
pub const CLIENTS: &str = "/admin/clients";
pub const SETTINGS: &str = "/admin/settings";
pub const OUTBOX: &str = "/admin/settings/outbox";
pub const MESSAGES: &str = "/messages";
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

pub fn reschedule(id: BookingId) -> String {
    format!("{BOOKINGS}/{id}/reschedule")
}

pub fn cancel(id: BookingId) -> String {
    format!("{BOOKINGS}/{id}/cancel")
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

/// An invoice, for the client and for staff.
pub fn invoice(id: InvoiceId) -> String {
    format!("/invoices/{id}")
}

/// One client's conversation, for staff.
pub fn thread(id: ClientId) -> String {
    format!("/admin/messages/{id}")
}

/// The link of an invitation; its token is the secret.
pub fn welcome(token: &str) -> String {
    format!("/welcome/{token}")
}

/// The link of a reset; its token is the secret.
pub fn reset(token: &str) -> String {
    format!("{RESET}/{token}")
}

/// The stylesheet with the business's hue.
pub fn accent(hue: u16) -> String {
    format!("/accent/{hue}")
}

/// A page's live address, from what it shows and what it has seen.
pub fn live(page: &str, cursor: &str) -> String {
    format!("/live?{page}&since={cursor}")
}
