//! Redis is only speed: it may be gone, slow, silent, restarted elsewhere or lie. A change then takes as long as a sweep;
//! nothing is lost, and nothing that Redis says is shown.

use crate::rig::proxy::{Proxy, Way};
use crate::rig::redis::{self, Redis};
use crate::rig::resp::Mangle;
use crate::rig::{Business, Instance, On, Outcome, Person, Watcher, until};
use anyhow::{Context as _, ensure};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// Rows 4 and 6: how long until Redis is heard again after it is there.
const HEALED: Duration = Duration::from_secs(5);
/// Row 4: staff hear of it with a heartbeat, which comes every five seconds and tells of a Redis that is silent for some.
const TOLD: Duration = Duration::from_secs(12);
/// Row 5: far below the half second by which Redis is late, on a machine that builds beside the test.
const UNHURRIED: Duration = Duration::from_millis(300);

/// Row 5: topics that one message moves. Each waits once however often it moves, and once more while it is on its way.
const MOVED: usize = 4;

/// An address that nobody listens at.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Three instances on one Redis behind a line of its own: one writes, one listens and sweeps, one only listens, so that it
/// is seen when Redis alone carries a change.
struct Trio {
    redis: Redis,
    line: Proxy,
    thandi: Person,
    swept: Watcher,
    heard: Watcher,
    wrote: usize,
    /// Where the one who writes tells its numbers.
    metrics: SocketAddr,
    /// Dropped last, after those who talk to them.
    instances: [Instance; 3],
    business: Business,
}

impl Trio {
    async fn open(off: &str) -> anyhow::Result<Self> {
        let redis = Redis::start().await?;
        let line = Proxy::to(redis.address).await?;
        let business = Business::open(On::Postgres).await?;
        let url = redis::url(line.address);
        let start = |off: &str| {
            let start = Instance::of(&business).with("PORTICO_REDIS_URL", &url);
            start.without(off).serve()
        };
        let deaf = format!("sweep,{off}");
        let metrics = free_address()?;
        let writes = Instance::of(&business)
            .with("PORTICO_REDIS_URL", &url)
            .with("PORTICO_METRICS_BIND", &metrics.to_string());
        let instances = [
            writes.serve().await?,
            start(off).await?,
            start(&deaf).await?,
        ];
        let thandi = Person::sign_in(&instances[0], "thandi").await?;
        let swept = Watcher::open(&thandi.at(&instances[1]), "/messages").await?;
        let heard = Watcher::open(&thandi.at(&instances[2]), "/messages").await?;
        let mut trio = Self {
            redis,
            line,
            thandi,
            swept,
            heard,
            wrote: 0,
            metrics,
            instances,
            business,
        };
        trio.is_heard_within(HEALED).await?;
        Ok(trio)
    }

    /// Writes one message, and how long the answer took.
    async fn write(&mut self) -> anyhow::Result<(String, Duration)> {
        self.wrote += 1;
        let words = format!("Message {}.", self.wrote);
        let answer = self.thandi.write(&words, &words).await?;
        ensure!(answer.status == 303, "a message: {}", answer.status);
        Ok((words, answer.took))
    }

    /// Writes, and sees it within what a sweep takes.
    async fn is_swept(&mut self) -> Outcome {
        let (words, _) = self.write().await?;
        self.swept.shows(&words, STALE).await?;
        Ok(())
    }

    /// Writes until Redis carries a change to the one who only listens.
    async fn is_heard_within(&mut self, limit: Duration) -> Outcome {
        let began = Instant::now();
        loop {
            let (words, _) = self.write().await?;
            let soon = Duration::from_millis(300);
            if self.heard.shows(&words, soon).await.is_ok() {
                return Ok(());
            }
            ensure!(
                began.elapsed() < limit,
                "Redis is not heard within {limit:?}"
            );
        }
    }

    /// Nothing was lost or doubled anywhere, and no version went back. Whoever does not sweep has been told by the last
    /// change of the region all that it missed before.
    async fn is_exact(&mut self) -> Outcome {
        self.is_heard_within(HEALED).await?;
        for (n, page) in [(1, &self.swept), (2, &self.heard)] {
            page.is_exact(self.instances[n].address, STALE).await?;
            for word in 1..=self.wrote {
                let times = page.seen().page.times(&format!("Message {word}."));
                ensure!(times == 1, "message {word} is shown {times} times");
            }
        }
        self.business.is_sound()
    }
}

/// Row 4: Redis is killed and comes back after a while, empty.
async fn down_for(time: Duration) -> Outcome {
    let mut trio = Trio::open("").await?;
    let naledi = Person::sign_in(&trio.instances[1], "naledi").await?;
    let desk = Watcher::open(&naledi, "/admin/messages").await?;
    trio.redis.process.kill();
    let down = Instant::now();
    while down.elapsed() < time {
        trio.is_swept().await?;
        ensure!(!trio.swept.seen().slow, "a client is not told of it");
    }
    if time > TOLD {
        // Nobody writes meanwhile: a page that is sent changes gets no heartbeat.
        until("staff are told that it is slow", TOLD, || desk.seen().slow).await?;
    }
    trio.redis.again().await?;
    trio.is_heard_within(HEALED).await?;
    until("staff are told that it is over", HEALED + TOLD, || {
        !desk.seen().slow
    })
    .await?;
    trio.is_exact().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_down_for_a_moment_is_not_noticed() -> Outcome {
    down_for(Duration::from_secs(3)).await
}

/// Longer than the 15 to 20 seconds after which a client of Redis was seen to give up for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_down_for_long_is_not_noticed() -> Outcome {
    down_for(Duration::from_secs(22)).await
}

/// Row 5: Redis answers half a second late, then not at all: whoever writes does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_slow_redis() -> Outcome {
    let mut trio = Trio::open("").await?;
    let late = Way {
        delay: Duration::from_millis(500),
        ..Way::default()
    };
    trio.line.set(late, late);
    trio.answers_at_once("slow").await?;
    trio.line.set(Way::default(), Way::default());
    trio.redis.process.signal("STOP")?;
    trio.answers_at_once("frozen").await?;
    trio.redis.process.signal("CONT")?;
    trio.line.silence(true);
    trio.answers_at_once("silent").await?;
    trio.line.silence(false);
    trio.is_heard_within(HEALED + HEALED).await?;
    trio.is_exact().await
}

impl Trio {
    /// How much the one who writes has not told Redis yet.
    async fn queued(&self) -> anyhow::Result<usize> {
        let told = self.thandi.at_address(self.metrics).get("/metrics").await?;
        let line = told
            .body
            .lines()
            .find_map(|line| line.strip_prefix("portico_bus_queued "));
        Ok(line.context("the queue is counted")?.parse()?)
    }

    async fn answers_at_once(&mut self, redis: &str) -> Outcome {
        let mut took = Vec::new();
        for _ in 0..10 {
            took.push(self.write().await?.1);
            let queued = self.queued().await?;
            ensure!(
                queued <= MOVED * 2,
                "{queued} topics wait for a {redis} Redis"
            );
        }
        took.sort_unstable();
        // One of ten may meet a busy machine; a request that waited for Redis would make them all late.
        let most = took[took.len() - 2];
        ensure!(
            most < UNHURRIED,
            "with a {redis} Redis a request took {most:?}"
        );
        self.is_swept().await
    }
}

/// Row 6: what Redis forgets by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_forgets_its_listeners_is_listened_to_again() -> Outcome {
    let mut trio = Trio::open("").await?;
    trio.redis.again().await?;
    trio.is_swept().await?;
    trio.is_heard_within(HEALED).await?;

    trio.redis.tell("CLIENT KILL TYPE pubsub")?;
    trio.is_swept().await?;
    trio.is_heard_within(HEALED).await?;

    // Another one takes over under the same name.
    let other = Redis::start().await?;
    trio.line.lead_to(other.address);
    trio.line.cut();
    trio.is_swept().await?;
    trio.is_heard_within(HEALED).await?;
    trio.is_exact().await
}

/// Row 6: Redis answers and has forgotten who listens, and nobody says so; a new line would hear. `off` is what the
/// listeners go without.
pub(crate) async fn forgotten_listeners(off: &str) -> Outcome {
    let mut trio = Trio::open(off).await?;
    trio.line.deafen();
    trio.is_swept().await?;
    trio.is_heard_within(HEALED).await?;
    trio.is_exact().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_subscription_is_noticed() -> Outcome {
    forgotten_listeners("").await
}

/// Row 6: the lines to Redis are dead in both directions, and nobody says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_line_to_redis_is_noticed() -> Outcome {
    let mut trio = Trio::open("").await?;
    trio.line.strand(true, true);
    trio.is_swept().await?;
    trio.is_heard_within(HEALED).await?;
    trio.is_exact().await
}

/// Row 7: one message in ten is lost, others come twice or after the next, and someone makes some up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_loses_doubles_or_makes_up_changes_nothing() -> Outcome {
    let mut trio = Trio::open("").await?;
    let mangle = Some(Mangle {
        drop: 10,
        double: 3,
        swap: 4,
    });
    trio.line.set(
        Way::default(),
        Way {
            mangle,
            ..Way::default()
        },
    );
    let channels = trio.redis.tell("PUBSUB CHANNELS *")?;
    let channel = channels
        .lines()
        .find(|line| line.contains("portico"))
        .context("there is a channel of ours")?
        .to_owned();
    for n in 0..30 {
        let (words, _) = trio.write().await?;
        let forged = [
            "x",
            "\"1 00000000000000ff moved 9223372036854775807 threads\"",
            "\"1 00000000000000ff moved -1 settings\"",
            "\"1 00000000000000ff moved 7 viewer/01890000-0000-7000-8000-000000000000\"",
            "\"2 00000000000000ff moved 7 invoices\"",
        ];
        trio.redis
            .tell(&format!("PUBLISH {channel} {}", forged[n % forged.len()]))?;
        if n % 10 == 9 {
            trio.swept.shows(&words, STALE).await?;
        }
    }
    trio.line.set(Way::default(), Way::default());
    trio.is_exact().await
}

/// Row 32: Redis is down when someone signs out at one instance; their page at another is closed all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_out_while_redis_is_down_is_out_everywhere() -> Outcome {
    let mut trio = Trio::open("").await?;
    trio.redis.process.kill();
    let answer = trio.thandi.post("/logout", &[]).await?;
    ensure!(answer.status == 303, "signed out: {}", answer.status);
    trio.swept.closes(4401, STALE).await?;
    let elsewhere = trio.thandi.at(&trio.instances[1]);
    let refused = elsewhere.get("/messages").await?;
    ensure!(
        refused.status == 303,
        "signed out elsewhere: {}",
        refused.status
    );
    Ok(())
}
