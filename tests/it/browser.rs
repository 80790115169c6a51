//! A browser without a screen: pages, forms and the socket, as a real one sends and reads them.

use crate::house::PASSWORD;
use futures_util::StreamExt as _;
use reqwest::redirect::Policy;
use scraper::{Html, Selector};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long anything that should happen may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Someone's browser: it sends what a browser sends, and follows nothing by itself.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    client: reqwest::Client,
    address: SocketAddr,
    /// `name=value` of the session.
    pub(crate) cookie: Option<String>,
    /// The name typed into the address bar, where it is not the address itself.
    pub(crate) host: Option<&'static str>,
}

/// An answer, read.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self::at(address, None)
    }

    /// A browser on another machine: the server sees its requests come `from` there.
    pub(crate) fn at(address: SocketAddr, from: Option<IpAddr>) -> Self {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .local_address(from)
            .build()
            .unwrap();
        Self {
            client,
            address,
            cookie: None,
            host: None,
        }
    }

    /// Sends the sign-in form with everybody's password, and keeps the cookie.
    pub(crate) async fn sign_in(&mut self, who: &str) {
        let answer = self.try_password(who, PASSWORD).await;
        assert_eq!(answer.status, 303, "{who} cannot sign in: {}", answer.body);
        self.keep_cookie(&answer);
    }

    /// Sends the sign-in form.
    pub(crate) async fn try_password(&self, who: &str, password: &str) -> Answer {
        let email = format!("{who}@kestrel.example");
        let fields = [("email", email.as_str()), ("password", password)];
        self.post("/login", &fields).await
    }

    pub(crate) fn keep_cookie(&mut self, answer: &Answer) {
        let cookie = answer
            .header("set-cookie")
            .expect("a sign-in sets a cookie");
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(reqwest::Method::GET, path, &[], None).await
    }

    /// As htmx asks: for a fragment.
    pub(crate) async fn get_fragment(&self, path: &str) -> Answer {
        self.send(reqwest::Method::GET, path, &[("hx-request", "true")], None)
            .await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(
            reqwest::Method::POST,
            path,
            &[("sec-fetch-site", "same-origin")],
            Some(form(fields)),
        )
        .await
    }

    pub(crate) async fn post_fragment(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = [("sec-fetch-site", "same-origin"), ("hx-request", "true")];
        self.send(reqwest::Method::POST, path, &headers, Some(form(fields)))
            .await
    }

    /// Any request: nothing is added but the cookie, and for a body its type.
    pub(crate) async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = self
            .client
            .request(method, format!("http://{}{path}", self.address));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(host) = self.host {
            request = request.header("host", host);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
        Answer {
            status,
            headers,
            body,
        }
    }

    /// Opens a page and its socket, as a browser does: the address stands in the page.
    pub(crate) async fn watch(&self, path: &str) -> Watcher {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        self.connect(&page.live_url()).await
    }

    /// Asks for a socket with any headers; the status is 101 where it was given.
    pub(crate) async fn handshake(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        let upgrade = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let headers = [&upgrade[..], headers].concat();
        self.send(reqwest::Method::GET, url, &headers, None).await
    }

    /// Opens a socket at an address that starts with `/live?`.
    pub(crate) async fn connect(&self, url: &str) -> Watcher {
        let mut request = format!("ws://{}{url}", self.address)
            .into_client_request()
            .unwrap();
        let origin = format!("http://{}", self.address);
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        if let Some(cookie) = &self.cookie {
            request
                .headers_mut()
                .insert("cookie", cookie.parse().unwrap());
        }
        let (stream, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Watcher {
            stream,
            cursor: None,
            bytes: 0,
            is_slow: false,
        }
    }
}

/// A form as a browser encodes it.
pub(crate) fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    (byte as char).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect();
    pairs.join("&").into_bytes()
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The value of an attribute of the first element that matches.
    pub(crate) fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let html = Html::parse_document(&self.body);
        let selector = Selector::parse(selector).unwrap();
        html.select(&selector)
            .next()
            .and_then(|element| element.attr(name).map(str::to_owned))
    }

    /// The values of an attribute of all elements that match.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let html = Html::parse_document(&self.body);
        let selector = Selector::parse(selector).unwrap();
        html.select(&selector)
            .filter_map(|element| element.attr(name).map(str::to_owned))
            .collect()
    }

    /// The texts of all elements that match, with their blanks folded.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let html = Html::parse_document(&self.body);
        let selector = Selector::parse(selector).unwrap();
        let text = |element: scraper::ElementRef<'_>| {
            element
                .text()
                .collect::<String>()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        html.select(&selector).map(text).collect()
    }

    /// What a form would send as it stands: its fields' names and values, buttons aside.
    pub(crate) fn fields(&self, form: &str) -> Vec<(String, String)> {
        let html = Html::parse_document(&self.body);
        let selector = format!("{form} input[name], {form} select[name]");
        let chosen = Selector::parse("option[selected]").unwrap();
        let value = |element: scraper::ElementRef<'_>| {
            let option = element.select(&chosen).next();
            let holder = option.unwrap_or(element);
            holder.attr("value").unwrap_or_default().to_owned()
        };
        html.select(&Selector::parse(&selector).unwrap())
            .map(|element| (element.attr("name").unwrap().to_owned(), value(element)))
            .collect()
    }

    /// Where the page's socket is.
    pub(crate) fn live_url(&self) -> String {
        self.attribute("#live", "hx-ws:connect")
            .or_else(|| live_url(&self.body))
            .expect("the page is live")
    }
}

/// The attribute's name has a colon, which parsers treat in their own ways.
fn live_url(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("hx-ws:connect=\"")?;
    Some(rest.split('"').next()?.replace("&amp;", "&"))
}

/// An open page's socket.
pub(crate) struct Watcher {
    stream: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    pub(crate) cursor: Option<String>,
    /// Html that came so far. What is around it comes again with each frame, and a busy machine makes more of those.
    pub(crate) bytes: usize,
    /// The last heartbeat said that changes come late.
    pub(crate) is_slow: bool,
}

/// What a socket said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Content(String),
    Heartbeat(u64),
    Closed(u16, String),
}

impl Watcher {
    /// The next thing said; panics when nothing comes.
    pub(crate) async fn next(&mut self) -> Heard {
        tokio::time::timeout(PATIENCE, self.wait())
            .await
            .expect("the socket stays silent")
    }

    async fn wait(&mut self) -> Heard {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                    if let Some(age) = json.get("hb") {
                        self.is_slow = json.get("slow").is_some();
                        return Heard::Heartbeat(age.as_u64().unwrap());
                    }
                    self.cursor = Some(json["v"].as_str().unwrap().to_owned());
                    let content = json["content"].as_str().unwrap();
                    self.bytes += content.len();
                    return Heard::Content(content.to_owned());
                }
                Some(Ok(Message::Close(frame))) => {
                    let frame =
                        frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
                    let (code, reason) = frame.unwrap_or((1005, String::new()));
                    return Heard::Closed(code, reason);
                }
                Some(Ok(_)) => {}
                Some(Err(tungstenite::Error::ConnectionClosed)) | None => {
                    return Heard::Closed(1006, String::new());
                }
                Some(Err(_)) => return Heard::Closed(1006, String::new()),
            }
        }
    }

    /// Waits for a frame whose content satisfies `wanted`.
    pub(crate) async fn content(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let search = async {
            loop {
                match self.wait().await {
                    Heard::Content(content) if wanted(&content) => return content,
                    Heard::Closed(code, reason) => panic!("the socket closed with {code} {reason}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, search)
            .await
            .expect("what was waited for did not come")
    }

    /// Waits for the end.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let search = async {
            loop {
                if let Heard::Closed(code, reason) = self.wait().await {
                    return (code, reason);
                }
            }
        };
        tokio::time::timeout(PATIENCE, search)
            .await
            .expect("the socket stays open")
    }

    /// Waits until a heartbeat says that nothing else is to come for now.
    pub(crate) async fn quiet(&mut self) -> Vec<String> {
        let mut contents = Vec::new();
        let search = async {
            loop {
                match self.wait().await {
                    Heard::Content(content) => contents.push(content),
                    Heard::Heartbeat(_) => return,
                    Heard::Closed(code, reason) => panic!("the socket closed with {code} {reason}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, search)
            .await
            .expect("no heartbeat came");
        contents
    }

    pub(crate) async fn send(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        use futures_util::SinkExt as _;
        self.stream.send(message).await
    }

    /// Puts bytes on the line as they are. The other side may close it meanwhile.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        use tokio::io::AsyncWriteExt as _;
        let _ = self.stream.get_mut().write_all(bytes).await;
    }

    /// Leaves as a browser does.
    pub(crate) async fn leave(mut self) {
        let frame = tungstenite::protocol::CloseFrame {
            code: CloseCode::Away,
            reason: "".into(),
        };
        let _ = self.stream.close(Some(frame)).await;
    }
}
