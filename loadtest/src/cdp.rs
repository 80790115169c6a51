//! A chromium of our own, driven over its debugging protocol: pages, each with what it reports.

use anyhow::{Context as _, ensure};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long chromium may take to start, or to answer a command.
const PATIENCE: Duration = Duration::from_secs(30);

/// The second half keeps a page that lies behind another as awake as one that is looked at.
const FLAGS: [&str; 14] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
];

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A running chromium; it is killed when this goes, and its profile goes after it.
#[derive(Debug)]
pub(crate) struct Chromium {
    line: Arc<Line>,
    process: Child,
    _profile: TempDir,
}

/// The connection that all its pages share.
#[derive(Debug)]
struct Line {
    sink: tokio::sync::Mutex<SplitSink<Stream, Message>>,
    next: AtomicU64,
    /// Commands that wait for their answer.
    asked: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    /// Where each page's events go, by its session.
    pages: Mutex<HashMap<String, mpsc::UnboundedSender<Value>>>,
}

/// A page in a browser context of its own, with no other page's cookies.
#[derive(Debug)]
pub(crate) struct Page {
    line: Arc<Line>,
    session: String,
    events: mpsc::UnboundedReceiver<Value>,
}

impl Chromium {
    pub(crate) async fn start(program: &Path) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut folder = std::ffi::OsString::from("--user-data-dir=");
        folder.push(profile.path());
        let mut process = Command::new(program)
            .args(FLAGS)
            .arg(folder)
            .arg("about:blank")
            // Where it would leave its lock when it is killed.
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let port_file = profile.path().join("DevToolsActivePort");
        let announced = async {
            loop {
                if let Some(status) = process.try_wait()? {
                    anyhow::bail!("chromium ended at once: {status}");
                }
                let text = tokio::fs::read_to_string(&port_file).await;
                if let Some((port, path)) = text.unwrap_or_default().split_once('\n')
                    && !path.is_empty()
                {
                    return Ok(format!("ws://127.0.0.1:{port}{}", path.trim_end()));
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let url = timeout(PATIENCE, announced)
            .await
            .context("chromium does not start")??;
        let (stream, _) = tokio_tungstenite::connect_async(url).await?;
        let (sink, stream) = stream.split();
        let line = Arc::new(Line {
            sink: tokio::sync::Mutex::new(sink),
            next: AtomicU64::new(1),
            asked: Mutex::default(),
            pages: Mutex::default(),
        });
        tokio::spawn(listen(stream, Arc::clone(&line)));
        Ok(Self {
            line,
            process,
            _profile: profile,
        })
    }

    /// What it calls itself, like `Chrome/143.0`.
    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        let version = self
            .line
            .call(None, "Browser.getVersion", json!({}))
            .await?;
        Ok(version["product"].as_str().unwrap_or("unknown").to_owned())
    }

    /// An empty page in a new context.
    pub(crate) async fn page(&self) -> anyhow::Result<Page> {
        let context = self
            .line
            .call(None, "Target.createBrowserContext", json!({}))
            .await?;
        let context = &context["browserContextId"];
        let blank = json!({ "url": "about:blank", "browserContextId": context });
        let target = self.line.call(None, "Target.createTarget", blank).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self
            .line
            .call(None, "Target.attachToTarget", attach)
            .await?;
        let session = session["sessionId"]
            .as_str()
            .context("a session")?
            .to_owned();
        let (sender, events) = mpsc::unbounded_channel();
        lock(&self.line.pages).insert(session.clone(), sender);
        let page = Page {
            line: Arc::clone(&self.line),
            session,
            events,
        };
        for domain in ["Page.enable", "Runtime.enable", "Network.enable"] {
            page.call(domain, json!({})).await?;
        }
        Ok(page)
    }

    /// Ends it, so that its profile can be removed whole.
    pub(crate) async fn close(mut self) -> anyhow::Result<()> {
        self.process.kill().await?;
        Ok(())
    }
}

/// Hands answers to whoever asked and events to their pages, until the connection ends.
async fn listen(mut stream: SplitStream<Stream>, line: Arc<Line>) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let Ok(message) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        if let Some(id) = message["id"].as_u64() {
            if let Some(asked) = lock(&line.asked).remove(&id) {
                let _ = asked.send(message);
            }
        } else if let Some(session) = message["sessionId"].as_str()
            && let Some(page) = lock(&line.pages).get(session)
        {
            let _ = page.send(message);
        }
    }
    // Whoever still waits learns at once that nothing will come.
    lock(&line.asked).clear();
    lock(&line.pages).clear();
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this")
}

impl Line {
    async fn call(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> anyhow::Result<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let (sender, answer) = oneshot::channel();
        lock(&self.asked).insert(id, sender);
        let text = Message::text(command.to_string());
        self.sink.lock().await.send(text).await?;
        let mut answer = timeout(PATIENCE, answer)
            .await
            .with_context(|| format!("{method}: no answer"))?
            .context("chromium has ended")?;
        ensure!(
            answer.get("error").is_none(),
            "{method}: {}",
            answer["error"]
        );
        Ok(answer["result"].take())
    }
}

impl Page {
    pub(crate) async fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.line.call(Some(&self.session), method, params).await
    }

    /// The value of an expression, once it is settled where it is a promise.
    pub(crate) async fn evaluate(&self, expression: &str) -> anyhow::Result<Value> {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", params).await?;
        let thrown = &answer["exceptionDetails"];
        ensure!(thrown.is_null(), "a script threw: {thrown}");
        Ok(answer["result"]["value"].take())
    }

    /// Signs in by a cookie like `name=value`, and goes to a page of `url`.
    pub(crate) async fn open(&self, url: &str, path: &str, cookie: &str) -> anyhow::Result<()> {
        let (name, value) = cookie.split_once('=').context("a cookie has a name")?;
        let cookie = json!({ "name": name, "value": value, "url": url, "httpOnly": true });
        self.call("Network.setCookie", cookie).await?;
        let answer = self
            .call("Page.navigate", json!({ "url": format!("{url}{path}") }))
            .await?;
        let error = &answer["errorText"];
        ensure!(error.is_null(), "{path}: {error}");
        Ok(())
    }

    /// The next thing that it reports.
    pub(crate) async fn event(&mut self) -> anyhow::Result<Value> {
        self.events.recv().await.context("chromium has ended")
    }

    /// What it has reported already.
    pub(crate) fn reported(&mut self) -> Option<Value> {
        self.events.try_recv().ok()
    }
}
