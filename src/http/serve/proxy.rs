//! The PROXY protocol, versions 1 and 2: a balancer says before the first request whom it speaks for. What it says beyond
//! the address is skipped; what does not follow the protocol to the letter is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest line of version 1 (section 2.1 of the protocol), its end included.
const LINE: usize = 107;
/// How a header of version 2 begins, and how long it is before the addresses.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED: usize = 16;
/// The most that is read of version 2: the addresses and what proxies usually add.
const LONGEST: usize = 2048;

/// What the first bytes of a connection say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Too little to tell yet.
    More,
    /// No such header: a request begins here.
    Nothing,
    /// So many bytes of header, and whom it speaks for; nobody when the proxy asks for itself, as in a health check: then
    /// the connection's own address counts (sections 2.1 and 2.2), and nothing that is said in it of others.
    For(usize, Option<IpAddr>),
    /// A header that is none.
    Wrong,
}

/// Reads a header at the beginning of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Said {
    if begins(bytes, b"PROXY ") {
        return if bytes.len() < 6 {
            Said::More
        } else {
            line(bytes)
        };
    }
    if begins(bytes, SIGNATURE) {
        return if bytes.len() < FIXED {
            Said::More
        } else {
            binary(bytes)
        };
    }
    Said::Nothing
}

/// Whether `bytes` are the beginning of something that begins with `sign`.
pub(super) fn begins(bytes: &[u8], sign: &[u8]) -> bool {
    let length = bytes.len().min(sign.len());
    bytes[..length] == sign[..length]
}

fn line(bytes: &[u8]) -> Said {
    let head = &bytes[..bytes.len().min(LINE)];
    let Some(end) = head.windows(2).position(|end| end == b"\r\n") else {
        return if bytes.len() < LINE {
            Said::More
        } else {
            Said::Wrong
        };
    };
    let line = std::str::from_utf8(&bytes[..end]).unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    if words.get(1) == Some(&"UNKNOWN") {
        return Said::For(end + 2, None);
    }
    match source(&words) {
        Some(source) => Said::For(end + 2, Some(source)),
        None => Said::Wrong,
    }
}

/// `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`.
fn source(words: &[&str]) -> Option<IpAddr> {
    let &[_, family, from, to, from_port, to_port] = words else {
        return None;
    };
    let (from, to): (IpAddr, IpAddr) = (from.parse().ok()?, to.parse().ok()?);
    let is_so = match family {
        "TCP4" => from.is_ipv4() && to.is_ipv4(),
        "TCP6" => from.is_ipv6() && to.is_ipv6(),
        _ => false,
    };
    let has_ports = from_port.parse::<u16>().is_ok() && to_port.parse::<u16>().is_ok();
    (is_so && has_ports).then(|| from.to_canonical())
}

fn binary(bytes: &[u8]) -> Said {
    let length = FIXED + usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    if length > LONGEST {
        return Said::Wrong;
    }
    if bytes.len() < length {
        return Said::More;
    }
    let addresses = &bytes[FIXED..length];
    match (bytes[12], bytes[13]) {
        // LOCAL, and a family that has no address to tell.
        (0x20, _) | (0x21, 0x00) => Said::For(length, None),
        (0x21, 0x11) => match addresses
            .first_chunk::<4>()
            .filter(|_| addresses.len() >= 12)
        {
            Some(from) => Said::For(length, Some(Ipv4Addr::from(*from).into())),
            None => Said::Wrong,
        },
        (0x21, 0x21) => match addresses
            .first_chunk::<16>()
            .filter(|_| addresses.len() >= 36)
        {
            Some(from) => Said::For(
                length,
                Some(IpAddr::V6(Ipv6Addr::from(*from)).to_canonical()),
            ),
            None => Said::Wrong,
        },
        _ => Said::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    #[test]
    fn a_line_names_the_visitor() {
        let right = [
            (
                "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n",
                Some(visitor("192.0.2.7")),
            ),
            (
                "PROXY TCP6 2001:db8::7 2001:db8::1 1 2\r\n",
                Some(visitor("2001:db8::7")),
            ),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ff:: ff:: 1 2\r\n", None),
        ];
        for (line, from) in right {
            let request = format!("{line}GET / HTTP/1.1\r\n");
            assert_eq!(
                read(request.as_bytes()),
                Said::For(line.len(), from),
                "{line}"
            );
            for cut in 0..line.len() {
                assert_eq!(read(&line.as_bytes()[..cut]), Said::More, "{line} to {cut}");
            }
        }
        let long = format!("PROXY TCP4 {}\r\n", "1".repeat(LINE));
        for wrong in [
            "PROXY TCP4 192.0.2.7\r\n",
            "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 1 70000\r\n",
            "PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n",
            "PROXY \r\n",
            &long,
        ] {
            assert_eq!(read(wrong.as_bytes()), Said::Wrong, "{wrong}");
        }
    }

    #[test]
    fn version_2_names_the_visitor() {
        let four = [192, 0, 2, 7, 10, 0, 0, 1, 0, 1, 0, 2];
        let six: Vec<u8> = [Ipv6Addr::LOCALHOST.octets(), Ipv6Addr::LOCALHOST.octets()].concat();
        let six = [&six[..], &[0, 1, 0, 2]].concat();
        let with_more = [&four[..], b"\x04\0\x02ab"].concat();
        let right = [
            (version_2(0x21, 0x11, &four), Some(visitor("192.0.2.7"))),
            (
                version_2(0x21, 0x11, &with_more),
                Some(visitor("192.0.2.7")),
            ),
            (version_2(0x21, 0x21, &six), Some(visitor("::1"))),
            (version_2(0x20, 0x11, &four), None),
            (version_2(0x20, 0x00, &[]), None),
            (version_2(0x21, 0x00, &[]), None),
        ];
        for (header, from) in right {
            let request = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(read(&request), Said::For(header.len(), from));
            for cut in 0..header.len() {
                assert_eq!(read(&header[..cut]), Said::More, "{header:?} to {cut}");
            }
        }
        for wrong in [
            version_2(0x21, 0x11, &four[..8]),
            version_2(0x21, 0x21, &four),
            version_2(0x11, 0x11, &four),
            version_2(0x21, 0x31, &four),
            version_2(0x21, 0x11, &[0; LONGEST]),
        ] {
            assert_eq!(read(&wrong), Said::Wrong, "{wrong:?}");
        }
    }

    #[test]
    fn a_request_is_no_header() {
        for request in [
            "GET / HTTP/1.1\r\n",
            "POST /",
            "PRI * HTTP/2.0",
            "\r\nGET /",
            "PROXYx",
        ] {
            assert_eq!(read(request.as_bytes()), Said::Nothing, "{request}");
        }
    }
}
