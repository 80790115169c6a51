//! The table: every method and path, who may ask for it, and who answers.

use super::guard::Who;
use super::{admin, assets, booking, client, health, home, live, notification, settings, sign_in};
use crate::app::App;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};

/// A row of the table.
#[derive(Debug)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub who: Who,
    /// Whether htmx may ask for it. Everything else is a page or no html at all.
    pub in_sheet: bool,
    pub(super) handler: MethodRouter<App>,
}

fn row(method: Method, path: &'static str, who: Who, handler: MethodRouter<App>) -> Route {
    Route {
        method,
        path,
        who,
        in_sheet: false,
        handler,
    }
}

impl Route {
    fn in_sheet(mut self) -> Self {
        self.in_sheet = true;
        self
    }
}

/// Every route.
pub fn table() -> Vec<Route> {
    use Who::{Anyone, Client, Owner, SignedIn, Staff};
    let (read, write) = (Method::GET, Method::POST);
    vec![
        row(read.clone(), "/login", Anyone, get(sign_in::form)),
        row(write.clone(), "/login", Anyone, post(sign_in::login)),
        row(write.clone(), "/logout", Anyone, post(sign_in::logout)),
        row(
            read.clone(),
            "/welcome/{token}",
            Anyone,
            get(sign_in::welcome),
        ),
        row(
            write.clone(),
            "/welcome/{token}",
            Anyone,
            post(sign_in::accept),
        ),
        row(read.clone(), "/reset", Anyone, get(sign_in::forgot)),
        row(write.clone(), "/reset", Anyone, post(sign_in::send_link)),
        row(read.clone(), "/reset/{token}", Anyone, get(sign_in::reset)),
        row(
            write.clone(),
            "/reset/{token}",
            Anyone,
            post(sign_in::replace),
        ),
        row(read.clone(), "/", SignedIn, get(home::show)),
        row(read.clone(), "/bookings", Client, get(booking::calendar)),
        row(read.clone(), "/bookings/new", SignedIn, get(booking::sheet)).in_sheet(),
        row(write.clone(), "/bookings", SignedIn, post(booking::create)).in_sheet(),
        row(read.clone(), "/bookings/{id}", SignedIn, get(booking::show)).in_sheet(),
        row(
            write.clone(),
            "/bookings/{id}/reschedule",
            SignedIn,
            post(booking::reschedule),
        )
        .in_sheet(),
        row(
            write.clone(),
            "/bookings/{id}/cancel",
            SignedIn,
            post(booking::cancel),
        )
        .in_sheet(),
        row(read.clone(), "/admin", Staff, get(admin::today)),
        row(read.clone(), "/admin/calendar", Staff, get(admin::calendar)),
        row(read.clone(), "/admin/clients", Staff, get(client::list)),
        row(write.clone(), "/admin/clients", Staff, post(client::invite)),
        row(
            read.clone(),
            "/admin/clients/{id}",
            Staff,
            get(client::show),
        ),
        row(read.clone(), "/admin/settings", Staff, get(settings::show)),
        row(
            read.clone(),
            "/admin/settings/outbox",
            Owner,
            get(settings::outbox),
        ),
        row(
            read.clone(),
            "/notifications",
            SignedIn,
            get(notification::list),
        ),
        row(
            write.clone(),
            "/notifications/seen",
            SignedIn,
            post(notification::see),
        )
        .in_sheet(),
        row(read.clone(), "/live", Anyone, get(live::connect)),
        row(read.clone(), "/assets/{name}", Anyone, get(assets::show)),
        row(read.clone(), "/accent/{hue}", Anyone, get(assets::accent)),
        row(read.clone(), "/healthz", Anyone, get(health::alive)),
        row(read, "/readyz", Anyone, get(health::ready)),
    ]
}
