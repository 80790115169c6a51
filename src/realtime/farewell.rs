//! Sending sockets away before an instance ends, spread over seconds: all of them at once would be a storm on the others.

use super::bell::Bell;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Sockets that are sent away in a second: about what another instance takes in beside its work.
const PER_SECOND: usize = 2000;
/// However many there are, a service manager does not wait for ever.
const LONGEST: Duration = Duration::from_secs(5);
/// Between two slices of them.
const SLICE: Duration = Duration::from_millis(50);

/// Rings every bell, a slice at a time.
pub(super) async fn ring(bells: &[Arc<Bell>]) {
    let slices = slices(bells.len());
    for (n, slice) in bells
        .chunks(bells.len().div_ceil(slices).max(1))
        .enumerate()
    {
        if n > 0 {
            sleep(SLICE).await;
        }
        for bell in slice {
            bell.ring(Bell::ALARM);
        }
    }
}

fn slices(sockets: usize) -> usize {
    let millis = |time: Duration| usize::try_from(time.as_millis()).unwrap_or(usize::MAX);
    let lasts = (sockets * 1000 / PER_SECOND).min(millis(LONGEST));
    (lasts / millis(SLICE)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::task::Poll;
    use tokio::time::Instant;

    async fn rung(bells: &[Arc<Bell>]) -> usize {
        let mut count = 0;
        for bell in bells {
            count += usize::from(poll_fn(|cx| Poll::Ready(bell.poll(cx).is_ready())).await);
        }
        count
    }

    #[tokio::test(start_paused = true)]
    async fn thousands_are_sent_away_over_seconds_and_a_few_at_once() {
        for (sockets, lasts, first) in [
            (0, 0, 0),
            (60, 0, 60),
            (2000, 950, 100),
            (20_000, 4950, 200),
        ] {
            let bells: Vec<Arc<Bell>> = (0..sockets).map(|_| Arc::default()).collect();
            let began = Instant::now();
            let ringing = tokio::spawn({
                let bells = bells.clone();
                async move { ring(&bells).await }
            });
            tokio::task::yield_now().await;
            assert_eq!(rung(&bells).await, first, "{sockets} sockets");
            ringing.await.unwrap();
            assert_eq!(
                began.elapsed(),
                Duration::from_millis(lasts),
                "{sockets} sockets"
            );
            assert_eq!(rung(&bells).await, sockets - first, "{sockets} sockets");
        }
    }
}
