//! Times and dates as people read them: 24 hours, the day before the month.

use crate::domain::business::Business;
use crate::domain::rule::Rule;
use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use maud::{Markup, html};

/// `Thursday 26 November`.
pub fn long_date(day: Date) -> String {
    day.strftime("%A %-d %B").to_string()
}

/// `Thu 26 Nov`, with the year where it is another than this one.
pub fn short_date(day: Date, today: Date) -> String {
    let format = if day.year() == today.year() {
        "%a %-d %b"
    } else {
        "%a %-d %b %Y"
    };
    day.strftime(format).to_string()
}

/// `10:15`.
pub fn time(at: &Zoned) -> String {
    at.strftime("%H:%M").to_string()
}

/// `Thursday 26 November, 10:15`.
pub fn moment(business: &Business, at: Timestamp) -> String {
    let at = business.local(at);
    format!("{}, {}", long_date(at.date()), time(&at))
}

/// `Thu 26 Nov, 10:15`.
pub fn short_moment(business: &Business, at: Timestamp, now: Timestamp) -> String {
    let at = business.local(at);
    format!(
        "{}, {}",
        short_date(at.date(), business.today(now)),
        time(&at)
    )
}

/// `45 minutes`, `2 hours`.
pub fn length(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (1, 0) => "1 hour".to_owned(),
        (hours @ 2.., 0) => format!("{hours} hours"),
        _ => format!("{minutes} minutes"),
    }
}

/// `today`, `tomorrow`, `in 3 days`.
pub fn days_until(day: Date, today: Date) -> String {
    match (day - today).get_days() {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        days @ 2.. => format!("in {days} days"),
        _ => "earlier".to_owned(),
    }
}

/// `23 – 29 November`, `30 November – 6 December`.
pub fn span(first: Date, last: Date) -> String {
    let from = if first.month() == last.month() {
        "%-d"
    } else {
        "%-d %B"
    };
    format!("{} – {}", first.strftime(from), last.strftime("%-d %B"))
}

/// `3 sessions`, `1 session`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The city that a zone is named after.
pub fn city(business: &Business) -> String {
    let name = business.zone.iana_name().unwrap_or("UTC");
    name.rsplit('/').next().unwrap_or(name).replace('_', " ")
}

/// Where a session by video takes place. The room learns nothing of where its visitor came from.
pub fn room(url: &str) -> Markup {
    html! { a href=(url) target="_blank" rel="noopener noreferrer nofollow" { "By video" } }
}

/// `Good morning`.
pub fn greeting(local: &Zoned) -> &'static str {
    match local.hour() {
        5..12 => "Good morning",
        12..18 => "Good afternoon",
        _ => "Good evening",
    }
}

/// Characters of a message where it is only mentioned.
const EXCERPT: usize = 140;

/// The beginning of a message on one line.
pub fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= EXCERPT {
        return line;
    }
    let cut: String = line.chars().take(EXCERPT - 1).collect();
    format!("{}…", cut.trim_end())
}

/// `Outside the hours, inside the time kept free around sessions`: which rules staff set aside.
pub fn set_aside(rules: &[Rule]) -> String {
    let words: Vec<&str> = rules.iter().map(|rule| rule.words()).collect();
    let words = words.join(", ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
