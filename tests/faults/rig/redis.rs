//! A Redis of the row's own, to be killed, frozen and emptied.

use super::process::{Process, tied};
use super::until;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::time::Duration;

/// One server.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Redis {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let redis = Self {
            process: launch(address)?,
            address,
        };
        redis.answers().await?;
        Ok(redis)
    }

    /// Starts it again where it was, empty.
    pub(crate) async fn again(&mut self) -> anyhow::Result<()> {
        self.process.kill();
        self.process = launch(self.address)?;
        self.answers().await
    }

    /// A command, as one types it, and the beginning of the answer.
    pub(crate) fn tell(&self, command: &str) -> anyhow::Result<String> {
        let mut line = TcpStream::connect(self.address)?;
        line.set_read_timeout(Some(Duration::from_secs(2)))?;
        line.write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = [0; 512];
        let length = line.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    async fn answers(&self) -> anyhow::Result<()> {
        let pong = || {
            self.tell("PING")
                .is_ok_and(|said| said.starts_with("+PONG"))
        };
        until("Redis answers", Duration::from_secs(10), pong).await?;
        Ok(())
    }
}

/// The URL of a Redis there.
pub(crate) fn url(address: SocketAddr) -> String {
    format!("redis://{address}")
}

fn launch(address: SocketAddr) -> anyhow::Result<Process> {
    let port = address.port().to_string();
    Process::start(
        tied("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port])
            .args(["--save", "", "--appendonly", "no", "--dir", "/tmp"])
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )
}
