//! The instances that are measured: some that run already, or some of our own on a business that was seeded for the run, which
//! end with it.

use crate::server::listening;
use crate::usage::{self, Usage};
use anyhow::{Context as _, ensure};
use clap::Args;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Migrations of a full database, and a core that somebody else uses.
const PATIENCE: Duration = Duration::from_mins(1);
/// No limit of theirs is what is measured.
const UNLIMITED: &str = "1000000";

/// Which instances to measure.
#[derive(Debug, Clone, Args)]
pub(crate) struct Instances {
    /// A seeded instance that runs already, like <http://127.0.0.1:3000>; once for each; nobody else may write meanwhile
    #[arg(long = "url")]
    urls: Vec<String>,
    /// The process of an instance that runs already, for its CPU and memory; once for each
    #[arg(long = "pid", requires = "urls")]
    pids: Vec<u32>,
    /// How many of our own to start when there is no --url
    #[arg(long = "instances", default_value_t = 1)]
    count: usize,
    /// Make a database of our own in this Postgres, like <postgres://postgres@127.0.0.1:5432/postgres>; SQLite when unset
    #[arg(long, conflicts_with = "urls")]
    postgres: Option<String>,
    /// Join our own instances by this Redis
    #[arg(long, conflicts_with = "urls")]
    redis: Option<String>,
    /// The program that is started; the one beside this program when unset
    #[arg(long, env = "PORTICO_BIN")]
    portico: Option<PathBuf>,
    /// Keep our own instances on the first core, and whoever watches on the second
    #[arg(long)]
    pub(crate) pin: bool,
}

/// Instances that answer, and what ends with them.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) urls: Vec<String>,
    pids: Vec<u32>,
    own: Option<Own>,
}

/// What was started here. The processes go before their folder.
#[derive(Debug)]
struct Own {
    options: Instances,
    processes: Vec<Child>,
    database: Database,
    _dir: TempDir,
}

#[derive(Debug)]
struct Database {
    url: String,
    /// The server and the name, to be dropped at the end.
    dropped: Option<(String, String)>,
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.dropped {
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            let _ = std::process::Command::new("psql")
                .args([server, "-qc", &drop])
                .stderr(Stdio::null())
                .status();
        }
    }
}

impl Fleet {
    /// Starts what is needed, with so many numbered clients.
    pub(crate) async fn start(options: &Instances, clients: usize) -> anyhow::Result<Self> {
        if !options.urls.is_empty() {
            let trim = |url: &String| url.trim_end_matches('/').to_owned();
            return Ok(Self {
                urls: options.urls.iter().map(trim).collect(),
                pids: options.pids.clone(),
                own: None,
            });
        }
        let dir = tempfile::tempdir()?;
        let database = match &options.postgres {
            None => Database {
                url: format!("sqlite:{}", dir.path().join("portico.db").display()),
                dropped: None,
            },
            Some(server) => {
                let name = format!("loadtest_{}", std::process::id());
                ask(server, &format!("CREATE DATABASE {name}")).await?;
                let (at, _) = server
                    .rsplit_once('/')
                    .context("a Postgres address names a database")?;
                Database {
                    url: format!("{at}/{name}"),
                    dropped: Some((server.clone(), name)),
                }
            }
        };
        let own = Own {
            options: options.clone(),
            processes: Vec::new(),
            database,
            _dir: dir,
        };
        own.once(&["seed", "--clients", &clients.to_string()])
            .await?;
        let mut fleet = Self {
            urls: vec!["http://127.0.0.1:0".to_owned(); options.count],
            pids: Vec::new(),
            own: Some(own),
        };
        fleet.restart().await?;
        Ok(fleet)
    }

    /// Starts our own anew, where they were: what they used so far is no part of what comes. Others' are left alone.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        let Some(own) = &mut self.own else {
            return Ok(());
        };
        for process in &mut own.processes {
            process.kill().await?;
        }
        own.processes.clear();
        self.pids.clear();
        for url in &mut self.urls {
            let (process, at) = own.serve(url).await?;
            self.pids.extend(process.id());
            own.processes.push(process);
            *url = at;
        }
        Ok(())
    }

    /// What the instances have used so far; `None` when nobody said which processes they are.
    pub(crate) fn usage(&self) -> anyhow::Result<Option<Usage>> {
        let known = !self.pids.is_empty();
        known.then(|| Usage::sum(&self.pids)).transpose()
    }

    /// How many transactions our own Postgres database has seen.
    pub(crate) async fn transactions(&self) -> anyhow::Result<Option<i64>> {
        let Some((server, name)) = self
            .own
            .as_ref()
            .and_then(|own| own.database.dropped.as_ref())
        else {
            return Ok(None);
        };
        let query = format!(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '{name}'"
        );
        let answer = ask(server, &query).await?;
        Ok(answer.trim().parse().ok())
    }

    /// A question to the database of our own instances; `None` when they are not ours or it is no Postgres.
    pub(crate) async fn query(&self, query: &str) -> anyhow::Result<Option<String>> {
        match &self.own {
            Some(own) if own.database.dropped.is_some() => {
                Ok(Some(ask(&own.database.url, query).await?))
            }
            _ => Ok(None),
        }
    }

    /// The address of our own database.
    pub(crate) fn database(&self) -> Option<&str> {
        self.own.as_ref().map(|own| own.database.url.as_str())
    }

    /// What `portico check` says of our own database.
    pub(crate) async fn check(&self) -> anyhow::Result<Option<String>> {
        match &self.own {
            Some(own) => own.once(&["check"]).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Own {
    fn command(&self, core: Option<usize>) -> anyhow::Result<Command> {
        let program = match &self.options.portico {
            Some(program) => program.clone(),
            None => std::env::current_exe()?.with_file_name("portico"),
        };
        ensure!(
            program.exists(),
            "{}: first cargo build --release, or name it with --portico",
            program.display()
        );
        let mut command = usage::command(core, &program);
        command
            .env("PORTICO_DATABASE_URL", &self.database.url)
            .kill_on_drop(true);
        Ok(command)
    }

    /// Runs a command to its end, and returns what it printed.
    async fn once(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = self.command(None)?.args(args).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "portico {}: {}",
            args[0],
            said.trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Starts an instance at an address, and returns the one that it took.
    async fn serve(&self, url: &str) -> anyhow::Result<(Child, String)> {
        let mut command = self.command(self.options.pin.then_some(0))?;
        if let Some(redis) = &self.options.redis {
            command.env("PORTICO_REDIS_URL", redis);
        }
        let mut process = command
            .arg("serve")
            .env("PORTICO_BIND", url.trim_start_matches("http://"))
            .env("PORTICO_MAX_CONNECTIONS", UNLIMITED)
            .env("PORTICO_MAX_CONNECTIONS_PER_ADDRESS", UNLIMITED)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()?;
        let at = listening(&mut process, PATIENCE).await?;
        Ok((process, at))
    }
}

/// Asks a Postgres by its own client.
async fn ask(server: &str, query: &str) -> anyhow::Result<String> {
    let output = Command::new("psql")
        .args([server, "-qAtc", query])
        .output()
        .await;
    let output = output.context("psql cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "Postgres says: {}", said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
