//! What Portico is built from: every crate comes from crates.io, under a licence that `deny.toml`
//! allows, and none that it bans. The same rules as `cargo deny check`, without a tool to install.

use std::process::Command;

use serde_json::Value;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn every_crate_comes_from_crates_io_or_from_this_workspace() {
    let metadata = metadata();
    let root = text(&metadata, "workspace_root");
    for package in packages(&metadata) {
        match package["source"].as_str() {
            Some(source) => assert_eq!(source, CRATES_IO, "{} has another source", name(package)),
            None => assert!(
                text(package, "manifest_path").starts_with(root),
                "{} lies outside the workspace: nobody else could build it",
                name(package)
            ),
        }
    }
}

#[test]
fn every_licence_is_on_the_list() {
    let metadata = metadata();
    let rules = Rules::read(DENY);
    let refused: Vec<_> = packages(&metadata)
        .filter_map(|package| {
            let licence = package["license"].as_str().unwrap_or("none given");
            let fits = satisfied(licence, &|id| rules.allows(name(package), id));
            (!fits).then(|| format!("{}: {licence}", name(package)))
        })
        .collect();
    assert!(
        refused.is_empty(),
        "deny.toml allows none of these:\n{}",
        refused.join("\n")
    );
}

#[test]
fn no_banned_crate_is_built() {
    let metadata = metadata();
    let rules = Rules::read(DENY);
    let built: Vec<_> = packages(&metadata)
        .map(name)
        .filter(|name| rules.banned.iter().any(|banned| banned == name))
        .collect();
    assert!(
        built.is_empty(),
        "deny.toml bans {built:?}; `cargo tree -i NAME` tells who asks for it"
    );
}

#[test]
fn the_list_is_read_whole() {
    let rules = Rules::read(DENY);
    assert!(
        rules.allowed.len() >= 4,
        "too few licences were read: {:?}",
        rules.allowed
    );
    assert!(
        rules.banned.iter().any(|name| name == "openssl-sys"),
        "{:?}",
        rules.banned
    );
    assert!(rules.allows("webpki-roots", "CDLA-Permissive-2.0"));
    assert!(
        !rules.allows("another", "CDLA-Permissive-2.0"),
        "an exception is for one crate"
    );
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = |id: &str| ["MIT", "ISC", "Apache-2.0"].contains(&id);
    for (expression, fits) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only/MIT", true),
        ("GPL-3.0-only / LGPL-2.1", false),
        ("MIT AND GPL-3.0-only", false),
        ("MIT AND ISC", true),
        ("GPL-3.0-only AND MIT OR ISC", true),
        ("GPL-3.0-only AND (MIT OR ISC)", false),
        ("(MIT OR GPL-3.0-only) AND ISC", true),
        ("Apache-2.0 WITH LLVM-exception", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("MIT)", false),
        ("MIT ISC", false),
        ("", false),
        ("none given", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), fits, "{expression}");
    }
}

const DENY: &str = include_str!("../deny.toml");

/// What `deny.toml` says. Its strings stand in lists under `allow`, `exceptions` and `deny`; that
/// much of TOML is read here, so that there is one list and no parser to depend on.
struct Rules {
    allowed: Vec<String>,
    exceptions: Vec<(String, String)>,
    banned: Vec<String>,
}

impl Rules {
    fn read(toml: &str) -> Self {
        let mut rules = Self {
            allowed: Vec::new(),
            exceptions: Vec::new(),
            banned: Vec::new(),
        };
        let (mut table, mut list) = ("", "");
        for line in toml
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'))
        {
            let quoted = || line.split('"').skip(1).step_by(2).map(str::to_owned);
            if line.starts_with('[') {
                (table, list) = (line, "");
            } else if let Some((key, "[")) = line.split_once(" = ") {
                list = key;
            } else {
                match (table, list) {
                    ("[licenses]", "allow") => rules.allowed.extend(quoted()),
                    ("[licenses]", "exceptions") => {
                        let mut strings = quoted();
                        let of = strings.next().unwrap_or_default();
                        rules
                            .exceptions
                            .extend(strings.map(|licence| (of.clone(), licence)));
                    }
                    ("[bans]", "deny") => rules.banned.extend(quoted().take(1)),
                    _ => {}
                }
            }
            if line == "]" {
                list = "";
            }
        }
        rules
    }

    fn allows(&self, package: &str, licence: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == licence)
            || self
                .exceptions
                .iter()
                .any(|(of, allowed)| of == package && allowed == licence)
    }
}

/// Whether a licence expression can be met by allowed licences alone. AND binds closer than OR; a
/// slash is an old way to write OR; a WITH belongs to its licence and is allowed only as a whole.
fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed).is_some_and(|fits| fits && rest.is_empty())
}

fn any_of(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut fits = all_of(words, allowed)?;
    while take(words, "OR") {
        fits |= all_of(words, allowed)?;
    }
    Some(fits)
}

fn all_of(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut fits = one(words, allowed)?;
    while take(words, "AND") {
        fits &= one(words, allowed)?;
    }
    Some(fits)
}

fn one(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    if take(words, "(") {
        let fits = any_of(words, allowed)?;
        return take(words, ")").then_some(fits);
    }
    let (licence, rest) = words.split_first()?;
    *words = rest;
    if take(words, "WITH") {
        let (exception, rest) = words.split_first()?;
        *words = rest;
        return Some(allowed(&format!("{licence} WITH {exception}")));
    }
    Some(allowed(licence))
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let found = words.first() == Some(&word);
    if found {
        *words = &words[1..];
    }
    found
}

/// Every crate of every platform and feature, as Cargo.lock pins it.
fn metadata() -> Value {
    let run = |offline: &[&str]| {
        Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--format-version",
                "1",
                "--all-features",
                "--locked",
            ])
            .args(offline)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo built this test, so it can be run")
    };
    let mut output = run(&["--offline"]);
    if !output.status.success() {
        // A build downloads only what its own platform needs; the other platforms' crates count too.
        output = run(&[]);
    }
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    let packages = metadata["packages"]
        .as_array()
        .expect("cargo metadata lists packages");
    assert!(
        packages.len() > 10,
        "only {} packages were listed",
        packages.len()
    );
    packages.iter()
}

fn name(package: &Value) -> &str {
    text(package, "name")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("cargo metadata gives no {key}"))
}
