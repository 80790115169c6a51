//! Every setting, read once at the start. An unusable one stops the start with a sentence; nothing is written then.

use std::fmt;
use std::net::SocketAddr;

/// The settings of an instance.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`.
    pub database_url: String,
    /// Where it listens.
    pub bind: SocketAddr,
    /// What people type: scheme, host and port, without a slash at the end.
    pub base_url: BaseUrl,
    /// Live pages that one person may have open.
    pub sockets_per_person: usize,
    /// Who takes the clients' money.
    pub payments: PaymentSetting,
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
            .field("sockets_per_person", &self.sockets_per_person)
            .field("payments", &self.payments)
            .field("sandbox_in_public", &self.sandbox_in_public)
            .finish()
    }
}

impl Config {
    /// Refuses a database that is neither of the two, and a limit that leaves nobody a live page.
    pub fn check(&self) -> Result<(), String> {
        if self.sockets_per_person == 0 {
            return Err("PORTICO_MAX_SOCKETS_PER_PERSON must be at least 1".to_owned());
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
