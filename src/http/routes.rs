//! The table: every method and path, who may ask for it, and who answers.

use super::guard::Who;
use super::{
    account, admin, assets, booking, client, health, hold, home, invoice, live, message,
    notification, payment, settings, sign_in, wait,
};
use crate::app::App;
use axum::extract::DefaultBodyLimit;
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
    [
        entrance(),
        portal(),
        sessions(),
        own(),
        office(),
        setup(),
        machinery(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Signing in and out.
fn entrance() -> Vec<Route> {
    use Who::Anyone;
    vec![
        row(Method::GET, "/login", Anyone, get(sign_in::form)),
        row(Method::POST, "/login", Anyone, post(sign_in::login)),
        row(Method::POST, "/logout", Anyone, post(sign_in::logout)),
        row(
            Method::GET,
            "/welcome/{token}",
            Anyone,
            get(sign_in::welcome),
        ),
        row(
            Method::POST,
            "/welcome/{token}",
            Anyone,
            post(sign_in::accept),
        ),
        row(Method::GET, "/reset", Anyone, get(sign_in::forgot)),
        row(Method::POST, "/reset", Anyone, post(sign_in::send_link)),
        row(Method::GET, "/reset/{token}", Anyone, get(sign_in::reset)),
        row(
            Method::POST,
            "/reset/{token}",
            Anyone,
            post(sign_in::replace),
        ),
    ]
}

/// Sessions: booked, kept while one chooses, waited for, and what came of them.
fn sessions() -> Vec<Route> {
    use Who::{Client, SignedIn, Staff};
    vec![
        row(Method::GET, "/bookings", Client, get(booking::calendar)),
        row(Method::GET, "/bookings/new", SignedIn, get(booking::sheet)).in_sheet(),
        row(Method::POST, "/bookings", SignedIn, post(booking::create)).in_sheet(),
        row(Method::GET, "/bookings/{id}", SignedIn, get(booking::show)).in_sheet(),
        row(
            Method::POST,
            "/bookings/{id}/reschedule",
            SignedIn,
            post(booking::reschedule),
        )
        .in_sheet(),
        row(
            Method::POST,
            "/bookings/{id}/cancel",
            SignedIn,
            post(booking::cancel),
        )
        .in_sheet(),
        row(Method::GET, "/bookings/history", Client, get(booking::back)),
        row(
            Method::POST,
            "/bookings/{id}/outcome",
            Staff,
            post(booking::settle),
        )
        .in_sheet(),
        row(Method::POST, "/holds", SignedIn, post(hold::create)).in_sheet(),
        row(
            Method::POST,
            "/holds/{id}/release",
            SignedIn,
            post(hold::release),
        )
        .in_sheet(),
        row(Method::POST, "/waits", Client, post(wait::create)),
        row(
            Method::POST,
            "/waits/{id}/withdraw",
            SignedIn,
            post(wait::withdraw),
        ),
        row(
            Method::POST,
            "/offers/{id}/decline",
            Client,
            post(wait::decline),
        ),
    ]
}

/// What clients see and do, and staff with them.
fn portal() -> Vec<Route> {
    use Who::{Anyone, Client, SignedIn};
    vec![
        row(Method::GET, "/", SignedIn, get(home::show)),
        row(Method::GET, "/invoices", Client, get(invoice::list)),
        row(Method::GET, "/invoices/{id}", SignedIn, get(invoice::show)),
        row(Method::GET, "/messages", SignedIn, get(message::own)),
        row(
            Method::POST,
            "/messages",
            SignedIn,
            post(message::send).layer(DefaultBodyLimit::max(message::LONGEST_FORM)),
        )
        .in_sheet(),
        row(
            Method::GET,
            "/messages/older",
            SignedIn,
            get(message::older),
        )
        .in_sheet(),
        row(
            Method::POST,
            "/messages/read",
            SignedIn,
            post(message::read),
        ),
        row(
            Method::GET,
            "/notifications",
            SignedIn,
            get(notification::list),
        ),
        row(
            Method::POST,
            "/notifications/seen",
            SignedIn,
            post(notification::see),
        )
        .in_sheet(),
        row(
            Method::POST,
            "/invoices/{id}/pay",
            Client,
            post(payment::pay),
        ),
        row(Method::GET, "/sandbox/{id}", Client, get(payment::show)),
        row(Method::POST, "/sandbox/{id}", Client, post(payment::press)),
        row(
            Method::POST,
            "/webhooks/{provider}",
            Anyone,
            post(payment::webhook),
        ),
    ]
}

/// One's own page, and what is reached by a secret alone.
fn own() -> Vec<Route> {
    use Who::{Anyone, Client, SignedIn};
    vec![
        row(Method::GET, "/account", SignedIn, get(account::show)),
        row(
            Method::POST,
            "/account/reminders",
            Client,
            post(account::remind),
        ),
        row(Method::POST, "/account/feed", SignedIn, post(account::make)),
        row(
            Method::POST,
            "/account/feed/revoke",
            SignedIn,
            post(account::revoke),
        ),
        row(
            Method::GET,
            "/calendar/{token}/feed.ics",
            Anyone,
            get(account::calendar),
        ),
        row(
            Method::GET,
            "/unsubscribe/{token}",
            Anyone,
            get(account::ask),
        ),
        row(
            Method::POST,
            "/unsubscribe/{token}",
            Anyone,
            post(account::stop),
        ),
    ]
}

/// What only staff see and do.
fn office() -> Vec<Route> {
    use Who::{Owner, Staff};
    vec![
        row(Method::GET, "/admin/invoices", Staff, get(invoice::ledger)),
        row(
            Method::POST,
            "/admin/invoices",
            Staff,
            post(invoice::create),
        ),
        row(
            Method::GET,
            "/admin/invoices/new",
            Staff,
            get(invoice::form),
        ),
        row(
            Method::POST,
            "/admin/invoices/{id}/issue",
            Staff,
            post(invoice::issue),
        ),
        row(
            Method::POST,
            "/admin/invoices/{id}/discard",
            Staff,
            post(invoice::discard),
        ),
        row(
            Method::POST,
            "/admin/invoices/{id}/void",
            Staff,
            post(invoice::void),
        ),
        row(Method::GET, "/admin", Staff, get(admin::today)),
        row(Method::GET, "/admin/calendar", Staff, get(admin::calendar)),
        row(Method::GET, "/admin/waits", Staff, get(wait::list)),
        row(Method::GET, "/admin/bookings", Staff, get(booking::back)),
        row(Method::GET, "/admin/clients", Staff, get(client::list)),
        row(Method::POST, "/admin/clients", Staff, post(client::invite)),
        row(Method::GET, "/admin/clients/{id}", Staff, get(client::show)),
        row(Method::GET, "/admin/messages", Staff, get(message::list)),
        row(
            Method::GET,
            "/admin/messages/{id}",
            Staff,
            get(message::one),
        ),
        row(Method::GET, "/admin/settings", Staff, get(settings::show)),
        row(
            Method::GET,
            "/admin/settings/outbox",
            Owner,
            get(settings::outbox),
        ),
        row(
            Method::POST,
            "/admin/settings/outbox/{id}/retry",
            Owner,
            post(settings::retry),
        ),
        row(
            Method::POST,
            "/admin/settings/reminders",
            Owner,
            post(settings::remind),
        ),
    ]
}

/// How the owner sets the business up.
fn setup() -> Vec<Route> {
    use Who::Owner;
    use settings::{hours, rules, service};
    vec![
        row(
            Method::GET,
            "/admin/settings/rules",
            Owner,
            get(rules::show),
        ),
        row(
            Method::POST,
            "/admin/settings/rules",
            Owner,
            post(rules::change),
        ),
        row(
            Method::GET,
            "/admin/settings/services",
            Owner,
            get(service::list),
        ),
        row(
            Method::POST,
            "/admin/settings/services",
            Owner,
            post(service::add),
        ),
        row(
            Method::GET,
            "/admin/settings/services/new",
            Owner,
            get(service::form),
        ),
        row(
            Method::GET,
            "/admin/settings/services/{id}",
            Owner,
            get(service::show),
        ),
        row(
            Method::POST,
            "/admin/settings/services/{id}",
            Owner,
            post(service::change),
        ),
        row(
            Method::POST,
            "/admin/settings/services/{id}/retire",
            Owner,
            post(service::retire),
        ),
        row(
            Method::POST,
            "/admin/settings/services/{id}/offer",
            Owner,
            post(service::offer),
        ),
        row(
            Method::GET,
            "/admin/settings/staff/{id}/hours",
            Owner,
            get(hours::show),
        ),
        row(
            Method::POST,
            "/admin/settings/staff/{id}/hours",
            Owner,
            post(hours::change),
        ),
    ]
}

/// What pages and machines ask for.
fn machinery() -> Vec<Route> {
    use Who::Anyone;
    vec![
        row(Method::GET, "/live", Anyone, get(live::connect)),
        row(Method::GET, "/assets/{name}", Anyone, get(assets::show)),
        row(Method::GET, "/accent/{hue}", Anyone, get(assets::accent)),
        row(Method::GET, "/healthz", Anyone, get(health::alive)),
        row(Method::GET, "/readyz", Anyone, get(health::ready)),
    ]
}
