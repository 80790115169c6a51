//! The Portico that is measured: one that runs already, or a quiet demo of our own that ends with us.

use anyhow::Context as _;
use clap::Args;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A release build is ready within three seconds; a debug build hashes passwords slowly.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which server to measure.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// A demo or seeded server that runs already, like <http://127.0.0.1:3000>; quiet, or others' bookings are counted in
    #[arg(long, env = "PORTICO_URL")]
    url: Option<String>,
    /// The program whose demo is started when there is no --url; the one beside this program when unset
    #[arg(long, env = "PORTICO_BIN")]
    portico: Option<PathBuf>,
}

/// A server that answers, and what ends with it. The process goes before its folder.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    _process: Option<Child>,
    _dir: Option<TempDir>,
}

impl Server {
    pub(crate) async fn start(which: &Which) -> anyhow::Result<Self> {
        if let Some(url) = &which.url {
            let url = url.trim_end_matches('/').to_owned();
            return Ok(Self {
                url,
                _process: None,
                _dir: None,
            });
        }
        let program = match &which.portico {
            Some(program) => program.clone(),
            None => std::env::current_exe()?.with_file_name("portico"),
        };
        let dir = tempfile::tempdir()?;
        let mut process = Command::new(&program)
            .args(["demo", "--quiet", "--port", "0", "--dir"])
            .arg(dir.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!(
                    "{}: first cargo build --release, or name it with --portico",
                    program.display()
                )
            })?;
        let url = listening(&mut process, PATIENCE).await?;
        Ok(Self {
            url,
            _process: Some(process),
            _dir: Some(dir),
        })
    }
}

/// Where a server says that it listens, once it does.
pub(crate) async fn listening(process: &mut Child, patience: Duration) -> anyhow::Result<String> {
    let stdout = process.stdout.take().context("its output is piped")?;
    let mut lines = BufReader::new(stdout).lines();
    let announced = async {
        while let Some(line) = lines.next_line().await? {
            if let Some(at) = line.find("http://") {
                return Ok(line[at..].trim_end().to_owned());
            }
        }
        anyhow::bail!("the server ended before it listened")
    };
    let at = timeout(patience, announced)
        .await
        .context("the server does not start")??;
    // Printing to a pipe that nobody reads would end it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(at)
}
