//! Every setting, read once at the start. An unusable one stops the start with a sentence; nothing is written then.

use ipnet::IpNet;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Live pages that one person may have open, when nothing is set.
pub const SOCKETS_PER_PERSON: usize = 20;
/// Connections at a time, when nothing is set: a process may usually hold 20,000 descriptors.
pub const MAX_CONNECTIONS: usize = 15_000;
/// Connections at a time from one address, when nothing is set: an office, not a flood.
pub const MAX_CONNECTIONS_PER_ADDRESS: usize = 1_000;

/// The settings of an instance.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`.
    pub database_url: String,
    /// Where it listens.
    pub bind: SocketAddr,
    /// What people type: scheme, host and port, without a slash at the end.
    pub base_url: BaseUrl,
    /// `redis://…`, through which several instances hear of each other's changes at once.
    pub redis_url: Option<String>,
    /// Where the numbers for Prometheus are told.
    pub metrics_bind: Option<SocketAddr>,
    /// Whose word on a visitor's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections at a time.
    pub max_connections: usize,
    /// Connections at a time from one address that is not a trusted proxy's.
    pub max_connections_per_address: usize,
    /// Between no longer being ready and no longer listening.
    pub drain: Duration,
    /// Whether a proxy may speak HTTP/2 in clear text. Sockets need HTTP/1.1 all the same.
    pub h2c: bool,
    /// Live pages that one person may have open.
    pub sockets_per_person: usize,
    /// Who takes the clients' money.
    pub payments: PaymentSetting,
    /// `smtps://user:password@host`, to which mails are handed; without it they stay in the outbox.
    pub smtp_url: Option<String>,
    /// Whom mails come from: an address, or a name with one.
    pub mail_from: Option<String>,
    /// The sandbox may stand where anybody can reach it, and pay invoices with money that nobody has.
    pub sandbox_in_public: bool,
}

/// Who takes the clients' money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PaymentSetting {
    /// Nobody: invoices say what is due, and are paid elsewhere.
    #[default]
    Off,
    /// The embedded provider that takes no money.
    Sandbox,
}

impl PaymentSetting {
    /// `sandbox` or `off`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "sandbox" => Ok(Self::Sandbox),
            _ => Err(format!(
                "PORTICO_PAYMENTS must be sandbox or off, not {text}"
            )),
        }
    }
}

impl fmt::Debug for Config {
    /// The database's URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.database_url.split(':').next().unwrap_or_default();
        f.debug_struct("Config")
            .field("database_url", &format_args!("{scheme}:…"))
            .field("bind", &self.bind)
            .field("base_url", &self.base_url)
            .field("has_redis", &self.redis_url.is_some())
            .field("metrics_bind", &self.metrics_bind)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("max_connections", &self.max_connections)
            .field(
                "max_connections_per_address",
                &self.max_connections_per_address,
            )
            .field("drain", &self.drain)
            .field("h2c", &self.h2c)
            .field("sockets_per_person", &self.sockets_per_person)
            .field("payments", &self.payments)
            .field("has_smtp", &self.smtp_url.is_some())
            .field("mail_from", &self.mail_from)
            .field("sandbox_in_public", &self.sandbox_in_public)
            .finish()
    }
}

impl Config {
    /// One instance on `bind`, with the usual limits.
    pub fn new(database_url: String, bind: SocketAddr, base_url: BaseUrl) -> Self {
        Self {
            database_url,
            bind,
            base_url,
            redis_url: None,
            metrics_bind: None,
            trusted_proxies: Vec::new(),
            max_connections: MAX_CONNECTIONS,
            max_connections_per_address: MAX_CONNECTIONS_PER_ADDRESS,
            drain: Duration::ZERO,
            h2c: false,
            sockets_per_person: SOCKETS_PER_PERSON,
            payments: PaymentSetting::Off,
            smtp_url: None,
            mail_from: None,
            sandbox_in_public: false,
        }
    }

    /// Whether a connection from `address` may speak for others.
    pub fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies
            .iter()
            .any(|net| net.contains(&address))
    }

    /// Refuses a database or a Redis that is none, and limits that leave nobody a page.
    pub fn check(&self) -> Result<(), String> {
        for (limit, name) in [
            (self.sockets_per_person, "PORTICO_MAX_SOCKETS_PER_PERSON"),
            (self.max_connections, "PORTICO_MAX_CONNECTIONS"),
            (
                self.max_connections_per_address,
                "PORTICO_MAX_CONNECTIONS_PER_ADDRESS",
            ),
        ] {
            if limit == 0 {
                return Err(format!("{name} must be at least 1"));
            }
        }
        if let Some(url) = &self.redis_url
            && !(url.starts_with("redis://") && redis::Client::open(url.as_str()).is_ok())
        {
            // The URL is not repeated: it may hold a password.
            return Err("PORTICO_REDIS_URL must look like redis://host:6379".to_owned());
        }
        if self.payments == PaymentSetting::Sandbox
            && !self.base_url.is_loopback()
            && !self.sandbox_in_public
        {
            return Err(
                "PORTICO_PAYMENTS=sandbox lets everybody pay with nothing: only under a loopback \
                        PORTICO_BASE_URL, or with PORTICO_SANDBOX_IN_PUBLIC=true"
                    .to_owned(),
            );
        }
        self.check_mail()?;
        let url = &self.database_url;
        if url.starts_with("sqlite:")
            || url.starts_with("postgres://")
            || url.starts_with("postgresql://")
        {
            Ok(())
        } else {
            Err("PORTICO_DATABASE_URL must begin with sqlite: or postgres://".to_owned())
        }
    }
}

impl Config {
    /// A mail holds links that let people in: no network may read it on its way unless that was asked for by name.
    fn check_mail(&self) -> Result<(), String> {
        let Some(url) = &self.smtp_url else {
            return Ok(());
        };
        // The URL is not repeated: it may hold a password.
        let wrong = "PORTICO_SMTP_URL must look like smtps://user:password@mail.example:465";
        AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| wrong.to_owned())?;
        if let Some(rest) = url.strip_prefix("smtp://")
            && !url.contains("?tls=")
        {
            let authority = rest.split(['/', '?']).next().unwrap_or_default();
            let host = authority.rsplit('@').next().unwrap_or_default();
            if !is_loopback(host) {
                return Err(
                    "PORTICO_SMTP_URL must be smtps://, or end in ?tls=required (or ?tls=opportunistic), \
                            unless it is loopback"
                        .to_owned(),
                );
            }
        }
        match self.mail_from.as_deref().map(str::parse::<Mailbox>) {
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) => Err(
                "PORTICO_MAIL_FROM must look like Kestrel Physio <hello@kestrel.example>"
                    .to_owned(),
            ),
            None => {
                Err("PORTICO_SMTP_URL needs PORTICO_MAIL_FROM: whom mails come from".to_owned())
            }
        }
    }
}

/// `10.0.0.0/8` or one address.
pub fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let net = text.parse::<IpNet>();
    net.or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| {
            format!("PORTICO_TRUSTED_PROXIES must hold addresses or networks such as 10.0.0.0/8, not {text}")
        })
}

/// The address under which people reach the portal: links and same-origin checks come from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    is_https: bool,
    is_loopback: bool,
}

impl BaseUrl {
    /// `https://portal.example`, or `http://` with a loopback host: a session cookie must not cross a network in clear.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches('/').to_ascii_lowercase();
        let wrong =
            || format!("PORTICO_BASE_URL must look like https://portal.example, not {text}");
        let (scheme, host) = text.split_once("://").ok_or_else(wrong)?;
        if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
            return Err(wrong());
        }
        let is_loopback = is_loopback(host);
        match scheme {
            "https" => {}
            "http" if is_loopback => {}
            "http" => {
                return Err(
                    "PORTICO_BASE_URL must begin with https:// unless it is loopback".to_owned(),
                );
            }
            _ => return Err(wrong()),
        }
        Ok(Self {
            is_https: scheme == "https",
            is_loopback,
            text,
        })
    }

    /// `http://` and the address that is listened on.
    pub fn of_bind(bind: SocketAddr) -> Result<Self, String> {
        Self::parse(&format!("http://{bind}")).map_err(|_| {
            "PORTICO_BASE_URL must be set when PORTICO_BIND is not a loopback address".to_owned()
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Name and port, as a request's Host says them.
    pub fn host(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, host)| host)
    }

    /// Whether cookies are Secure and browsers are told to stay with https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Whether a page of `origin` is one of ours: the base URL's, or on loopback the one that the request was sent to.
    pub fn is_own_origin(&self, origin: &str, host: Option<&str>) -> bool {
        let here = |host: &str| is_loopback(host) && origin.strip_prefix("http://") == Some(host);
        origin == self.text || self.is_loopback && host.is_some_and(here)
    }
}

/// Whether `host`, perhaps with a port, is this machine by its name or number.
fn is_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_stays_on_this_machine() {
        for right in [
            "https://portal.example",
            "https://portal.example:8443",
            "http://127.0.0.1:3000",
            "http://localhost",
            "http://[::1]:3000",
        ] {
            assert!(BaseUrl::parse(right).is_ok(), "{right}");
        }
        for wrong in [
            "http://portal.example",
            "portal.example",
            "ftp://localhost",
            "https://",
            "https://a/b",
            "https://u@h",
        ] {
            assert!(BaseUrl::parse(wrong).is_err(), "{wrong}");
        }
        assert!(BaseUrl::of_bind("0.0.0.0:3000".parse().unwrap()).is_err());
    }

    #[test]
    fn mails_cross_no_network_in_clear_unless_that_was_asked_for() {
        let check = |url: &str, from: Option<&str>| {
            let bind: SocketAddr = "127.0.0.1:0".parse().unwrap();
            let config = Config {
                smtp_url: Some(url.to_owned()),
                mail_from: from.map(str::to_owned),
                ..Config::new("sqlite:x".to_owned(), bind, BaseUrl::of_bind(bind).unwrap())
            };
            config.check()
        };
        let from = Some("Kestrel Physio <hello@kestrel.example>");
        for right in [
            "smtps://u:p@mail.example",
            "smtp://mail.example:587?tls=required",
            "smtp://mail.example?tls=opportunistic",
            "smtp://127.0.0.1:2525",
            "smtp://localhost",
        ] {
            assert_eq!(check(right, from), Ok(()), "{right}");
        }
        for wrong in [
            "smtp://u:secret@mail.example",
            "smtp://localhost@mail.example",
            "smtp://u:secret@mail.example/tls=required",
            "http://u:secret@mail.example",
            "mail.example",
        ] {
            let words = check(wrong, from).unwrap_err();
            assert!(!words.contains("secret"), "{words}");
        }
        assert!(check("smtps://mail.example", None).is_err());
        assert!(check("smtps://mail.example", Some("nobody")).is_err());
    }

    #[test]
    fn only_our_own_origin_may_post() {
        let base = BaseUrl::parse("https://portal.example").unwrap();
        assert!(base.is_own_origin("https://portal.example", Some("portal.example")));
        for evil in [
            "https://portal.example.evil",
            "http://portal.example",
            "null",
            "https://evil",
            "http://127.0.0.1:1",
        ] {
            assert!(!base.is_own_origin(evil, Some("127.0.0.1:1")), "{evil}");
        }
        let local = BaseUrl::parse("http://127.0.0.1:3000").unwrap();
        assert!(local.is_own_origin("http://localhost:3000", Some("localhost:3000")));
        assert!(!local.is_own_origin("http://localhost:4000", Some("localhost:3000")));
        assert!(!local.is_own_origin("http://evil.example", Some("evil.example")));
    }
}
