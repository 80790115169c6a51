//! What a server asked Postgres for, read from Postgres' own log, and written again as a script for pgbench: the same
//! statements in the same order, with ids of its own each time.

use anyhow::{Context as _, bail, ensure};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Ids that one turn of a script may need.
const IDS: usize = 64;

/// A statement and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    sql: String,
    values: Vec<Option<String>>,
}

/// The statements of a log that was written with `log_statement = all` and the usual prefix.
pub(crate) fn read(log: &str) -> anyhow::Result<Vec<Statement>> {
    let mut found: Vec<Statement> = Vec::new();
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        match (line.strip_prefix('\t'), entries.last_mut()) {
            (Some(more), Some(entry)) => {
                entry.push('\n');
                entry.push_str(more);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    for entry in entries {
        if let Some((_, sql)) = entry.split_once(" LOG:  statement: ") {
            found.push(Statement {
                sql: sql.to_owned(),
                values: Vec::new(),
            });
        } else if let Some((_, named)) = entry.split_once(" LOG:  execute ") {
            let (_, sql) = named
                .split_once(": ")
                .context("an executed statement has a name")?;
            found.push(Statement {
                sql: sql.to_owned(),
                values: Vec::new(),
            });
        } else if let Some((_, values)) = entry.split_once(" DETAIL:  parameters: ") {
            found
                .last_mut()
                .context("values belong to a statement")?
                .values = self::values(values)?;
        }
    }
    Ok(found)
}

/// `$1 = 'it''s', $2 = NULL`.
fn values(mut text: &str) -> anyhow::Result<Vec<Option<String>>> {
    let mut found = Vec::new();
    loop {
        let (_, rest) = text.split_once(" = ").context("a value has a number")?;
        if let Some(rest) = rest.strip_prefix("NULL") {
            found.push(None);
            text = rest;
        } else {
            let rest = rest.strip_prefix('\'').context("a value is quoted")?;
            let mut value = String::new();
            let mut chars = rest.char_indices();
            let end = loop {
                match chars.next() {
                    Some((at, '\'')) if rest[at + 1..].starts_with('\'') => {
                        value.push('\'');
                        chars.next();
                    }
                    Some((at, '\'')) => break at + 1,
                    Some((_, c)) => value.push(c),
                    None => bail!("a value has no end"),
                }
            };
            found.push(Some(value));
            text = &rest[end..];
        }
        match text.strip_prefix(", ") {
            Some(rest) => text = rest,
            None => return Ok(found),
        }
    }
}

/// A script of what was done twice: what differed between the two is new in each turn of the script, instants aside.
pub(crate) fn script(first: &[Statement], second: &[Statement]) -> anyhow::Result<String> {
    let mut fresh = HashMap::new();
    let mut script = "\\set n :n + 1\n".to_owned();
    ensure!(
        first.len() == second.len(),
        "{} statements, and then {}",
        first.len(),
        second.len()
    );
    for (one, other) in first.iter().zip(second) {
        ensure!(
            one.sql == other.sql,
            "first {}, then {}",
            one.sql,
            other.sql
        );
        let literals: Vec<String> = (0..one.values.len())
            .map(|n| match (&one.values[n], other.values.get(n)) {
                (Some(value), Some(Some(other))) => literal(value, other, &mut fresh),
                (Some(value), _) => quoted(value),
                (None, _) => "NULL".to_owned(),
            })
            .collect();
        let sql = filled(&one.sql, &literals);
        let _ = writeln!(script, "{sql};");
    }
    ensure!(fresh.len() <= IDS, "{} new ids in one turn", fresh.len());
    Ok(script)
}

/// A statement with its values in their places. In one pass: a value may hold what looks like a place.
fn filled(sql: &str, literals: &[String]) -> String {
    let mut pieces = sql.split('$');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let place = piece[..digits].parse::<usize>().ok();
        if let Some(literal) = place.and_then(|place| literals.get(place.checked_sub(1)?)) {
            filled.push_str(literal);
        } else {
            filled.push('$');
            filled.push_str(&piece[..digits]);
        }
        filled.push_str(&piece[digits..]);
    }
    filled
}

fn literal(value: &str, other: &str, fresh: &mut HashMap<String, usize>) -> String {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    if value == other || is_number {
        return quoted(value);
    }
    if is_uuid(value) {
        return uuid(value, fresh);
    }
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some(at) = (0..rest.len()).find(|at| rest.get(*at..at + 36).is_some_and(is_uuid)) {
        pieces.push(quoted(&rest[..at]));
        pieces.push(uuid(&rest[at..at + 36], fresh));
        rest = &rest[at + 36..];
    }
    if pieces.is_empty() {
        // A key of a form or a hash: new each time, and no more.
        pieces.push(uuid(value, fresh));
    } else {
        pieces.push(quoted(rest));
    }
    format!("CONCAT({})", pieces.join(", "))
}

/// The id that stands for `value` in this turn. Later ones sort behind earlier ones, as ours do.
fn uuid(value: &str, fresh: &mut HashMap<String, usize>) -> String {
    let count = fresh.len();
    let k = *fresh.entry(value.to_owned()).or_insert(count);
    format!("CAST(lpad(to_hex(CAST(:n AS bigint) * {IDS} + {k}), 32, '0') AS uuid)")
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// pgbench would take what follows a colon for a variable.
fn quoted(value: &str) -> String {
    let quoted = format!("'{}'", value.replace('\'', "''"));
    if quoted.contains(':') {
        format!("({})", quoted.replace(':', "' || chr(58) || '"))
    } else {
        quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-11-25 10:00:00.000 UTC [7] LOG:  statement: BEGIN
2026-11-25 10:00:00.001 UTC [7] LOG:  execute sqlx_s_1: INSERT INTO t (id, words, at)
\tVALUES ($1, $2, $3)
2026-11-25 10:00:00.001 UTC [7] DETAIL:  parameters: $1 = '01a212d2-5238-72e8-883b-4f56184df96d', $2 = 'it''s, $3 = here', $3 = NULL
2026-11-25 10:00:00.002 UTC [7] LOG:  statement: COMMIT
";

    #[test]
    fn a_log_is_read_and_what_was_new_is_new_each_time() {
        let first = read(LOG).unwrap();
        assert_eq!(first.len(), 3);
        assert_eq!(first[1].values[1].as_deref(), Some("it's, $3 = here"));
        let second = read(&LOG.replace("01a212d2", "01a212d3")).unwrap();
        let script = script(&first, &second).unwrap();
        let expected = "\\set n :n + 1\nBEGIN;\nINSERT INTO t (id, words, at)\nVALUES \
                        (CAST(lpad(to_hex(CAST(:n AS bigint) * 64 + 0), 32, '0') AS uuid), 'it''s, $3 = here', NULL);\nCOMMIT;\n";
        assert_eq!(script, expected);
        assert!(self::script(&first, &second[1..]).is_err());
    }

    #[test]
    fn an_id_inside_a_text_is_the_same_id() {
        let mut fresh = HashMap::new();
        let id = "01a212d2-5238-72e8-883b-4f56184df96d";
        let other = id.replace('2', "3");
        let alone = literal(id, &other, &mut fresh);
        let inside = literal(
            &format!("booking {id}:x"),
            &format!("booking {other}:x"),
            &mut fresh,
        );
        assert_eq!(
            inside,
            format!("CONCAT('booking ', {alone}, ('' || chr(58) || 'x'))")
        );
        assert_eq!(literal("17", "18", &mut fresh), "'17'");
        assert_eq!(fresh.len(), 1);
    }
}
