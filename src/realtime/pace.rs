//! When a connection does what by itself: frames with a gap between them, and a round with a heartbeat every five seconds.

use std::time::Duration;
use tokio::time::Instant;

/// A page is told how fresh it is this often, whatever else it is sent: frames do not say so, and it knows the silence of a
/// dead line from that of a quiet day.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(5);
/// Between two frames.
const APART: Duration = Duration::from_millis(50);
/// How long what is loaded waits for the page's other regions that one change made stale: one frame instead of two, of
/// which the second would wait out the gap.
const GATHER: Duration = Duration::from_millis(20);
/// Messages a minute that a browser, which has no reason to send any, may send.
const INBOUND_PER_MINUTE: u32 = 100;

/// When a connection does what by itself.
pub(super) struct Pace {
    /// Set while changes wait for the gap between two frames to pass, or for the page's other regions.
    pub(super) due: Option<Instant>,
    pub(super) gathering: Option<Instant>,
    pub(super) frame_at: Option<Instant>,
    round_at: Instant,
    rounds: u32,
    pub(super) ponged: Instant,
    inbound_since: Instant,
    inbound: u32,
}

impl Pace {
    pub(super) fn start(now: Instant) -> Self {
        Self {
            due: None,
            gathering: None,
            frame_at: None,
            round_at: now + HEARTBEAT,
            rounds: 0,
            ponged: now,
            inbound_since: now,
            inbound: 0,
        }
    }

    /// The first of its times.
    pub(super) fn next(&self) -> Instant {
        self.due.map_or(self.round_at, |due| due.min(self.round_at))
    }

    /// The number of the round whose time has come. The next is counted from when this one was due: ten thousand that are
    /// woken late would otherwise drift into one crowd.
    pub(super) fn round(&mut self, now: Instant) -> Option<u32> {
        if self.round_at > now {
            return None;
        }
        self.round_at = (self.round_at + HEARTBEAT).max(now);
        self.rounds += 1;
        Some(self.rounds)
    }

    /// When what rang now may be sent: after the gap, and with the page's other regions if they are on their way.
    pub(super) fn plan(&mut self, now: Instant, is_loading: bool) -> Instant {
        let earliest = self
            .frame_at
            .map_or(now, |at| now + APART.saturating_sub(now - at));
        let latest = *self.gathering.get_or_insert(earliest.max(now + GATHER));
        if is_loading { latest } else { earliest }
    }

    /// Whether a browser says more than any has reason to.
    pub(super) fn is_too_much(&mut self, now: Instant) -> bool {
        if now - self.inbound_since > Duration::from_mins(1) {
            self.inbound_since = now;
            self.inbound = 0;
        }
        self.inbound += 1;
        self.inbound > INBOUND_PER_MINUTE
    }
}
