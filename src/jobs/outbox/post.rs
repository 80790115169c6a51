//! The way to the mail server: a letter becomes a MIME message and is handed over within a bounded time. One recipient a
//! message; what a name or a subject holds never becomes a header of its own.

use crate::config::Config;
use crate::domain::business::Business;
use crate::domain::email::Email;
use crate::domain::ical::{Method, Party};
use crate::views::email::Letter;
use anyhow::Context as _;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// How long one mail may take, from the first byte to the server's word.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Letters of a server's answer that are kept.
const REASON: usize = 200;

/// What became of a try.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Taken,
    /// Not now: the server said so, or did not say anything.
    Later(String),
    /// The server will never take it.
    Never(String),
}

/// The mail server, and whom mails come from.
#[derive(Debug)]
pub(in crate::jobs) struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Post {
    /// As the settings say; nothing without a server.
    pub(in crate::jobs) fn of(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(url) = &config.smtp_url else {
            return Ok(None);
        };
        let from = config.mail_from.as_deref().unwrap_or_default();
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        Ok(Some(Self {
            transport: transport
                .context("PORTICO_SMTP_URL")?
                .timeout(Some(PATIENCE))
                .build(),
            from: from.parse().context("PORTICO_MAIL_FROM")?,
        }))
    }

    /// Whom mails come from: by the business's name, where the setting has only an address.
    pub(super) fn party(&self, business: &Business) -> Party {
        let name = self.from.name.as_ref().unwrap_or(&business.name);
        Party {
            name: name.clone(),
            address: self.from.email.to_string(),
        }
    }

    /// Hands a mail over.
    pub(super) async fn send(
        &self,
        from: &Party,
        mail: &Email,
        letter: Letter,
        invite: Option<(Method, String)>,
    ) -> Answer {
        let from = Mailbox::new(Some(from.name.clone()), self.from.email.clone());
        let message = match message(from, mail, letter, invite) {
            Ok(message) => message,
            Err(error) => return Answer::Never(format!("It is no mail: {error}.")),
        };
        match timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Answer::Taken,
            Ok(Err(error)) => refused(&error),
            Err(_) => Answer::Later("The mail server did not answer in time.".to_owned()),
        }
    }
}

/// The Message-ID is the row's, and the row is one for each fact and recipient: a second copy is known for one.
fn message(
    from: Mailbox,
    mail: &Email,
    letter: Letter,
    invite: Option<(Method, String)>,
) -> anyhow::Result<Message> {
    let to: Address = mail.to_address.parse()?;
    let id = format!("<{}@{}>", mail.id, from.email.domain());
    let written = u64::try_from(mail.created_at.as_millisecond()).unwrap_or(0);
    let mut parts = MultiPart::alternative()
        .singlepart(SinglePart::plain(letter.text))
        .singlepart(SinglePart::html(letter.html));
    if let Some((method, ics)) = invite {
        let kind = format!("text/calendar; charset=utf-8; method={}", method.as_str());
        let part = SinglePart::builder().header(ContentType::parse(&kind)?);
        parts = parts.singlepart(part.body(ics));
    }
    let mut message = Message::builder();
    if let Some(link) = letter.stop {
        // RFC 8058: a mail program posts there by itself when its reader wants no more.
        let header = |name, value| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
        message = message
            .raw_header(header("List-Unsubscribe", format!("<{link}>")))
            .raw_header(header(
                "List-Unsubscribe-Post",
                "List-Unsubscribe=One-Click".to_owned(),
            ));
    }
    let message = message
        .from(from)
        .to(Mailbox::new(Some(mail.to_name.clone()), to))
        .subject(letter.subject)
        .message_id(Some(id))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(written))
        .multipart(parts)?;
    Ok(message)
}

/// For good only what a server says of the mail or its recipient (RFC 5321, 4.2.3); what it says of us, a wrong password
/// say, is mended by the owner, and then the mails leave.
fn refused(error: &smtp::Error) -> Answer {
    let code = error.status().map(u16::from);
    let words: String = error.to_string();
    let words = words.chars().filter(|c| !c.is_control()).take(REASON);
    let reason = match code {
        Some(_) => format!("The mail server said: {}", words.collect::<String>()),
        None => "The mail server could not be reached, or broke off.".to_owned(),
    };
    match code {
        Some(550..=556) => Answer::Never(reason),
        _ => Answer::Later(reason),
    }
}
