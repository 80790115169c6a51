//! An open page that behaves as a browser does: it applies what it is told, keeps the cursor, and comes back, to the next
//! address if the one before is gone.

use super::page::{Page, went_on};
use super::{Person, until};
use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// Before a page comes back: hx-ws begins with half a second to a second.
const BACK: Duration = Duration::from_millis(500);

/// A page that is open until it is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    person: Person,
    path: String,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

/// What the page was told.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) page: Page,
    pub(crate) cursor: Option<String>,
    /// The latest heartbeat: when it came and the age that it told, in milliseconds.
    pub(crate) beat: Option<(Instant, u64)>,
    /// Whether that heartbeat said that other instances are only found, not heard.
    pub(crate) slow: bool,
    pub(crate) is_open: bool,
    /// How often it was open.
    pub(crate) connections: usize,
    /// A close code after which a browser does not come back.
    pub(crate) closed: Option<u16>,
    went_back: Option<String>,
}

impl Watcher {
    /// Opens a page and its socket, and waits until it has heard that it is live.
    pub(crate) async fn open(person: &Person, path: &str) -> anyhow::Result<Self> {
        Self::open_at(person, path, &[person.address]).await
    }

    /// The same, with other addresses to come back to.
    pub(crate) async fn open_at(
        person: &Person,
        path: &str,
        addresses: &[SocketAddr],
    ) -> anyhow::Result<Self> {
        let page = person.get(path).await?;
        let url = page.live_url()?;
        let watcher = Self::resume(person, path, addresses, &url, Seen::of(&page.body));
        watcher.is_live(Duration::from_secs(10)).await?;
        Ok(watcher)
    }

    /// A page that was away comes back with what it had.
    pub(crate) fn resume(
        person: &Person,
        path: &str,
        addresses: &[SocketAddr],
        url: &str,
        seen: Seen,
    ) -> Self {
        let seen = Arc::new(Mutex::new(seen));
        let stay = stay(
            person.cookie.clone(),
            addresses.to_vec(),
            url.to_owned(),
            Arc::clone(&seen),
        );
        Self {
            person: person.clone(),
            path: path.to_owned(),
            seen,
            task: tokio::spawn(stay),
        }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen
            .lock()
            .expect("nothing panics while it holds this")
    }

    /// Waits until it is connected and was told how fresh it is.
    pub(crate) async fn is_live(&self, within: Duration) -> anyhow::Result<Duration> {
        until("the page is live", within, || {
            let seen = self.seen();
            seen.is_open && seen.beat.is_some()
        })
        .await
    }

    /// Waits until the page shows a text.
    pub(crate) async fn shows(&self, text: &str, within: Duration) -> anyhow::Result<Duration> {
        until(&format!("the page shows {text}"), within, || {
            self.seen().page.holds(text)
        })
        .await
    }

    /// Waits until the socket is closed for good.
    pub(crate) async fn closes(&self, code: u16, within: Duration) -> anyhow::Result<Duration> {
        until(&format!("the socket closes with {code}"), within, || {
            self.seen().closed == Some(code)
        })
        .await
    }

    /// The page as pushed is the page as it would be loaded `at` an instance now; nothing went back on the way.
    pub(crate) async fn is_exact(&self, at: SocketAddr, within: Duration) -> anyhow::Result<()> {
        self.agrees(at, within).await?;
        let went_back = self.seen().went_back.clone();
        ensure!(
            went_back.is_none(),
            "a version went back: {}",
            went_back.unwrap_or_default()
        );
        Ok(())
    }

    /// The same of a page that may have been ahead of the database: only going back brings that up to date.
    pub(crate) async fn agrees(&self, at: SocketAddr, within: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let fresh = self.person.at_address(at).get(&self.path).await?;
            let compared = self.seen().page.agrees_with(&Page::of(&fresh.body));
            match compared {
                Ok(()) => return Ok(()),
                Err(error) if began.elapsed() > within => {
                    return Err(error).context(format!("not exact within {within:?}"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connects, reads, and comes back, until it is told not to.
async fn stay(cookie: String, addresses: Vec<SocketAddr>, url: String, seen: Arc<Mutex<Seen>>) {
    let locked = || seen.lock().expect("nothing panics while it holds this");
    for address in addresses.iter().cycle() {
        let cursor = locked().cursor.clone();
        let url = match (&cursor, url.split_once("&since=")) {
            (Some(cursor), Some((page, _))) => format!("{page}&since={cursor}"),
            _ => url.clone(),
        };
        let code = read(&cookie, *address, &url, &seen).await;
        {
            let mut seen = locked();
            (seen.is_open, seen.beat) = (false, None);
            if let Some(1000 | 1003 | 1008 | 1009 | 4000..) = code {
                seen.closed = code;
                return;
            }
        }
        tokio::time::sleep(BACK).await;
    }
}

/// One connection, until it ends: the close code if there was one.
async fn read(cookie: &str, address: SocketAddr, url: &str, seen: &Mutex<Seen>) -> Option<u16> {
    let mut request = format!("ws://{address}{url}").into_client_request().ok()?;
    let headers = request.headers_mut();
    headers.insert("origin", format!("http://{address}").parse().ok()?);
    headers.insert("cookie", cookie.parse().ok()?);
    let (mut stream, _) = tokio_tungstenite::connect_async(request).await.ok()?;
    {
        let mut seen = seen.lock().ok()?;
        seen.is_open = true;
        seen.connections += 1;
    }
    loop {
        match stream.next().await?.ok()? {
            Message::Text(text) => seen.lock().ok()?.take(&text),
            Message::Close(frame) => return frame.map(|frame| frame.code.into()),
            _ => {}
        }
    }
}

impl Seen {
    /// A page that was loaded and has heard nothing yet.
    pub(crate) fn of(html: &str) -> Self {
        Self {
            page: Page::of(html),
            ..Self::default()
        }
    }

    fn take(&mut self, text: &str) {
        let frame: serde_json::Value = serde_json::from_str(text).expect("a frame is JSON");
        if let Some(age) = frame["hb"].as_u64() {
            self.beat = Some((Instant::now(), age));
            self.slow = frame["slow"] == true;
        }
        if let Some(cursor) = frame["v"].as_str() {
            if let Some(before) = &self.cursor
                && !went_on(before, cursor)
            {
                self.went_back = Some(format!("{before} {cursor}"));
            }
            self.cursor = Some(cursor.to_owned());
        }
        if let Some(content) = frame["content"].as_str() {
            self.page.apply(content);
        }
    }
}
