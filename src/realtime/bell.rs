//! How a socket is woken, and told why: which places of its page have something new, whether its rights may have changed,
//! and whether its browser has said something. Ringing twice before it looks is ringing once.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

/// One socket's bell.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: AtomicU32,
    /// Of the task that is the socket, which is the same for all its life: ten thousand that are woken at once need not
    /// each hang it up anew.
    waker: OnceLock<Waker>,
}

impl Bell {
    /// Rights, or what the page consists of, may have changed; or the instance closes.
    pub(super) const ALARM: u32 = 1 << 31;
    /// There is something to read, or it was waited for in order to write.
    pub(super) const LINE: u32 = 1 << 30;
    /// Every place of the page.
    pub(super) const EVERYTHING: u32 = Self::LINE - 1;

    /// The bit of a page's place.
    pub(super) fn place(n: usize) -> u32 {
        debug_assert!(n < 30, "a page has few places");
        1 << n
    }

    pub(super) fn ring(&self, why: u32) {
        // Whoever rang before has woken it, or is about to.
        if self.rung.fetch_or(why, Ordering::AcqRel) == 0
            && let Some(waker) = self.waker.get()
        {
            waker.wake_by_ref();
        }
    }

    /// Why it was rung since the last look, if it was. Only ever one task looks.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<u32> {
        // Before the look: whoever rings after it has somebody to wake.
        self.waker.get_or_init(|| cx.waker().clone());
        match self.rung.swap(0, Ordering::AcqRel) {
            0 => Poll::Pending,
            why => Poll::Ready(why),
        }
    }

    /// What comes of `doing`, or why it was rung before that was done.
    pub(super) async fn unless_rung<T>(
        &self,
        mut doing: Pin<&mut (impl Future<Output = T> + Send)>,
    ) -> Result<T, u32> {
        poll_fn(|cx| match doing.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => self.poll(cx).map(Err),
        })
        .await
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring(Self::LINE);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring(Self::LINE);
    }
}
