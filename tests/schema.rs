//! In place of `query!`: every statement in `src` is prepared on both migrated schemas, and the two schemas are the same.
//! A statement that this test cannot read is a fault, so that none is left out silently.

use sqlx::{Connection as _, Executor as _, PgConnection, SqlSafeStr as _, SqliteConnection};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Differences between the databases, each a pair in the place where it occurs.
const MOST_PAIRS: usize = 10;
/// Far fewer found means that the scanner, not the code, has changed.
const LEAST_STATEMENTS: usize = 60;

/// A statement as each of the databases is given it.
#[derive(Debug, PartialEq, Eq)]
struct Statement {
    place: String,
    sqlite: String,
    postgres: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder of the house") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file without its own tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

/// Every statement of a file: what is handed to `.q(` and `.pair(`.
fn statements(place: &str, text: &str) -> Vec<Statement> {
    let text = code(text);
    let mut found = Vec::new();
    for call in [".q(", ".pair("] {
        for (at, _) in text.match_indices(call) {
            let line = text[..at].lines().count();
            let place = format!("{place}:{line}");
            let mut rest = &text[at + call.len()..];
            let mut read = || {
                let argument;
                (argument, rest) = argument_of(text, rest)
                    .unwrap_or_else(|| panic!("{place}: write the statement as a literal"));
                argument
            };
            let Some(sqlite) = read() else { continue };
            let postgres = if call == ".q(" {
                sqlite.clone()
            } else {
                read().expect("a pair has two")
            };
            found.push(Statement {
                place,
                sqlite,
                postgres,
            });
        }
    }
    found
}

/// The statement at the start of `rest`, and what follows it: a literal, a constant or `select!` of the same file. `Some`
/// without a statement for the parameter that the facade itself passes on.
fn argument_of<'t>(file: &'t str, rest: &'t str) -> Option<(Option<String>, &'t str)> {
    let rest = rest.trim_start();
    if rest.starts_with('"') {
        let (sql, rest) = literal(rest)?;
        return Some((Some(sql), after_comma(rest)));
    }
    if let Some(rest) = rest.strip_prefix("select!(") {
        let (tail, rest) = literal(rest.trim_start())?;
        let (_, head) = file.split_once("concat!(")?;
        let (head, _) = literal(head.trim_start())?;
        let rest = rest.trim_start().strip_prefix(')')?;
        return Some((Some(head + &tail), after_comma(rest)));
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let (name, rest) = rest.split_at(end);
    if name == "sql" {
        return Some((None, rest));
    }
    let (_, value) = file.split_once(&format!("const {name}: &str ="))?;
    let (sql, _) = literal(value.trim_start())?;
    Some((Some(sql), after_comma(rest)))
}

fn after_comma(rest: &str) -> &str {
    let rest = rest.trim_start();
    rest.strip_prefix(',').unwrap_or(rest)
}

/// A string literal at the start of `rest`, and what follows it.
fn literal(rest: &str) -> Option<(String, &str)> {
    let rest = rest.strip_prefix('"')?;
    let mut value = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &rest[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                c @ ('"' | '\\') => value.push(c),
                _ => return None,
            },
            c => value.push(c),
        }
    }
    None
}

fn all_statements() -> Vec<Statement> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    files.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).expect("a source file is UTF-8");
        let place = file.strip_prefix(root()).expect("below the root");
        statements(&place.to_string_lossy(), &text)
    };
    files.into_iter().flat_map(read).collect()
}

#[test]
fn every_spelling_of_a_statement_is_read() {
    let file = r#"
        macro_rules! select { ($tail:literal) => { concat!("SELECT a FROM b ", $tail) }; }
        const READ: &str = "SELECT 1";
        fn f() {
            tx.q("SELECT \"two\"").run();
            tx.q(
                "SELECT three
                 FROM c",
            );
            db.q(READ).opt();
            tx.q(select!("WHERE d")).all();
            tx.q(select!(
                "WHERE e"
            ));
            tx.pair("SELECT 4", "SELECT 5")
        }
        pub fn q(sql: &'static str) { self.pair(sql, sql) }
        #[cfg(test)]
        mod tests { fn g() { tx.q(format!("{x}")); } }
    "#;
    let found = statements("f", file);
    let texts: Vec<_> = found.iter().map(|found| found.sqlite.as_str()).collect();
    let three = "SELECT three\n                 FROM c";
    let expected = [
        "SELECT \"two\"",
        three,
        "SELECT 1",
        "SELECT a FROM b WHERE d",
        "SELECT a FROM b WHERE e",
        "SELECT 4",
    ];
    assert_eq!(texts, expected);
    assert_eq!(found[5].postgres, "SELECT 5");
    assert!(std::panic::catch_unwind(|| statements("f", "tx.q(&format!(x))")).is_err());
}

#[test]
fn the_databases_differ_in_ten_places_at_most() {
    let all = all_statements();
    let pairs = all.iter().filter(|one| one.sqlite != one.postgres).count();
    assert!(pairs > 0, "no pair was found");
    assert!(pairs <= MOST_PAIRS, "{pairs} statements are written twice");
}

/// Opens both databases as an instance does, which migrates them, and keeps a connection to each.
async fn migrated(dir: &Path) -> (SqliteConnection, PgConnection) {
    let sqlite = format!("sqlite:{}", dir.join("schema.db").display());
    let postgres = fresh_postgres().await;
    for url in [&sqlite, &postgres] {
        let (db, _moved) = portico::store::Db::open(url).await.expect("migrates");
        db.close().await;
    }
    (
        SqliteConnection::connect(&sqlite).await.expect("opens"),
        PgConnection::connect(&postgres).await.expect("opens"),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a database's name cannot be bound"
)]
async fn fresh_postgres() -> String {
    let server = std::env::var("PORTICO_TEST_POSTGRES").expect(
        "PORTICO_TEST_POSTGRES is not set: run this test with bin/test, which starts a Postgres",
    );
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    let mut connection = PgConnection::connect(&server).await.expect("connects");
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("makes a database");
    let (base, _) = server.rsplit_once('/').expect("ends in a database");
    format!("{base}/{name}")
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the statements are read from the source"
)]
async fn every_statement_prepares_on_both_databases() {
    let all = all_statements();
    let count = all.len();
    assert!(
        count >= LEAST_STATEMENTS,
        "only {count} statements were found"
    );
    let dir = tempfile::tempdir().expect("a folder");
    let (mut sqlite, mut postgres) = migrated(dir.path()).await;
    let mut faults = Vec::new();
    for one in all {
        let sql = sqlx::AssertSqlSafe(one.sqlite).into_sql_str();
        if let Err(error) = sqlite.prepare(sql).await {
            faults.push(format!("{} on SQLite: {error}", one.place));
        }
        let sql = sqlx::AssertSqlSafe(one.postgres).into_sql_str();
        if let Err(error) = postgres.prepare(sql).await {
            faults.push(format!("{} on Postgres: {error}", one.place));
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn the_two_folders_of_migrations_go_together() {
    let names = |folder: &str| -> BTreeSet<String> {
        std::fs::read_dir(root().join("migrations").join(folder))
            .expect("a folder of migrations")
            .map(|entry| {
                entry
                    .expect("a file")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert_eq!(sqlite, postgres);
    for (n, name) in (1..).zip(&sqlite) {
        let begins = format!("{n:04}_");
        assert!(
            name.starts_with(&begins) && name.strip_suffix(".sql").is_some(),
            "{name}"
        );
    }
}

/// What one of them has and the other does not need: on Postgres a transaction has a number of its own.
const ONLY_SQLITE: &str = "touches";

/// Table, column, whether it may be null, and its type in Postgres' words.
type Column = (String, String, bool, String);

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut sqlite, mut postgres) = migrated(dir.path()).await;
    let of_sqlite: Vec<Column> = sqlx::query_as(
        "SELECT tables.name, columns.name, NOT columns.\"notnull\",
                CASE columns.type WHEN 'BLOB' THEN 'uuid' ELSE lower(columns.type) END
         FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite%' AND tables.name <> '_sqlx_migrations'
           AND tables.name <> $1",
    )
    .bind(ONLY_SQLITE)
    .fetch_all(&mut sqlite)
    .await
    .expect("reads its schema");
    let of_postgres: Vec<Column> = sqlx::query_as(
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), is_nullable = 'YES', CAST(data_type AS TEXT)
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut postgres)
    .await
    .expect("reads its schema");
    let (of_sqlite, of_postgres): (BTreeSet<_>, BTreeSet<_>) = (
        of_sqlite.into_iter().collect(),
        of_postgres.into_iter().collect(),
    );
    assert!(
        of_sqlite.len() > 60,
        "only {} columns were found",
        of_sqlite.len()
    );
    assert_eq!(of_sqlite, of_postgres);
}
