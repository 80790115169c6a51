//! Services, for the owner: the list, and the form that adds or changes one. What is wrong stands beside its field.

use crate::domain::business::Business;
use crate::domain::id::{ServiceId, StaffId};
use crate::domain::service::{Colour, Service};
use crate::domain::staff::Staff;
use crate::views::layout::{self, Page, note};
use crate::views::{text, url};
use maud::{Markup, html};

/// The list's page.
pub fn list(frame: &Page<'_>, services: &[(Service, bool)], everyone: &[Staff]) -> Markup {
    let body = html! {
        p { a.link href=(url::SETTINGS) { "Settings" } }
        div.page-head {
            div { h1 { "Services" } }
            div.acts { a.btn.primary href=(url::NEW_SERVICE) { "Add a service" } }
        }
        section.card aria-label="All services" {
            div.body {
                @if services.is_empty() { p.empty { "No services yet. Add the first one, and it can be booked at once." } }
                @else {
                    ul.list {
                        @for (service, active) in services { (row(frame.business, service, *active, everyone)) }
                    }
                }
            }
        }
    };
    layout::page(frame, &body)
}

fn row(business: &Business, service: &Service, active: bool, everyone: &[Staff]) -> Markup {
    let act = if active { "retire" } else { "offer" };
    html! {
        li {
            span.swatch.(service.colour.as_str()) aria-hidden="true" {}
            span.what {
                b {
                    a href=(url::service(service.id)) { (service.name) }
                    @if !active { " " span.badge { "Retired" } }
                }
                small {
                    (text::length(service.minutes)) ", " (business.money(service.price)) ", "
                    @if service.video_url.is_some() { "by video" } @else { "in person" }
                    ", with " (offered_by(service, everyone))
                    @if !service.clients.is_empty() { ", only for " (text::count(service.clients.len(), "client", "clients")) }
                }
            }
            form.acts method="post" action=(url::service_act(service.id, act)) {
                input type="hidden" name="version" value=(service.version);
                button.btn type="submit" {
                    @if active { "Retire" } @else { "Offer again" } span.visually-hidden { " " (service.name) }
                }
            }
        }
    }
}

fn offered_by(service: &Service, everyone: &[Staff]) -> String {
    if service.staff.is_empty() {
        return "everyone".to_owned();
    }
    let named = everyone
        .iter()
        .filter(|one| service.staff.contains(&one.id));
    let words: Vec<&str> = named.map(|one| one.name.as_str()).collect();
    if words.is_empty() {
        "nobody now".to_owned()
    } else {
        words.join(", ")
    }
}

/// A service as it was typed.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    pub name: String,
    pub price: String,
    pub minutes: String,
    pub step: String,
    pub before: String,
    pub after: String,
    pub notice: String,
    pub horizon: String,
    pub staff: Vec<StaffId>,
    /// Addresses, one a line.
    pub clients: String,
    pub by_video: bool,
    pub video_url: String,
    pub colour: Colour,
}

/// The form, and what was wrong with it.
#[derive(Debug)]
pub struct Form<'a> {
    pub id: ServiceId,
    /// The one that it was made from; nothing for a new service.
    pub version: Option<i64>,
    pub typed: &'a Typed,
    /// A field's name, and the sentence that stands beside it.
    pub wrong: &'a [(&'static str, String)],
    pub note: Option<&'a str>,
    pub everyone: &'a [Staff],
}

/// The form's page.
pub fn page(frame: &Page<'_>, form: &Form<'_>) -> Markup {
    let action = form
        .version
        .map_or_else(|| url::SERVICES.to_owned(), |_| url::service(form.id));
    let body = html! {
        p { a.link href=(url::SERVICES) { "All services" } }
        div.page-head { div { h1 { (frame.title) } } }
        div.card {
            div.body {
                form.form method="post" action=(action) {
                    @if let Some(words) = form.note { (note("bad", words)) }
                    @match form.version {
                        Some(version) => input type="hidden" name="version" value=(version);,
                        None => input type="hidden" name="id" value=(form.id);,
                    }
                    (fields(frame.business, form))
                    div.acts {
                        button.btn.primary type="submit" { "Save" }
                        a.btn href=(url::SERVICES) { "Not now" }
                    }
                }
            }
        }
    };
    layout::page(frame, &body)
}

fn fields(business: &Business, form: &Form<'_>) -> Markup {
    let typed = form.typed;
    let price = format!("Price in {}", business.symbol.0);
    html! {
        (field(form, "name", "Name", "text", &typed.name, None))
        div.pair {
            (field(form, "minutes", "Length in minutes", "numeric", &typed.minutes, None))
            (field(form, "price", &price, "decimal", &typed.price, None))
        }
        div.pair {
            (field(form, "before", "Minutes kept free before", "numeric", &typed.before, None))
            (field(form, "after", "Minutes kept free after", "numeric", &typed.after, None))
            (field(form, "step", "Minutes between starts", "numeric", &typed.step, None))
        }
        div.pair {
            (field(form, "notice", "Notice in minutes", "numeric", &typed.notice, Some("Clients book at least this long ahead: 120 is two hours.")))
            (field(form, "horizon", "Weeks ahead", "numeric", &typed.horizon, Some("How far ahead it can be booked. Empty: as far as anything.")))
        }
        fieldset.field {
            legend { "Who offers it" }
            @for one in form.everyone {
                label.check {
                    input type="checkbox" name=(format!("staff-{}", one.id)) value="on"
                        checked[typed.staff.contains(&one.id)] aria-describedby=[error_id(form, "staff")];
                    span { (one.name) }
                }
            }
            p.hint { "With everyone ticked, whoever joins later offers it too." }
            (error(form, "staff"))
        }
        div.field {
            label for="clients" { "Only for these clients" }
            textarea #clients name="clients" rows="3" autocomplete="off" spellcheck="false"
                aria-invalid=[error_id(form, "clients").map(|_| "true")] aria-describedby=[error_id(form, "clients")] {
                (typed.clients)
            }
            p.hint { "Their e-mail addresses, one a line. Empty: every client can book it. Others do not see it." }
            (error(form, "clients"))
        }
        div.pair {
            div.field {
                label for="place" { "Where" }
                select #place name="place" {
                    option value="person" selected[!typed.by_video] { "In person" }
                    option value="video" selected[typed.by_video] { "By video" }
                }
            }
            (field(form, "video_url", "Link of the video room", "url", &typed.video_url, Some("Only for sessions by video.")))
        }
        fieldset.field {
            legend { "Colour" }
            div.inline {
                @for colour in Colour::ALL {
                    label.check {
                        input type="radio" name="colour" value=(colour.as_str()) checked[typed.colour == colour];
                        span.swatch.(colour.as_str()) aria-hidden="true" {}
                        span { (colour_name(colour)) }
                    }
                }
            }
        }
    }
}

fn colour_name(colour: Colour) -> &'static str {
    match colour {
        Colour::Teal => "Teal",
        Colour::Blue => "Blue",
        Colour::Violet => "Violet",
        Colour::Rose => "Rose",
        Colour::Amber => "Amber",
        Colour::Slate => "Slate",
    }
}

fn field(
    form: &Form<'_>,
    name: &'static str,
    label: &str,
    mode: &str,
    value: &str,
    hint: Option<&str>,
) -> Markup {
    let wrong = error_id(form, name);
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) value=(value) inputmode=(mode) autocomplete="off"
                aria-invalid=[wrong.as_ref().map(|_| "true")] aria-describedby=[wrong];
            @if let Some(hint) = hint { p.hint { (hint) } }
            (error(form, name))
        }
    }
}

fn error_id(form: &Form<'_>, name: &'static str) -> Option<String> {
    let is_wrong = form.wrong.iter().any(|(field, _)| *field == name);
    is_wrong.then(|| format!("{name}-wrong"))
}

fn error(form: &Form<'_>, name: &'static str) -> Markup {
    html! {
        @for (field, words) in form.wrong {
            @if *field == name { p.error id=(format!("{name}-wrong")) { (words) } }
        }
    }
}
