//! A process of the test's own: it ends when it is dropped, and with the test however that dies.

use anyhow::{Context as _, ensure};
use std::ffi::OsStr;
use std::process::{Child, Command};

/// One process.
#[derive(Debug)]
pub(crate) struct Process(Child);

/// A command that the kernel kills when the thread that starts it is gone: a test that is killed drops nothing.
pub(crate) fn tied(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .env_clear();
    for name in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.spawn();
        Ok(Self(
            child.with_context(|| format!("{command:?} does not start"))?,
        ))
    }

    /// `KILL`, `STOP`, `CONT`, `TERM` or `QUIT`.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status()?;
        ensure!(sent.success(), "{pid} took no {name}");
        Ok(())
    }

    /// Ends it at once, whatever it is doing.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|code| code.is_some())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
