//! When someone works, for the owner: the week, other hours on a date, days off, and public holidays to be taken off with one
//! click. Each is a form of its own; what is wrong stands beside its field.

use crate::domain::holiday::Holiday;
use crate::domain::hours::written;
use crate::domain::slot::{Hours, Window};
use crate::domain::staff::Staff;
use crate::views::layout::{self, Page, note};
use crate::views::{text, url};
use jiff::civil::Date;
use maud::{Markup, html};

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// The page's values.
#[derive(Debug)]
pub struct View<'a> {
    pub staff: &'a Staff,
    pub hours: &'a Hours,
    /// The hours as they stand, for each form to carry.
    pub seen: &'a str,
    /// What was typed into a form that was refused: a field's name and value.
    pub typed: &'a [(String, String)],
    /// A field's name, and the sentence that stands beside it.
    pub wrong: &'a [(String, String)],
    pub note: Option<&'a str>,
    /// The country, and its holidays to come.
    pub holidays: Option<(&'static str, &'a [Holiday])>,
    pub today: Date,
}

/// The page.
pub fn page(frame: &Page<'_>, view: &View<'_>) -> Markup {
    let body = html! {
        p { a.link href=(url::SETTINGS) { "Settings" } }
        div.page-head { div { h1 { (frame.title) } p.small { (layout::zone_line(frame.business)) } } }
        @if let Some(words) = view.note { (note("bad", words)) }
        div.cols {
            section.card aria-labelledby="week-title" {
                header { h2 #week-title { "Every week" } }
                div.body { (week(view)) }
            }
            div.stack-l {
                section.card aria-labelledby="override-title" {
                    header { h2 #override-title { "Other hours on a date" } }
                    div.body.stack { (overrides(view)) }
                }
                section.card aria-labelledby="off-title" {
                    header { h2 #off-title { "Time off" } }
                    div.body.stack { (time_off(view)) }
                }
                @if let Some((country, holidays)) = view.holidays {
                    section.card aria-labelledby="holidays-title" {
                        header { h2 #holidays-title { "Public holidays in " (country) } }
                        div.body { (self::holidays(view, holidays)) }
                    }
                }
            }
        }
    };
    layout::page(frame, &body)
}

/// A form of this page, with what all of them carry.
fn form(view: &View<'_>, act: &str, class: &str, fields: &Markup) -> Markup {
    html! {
        form.(class) method="post" action=(url::hours(view.staff.id)) {
            input type="hidden" name="act" value=(act);
            input type="hidden" name="seen" value=(view.seen);
            (fields)
        }
    }
}

fn week(view: &View<'_>) -> Markup {
    let fields = html! {
        p.small { "Times like 08:00-12:00, 13:00-17:00. An empty day is closed; 22:00-02:00 runs past midnight." }
        @for (n, windows) in view.hours.weekly.iter().enumerate() {
            (field(view, &format!("day-{n}"), WEEKDAYS[n], "text", &written(windows)))
        }
        div.acts { button.btn.primary type="submit" { "Save the week" } }
    };
    form(view, "week", "form", &fields)
}

fn overrides(view: &View<'_>) -> Markup {
    let add = html! {
        div.pair {
            (field(view, "day", "Date", "date", ""))
            (field(view, "hours", "Times, empty when closed", "text", ""))
        }
        div.acts { button.btn.primary type="submit" { "Set this date" } }
    };
    html! {
        @if !view.hours.overrides.is_empty() {
            ul.list {
                @for (day, windows) in &view.hours.overrides {
                    @let words = text::short_date(*day, view.today);
                    li {
                        span.what { b { (words) } small { (open_at(windows)) } }
                        (undo(view, "plain", *day, "Usual hours", &words))
                    }
                }
            }
        }
        (form(view, "override", "form", &add))
    }
}

fn open_at(windows: &[Window]) -> String {
    if windows.is_empty() {
        "Closed".to_owned()
    } else {
        written(windows)
    }
}

fn time_off(view: &View<'_>) -> Markup {
    let add = html! {
        div.pair {
            (field(view, "from", "First day off", "date", ""))
            (field(view, "to", "Last day off", "date", ""))
        }
        div.acts { button.btn.primary type="submit" { "Take these days off" } }
    };
    html! {
        @if !view.hours.time_off.is_empty() {
            ul.list {
                @for (from, to) in &view.hours.time_off {
                    @let first = text::short_date(*from, view.today);
                    li {
                        span.what { b { (first) @if to > from { " – " (text::short_date(*to, view.today)) } } }
                        (undo(view, "on", *from, "At work again", &first))
                    }
                }
            }
        }
        (form(view, "off", "form", &add))
    }
}

fn undo(view: &View<'_>, act: &str, day: Date, words: &str, of: &str) -> Markup {
    let fields = html! {
        input type="hidden" name="day" value=(day);
        button.btn type="submit" { (words) span.visually-hidden { ", " (of) } }
    };
    form(view, act, "aside", &fields)
}

fn holidays(view: &View<'_>, holidays: &[Holiday]) -> Markup {
    html! {
        ul.list #holidays {
            @for holiday in holidays {
                @let day = holiday.day;
                @let is_off = view.hours.time_off.iter().any(|(from, to)| (*from..=*to).contains(&day));
                li {
                    span.what { b { (holiday.name) } small { (text::short_date(day, view.today)) } }
                    @if is_off { span.badge.ok { "Off" } }
                    @else {
                        (form(view, "off", "aside", &html! {
                            input type="hidden" name="from" value=(day);
                            input type="hidden" name="to" value=(day);
                            button.btn type="submit" { "Take off" span.visually-hidden { " " (holiday.name) } }
                        }))
                    }
                }
            }
        }
    }
}

fn field(view: &View<'_>, name: &str, label: &str, kind: &str, value: &str) -> Markup {
    let said = |list: &[(String, String)]| {
        let found = list.iter().find(|(field, _)| field == name);
        found.map(|(_, words)| words.clone())
    };
    let wrong = said(view.wrong);
    let id = format!("{name}-wrong");
    let value = said(view.typed).unwrap_or_else(|| value.to_owned());
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(kind) value=(value) autocomplete="off"
                aria-invalid=[wrong.as_ref().map(|_| "true")] aria-describedby=[wrong.as_ref().map(|_| &id)];
            @if let Some(words) = &wrong { p.error id=(id) { (words) } }
        }
    }
}
