//! The bus of several instances: one channel of a Redis for each database. It is only speed: Redis may be flushed,
//! restarted, slow or gone at any time, and the sweep finds what was not heard.
//!
//! The line is kept by a loop of our own, which never gives up: the crate's own resubscription stops for good after an
//! outage of 15 to 20 s, without an error.

use super::message::{Message, Says};
use super::queue::Queue;
use super::{Bus, BusHealth};
use crate::domain::topic::Topic;
use crate::fault;
use crate::realtime::hub::Hub;
use crate::realtime::region::Region;
use futures_util::StreamExt as _;
use redis::aio::{MultiplexedConnection, PubSubStream};
use redis::{AsyncConnectionConfig, Client, RedisError};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// How long it may take until the line stands, and until Redis takes what it is told.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two probes.
const PROBE: Duration = Duration::from_secs(1);
/// A probe that is not back after this is lost, and the line with it.
const SILENCE: Duration = Duration::from_secs(2);
/// Before the first new try, and at most before any: with [`PATIENCE`] and a probe, a Redis that is back is heard within 5 s.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// What has waited for the line so long was found by sweeps: telling it then would be a storm of loads for nothing.
const STALE: Duration = Duration::from_secs(3);

/// The URL does not say where a Redis is. It is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("PORTICO_REDIS_URL must look like redis://host:6379")]
pub struct Unusable;

/// Leads from this instance's commits to the hubs of all that name the same channel.
#[derive(Debug)]
pub struct Redis<R: Region>(Arc<Inner<R>>);

struct Inner<R: Region> {
    client: Client,
    channel: String,
    sender: u64,
    hub: Hub<R>,
    queue: Queue,
    heard: AtomicU64,
    ignored: AtomicU64,
}

impl<R: Region> fmt::Debug for Inner<R> {
    /// Without the client, which knows the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("queued", &self.queue.len())
            .finish_non_exhaustive()
    }
}

impl<R: Region> Redis<R> {
    /// Begins to connect, and does not wait for it: Redis may be there later.
    pub fn start(url: &str, channel: &str, hub: Hub<R>) -> Result<Self, Unusable> {
        let inner = Arc::new(Inner {
            client: Client::open(url).map_err(|_| Unusable)?,
            channel: format!("portico/{channel}"),
            sender: rand::random(),
            queue: Queue::default(),
            heard: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            hub,
        });
        // From here on staff are told when it stays silent.
        inner.hub.heard_bus();
        tokio::spawn(Arc::clone(&inner).keep());
        Ok(Self(inner))
    }
}

impl<R: Region> Bus for Redis<R> {
    fn publish(&self, topic: Topic, version: i64) {
        self.0.hub.mark(topic);
        self.0.queue.push(topic, version);
    }

    fn health(&self) -> BusHealth {
        BusHealth {
            age: self.0.hub.bus_age(),
            queued: self.0.queue.len(),
            dropped: self.0.queue.dropped(),
            heard: self.0.heard.load(Ordering::Relaxed),
            ignored: self.0.ignored.load(Ordering::Relaxed),
        }
    }
}

/// Why the line does not stand. Of what a server says only the kind is told: it may repeat what it was
/// sent, a password too.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Refused(String),
    #[error("no answer in time")]
    Late(#[from] tokio::time::error::Elapsed),
    #[error("the line was closed")]
    Closed,
    #[error("a probe did not come back")]
    Silent,
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        Self::Refused(if error.is_io_error() {
            error.to_string()
        } else {
            error.category().to_owned()
        })
    }
}

impl<R: Region> Inner<R> {
    /// Keeps the line up for ever.
    async fn keep(self: Arc<Self>) {
        let mut down = None;
        let mut pause = PAUSE.0;
        loop {
            let Err(fault) = self.serve(&mut down).await;
            let since: Instant = *down.get_or_insert_with(|| {
                tracing::warn!(%fault, "Redis is not heard: changes made at other instances show up to 3 s late");
                pause = PAUSE.0;
                Instant::now()
            });
            if since.elapsed() > STALE {
                self.queue.forget();
            }
            // Many instances lose one Redis at one instant.
            sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
            pause = PAUSE.1.min(pause * 2);
        }
    }

    /// Tells and hears until the line fails. It is up when the first probe is back.
    async fn serve(&self, down: &mut Option<Instant>) -> Result<std::convert::Infallible, Fault> {
        let (told, mut heard) = timeout(PATIENCE, self.connect()).await??;
        let mut telling = pin!(self.tell(told));
        let mut ticks = interval(PROBE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut probe: Option<(u64, Instant)> = None;
        loop {
            tokio::select! {
                message = heard.next() => {
                    let message = message.ok_or(Fault::Closed)?;
                    let nonce = self.hear(message.get_payload_bytes());
                    if nonce.is_some() && nonce == probe.map(|(nonce, _)| nonce) {
                        probe = None;
                        self.hub.heard_bus();
                        if let Some(since) = down.take() {
                            tracing::info!(seconds = since.elapsed().as_secs(), "Redis is heard again");
                        }
                    }
                }
                fault = &mut telling => return Err(fault),
                _ = ticks.tick() => match probe {
                    Some((_, at)) if at.elapsed() >= SILENCE && !fault::is_off("probe") => {
                        return Err(Fault::Silent);
                    }
                    Some(_) => {}
                    None => {
                        let nonce = rand::random();
                        probe = Some((nonce, Instant::now()));
                        self.queue.push_probe(nonce);
                    }
                },
            }
        }
    }

    async fn connect(&self) -> Result<(MultiplexedConnection, PubSubStream), RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let told = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let (mut sink, heard) = self.client.get_async_pubsub().await?.split();
        sink.subscribe(&self.channel).await?;
        Ok((told, heard))
    }

    /// Tells what waits, all of it in one go, and what came meanwhile in the next.
    async fn tell(&self, mut told: MultiplexedConnection) -> Fault {
        loop {
            let taken = self.queue.take().await;
            let batch = taken.batch();
            let moved = batch.moved.iter();
            let moved = moved.map(|(topic, version)| Says::Moved(*topic, *version));
            let mut pipe = redis::pipe();
            for says in moved.chain(batch.probe.map(Says::Probe)) {
                let message = Message {
                    sender: self.sender,
                    says,
                };
                pipe.cmd("PUBLISH")
                    .arg(&self.channel)
                    .arg(message.to_string())
                    .ignore();
            }
            if let Err(error) = pipe.query_async::<()>(&mut told).await {
                return error.into();
            }
            taken.was_told();
        }
    }

    /// Marks what another instance says has moved; tells the nonce of a probe of one's own.
    fn hear(&self, payload: &[u8]) -> Option<u64> {
        match Message::parse(payload) {
            // What it did itself its hub knows already: marked twice, it would be loaded twice.
            Some(message) if message.sender == self.sender => match message.says {
                Says::Probe(nonce) => return Some(nonce),
                Says::Moved(..) => {}
            },
            Some(Message {
                says: Says::Moved(topic, _),
                ..
            }) => {
                self.heard.fetch_add(1, Ordering::Relaxed);
                self.hub.mark(topic);
            }
            Some(_) => {}
            None => {
                self.ignored.fetch_add(1, Ordering::Relaxed);
            }
        }
        None
    }
}
