//! How many connections stand at a time, in all and from one address. Whoever comes when it is full is sent away at once:
//! waiting would hold the very descriptor that is short.

use dashmap::DashMap;
use prometheus_client::metrics::gauge::Gauge;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts who is inside.
#[derive(Debug)]
pub(super) struct Door {
    most: usize,
    most_from_one: usize,
    inside: AtomicUsize,
    from: DashMap<IpAddr, usize>,
    shown: Gauge,
}

/// A connection that is counted until this is dropped, which for a socket is long after its upgrade.
#[derive(Debug)]
pub(in crate::http) struct Inside {
    door: Arc<Door>,
    from: Option<IpAddr>,
}

impl Door {
    /// `most` in all and `most_from_one` address; `shown` tells how many there are.
    pub(super) fn new(most: usize, most_from_one: usize, shown: Gauge) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_from_one,
            inside: AtomicUsize::new(0),
            from: DashMap::new(),
            shown,
        })
    }

    /// Counts a connection in, unless it is full.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Inside> {
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        if before >= self.most {
            self.inside.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        self.shown.inc();
        Some(Inside {
            door: Arc::clone(self),
            from: None,
        })
    }
}

impl Inside {
    /// Counts it for its visitor too; false when their address has as many as it may.
    pub(super) fn is_from(&mut self, address: IpAddr) -> bool {
        let one = household(address);
        let mut count = self.door.from.entry(one).or_insert(0);
        if *count >= self.door.most_from_one {
            return false;
        }
        *count += 1;
        drop(count);
        self.from = Some(one);
        true
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.door.inside.fetch_sub(1, Ordering::Relaxed);
        self.door.shown.dec();
        if let Some(from) = self.from {
            if let Some(mut count) = self.door.from.get_mut(&from) {
                *count -= 1;
            }
            self.door.from.remove_if(&from, |_, count| *count == 0);
        }
    }
}

/// One household of the newer kind has 2^64 addresses (RFC 6177), and could come from another each time.
fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(long) => Ipv6Addr::from_bits(long.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn whoever_leaves_makes_room_for_the_next() {
        let door = Door::new(2, 9, Gauge::default());
        let first = door.enter().unwrap();
        let _second = door.enter().unwrap();
        assert!(door.enter().is_none());
        assert!(door.enter().is_none(), "being refused takes no place");
        drop(first);
        assert!(door.enter().is_some());
        assert_eq!(door.shown.get(), 1);
    }

    #[test]
    fn one_address_may_not_take_everybodys_places() {
        let door = Door::new(9, 1, Gauge::default());
        let enter = |from: &str| {
            let mut inside = door.enter().unwrap();
            inside.is_from(address(from)).then_some(inside)
        };
        let one = enter("192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none());
        let _other = enter("192.0.2.2").unwrap();
        let _household = enter("2001:db8::1").unwrap();
        assert!(enter("2001:db8::2").is_none());
        let _neighbours = enter("2001:db8:0:1::1").unwrap();
        drop(one);
        assert!(enter("192.0.2.1").is_some());
        assert_eq!(door.from.len(), 3, "who has left is forgotten");
    }
}
