//! Sessions as entries of people's own calendars: the part of a mail that enters, changes or removes one, and the calendar that
//! someone subscribes to.

use super::email::span;
use crate::domain::booking::{Booking, plus};
use crate::domain::business::Business;
use crate::domain::email::{Email, Kind, Session};
use crate::domain::ical::{self, Event, Method, Party};
use crate::domain::viewer::Viewer;
use crate::views::url;
use jiff::Timestamp;

/// The entry that a mail carries, and what a calendar should do with it. A reminder carries none: the entry is there already.
pub fn invite(
    business: &Business,
    base_url: &str,
    email: &Email,
    from: &Party,
) -> Option<(Method, String)> {
    let session = email.session.as_ref()?;
    let method = match email.kind {
        Kind::Booked | Kind::Moved => Method::Request,
        Kind::Cancelled | Kind::HandedOver => Method::Cancel,
        _ => return None,
    };
    let to = Party {
        name: email.to_name.clone(),
        address: email.to_address.clone(),
    };
    let event = Event {
        is_cancelled: method == Method::Cancel,
        parties: Some((from.clone(), to)),
        ..event(business, base_url, session, email.created_at)
    };
    Some((method, ical::calendar(method, None, &[event])))
}

/// A viewer's sessions as a calendar to subscribe to.
pub fn feed(
    business: &Business,
    base_url: &str,
    viewer: &Viewer,
    bookings: &[Booking],
    now: Timestamp,
) -> String {
    let event = |booking: &Booking| {
        let session = Session {
            booking: booking.id,
            version: booking.version,
            told_version: booking.version,
            status: booking.status,
            service_name: booking.service_name.clone(),
            client_name: booking.client_name.clone(),
            staff_name: booking.staff_name.clone(),
            video_url: booking.video_url.clone(),
            starts_at: booking.starts_at,
            minutes: booking.minutes,
            for_staff: matches!(viewer, Viewer::Staff(_)),
        };
        event(business, base_url, &session, now)
    };
    let events: Vec<Event> = bookings.iter().map(event).collect();
    ical::calendar(Method::Publish, Some(&business.name), &events)
}

fn event(business: &Business, base_url: &str, session: &Session, stamp: Timestamp) -> Event {
    Event {
        booking: session.booking,
        version: session.version,
        stamp,
        starts_at: session.starts_at,
        ends_at: plus(session.starts_at, session.minutes),
        summary: summary(business, session),
        description: span(business, session),
        location: location(business, session.video_url.as_deref()),
        url: format!("{base_url}{}", url::booking(session.booking)),
        is_cancelled: false,
        parties: None,
    }
}

fn summary(business: &Business, session: &Session) -> String {
    if session.for_staff {
        format!("{}: {}", session.client_name, session.service_name)
    } else {
        format!("{} at {}", session.service_name, business.name)
    }
}

fn location(business: &Business, video_url: Option<&str>) -> String {
    video_url.unwrap_or(&business.address).to_owned()
}
