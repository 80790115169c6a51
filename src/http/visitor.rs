//! Whom a request comes from. A connection's own address is taken for it, unless it is a trusted proxy's: then what that
//! proxy says. Nobody else is believed.

use crate::config::Config;
use axum::http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who asks, as far as an address can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    pub address: IpAddr,
    /// Whether a trusted proxy brought the request, so that its own headers mean something.
    pub is_proxied: bool,
}

impl Visitor {
    /// Whoever opened a connection, whatever they say: a proxy that asks for itself brings nobody.
    pub fn itself(peer: IpAddr) -> Self {
        Self {
            address: peer,
            is_proxied: false,
        }
    }

    /// Whoever sent `headers` over a connection that `peer` opened, or that a proxy opened for them.
    pub fn of(config: &Config, peer: IpAddr, headers: &HeaderMap) -> Self {
        let mut address = peer;
        let is_proxied = config.is_trusted(peer);
        let said = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut hops = said.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        // From the last hop back: each may name the one before it only as long as it is trusted itself.
        while config.is_trusted(address) {
            let Some(before) = hops.next().and_then(|hop| host(hop.trim())) else {
                break;
            };
            address = before;
        }
        Self {
            address,
            is_proxied,
        }
    }
}

/// An address, with or without a port: some proxies add it.
fn host(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip());
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>().or_else(|_| with_port()).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{BaseUrl, network};

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let bind = "127.0.0.1:0".parse().unwrap();
        let base = BaseUrl::parse("https://portal.example").unwrap();
        let mut config = Config::new("sqlite:x".to_owned(), bind, base);
        config.trusted_proxies = vec![network("10.0.0.0/8").unwrap(), network("fd00::1").unwrap()];
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let visitor = Visitor::of(&config, peer.parse().unwrap(), &headers);
        visitor.address.to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_of_ours_is_the_visitor() {
        for (forwarded, visitor) in [
            (&["192.0.2.7"][..], "192.0.2.7"),
            (&["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
            (&["198.51.100.1, 192.0.2.7, 10.1.1.1"], "192.0.2.7"),
            (&["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
            (&["192.0.2.7:4711"], "192.0.2.7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["2001:db8::7,fd00::1"], "2001:db8::7"),
            (&["::ffff:192.0.2.7"], "192.0.2.7"),
            (&["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            (&["192.0.2.7, unknown"], "10.0.0.1"),
            (&["192.0.2.7, x, 10.2.2.2"], "10.2.2.2"),
            (&[""], "10.0.0.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(seen("10.0.0.1", forwarded), visitor, "{forwarded:?}");
        }
    }

    #[test]
    fn nobody_else_is_believed() {
        assert_eq!(seen("192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(seen("192.0.2.9", &["10.0.0.1"]), "192.0.2.9");
    }
}
