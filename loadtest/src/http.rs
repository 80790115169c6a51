//! Someone without a screen: signs in, asks for pages and sends their forms, over connections that stay open.

use crate::stats;
use anyhow::{Context as _, ensure};
pub(crate) use loadtest::attribute;
use reqwest::header::{ACCEPT_ENCODING, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;

/// The password of every account of a demo or a seeded business.
const PASSWORD: &str = "kestrel-demo-2026";

/// Someone who is signed in.
#[derive(Debug)]
pub(crate) struct Person {
    client: reqwest::Client,
    pub(crate) url: String,
    /// `name=value` of the session.
    pub(crate) cookie: String,
}

/// A form's answer, and by the wall clock when it was sent and answered.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) sent: f64,
    pub(crate) answered: f64,
}

impl Person {
    /// What keeps connections, for as many people as share it.
    pub(crate) fn browser() -> anyhow::Result<reqwest::Client> {
        Ok(reqwest::Client::builder()
            .redirect(Policy::none())
            .build()?)
    }

    pub(crate) async fn sign_in(url: &str, name: &str) -> anyhow::Result<Self> {
        Self::sign_in_with(Self::browser()?, url, name).await
    }

    /// Over connections that others use too.
    pub(crate) async fn sign_in_with(
        client: reqwest::Client,
        url: &str,
        name: &str,
    ) -> anyhow::Result<Self> {
        let email = format!("{name}@kestrel.example");
        let answer = client
            .post(format!("{url}/login"))
            .form(&[("email", email.as_str()), ("password", PASSWORD)])
            .send()
            .await?;
        ensure!(
            answer.status() == 303,
            "{email} cannot sign in: {}",
            answer.status()
        );
        let cookie = answer
            .headers()
            .get(SET_COOKIE)
            .context("a sign-in sets a cookie")?
            .to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self {
            client,
            url: url.to_owned(),
            cookie,
        })
    }

    /// A page, read to its end.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<String> {
        let body = self.fetch(path, "identity").await?;
        Ok(String::from_utf8(body)?)
    }

    /// The bytes of a page in an encoding that a browser would accept, read to their end.
    pub(crate) async fn fetch(&self, path: &str, encoding: &str) -> anyhow::Result<Vec<u8>> {
        let ask = || {
            let request = self.client.get(format!("{}{path}", self.url));
            let request = request.header(COOKIE, &self.cookie);
            request.header(ACCEPT_ENCODING, encoding).send()
        };
        let answer = match ask().await {
            // A server that was started anew leaves dead connections behind.
            Err(error) if error.is_request() => ask().await?,
            answer => answer?,
        };
        ensure!(answer.status() == 200, "{path}: {}", answer.status());
        Ok(answer.bytes().await?.into())
    }

    /// Sends a form as the page's own script-less form would.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Posted> {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header(COOKIE, &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .form(fields)
            .build()?;
        let sent = stats::now();
        let answer = self.client.execute(request).await?;
        let answered = stats::now();
        let status = answer.status().as_u16();
        let location = answer.headers().get(LOCATION);
        let location = location.and_then(|path| path.to_str().ok()).unwrap_or("");
        let location = location.to_owned();
        // Read to its end, or the connection could not be used again.
        answer.bytes().await?;
        Ok(Posted {
            status,
            location,
            sent,
            answered,
        })
    }
}

/// Every tag of `html` that holds `mark`, without its brackets.
pub(crate) fn tags<'a>(html: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    html.split('<')
        .filter_map(|rest| rest.split('>').next())
        .filter(move |tag| tag.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_from_tags() {
        let html = r#"<p><input type="hidden" name="key" value="k1"><b name="key">x</b></p>"#;
        let values: Vec<_> = tags(html, r#"name="key""#)
            .map(|tag| attribute(tag, "value"))
            .collect();
        assert_eq!(values, [Some("k1"), None]);
    }
}
