//! Sessions as entries of people's own calendars: the part of a mail that enters, changes or removes one.

use super::email::span;
use crate::domain::booking::plus;
use crate::domain::business::Business;
use crate::domain::email::{Email, Kind, Session};
use crate::domain::ical::{self, Event, Method, Party};
use crate::views::url;

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
        booking: session.booking,
        version: session.version,
        stamp: email.created_at,
        starts_at: session.starts_at,
        ends_at: plus(session.starts_at, session.minutes),
        summary: summary(business, session),
        description: span(business, session),
        location: location(business, session.video_url.as_deref()),
        url: format!("{base_url}{}", url::booking(session.booking)),
        is_cancelled: method == Method::Cancel,
        parties: Some((from.clone(), to)),
    };
    Some((method, ical::calendar(method, None, &[event])))
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
