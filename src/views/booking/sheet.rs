//! The sheet: what is about to be booked, moved or cancelled, told before the click. As a fragment in the dialog or, without
//! scripts, as a page. No id in it is a live part's (see the walkthroughs): a slow answer must not overwrite a newer push.

use super::sessions::badge;
use crate::domain::booking::{Booking, Cost, Moved, Refusal, Status, plus};
use crate::domain::business::Business;
use crate::domain::hold::Hold;
use crate::domain::id::{ClientId, ServiceId};
use crate::domain::outcome::Outcome;
use crate::domain::rule::{LONGEST_REASON, Rule};
use crate::domain::service::Service;
use crate::domain::staff::Staff;
use crate::domain::week::Week;
use crate::views::layout::note;
use crate::views::{text, url};
use jiff::Timestamp;
use maud::{Markup, html};

/// A service at the chosen time: whether it can be booked, and if not, why.
#[derive(Debug)]
pub struct Choice {
    pub service: Service,
    pub fits: Result<(), Refusal>,
    /// The rules that staff would set aside by it.
    pub aside: Vec<Rule>,
    /// When the next thing begins, where that is what cuts the service short.
    pub until: Option<Timestamp>,
}

/// What the confirm sheet shows.
#[derive(Debug)]
pub struct Confirm<'a> {
    pub business: &'a Business,
    pub staff: &'a Staff,
    pub start: Timestamp,
    pub choices: &'a [Choice],
    pub chosen: Option<ServiceId>,
    pub key: &'a str,
    /// For staff: whom it may be for.
    pub clients: Option<&'a [(ClientId, String)]>,
    pub client: Option<ClientId>,
    /// Why the last try was refused, and the free times nearest to it.
    pub refused: Option<&'a str>,
    pub nearest: &'a [Timestamp],
    /// To staff who may have to set rules aside: the reason that was typed.
    pub reason: Option<&'a str>,
    /// The viewer's hold of this time.
    pub kept: Option<&'a Hold>,
    pub now: Timestamp,
}

/// Books, after a click.
pub fn confirm(view: &Confirm<'_>) -> Markup {
    let business = view.business;
    let start = business.local(view.start);
    let possible = view.choices.iter().any(|choice| choice.fits.is_ok());
    let first_fitting = view
        .choices
        .iter()
        .find(|choice| choice.fits.is_ok())
        .map(|choice| choice.service.id);
    let fits = |id: &ServiceId| {
        let mut fitting = view.choices.iter().filter(|choice| choice.fits.is_ok());
        fitting.any(|choice| choice.service.id == *id)
    };
    // A choice is kept. Where it does not fit but another would, nobody chooses for the person.
    let chosen = match view.chosen {
        Some(id) if fits(&id) || !possible => Some(id),
        Some(_) => None,
        None => first_fitting,
    };
    html! {
        div.stack {
            (title(business, view.start, &format!("{} with {}", text::time(&start), crate::domain::person::first_name(&view.staff.name))))
            @if let Some(words) = view.refused { (note("warn", words)) }
            form.form method="post" action=(url::BOOKINGS) hx-post=(url::BOOKINGS) hx-target="#sheet" hx-swap="innerHTML"
                hx-sync="this:drop" {
                input type="hidden" name="start" value=(view.start);
                input type="hidden" name="staff" value=(view.staff.id);
                input type="hidden" name="key" value=(view.key);
                @if let Some(clients) = view.clients {
                    div.field {
                        label for="sheet-client" { "Client" }
                        select #sheet-client name="client" required {
                            option value="" { "Choose a client" }
                            @for (id, name) in clients {
                                option value=(id) selected[view.client == Some(*id)] { (name) }
                            }
                        }
                    }
                }
                fieldset.form {
                    legend.visually-hidden { "Session" }
                    @for choice in view.choices { (self::choice(business, choice, chosen)) }
                }
                @if !view.nearest.is_empty() { (other_times(view)) }
                @if let Some(typed) = view.reason { (reason_field(typed, false)) }
                // Staff change what they like until it begins: no promise to make.
                @if possible && view.clients.is_none() { p.small { (promise(business, view.start, view.now)) } }
                @if let Some(hold) = view.kept { (kept(business, hold, view.now)) }
                div.acts {
                    @if possible { button.btn.primary type="submit" { "Book this time" } }
                    (leave(view))
                }
            }
            @if let Some(hold) = view.kept { (release(hold)) }
        }
    }
}

fn title(business: &Business, start: Timestamp, words: &str) -> Markup {
    html! {
        div {
            p.eyebrow { (text::long_date(business.local(start).date())) }
            h2 #sheet-title { (words) }
        }
    }
}

/// Closes the dialog, or leads back to the week where there is none.
fn leave(view: &Confirm<'_>) -> Markup {
    let week = Week::of(view.business.local(view.start).date());
    let back = if view.clients.is_some() {
        url::calendar(week, Some(view.staff.id), None)
    } else {
        url::bookings(week, view.staff.id, None)
    };
    html! {
        // Without scripts it is a form that gives the time back; a link could not.
        @if view.kept.is_some() { button.btn type="submit" form="sheet-release" data-close { "Not now" } }
        @else { a.btn href=(back) data-close { "Not now" } }
    }
}

/// Until when the time is kept; the script says when that is over, by milliseconds: clocks on desks are often minutes off.
fn kept(business: &Business, hold: &Hold, now: Timestamp) -> Markup {
    let until = text::time(&business.local(hold.until));
    let left = hold.until.duration_since(now).as_millis();
    let over =
        "It is no longer kept for you. You can still book it, unless someone else comes first.";
    html! {
        p #sheet-kept.small role="status" data-left=(left) data-over=(over) {
            "Kept for you until " (until) ". Nobody else can book it before."
        }
    }
}

/// What gives a hold back: "Not now" without scripts; with them, whatever closes the sheet or leaves the page.
fn release(hold: &Hold) -> Markup {
    html! {
        form #sheet-release hidden method="post" action=(url::release(hold.id)) {}
    }
}

fn choice(business: &Business, choice: &Choice, chosen: Option<ServiceId>) -> Markup {
    let service = &choice.service;
    html! {
        label.choice {
            input type="radio" name="service" value=(service.id) required
                checked[chosen == Some(service.id)] disabled[choice.fits.is_err()];
            span.grow {
                b { (service.name) }
                small {
                    (text::length(service.minutes)) ", " (business.money(service.price))
                    @if service.video_url.is_some() { ", by video" }
                    @if let Err(refusal) = choice.fits { ". " (reason(business, choice, refusal)) }
                    @else if !choice.aside.is_empty() { ". " b { (text::set_aside(&choice.aside)) } }
                }
            }
        }
    }
}

/// Why a service does not fit, in the words of this time.
fn reason(business: &Business, choice: &Choice, refusal: Refusal) -> String {
    match (refusal, choice.until) {
        (Refusal::Taken | Refusal::Held | Refusal::OutsideHours, Some(until)) => {
            format!(
                "Needs more time than is free before {}.",
                text::time(&business.local(until))
            )
        }
        (Refusal::OutsideHours, None) => "Not on offer at this time.".to_owned(),
        (Refusal::Taken, None) => "This time is taken.".to_owned(),
        (other, _) => other.to_string(),
    }
}

/// Asks staff why they set a rule aside.
fn reason_field(typed: &str, required: bool) -> Markup {
    html! {
        div.field {
            label for="sheet-reason" { "Reason" }
            input #sheet-reason name="reason" value=(typed) maxlength=(LONGEST_REASON) autocomplete="off" required[required]
                aria-describedby="sheet-reason-hint";
            p.hint #sheet-reason-hint {
                @if required { "It is noted in the activity." } @else { "Needed where a rule is set aside. It is noted in the activity." }
            }
        }
    }
}

/// Which rules are about to be set aside.
fn warning(rules: &[Rule]) -> Markup {
    note(
        "warn",
        &format!("{}. You can do it all the same.", text::set_aside(rules)),
    )
}

/// What changing one's mind will cost, said before the click.
fn promise(business: &Business, start: Timestamp, now: Timestamp) -> String {
    let rules = &business.rules;
    let cancel_until = plus(start, -rules.cancel_minutes);
    let move_until = plus(start, -rules.move_minutes);
    let until = |at| near_moment(business, at, now);
    if cancel_until == move_until && cancel_until > now {
        return format!("Free to change or cancel until {}.", until(cancel_until));
    }
    let cancel = if cancel_until > now {
        format!("Free to cancel until {}.", until(cancel_until))
    } else if rules.late_fee > 0 {
        format!(
            "Cancelling will cost a late fee of {}.",
            business.money(rules.late_fee)
        )
    } else {
        "Cancelling will count as late.".to_owned()
    };
    if move_until > now {
        format!("{cancel} It can be moved until {}.", until(move_until))
    } else {
        format!("Too close to be moved later. {cancel}")
    }
}

/// What cancelling costs now, and until when.
fn cancelling(business: &Business, booking: &Booking, now: Timestamp) -> String {
    let rules = &business.rules;
    match booking.cost(rules, now) {
        Cost::Late(0) => "Cancelling now counts as late.".to_owned(),
        Cost::Late(fee) => {
            format!(
                "Cancelling now counts as late: {} late fee.",
                business.money(fee)
            )
        }
        Cost::Free if plus(booking.starts_at, -rules.cancel_minutes) < now => {
            "You booked this just now: for three minutes cancelling is free.".to_owned()
        }
        Cost::Free => format!(
            "Cancelling is free. {}",
            promise(business, booking.starts_at, now)
        ),
    }
}

/// `Tuesday 08:00`; with its date where a weekday alone would mean the next one of that name.
fn near_moment(business: &Business, at: Timestamp, now: Timestamp) -> String {
    let local = business.local(at);
    let near = (local.date() - business.today(now)).get_days() < 7;
    let day = if near {
        local.strftime("%A").to_string()
    } else {
        format!("{},", text::long_date(local.date()))
    };
    format!("{day} {}", text::time(&local))
}

/// The sheet's own free times: choosing one holds that time instead, with the form's choices as they stand. Without scripts
/// it is a link, which shows the time and holds nothing.
fn other_times(view: &Confirm<'_>) -> Markup {
    html! {
        div.field {
            p { b { "Free times close by" } }
            div.chips {
                @for start in view.nearest {
                    @let href = url::choose_again(*start, view.staff.id, view.chosen, view.client);
                    a href=(href) hx-post=(url::HOLDS) hx-vals=(again(view, *start)) hx-target="#sheet" data-slot=(start)
                        data-staff=(view.staff.id) data-state="free" {
                        (text::short_moment(view.business, *start, view.now))
                    }
                }
            }
        }
    }
}

/// What a free time changes in the form. The choice that does not fit here is disabled, and the form would leave it out.
fn again(view: &Confirm<'_>, start: Timestamp) -> String {
    let lost = |choice: &&Choice| view.chosen == Some(choice.service.id) && choice.fits.is_err();
    match view.choices.iter().find(lost) {
        Some(choice) => {
            let id = choice.service.id;
            format!("{{\"start\":\"{start}\",\"service\":\"{id}\"}}")
        }
        None => format!("{{\"start\":\"{start}\"}}"),
    }
}

/// What the sheet shows of a move.
#[derive(Debug)]
pub struct Moving<'a> {
    pub business: &'a Business,
    pub booking: &'a Booking,
    pub staff: &'a Staff,
    pub start: Timestamp,
    pub by_staff: bool,
    /// Why it cannot be moved there, and the free times nearest to it.
    pub refused: Option<&'a str>,
    pub nearest: &'a [Timestamp],
    /// The rules that staff would set aside by it.
    pub aside: &'a [Rule],
    pub now: Timestamp,
}

/// Moves, after a click.
pub fn confirm_move(view: &Moving<'_>) -> Markup {
    let business = view.business;
    let start = business.local(view.start);
    html! {
        div.stack {
            (title(business, view.start, &format!("Move to {}", text::time(&start))))
            @if let Some(words) = view.refused { (note("warn", words)) }
            p {
                (view.booking.service_name) ", " (text::length(view.booking.minutes)) " with " (view.staff.name)
                ". The time on " b { (text::moment(business, view.booking.starts_at)) } " becomes free for others."
                @if !view.by_staff { " Moving is free." }
            }
            @if !view.aside.is_empty() { (warning(view.aside)) }
            form.form method="post" action=(url::reschedule(view.booking.id))
                hx-post=(url::reschedule(view.booking.id)) hx-target="#sheet" hx-swap="innerHTML"
                hx-sync="this:drop" {
                input type="hidden" name="start" value=(view.start);
                input type="hidden" name="staff" value=(view.staff.id);
                input type="hidden" name="version" value=(view.booking.version);
                @if !view.nearest.is_empty() {
                    div.field {
                        p { b { "Free times close by" } }
                        div.chips {
                            @for start in view.nearest {
                                @let href = format!("{}&move={}", url::new_booking(*start, view.staff.id), view.booking.id);
                                a href=(href) hx-get=(href) hx-target="#sheet" {
                                    (text::short_moment(business, *start, view.now))
                                }
                            }
                        }
                    }
                }
                @if !view.aside.is_empty() { (reason_field("", true)) }
                div.acts {
                    @if view.refused.is_none() { button.btn.primary type="submit" { "Move to this time" } }
                    a.btn href=(url::moving(view.booking.id, view.by_staff)) data-close { "Not now" }
                }
            }
        }
    }
}

/// A booking as it stands.
#[derive(Debug)]
pub struct Detail<'a> {
    pub business: &'a Business,
    pub booking: &'a Booking,
    pub by_staff: bool,
    /// For staff: how it came to stand there.
    pub moves: &'a [Moved],
    /// What was just done: a note's kind, and its words.
    pub news: Option<(&'a str, &'a str)>,
    pub now: Timestamp,
}

/// A booking as it stands, and what can be done about it.
pub fn detail(view: &Detail<'_>) -> Markup {
    let Detail {
        business,
        booking,
        by_staff,
        now,
        ..
    } = *view;
    let start = business.local(booking.starts_at);
    let may_move = if by_staff {
        booking.may_cancel(now)
    } else {
        booking.may_move(&business.rules, now)
    };
    html! {
        div.stack {
            (title(business, booking.starts_at, &format!("{} – {}", text::time(&start), text::time(&business.local(booking.ends_at())))))
            @if let Some((kind, words)) = view.news { (note(kind, words)) }
            dl.kv {
                dt { "Session" } dd { (booking.service_name) ", " (text::length(booking.minutes)) }
                @if by_staff {
                    dt { "Client" } dd { a href=(url::client(booking.client)) { (booking.client_name) } }
                }
                dt { "With" } dd { (booking.staff_name) }
                @if let Some(room) = &booking.video_url { dt { "Where" } dd { (text::room(room)) } }
                @else if !business.address.is_empty() { dt { "Where" } dd { (business.address) } }
                dt { "Status" } dd { (badge(booking)) }
                @if booking.late_fee > 0 { dt { "Late fee" } dd { (business.money(booking.late_fee)) } }
            }
            (history(business, view.moves, now))
            @if !by_staff && booking.may_cancel(now).is_ok() { p.small { (cancelling(business, booking, now)) } }
            @if by_staff && booking.may_settle(now).is_ok() { (outcome(booking)) }
            div.acts {
                @if may_move.is_ok() {
                    a.btn.primary href=(url::moving(booking.id, by_staff)) { "Move" }
                }
                @if booking.may_cancel(now).is_ok() && !is_set_aside(view) { (cancel(view)) }
                @if by_staff && booking.status != Status::Cancelled {
                    a.btn href=(url::new_invoice(None, Some(booking.id))) { "Invoice" }
                }
                a.btn href=(if by_staff { url::CALENDAR } else { url::BOOKINGS }) data-close { "Close" }
            }
            @if booking.may_cancel(now).is_ok() && is_set_aside(view) { (cancel(view)) }
        }
    }
}

/// Whether staff cancel later than a client could for nothing.
fn is_set_aside(view: &Detail<'_>) -> bool {
    view.by_staff && view.booking.cost(&view.business.rules, view.now) != Cost::Free
}

/// Cancels, at the price that was told.
fn cancel(view: &Detail<'_>) -> Markup {
    let booking = view.booking;
    let action = url::cancel(booking.id);
    html! {
        form.form[is_set_aside(view)] method="post" action=(action) hx-post=(action) hx-target="#sheet" hx-swap="innerHTML"
            hx-sync="this:drop" {
            input type="hidden" name="version" value=(booking.version);
            @if is_set_aside(view) {
                (warning(&[Rule::Cancel]))
                (reason_field("", true))
            } @else if !view.by_staff {
                input type="hidden" name="told" value=(booking.cost(&view.business.rules, view.now));
            }
            button.btn.danger type="submit" { "Cancel session" }
        }
    }
}

fn history(business: &Business, moves: &[Moved], now: Timestamp) -> Markup {
    let moment = |at| text::short_moment(business, at, now);
    html! {
        @if !moves.is_empty() {
            section aria-labelledby="sheet-moves" {
                h3 #sheet-moves { "Moves" }
                ul.list {
                    @for one in moves {
                        li {
                            span.what.flow {
                                (moment(one.from.1)) " with " (one.from.0) " → " b { (moment(one.to.1)) " with " (one.to.0) }
                                small { "by " (one.by) ", " (moment(one.at)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What came of a session that has begun: said with one click, and set right with another.
fn outcome(booking: &Booking) -> Markup {
    let said = Outcome::of(booking);
    html! {
        form.form method="post" action=(url::outcome(booking.id)) hx-post=(url::outcome(booking.id)) hx-target="#sheet"
            hx-swap="innerHTML" hx-sync="this:drop" {
            input type="hidden" name="version" value=(booking.version);
            fieldset {
                legend { @if said.is_none() { "What came of it?" } @else { "Something else came of it?" } }
                div.acts {
                    @for one in Outcome::ALL.into_iter().filter(|one| Some(*one) != said) {
                        button.btn type="submit" name="outcome" value=(one.as_str()) {
                            (match one {
                                Outcome::Completed => "They came",
                                Outcome::NoShow => "They did not come",
                                Outcome::CancelledLate => "Cancelled too late",
                            })
                        }
                    }
                }
            }
        }
    }
}
