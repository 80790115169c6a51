//! What a run found: a table for people, and the same as JSON for whoever compares runs.

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Where the figures go besides the table.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Output {
    /// Write the figures as JSON to this file, or to standard output as -
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Figures with a name, in the order they are told.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<(&'static str, Value, String)>,
}

impl Report {
    /// A row that reads as `text`, and its value.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        value: impl Into<Value>,
        text: impl Into<String>,
    ) {
        self.rows.push((name, value.into(), text.into()));
    }

    /// A number of `unit`, to two digits behind the point.
    pub(crate) fn number(&mut self, name: &'static str, value: f64, unit: &str) {
        self.add(name, value, format!("{value:.2} {unit}"));
    }

    pub(crate) fn count(&mut self, name: &'static str, value: impl TryInto<u64>) {
        let value = value.try_into().unwrap_or(u64::MAX);
        self.add(name, value, value.to_string());
    }

    pub(crate) fn json(&self) -> Value {
        let pairs = self
            .rows
            .iter()
            .map(|(name, value, _)| (name.replace(' ', "_"), value.clone()));
        Value::Object(pairs.collect::<Map<_, _>>())
    }

    pub(crate) fn finish(&self, options: &Output) -> anyhow::Result<()> {
        for (name, _, text) in &self.rows {
            println!("{name:<34} {text}");
        }
        write(options, &self.json())
    }
}

pub(crate) fn write(options: &Output, value: &Value) -> anyhow::Result<()> {
    match options.json.as_deref() {
        None => {}
        Some(path) if path.as_os_str() == "-" => println!("{value}"),
        Some(path) => std::fs::write(path, format!("{value}\n"))
            .with_context(|| format!("{} cannot be written", path.display()))?,
    }
    Ok(())
}
