//! A Postgres of the row's own, to be killed: as safe as in earnest, in a folder that goes with it.

use super::process::{Process, tied};
use super::until;
use anyhow::{Context as _, ensure};
use std::fs::File;
use std::io::Seek as _;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// The user that Postgres runs as where the tests are root, which it refuses to be.
const USER: &str = "postgres";

/// One server.
#[derive(Debug)]
pub(crate) struct Postgres {
    process: Process,
    pub(crate) address: SocketAddr,
    dir: TempDir,
}

impl Postgres {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o711))?;
        let data = dir.path().join("data");
        std::fs::create_dir(&data)?;
        if is_root() {
            let id = |flag| -> anyhow::Result<u32> {
                let said = Command::new("id").args([flag, USER]).output()?.stdout;
                Ok(String::from_utf8(said)?.trim().parse()?)
            };
            chown(&data, Some(id("-u")?), Some(id("-g")?))?;
        }
        let made = command("initdb")?
            .args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C"])
            .args(["--no-sync", "-D"])
            .arg(&data)
            .output()?;
        ensure!(made.status.success(), "initdb: {made:?}");
        // Taken from the system and given back: another could take it meanwhile, and then this start fails loudly.
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = launch(&data, address)?;
        let server = Self {
            process,
            address,
            dir,
        };
        server.answers().await?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@{}/postgres", self.address)
    }

    /// Ends it: `KILL` as a crash would, `INT` as an administrator who does not wait.
    pub(crate) async fn end(&mut self, signal: &str) -> anyhow::Result<()> {
        self.process.signal(signal)?;
        let process = &mut self.process;
        until("Postgres ends", Duration::from_secs(10), || {
            process.has_ended()
        })
        .await?;
        Ok(())
    }

    /// Starts it again where it was.
    pub(crate) async fn again(&mut self) -> anyhow::Result<()> {
        // The children of a killed one notice by themselves, and until then nobody may start.
        for _ in 0..20 {
            self.process = launch(&self.dir.path().join("data"), self.address)?;
            if self.answers().await.is_ok() {
                return Ok(());
            }
        }
        self.answers().await
    }

    /// The database that a URL ends in, as `pg_dump` writes it.
    pub(crate) fn dump(&self, url: &str) -> anyhow::Result<File> {
        let (_, name) = url.rsplit_once('/').context("a URL ends in a database")?;
        let mut dump = tempfile::tempfile()?;
        let done = command("pg_dump")?
            .args([
                "--create",
                "-d",
                &format!("postgres://{USER}@{}/{name}", self.address),
            ])
            .stdout(dump.try_clone()?)
            .status()?;
        ensure!(done.success(), "pg_dump: {done}");
        dump.rewind()?;
        Ok(dump)
    }

    /// Makes the database of a dump.
    pub(crate) fn read_back(&self, dump: File) -> anyhow::Result<()> {
        let done = command("psql")?
            .args(["-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url()])
            .stdin(dump)
            .stdout(std::process::Stdio::null())
            .status()?;
        ensure!(done.success(), "psql: {done}");
        Ok(())
    }

    async fn answers(&self) -> anyhow::Result<()> {
        for _ in 0..200 {
            if std::fs::read_to_string(self.dir.path().join("data/postmaster.pid")).is_ok_and(
                |told| told.contains("ready") && told.contains(&self.process.id().to_string()),
            ) && TcpStream::connect(self.address).await.is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        anyhow::bail!("Postgres does not start")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // So that its children end with it and its shared memory is given back.
        let _ = self.process.signal("QUIT");
        for _ in 0..100 {
            if self.process.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn launch(data: &Path, address: SocketAddr) -> anyhow::Result<Process> {
    let port = format!("port={}", address.port());
    Process::start(
        command("postgres")?
            .arg("-D")
            .arg(data)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", &port])
            .args(["-c", "unix_socket_directories="])
            .stderr(std::process::Stdio::null()),
    )
}

/// A command of Postgres, as the user it insists on. The kernel forgets about a parent's death when a process changes its
/// user, so that comes first.
fn command(name: &str) -> anyhow::Result<Command> {
    let program = programs()?.join(name);
    if !is_root() {
        return Ok(tied(program));
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", USER, "--regid", USER, "--clear-groups"])
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .current_dir("/");
    Ok(command)
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

/// Debian keeps them out of PATH; of several versions the newest is taken.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut found: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().context("no Postgres is installed")
}
