//! Someone at a browser that follows nothing by itself. A request that gets no answer is an error, not a panic: here it is
//! what rows are about.

use super::Instance;
use anyhow::{Context as _, ensure};
use scraper::{Html, Selector};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The password of everybody whom a seed makes.
const PASSWORD: &str = "kestrel-demo-2026";

/// Someone signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    client: reqwest::Client,
    pub(crate) address: SocketAddr,
    pub(crate) cookie: String,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
    pub(crate) took: Duration,
}

impl Person {
    pub(crate) async fn sign_in(instance: &Instance, who: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()?;
        let mut person = Self {
            client,
            address: instance.address,
            cookie: String::new(),
        };
        let email = format!("{who}@kestrel.example");
        let fields = [("email", email.as_str()), ("password", PASSWORD)];
        let answer = person.post("/login", &fields).await?;
        ensure!(
            answer.status == 303,
            "{who} cannot sign in: {}",
            answer.status
        );
        let cookie = answer
            .headers
            .get("set-cookie")
            .context("a sign-in sets a cookie")?;
        let cookie = cookie.to_str()?.split(';').next();
        cookie.unwrap_or_default().clone_into(&mut person.cookie);
        Ok(person)
    }

    /// The same person, at another instance.
    pub(crate) fn at(&self, instance: &Instance) -> Self {
        self.at_address(instance.address)
    }

    pub(crate) fn at_address(&self, address: SocketAddr) -> Self {
        Self {
            address,
            ..self.clone()
        }
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.client.get(self.url(path))).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let request = self.client.post(self.url(path)).form(form);
        self.send(request.header("sec-fetch-site", "same-origin"))
            .await
    }

    /// Writes to the practice; the key makes a second time the same message.
    pub(crate) async fn write(&self, body: &str, key: &str) -> anyhow::Result<Answer> {
        self.post("/messages", &[("body", body), ("key", key)])
            .await
    }

    /// Posts as the provider does: raw bytes and their signature.
    pub(crate) async fn tell(&self, body: &str, signature: &str) -> anyhow::Result<Answer> {
        let request = self.client.post(self.url("/webhooks/sandbox"));
        let request = request.header("portico-signature", signature);
        self.send(request.body(body.to_owned())).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
        let began = Instant::now();
        let response = request.header("cookie", &self.cookie).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer {
            status,
            headers,
            body: response.text().await?,
            took: began.elapsed(),
        })
    }
}

impl Answer {
    /// The values of an attribute of all elements that match.
    pub(crate) fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let html = Html::parse_document(&self.body);
        let selector = Selector::parse(selector).expect("a selector");
        let found = html.select(&selector);
        found
            .filter_map(|element| element.attr(name).map(str::to_owned))
            .collect()
    }

    /// Where the page's socket is. The attribute's name has a colon, which selectors do not take.
    pub(crate) fn live_url(&self) -> anyhow::Result<String> {
        let (_, rest) = self
            .body
            .split_once("hx-ws:connect=\"")
            .with_context(|| format!("the page is not live: {}", self.status))?;
        let url = rest.split('"').next().unwrap_or_default();
        Ok(url.replace("&amp;", "&"))
    }
}
