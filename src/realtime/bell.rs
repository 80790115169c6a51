//! How a socket is woken, and told why: which places of its page have something new, and whether its rights may have
//! changed. Ringing twice before it looks is ringing once.

use futures_util::task::AtomicWaker;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

/// One socket's bell.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: AtomicU32,
    waker: AtomicWaker,
}

impl Bell {
    /// Rights, or what the page consists of, may have changed; or the instance closes.
    pub(super) const ALARM: u32 = 1 << 31;
    /// Every place of the page.
    pub(super) const EVERYTHING: u32 = Self::ALARM - 1;

    /// The bit of a page's place.
    pub(super) fn place(n: usize) -> u32 {
        debug_assert!(n < 31, "a page has few places");
        1 << n
    }

    pub(super) fn ring(&self, why: u32) {
        // Whoever rang before has woken it, or is about to.
        if self.rung.fetch_or(why, Ordering::AcqRel) == 0 {
            self.waker.wake();
        }
    }

    /// Why it was rung since the last look, if it was.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<u32> {
        let look = || match self.rung.swap(0, Ordering::AcqRel) {
            0 => None,
            why => Some(Poll::Ready(why)),
        };
        // Again once it is waited for: a ring between the two looks would wake nobody.
        look().unwrap_or_else(|| {
            self.waker.register(cx.waker());
            look().unwrap_or(Poll::Pending)
        })
    }
}
