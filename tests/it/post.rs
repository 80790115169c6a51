//! A mail server of a test's own, which can be told to fail, and what it took: read by a parser that is not ours.

use serde::Deserialize;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// A mail as it arrived.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Arrived {
    pub(crate) to: String,
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) from: String,
    pub(crate) header_to: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) method: Option<String>,
    pub(crate) entry: Option<Entry>,
    pub(crate) unsubscribe: Option<String>,
    pub(crate) one_click: Option<String>,
}

/// Its part for calendars.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Entry {
    pub(crate) method: String,
    pub(crate) uid: String,
    pub(crate) sequence: i64,
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) status: String,
    pub(crate) attendee: String,
    pub(crate) description: String,
}

/// The server; it ends with this value, or with the test.
#[derive(Debug)]
pub(crate) struct Post {
    process: Child,
    dir: TempDir,
    pub(crate) url: String,
}

impl Post {
    pub(crate) async fn open() -> Self {
        let python = std::env::var("PORTICO_TEST_PYTHON").expect(
            "PORTICO_TEST_PYTHON is not set: run this test with bin/test, which installs a mail server",
        );
        let dir = tempfile::tempdir().expect("there is room for a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server.py");
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", &python])
            .arg(script)
            .arg(dir.path())
            .stdin(Stdio::null())
            .stderr(fs::File::create(dir.path().join("log")).expect("there is room for a log"))
            .spawn()
            .expect("the mail server starts");
        let mut post = Self {
            process,
            dir,
            url: String::new(),
        };
        let written = post.dir.path().join("port");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !written.exists() {
            assert!(Instant::now() < deadline, "{}", post.log());
            sleep(Duration::from_millis(5)).await;
        }
        post.url = format!(
            "smtp://127.0.0.1:{}",
            fs::read_to_string(written).expect("it says its port")
        );
        post
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// `later`, `never`, `gone` or `reset`, perhaps followed by whose mails alone; nothing heals it.
    pub(crate) fn fails(&self, how: &str) {
        fs::write(self.dir.path().join("fault.new"), how).expect("a fault can be written");
        let [new, fault] = ["fault.new", "fault"].map(|name| self.dir.path().join(name));
        fs::rename(new, fault).expect("a fault can be put in place");
    }

    /// All that it took, in order.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        let mails = fs::read_to_string(self.dir.path().join("mails")).unwrap_or_default();
        // The last line may be half written.
        let whole = mails.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let read = |line: &str| serde_json::from_str(line).expect("each line is a mail");
        whole.lines().map(read).collect()
    }

    /// Waits until it took so many.
    pub(crate) async fn has(&self, count: usize) -> Vec<Arrived> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let arrived = self.arrived();
            if arrived.len() >= count {
                return arrived;
            }
            assert!(
                Instant::now() < deadline,
                "{} of {count} mails: {arrived:#?} {}",
                arrived.len(),
                self.log()
            );
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
