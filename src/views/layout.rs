//! The page around every page: head, navigation, live status, and the lone card of whoever is not signed in.

use super::badge::{self, Badge};
use super::icon::{icon, name};
use super::{text, url};
use crate::assets::{LIVE_JS, MARK_SVG, PORTICO_CSS};
use crate::domain::business::Business;
use crate::domain::person::initials;
use crate::domain::viewer::{Role, Viewer};
use crate::realtime::part::Filled;
use maud::{DOCTYPE, Markup, html};

/// What every signed-in page is built from.
#[derive(Debug)]
pub struct Page<'a> {
    pub business: &'a Business,
    pub viewer: &'a Viewer,
    pub tab: Tab,
    pub title: &'a str,
    pub live: Option<&'a Live>,
}

/// The live regions of a page, rendered, and where the rest comes from.
#[derive(Debug)]
pub struct Live {
    /// For `hx-ws:connect`.
    pub url: String,
    pub regions: Vec<Filled>,
}

impl Live {
    /// What fills a root now, or what a scattered part is.
    pub fn fill(&self, id: &str) -> Option<&Filled> {
        self.regions.iter().find(|filled| filled.id == id)
    }
}

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Home,
    Bookings,
    Invoices,
    Today,
    Calendar,
    Clients,
    Messages,
    Settings,
    /// Behind the bell.
    Notifications,
    /// Behind one's name.
    Account,
}

const HTMX: &str = r#"{"extensions":"no-scripts,ws,upsert","includeIndicatorCSS":false,"history":false,"morphIgnore":["data-htmx-powered","open"],"ws":{"reconnectMaxDelay":20000,"reconnectJitter":0.5}}"#;

fn head(business: &Business, title: &str) -> Markup {
    html! {
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
        meta name="color-scheme" content="light dark";
        title { (title) " · " (business.name) }
        link rel="icon" href=(MARK_SVG) type="image/svg+xml";
        link rel="stylesheet" href=(PORTICO_CSS);
        link rel="stylesheet" href=(url::accent(business.hue));
        meta name="htmx-config" content=(HTMX);
        script src=(LIVE_JS) defer {}
    }
}

fn brand(business: &Business, href: &str) -> Markup {
    html! {
        a.brand href=(href) {
            span.mark aria-hidden="true" { (business.name.chars().next().unwrap_or('P')) }
            span { (business.name) }
        }
    }
}

/// A page for someone who is signed in.
pub fn page(page: &Page<'_>, body: &Markup) -> Markup {
    let staff = matches!(page.viewer, Viewer::Staff(_));
    let home = if staff { url::ADMIN } else { url::HOME };
    html! {
        (DOCTYPE)
        html lang="en" {
            head { (head(page.business, page.title)) }
            body {
                a.skip href="#main" { "Skip to content" }
                div.shell {
                    header.side {
                        (brand(page.business, home))
                        nav.nav aria-label="Main" { (entries(page, true)) }
                        div.foot {
                            (bell(page, true))
                            div.me {
                                span.avatar aria-hidden="true" { (initials(page.viewer.name())) }
                                div.grow {
                                    (account(page, None, page.viewer.name()))
                                    @if page.live.is_some() { (status()) }
                                }
                                (sign_out())
                            }
                        }
                    }
                    header.top {
                        (brand(page.business, home))
                        div.row {
                            @if page.live.is_some() { (status()) }
                            (bell(page, false))
                            (account(page, Some(name::USER), "Your account"))
                            (sign_out())
                        }
                    }
                    main #main tabindex="-1" { (body) }
                    nav.tabs aria-label="Main, at the foot" { (entries(page, false)) }
                }
                dialog.sheet #sheet aria-labelledby="sheet-title" {}
                @if let Some(live) = page.live {
                    p.visually-hidden #live-status role="status" {}
                    p.visually-hidden #live-news role="status" {}
                    // Staff watch in background tabs too: a client's phone saves its battery, their desk does not.
                    div #live hx-ws:connect=(live.url) hx-swap="none"
                        hx-config=[staff.then_some("ws.pauseOnBackground:false")] {}
                }
            }
        }
    }
}

/// Where the eye finds it; the readers' copy is a status of its own.
fn status() -> Markup {
    html! { p.live { i aria-hidden="true" {} " " span data-live-status { "Live updates off" } } }
}

fn sign_out() -> Markup {
    html! {
        form method="post" action=(url::LOGOUT) {
            button.btn.quiet type="submit" title="Sign out" {
                (icon(name::LOG_OUT)) span.visually-hidden { "Sign out" }
            }
        }
    }
}

/// The way to one's own page.
fn account(page: &Page<'_>, drawing: Option<&'static str>, words: &str) -> Markup {
    let current = (page.tab == Tab::Account).then_some("page");
    html! {
        @match drawing {
            Some(drawing) => a.bell href=(url::ACCOUNT) aria-current=[current] title=(words) {
                (icon(drawing)) span.visually-hidden { (words) }
            },
            None => b { a href=(url::ACCOUNT) aria-current=[current] title="Your account" { (words) } },
        }
    }
}

/// The way to what one should know.
fn bell(page: &Page<'_>, wide: bool) -> Markup {
    let current = (page.tab == Tab::Notifications).then_some("page");
    html! {
        @if wide {
            a.bell href=(url::NOTIFICATIONS) aria-current=[current] {
                (icon(name::BELL)) span { "Notifications" } (badge(page, Badge::Bell, true))
            }
        } @else {
            a.bell href=(url::NOTIFICATIONS) aria-current=[current] title="Notifications" {
                (icon(name::BELL)) span.visually-hidden { "Notifications" } (badge(page, Badge::Bell, false))
            }
        }
    }
}

/// How much waits behind an entry. A page that is not live says nothing: it could not take it back.
pub fn badge(page: &Page<'_>, badge: Badge, wide: bool) -> Markup {
    html! { @if let Some(live) = page.live { " " (part(live, &badge::id(badge, wide))) } }
}

fn entries(page: &Page<'_>, wide: bool) -> Markup {
    let entry = |tab: Tab, href: &str, drawing: &'static str, words: &str| {
        let waits = match tab {
            Tab::Invoices => Some(Badge::Invoices),
            Tab::Messages => Some(Badge::Messages),
            _ => None,
        };
        html! {
            a href=(href) aria-current=[(page.tab == tab).then_some("page")] {
                (icon(drawing)) span { (words) }
                @if let Some(waits) = waits { (badge(page, waits, wide)) }
            }
        }
    };
    html! {
        @match page.viewer {
            Viewer::Staff(staff) => {
                (entry(Tab::Today, url::ADMIN, name::LAYOUT_DASHBOARD, "Today"))
                (entry(Tab::Calendar, url::CALENDAR, name::CALENDAR_DAYS, "Calendar"))
                (entry(Tab::Clients, url::CLIENTS, name::USERS, "Clients"))
                (entry(Tab::Invoices, url::LEDGER, name::RECEIPT, "Invoices"))
                (entry(Tab::Messages, url::THREADS, name::MESSAGE_CIRCLE, "Messages"))
                @if staff.role == Role::Owner || wide {
                    (entry(Tab::Settings, url::SETTINGS, name::SETTINGS_2, "Settings"))
                }
            }
            _ => {
                (entry(Tab::Home, url::HOME, name::HOUSE, "Home"))
                (entry(Tab::Bookings, url::BOOKINGS, name::CALENDAR_DAYS, "Bookings"))
                (entry(Tab::Invoices, url::INVOICES, name::RECEIPT, "Invoices"))
                (entry(Tab::Messages, url::MESSAGES, name::MESSAGE_CIRCLE, "Messages"))
            }
        }
    }
}

/// A page with one card in the middle, for whoever is not signed in or went astray.
pub fn lone(business: &Business, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head { (head(business, title)) }
            body {
                main.lone #main tabindex="-1" {
                    (brand(business, url::HOME))
                    (body)
                }
            }
        }
    }
}

/// A live region: an element that a push fills, with what it holds now.
pub fn region(live: &Live, root: &'static str, class: &str) -> Markup {
    html! {
        div id=(root) class=(class) data-region { @if let Some(filled) = live.fill(root) { (filled) } }
    }
}

/// A part of a scattered region, in one of its places on the page.
pub fn part(live: &Live, id: &str) -> Markup {
    html! { @if let Some(part) = live.fill(id) { span data-region { (part) } } }
}

/// Which rows of a page are shown: a path, its words, and whether it is this one.
pub fn choice(label: &str, choices: &[(&str, &str, bool)]) -> Markup {
    html! {
        nav.chips aria-label=(label) {
            @for (href, words, chosen) in choices {
                a href=(href) aria-current=[(*chosen).then_some("true")] { (words) }
            }
        }
    }
}

/// What happened to a form, above it.
pub fn note(kind: &str, words: &str) -> Markup {
    let drawing = match kind {
        "ok" => name::CIRCLE_CHECK,
        "info" => name::INFO,
        _ => name::TRIANGLE_ALERT,
    };
    html! { div.note.(kind) role=(if kind == "ok" { "status" } else { "alert" }) { (icon(drawing)) p { (words) } } }
}

/// Where a week's pages are turned.
pub fn week_nav(title: &str, earlier: Option<&str>, later: Option<&str>) -> Markup {
    let turn = |href: Option<&str>, drawing: &'static str, words: &str| {
        html! {
            @match href {
                Some(href) => a.btn href=(href) { (icon(drawing)) span.visually-hidden { (words) } },
                None => span.btn aria-disabled="true" { (icon(drawing)) },
            }
        }
    };
    html! {
        div.weeknav role="group" aria-label="Week" {
            (turn(earlier, name::CHEVRON_LEFT, "Earlier week"))
            b { (title) }
            (turn(later, name::CHEVRON_RIGHT, "Later week"))
        }
    }
}

/// The zone that every time on the page is in.
pub fn zone_line(business: &Business) -> String {
    format!("Times are in {} time.", text::city(business))
}
