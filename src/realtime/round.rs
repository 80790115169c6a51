//! Waking thousands a few at a time, behind whatever else is ready: neither a request nor the next load waits for ten
//! thousand sockets to write.

use super::bell::Bell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::task::yield_now;

/// How many are woken before anything else has its turn: about a millisecond of writing.
pub(super) const AT_ONCE: usize = 128;

const NONE: u8 = 0;
const UNDER_WAY: u8 = 1;
/// Something new to tell, which none of those told so far has been rung for.
const ANEW: u8 = 2;

/// Whether a round is under way. Whoever is rung late pulls the latest, so that there is never a second round behind it: the
/// same one goes on from where it stands, to everyone once more.
#[derive(Debug, Default)]
pub(super) struct Round(AtomicU8);

/// A socket's bell, and the place on its page that has something new.
pub(super) type Ring = (Arc<Bell>, u32);

impl Round {
    /// There is something to tell. True when nobody is on the way, and the caller must [`go`](Self::go).
    pub(super) fn begin(&self) -> bool {
        self.0.swap(ANEW, Ordering::AcqRel) == NONE
    }

    /// Rings everyone, and again whoever had been rung before the last thing to tell.
    pub(super) async fn go(&self, everyone: impl Fn() -> Vec<Ring>) {
        let mut rings = Vec::new();
        let mut at: usize = 0;
        let mut left = 0;
        loop {
            if self.0.swap(UNDER_WAY, Ordering::AcqRel) == ANEW {
                rings = everyone();
                left = rings.len();
            }
            for _ in 0..left.min(AT_ONCE) {
                let (bell, place) = &rings[at % rings.len()];
                bell.ring(*place);
                at += 1;
                left -= 1;
            }
            if left == 0 && self.end() {
                return;
            }
            yield_now().await;
        }
    }

    /// False when there is something new to tell.
    fn end(&self) -> bool {
        let ended = (self.0).compare_exchange(UNDER_WAY, NONE, Ordering::AcqRel, Ordering::Acquire);
        ended.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    fn is_rung(bell: &Bell) -> bool {
        bell.poll(&Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn what_changes_during_a_round_is_told_to_everyone() {
        let bells: Vec<_> = (0..10 * AT_ONCE)
            .map(|_| Arc::new(Bell::default()))
            .collect();
        let round = Arc::new(Round::default());
        assert!(round.begin());
        let everyone: Vec<Ring> = bells.iter().map(|bell| (Arc::clone(bell), 1)).collect();
        let going = tokio::spawn({
            let round = Arc::clone(&round);
            async move { round.go(|| everyone.clone()).await }
        });
        while !is_rung(&bells[3 * AT_ONCE]) {
            yield_now().await;
        }
        assert!(!is_rung(&bells[9 * AT_ONCE]), "others had a turn meanwhile");
        // They look, and only then does it change once more.
        for bell in &bells {
            is_rung(bell);
        }
        assert!(!round.begin(), "one round tells both");
        going.await.unwrap();
        assert!(bells.iter().all(|bell| is_rung(bell)));
        assert!(round.begin(), "the next change needs a round of its own");
    }
}
