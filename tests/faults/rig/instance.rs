//! A real server of the binary on a free port, with its points to hold it at.

use super::process::{Process, tied};
use super::{Business, until};
use anyhow::{Context as _, bail};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// How long a start may take on a machine that does other things too.
const START: Duration = Duration::from_secs(20);

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    let given = std::env::var_os("PORTICO_BIN").map(PathBuf::from);
    given.unwrap_or_else(|| env!("CARGO_BIN_EXE_portico").into())
}

/// One instance.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    start: Start,
}

/// How an instance is started.
#[derive(Debug)]
pub(crate) struct Start {
    settings: Vec<(String, String)>,
    wrapper: Vec<String>,
    dir: TempDir,
}

impl Start {
    /// Another setting, or another value of one.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whoever comes to this point waits there, from the start on.
    pub(crate) fn armed(self, point: &str) -> anyhow::Result<Self> {
        fs::write(self.dir.path().join(point), "")?;
        Ok(self)
    }

    /// Without these safeguards; `""` is all of them.
    pub(crate) fn without(self, safeguards: &str) -> Self {
        self.with("PORTICO_TEST_DISABLE", safeguards)
    }

    /// Under a command that starts it and becomes it.
    pub(crate) fn under(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    pub(crate) async fn serve(self) -> anyhow::Result<Instance> {
        let (process, address) = self.launch("127.0.0.1:0").await?;
        Ok(Instance {
            process,
            address,
            start: self,
        })
    }

    async fn launch(&self, bind: &str) -> anyhow::Result<(Process, SocketAddr)> {
        let (said, log) = (self.dir.path().join("out"), self.dir.path().join("log"));
        let words = self.wrapper.iter().map(PathBuf::from);
        let mut words = words.chain([binary(), "serve".into()]);
        let mut command = tied(words.next().context("there is a program")?);
        command
            .args(words)
            .current_dir(&self.dir)
            .envs([
                ("PORTICO_BIND", bind),
                ("PORTICO_PAYMENTS", "sandbox"),
                ("NO_COLOR", "1"),
                ("PORTICO_MAX_CONNECTIONS_PER_ADDRESS", "20000"),
            ])
            .env("PORTICO_TEST_FAULTS", self.dir.path())
            .envs(self.settings.iter().cloned())
            .stdout(fs::File::create(&said)?)
            .stderr(fs::File::options().create(true).append(true).open(&log)?);
        let mut process = Process::start(&mut command)?;
        let mut address = None;
        let listens = until("an instance listens", START, || {
            let greeting = fs::read_to_string(&said).unwrap_or_default();
            let line = greeting.split_once('\n').map(|(line, _)| line.to_owned());
            address = line.and_then(|line| line.rsplit('/').next()?.parse().ok());
            address.is_some() || process.has_ended()
        });
        let listens = listens.await;
        match (listens, address) {
            (Ok(_), Some(address)) => Ok((process, address)),
            _ => bail!(
                "an instance did not start: {}",
                fs::read_to_string(&log).unwrap_or_default()
            ),
        }
    }
}

impl Instance {
    /// An instance of this business, not started yet.
    pub(crate) fn of(business: &Business) -> Start {
        Start {
            settings: vec![("PORTICO_DATABASE_URL".to_owned(), business.url.clone())],
            wrapper: Vec::new(),
            dir: tempfile::tempdir().expect("there is room for a folder"),
        }
    }

    /// What it wrote to its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.start.dir.path().join("log")).unwrap_or_default()
    }

    /// From now on whoever comes to this point waits there.
    pub(crate) fn arm(&self, point: &str) -> anyhow::Result<()> {
        let _ = fs::remove_file(self.start.dir.path().join(format!("{point}.reached")));
        Ok(fs::write(self.start.dir.path().join(point), "")?)
    }

    /// Lets go whoever waits at this point.
    pub(crate) fn release(&self, point: &str) {
        let _ = fs::remove_file(self.start.dir.path().join(point));
    }

    /// Waits until someone waits at this point.
    pub(crate) async fn reached(&self, point: &str) -> anyhow::Result<()> {
        let file = self.start.dir.path().join(format!("{point}.reached"));
        until(point, Duration::from_secs(10), || file.exists()).await?;
        Ok(())
    }

    /// Ends it at once; what it was held at is no more.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
        for point in ["before_commit", "after_commit", "after_sweep"] {
            self.release(point);
        }
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        (self.process, self.address) = self.start.launch(&self.address.to_string()).await?;
        Ok(())
    }
}
