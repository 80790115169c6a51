//! The shape of `src`: which floor may name which, what never enters `domain`, and how long a file
//! may grow. A path counts wherever it stands, doc links included: who reads along follows them.

use std::fs;
use std::path::{Path, PathBuf};

/// Height, module, and what the module may name besides itself. What has no row may not exist, and
/// what a row does not list is refused. `main.rs` may name anything; `lib.rs` only lists the modules.
const FLOORS: &str = "
    0  config    domain
    0  clock     domain
    0  assets
    0  domain
    0  meter
    0  secret
    0  fault
    0  payment   domain
    1  store     domain clock fault
    2  realtime  domain clock fault
    3  views     domain realtime::part assets
    4  live      domain clock store realtime views assets
    5  app       domain clock store realtime views live config assets secret payment meter
    6  jobs      domain clock fault store realtime views live config assets secret payment meter app
    6  http      domain clock store realtime views live config assets secret payment meter app
    7  demo      domain clock store realtime views live config assets secret payment meter app jobs
    8  settings  domain config
";

/// Words that `domain` never says outside a comment: it decides, and others fetch, wait and show.
const NOT_IN_DOMAIN: &[&str] = &["sqlx", "maud", "tokio", "async fn"];

/// The one file that may put a string into a page unescaped.
const UNESCAPED: (&str, &str) = ("PreEscaped", "src/views/icon.rs");

/// For what is read as one piece; a `tests.rs` is a list and may be longer.
const MOST_LINES: usize = 500;

#[test]
fn the_house_stands_as_planned() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    assert!(files.len() > 2, "src was not found");
    let mut faults = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file is UTF-8");
        let path = file
            .strip_prefix(root)
            .expect("it was found below the root");
        faults.extend(check(&path.to_string_lossy(), &text));
    }
    faults.sort();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// A check that never fails would pass unseen.
#[test]
fn a_forbidden_arrow_is_seen() {
    for (path, refused) in REFUSED {
        let faults = check(path, &format!("//! What it is.\n{refused}\n"));
        assert_eq!(faults.len(), 1, "{path}: {refused}\n{faults:#?}");
    }
}

#[test]
fn an_allowed_one_passes() {
    for (path, allowed) in ALLOWED {
        let faults = check(path, &format!("//! What it is.\n{allowed}\n"));
        assert!(faults.is_empty(), "{path}: {allowed}\n{faults:#?}");
    }
}

#[test]
fn a_file_says_what_it_is_and_stays_short() {
    assert_eq!(check("src/app.rs", "use std::fmt;\n").len(), 1);
    let long = "//! Long.\n".repeat(MOST_LINES + 1);
    assert_eq!(check("src/app.rs", &long).len(), 1);
    assert!(check("src/domain/slot/tests.rs", &long).is_empty());
    assert!(check("src/app.rs", &long["//! Long.\n".len()..]).is_empty());
}

const REFUSED: &[(&str, &str)] = &[
    ("src/domain/slot.rs", "use crate::store::Db;"),
    ("src/domain/slot.rs", "use crate::config::Config;"),
    ("src/domain/slot.rs", "use crate::{domain::Id, store::Db};"),
    (
        "src/domain/slot.rs",
        "use crate::{\n    domain::{Id, Slot as S},\n    // the rows\n    store,\n};",
    ),
    (
        "src/domain/slot.rs",
        "/// As [`book`](crate::store::booking::book) does.",
    ),
    (
        "src/domain/slot.rs",
        "//! ```\n//! use portico::store::Db;\n//! ```",
    ),
    (
        "src/domain/slot.rs",
        "fn f(db: &super::super::store::Db) {}",
    ),
    ("src/domain/slot.rs", "use super::{Id, super::store};"),
    ("src/domain/slot/week.rs", "use super::super::super::http;"),
    ("src/domain/slot.rs", "use super::super::*;"),
    ("src/domain/mod.rs", "use super::store;"),
    ("src/domain/slot.rs", "use crate::*;"),
    ("src/domain/slot.rs", "use crate::{self as all};"),
    ("src/domain/slot.rs", "use crate as all;"),
    ("src/domain/slot.rs", "crate::shout!();"),
    ("src/domain/slot.rs", "use sqlx::Row;"),
    ("src/domain/slot.rs", "fn f() -> maud::Markup {}"),
    ("src/domain/slot.rs", "pub async fn f() {}"),
    ("src/domain/slot.rs", "use tokio::time::sleep;"),
    ("src/assets.rs", "use crate::domain::Id;"),
    ("src/clock.rs", "use crate::config::Config;"),
    ("src/clock.rs", "use super::*;"),
    ("src/config.rs", "use crate::clock::Clock;"),
    ("src/store/booking.rs", "use crate::realtime::Hub;"),
    (
        "src/realtime/hub.rs",
        "let rows = crate::store::topic::moved(&db);",
    ),
    ("src/realtime/hub.rs", "use crate::views::layout;"),
    ("src/views/home.rs", "use crate::store::Db;"),
    ("src/views/home.rs", "use crate::realtime::hub::Hub;"),
    (
        "src/views/home.rs",
        "use crate::realtime::{hub::Hub, part::Part};",
    ),
    ("src/views/home.rs", "use crate::realtime;"),
    ("src/views/home.rs", "use crate::realtime::partial;"),
    ("src/views/home.rs", "html! { (PreEscaped(name)) }"),
    ("src/live.rs", "use crate::app::App;"),
    ("src/live.rs", "use super::app::App;"),
    ("src/app.rs", "use crate::http::router;"),
    ("src/jobs/sweep.rs", "use crate::http::error::Error;"),
    ("src/jobs/sweep.rs", "use crate::demo;"),
    ("src/demo/actor.rs", "use crate::http::router;"),
    ("src/http/booking.rs", "pub(in crate::jobs) fn f() {}"),
    ("src/http/booking.rs", "use crate::demo;"),
    (
        "src/http/booking.rs",
        "macro_rules! m { () => { $crate::jobs::run() } }",
    ),
    ("src/helper.rs", "fn f() {}"),
    ("src/lib.rs", "pub mod helper;"),
    ("src/lib.rs", "pub mod store;\npub mod domain;"),
    ("src/lib.rs", "pub use store::Db;"),
    ("src/lib.rs", "fn f() {}"),
];

const ALLOWED: &[(&str, &str)] = &[
    (
        "src/domain/slot.rs",
        "use crate::domain::{Id, topic::Topic};",
    ),
    (
        "src/domain/slot.rs",
        "use super::booking;\nuse super::super::domain::Id;",
    ),
    (
        "src/domain/slot.rs",
        "mod tests {\n    use super::*;\n    use super::super::slot;\n}",
    ),
    (
        "src/domain/slot.rs",
        "// No sqlx, no tokio, no async fn here.",
    ),
    ("src/domain/slot.rs", "let tokioish = mycrate::store::Db;"),
    ("src/clock.rs", "mod tests {\n    use super::*;\n}"),
    ("src/clock.rs", "use crate::domain::Instant;"),
    (
        "src/views/home.rs",
        "use crate::realtime::part::{Part, Whole};",
    ),
    (
        "src/views/home.rs",
        "use crate::{assets, domain::Id, realtime::part};",
    ),
    ("src/views/icon.rs", "html! { (PreEscaped(ICON)) }"),
    ("src/views/home.rs", "// Never PreEscaped here."),
    (
        "src/live.rs",
        "use crate::{realtime::hub::Hub, store::Db, views};",
    ),
    ("src/http/live.rs", "use crate::live::Catalogue;"),
    ("src/demo/mod.rs", "use crate::{app::App, jobs::sweep};"),
    ("src/main.rs", "use portico::{config::Config, demo, http};"),
    (
        "src/lib.rs",
        "#![forbid(unsafe_code)]\n\npub mod domain;\npub mod clock;\n// rows\nmod store;",
    ),
];

/// All that is wrong with one file, as `path:line: what`.
fn check(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push(format!(
            "{path}:1: starts without //! and a line that says what it is"
        ));
    }
    let lines = text.lines().count();
    if lines > MOST_LINES && !path.ends_with("/tests.rs") {
        faults.push(format!(
            "{path}: {lines} lines, more than {MOST_LINES}: make it a folder"
        ));
    }
    let modules = modules(path);
    match modules.first() {
        Some(floor) => {
            check_words(path, floor, text, &mut faults);
            check_arrows(path, &modules, text, &mut faults);
        }
        None if path.ends_with("lib.rs") => check_list(path, text, &mut faults),
        None => {}
    }
    faults
}

/// The modules that lead to a file: `src/domain/slot/mod.rs` is `domain`, `slot`.
fn modules(path: &str) -> Vec<&str> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    inside
        .split('/')
        .filter(|name| !["mod", "lib", "main"].contains(name))
        .collect()
}

fn check_words(path: &str, floor: &str, text: &str, faults: &mut Vec<String>) {
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split("//").next().unwrap_or_default();
        for word in NOT_IN_DOMAIN
            .iter()
            .filter(|word| floor == "domain" && says(code, word))
        {
            faults.push(format!("{path}:{number}: domain says `{word}`"));
        }
        if path != UNESCAPED.1 && says(code, UNESCAPED.0) {
            faults.push(format!(
                "{path}:{number}: only {} may say `{}`",
                UNESCAPED.1, UNESCAPED.0
            ));
        }
        if says(code, "crate as") || says(code, "portico as") {
            faults.push(format!(
                "{path}:{number}: a second name for the crate hides its arrows"
            ));
        }
    }
}

fn check_arrows(path: &str, modules: &[&str], text: &str, faults: &mut Vec<String>) {
    let floor = modules[0];
    let Some((_, below)) = row(floor) else {
        return faults.push(format!(
            "{path}: `{floor}` has no row in the table of floors"
        ));
    };
    for (offset, named) in paths(text) {
        let number = text[..offset].matches('\n').count() + 1;
        let up = named
            .iter()
            .take_while(|segment| *segment == "super")
            .count();
        let inside = &named[up.max(1)..];
        let Some(target) = inside.first().filter(|_| up == 0 || up >= modules.len()) else {
            continue;
        };
        // A name that is no floor was not reached from the root: a sibling in an inline module, or a
        // word in a text. But `crate::` is the root, and a glob of the root brings in every floor.
        let everything = target == "*" && (text[..offset].ends_with("\nuse "));
        if target == floor || (row(target).is_none() && named[0] != "crate" && !everything) {
            continue;
        }
        let inside = inside.join("::") + "::";
        if !below
            .iter()
            .any(|allowed| inside.starts_with(&format!("{allowed}::")))
        {
            let inside = inside.trim_end_matches("::");
            faults.push(format!(
                "{path}:{number}: `{floor}` may not name `{inside}`"
            ));
        }
    }
}

fn check_list(path: &str, text: &str, faults: &mut Vec<String>) {
    let mut reached = 0;
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.starts_with("//") || line.starts_with("#![") {
            continue;
        }
        let module = line.trim_start_matches("pub ").strip_prefix("mod ");
        match module.and_then(|name| row(name.strip_suffix(';')?)) {
            Some((height, _)) if height >= reached => reached = height,
            Some(_) => faults.push(format!("{path}:{number}: out of floor order: {line}")),
            None => faults.push(format!(
                "{path}:{number}: not a module of the table: {line}"
            )),
        }
    }
}

/// Height of a floor, and what it may name.
fn row(floor: &str) -> Option<(u32, Vec<&'static str>)> {
    FLOORS.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let height = words
            .next()?
            .parse()
            .expect("a row of the table starts with its height");
        (words.next() == Some(floor)).then(|| (height, words.collect()))
    })
}

fn says(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let after = &code[at + word.len()..];
        !code[..at].ends_with(is_name) && !after.starts_with(is_name)
    })
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Every path that leads out of its module, with its place; a group gives one path for each member.
fn paths(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for start in ["crate::", "portico::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let inside_another = |before: char| is_name(before) || before == ':';
            if !text[..at].ends_with(inside_another) {
                let mut members = Vec::new();
                expand(&mut &text[at..], Vec::new(), &mut members);
                found.extend(members.into_iter().map(|member| (at, member)));
            }
        }
    }
    found
}

fn expand(rest: &mut &str, mut path: Vec<String>, found: &mut Vec<Vec<String>>) {
    loop {
        if let Some(group) = rest.strip_prefix('{') {
            *rest = group;
            loop {
                skip_blank(rest);
                if rest.is_empty() || rest.starts_with('}') {
                    break;
                }
                expand(rest, path.clone(), found);
                // Past ` as name`, to the next member or the end of the group.
                *rest = rest.trim_start_matches(|letter| letter != ',' && letter != '}');
                *rest = rest.strip_prefix(',').unwrap_or(rest);
            }
            *rest = rest.strip_prefix('}').unwrap_or(rest);
            return;
        }
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        let end = if rest.starts_with('*') { 1 } else { end };
        if end > 0 {
            path.push(rest[..end].to_owned());
        }
        *rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(more) if end > 0 => *rest = more,
            _ => return found.push(path),
        }
    }
}

/// Over blanks and comments; of a doc comment only over its mark, since a doc test has imports too.
fn skip_blank(rest: &mut &str) {
    loop {
        *rest = rest.trim_start();
        if let Some(doc) = rest
            .strip_prefix("///")
            .or_else(|| rest.strip_prefix("//!"))
        {
            *rest = doc;
        } else if rest.starts_with("//") {
            *rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else {
            return;
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
