//! A worker's own side: it signs its clients in, loads their pages as browsers do, and holds their sockets. Everything is done
//! in one thread, one thing after the other; while it waits for an order it reads its sockets.

use crate::http::Person;
use crate::stats::now;
use crate::swarm::{Counts, Line, Shows, Swarm};
use crate::usage::Usage;
use crate::worker::{Order, Returned, Share, Tally, Told};
use anyhow::Context as _;
use loadtest::watcher::Watcher;
use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Sign-ins and pages that are asked for at a time: more would only wait for a core.
const AT_ONCE: usize = 4;
/// How long it rests in the kernel when nothing comes.
const REST: Duration = Duration::from_millis(2);

struct Herd {
    share: Share,
    runtime: Runtime,
    http: reqwest::Client,
    swarm: Swarm,
    clients: Vec<Client>,
    cpu: f64,
}

/// Someone who watches from many pages.
struct Client {
    person: Person,
    pages: usize,
}

/// Does what is read from standard input until that ends.
pub(crate) fn run() -> anyhow::Result<()> {
    let (sender, orders) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let share = serde_json::from_str(&orders.recv().context("its share")?)?;
    let mut herd = Herd {
        share,
        runtime: Builder::new_current_thread().enable_all().build()?,
        http: Person::browser()?,
        swarm: Swarm::new()?,
        clients: Vec::new(),
        cpu: 0.0,
    };
    herd.serve(&orders)
}

fn tell(told: &Told) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(told)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    out.flush().map_err(Into::into)
}

fn progress(stage: &str, done: usize) -> anyhow::Result<()> {
    tell(&Told::Progress {
        stage: stage.to_owned(),
        done,
    })
}

impl Herd {
    fn serve(&mut self, orders: &Receiver<String>) -> anyhow::Result<()> {
        loop {
            let line = if self.swarm.open_count() == 0 {
                match orders.recv_timeout(Duration::from_millis(50)) {
                    Ok(line) => line,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
            } else {
                match orders.try_recv() {
                    Ok(line) => line,
                    Err(TryRecvError::Empty) => {
                        self.swarm.turn(REST)?;
                        continue;
                    }
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            };
            let told = self.obey(serde_json::from_str(&line)?);
            tell(&told.unwrap_or_else(|error| Told::Failed(format!("{error:#}"))))?;
        }
    }

    fn obey(&mut self, order: Order) -> anyhow::Result<Told> {
        match order {
            Order::SignIn => {
                self.sign_in()?;
                Ok(Told::Done)
            }
            Order::Open => self.open(),
            Order::Begin => {
                self.swarm.counts = Counts::default();
                self.swarm.deliveries = Vec::new();
                self.cpu = Usage::own()?.cpu;
                Ok(Told::Done)
            }
            Order::Await { version, patience } => self.wait(version, patience),
            Order::Tell { answered } => self.tally(&answered),
            Order::Compare => {
                let targets = self.targets()?;
                self.swarm.aim(|n| targets[n]);
                Ok(Told::Compared {
                    exact: self.swarm.exact_count(),
                })
            }
            Order::Cut => {
                self.swarm.cut();
                Ok(Told::Done)
            }
            Order::Target => {
                let targets = self.targets()?;
                self.swarm.aim(|n| targets[n]);
                Ok(Told::Done)
            }
            Order::Return {
                with_cursors,
                patience,
            } => self.come_back(with_cursors, patience),
        }
    }

    fn open(&mut self) -> anyhow::Result<Told> {
        if self.clients.is_empty() {
            self.add_raw()?;
        }
        let mut shown = 0;
        while shown < self.share.sockets {
            self.swarm.turn(REST)?;
            let open = self.swarm.open_count();
            if open != shown {
                shown = open;
                progress("opening", shown)?;
            }
        }
        Ok(Told::Done)
    }

    fn add_raw(&mut self) -> anyhow::Result<()> {
        for n in 0..self.share.sockets {
            let url = &self.share.urls[n % self.share.urls.len()];
            let line = line(url, n / self.share.each, String::new())?;
            let address = self.share.path.clone();
            self.swarm
                .add(Arc::new(line), Shows::Frames { address, count: 0 });
        }
        Ok(())
    }

    /// One client after the other: each signs in, loads the page, and opens it as often as it may.
    fn sign_in(&mut self) -> anyhow::Result<()> {
        let count = self.share.sockets.div_ceil(self.share.each);
        let mut regions: Option<Vec<u32>> = None;
        let mut left = self.share.sockets;
        let numbers: Vec<usize> = (self.share.first..self.share.first + count).collect();
        for some in numbers.chunks(AT_ONCE) {
            let people = some.iter().map(|n| {
                let url = &self.share.urls[n % self.share.urls.len()];
                let (http, path) = (&self.http, &self.share.path);
                async move {
                    let person =
                        Person::sign_in_with(http.clone(), url, &format!("client-{n:04}")).await?;
                    let page = person.get(path).await?;
                    anyhow::Ok((*n, person, page))
                }
            });
            let people = self
                .runtime
                .block_on(futures_util::future::try_join_all(people))?;
            for (n, person, page) in people {
                let watcher = Watcher::of_page(&page).context("the page is not live")?;
                let of_page: Vec<u32> = watcher
                    .versions()
                    .iter()
                    .map(|(region, _)| region)
                    .collect();
                let shared = regions.get_or_insert_with(|| of_page.clone());
                shared.retain(|region| of_page.contains(region));
                let line = Arc::new(line(&person.url, n, person.cookie.clone())?);
                let pages = left.min(self.share.each);
                left -= pages;
                for _ in 0..pages {
                    self.swarm
                        .add(Arc::clone(&line), Shows::Page(watcher.clone()));
                }
                self.clients.push(Client { person, pages });
            }
            progress("signing in", self.share.sockets - left)?;
        }
        // What two clients' pages have in common is the calendar that everybody watches.
        self.swarm.region = *regions
            .and_then(|shared| shared.first().copied())
            .as_ref()
            .context("nothing is watched by all")?;
        Ok(())
    }

    fn wait(&mut self, version: i64, patience: f64) -> anyhow::Result<Told> {
        let until = now() + patience;
        let mut reached = 0;
        let mut seen = None;
        while now() < until {
            self.swarm.turn(REST)?;
            // To look at every socket costs: only when there is news. A change that looks like nothing comes with a beat.
            let news = (self.swarm.deliveries.len(), self.swarm.counts.beats);
            if seen != Some(news) {
                seen = Some(news);
                reached = self.swarm.versions().filter(|has| *has >= version).count();
            }
            if reached == self.share.sockets {
                break;
            }
        }
        let mut versions = BTreeMap::new();
        for has in self.swarm.versions() {
            *versions.entry(has).or_default() += 1;
        }
        let last = self
            .swarm
            .deliveries
            .iter()
            .filter(|one| one.upto >= version && one.after < version);
        let last_at = last.map(|one| one.at).fold(0.0, f64::max);
        Ok(Told::Versions {
            reached,
            last_at,
            versions,
        })
    }

    fn tally(&mut self, answered: &[(i64, f64)]) -> anyhow::Result<Told> {
        let answered: BTreeMap<i64, f64> = answered.iter().copied().collect();
        let mut tally = Tally {
            counts: self.swarm.counts.clone(),
            cpu: Usage::own()?.cpu - self.cpu,
            ..Tally::default()
        };
        for delivery in &self.swarm.deliveries {
            if delivery.after >= delivery.upto {
                continue;
            }
            for (version, at) in answered.range(delivery.after + 1..=delivery.upto) {
                let ms = delivery.at - at;
                tally.early += u64::from(ms < 0.0);
                tally.latency.push(ms.max(0.0));
                tally.series.entry(*version).or_default().push(ms.max(0.0));
            }
        }
        Ok(Told::Tally(Box::new(tally)))
    }

    /// What each socket's page shows when it is loaded now.
    fn targets(&self) -> anyhow::Result<Vec<u64>> {
        let mut targets = Vec::with_capacity(self.share.sockets);
        for some in self.clients.chunks(AT_ONCE) {
            let pages = some
                .iter()
                .map(|client| client.person.get(&self.share.path));
            let pages = self
                .runtime
                .block_on(futures_util::future::try_join_all(pages))?;
            for (client, page) in some.iter().zip(pages) {
                let fresh = Watcher::of_page(&page).context("the page is not live")?;
                targets.extend(std::iter::repeat_n(fresh.digest(), client.pages));
            }
            progress("comparing", targets.len())?;
        }
        Ok(targets)
    }

    fn come_back(&mut self, with_cursors: bool, patience: f64) -> anyhow::Result<Told> {
        self.swarm.counts = Counts::default();
        self.swarm.deliveries = Vec::new();
        if !with_cursors {
            self.swarm.forget_cursors();
        }
        let cpu = Usage::own()?.cpu;
        let began = now();
        self.swarm.come_back();
        let mut looked = began;
        while now() - began < patience {
            self.swarm.turn(REST)?;
            if now() - looked > 50.0 {
                looked = now();
                let exact = self.swarm.exact_times().flatten().count();
                progress("coming back", exact)?;
                if exact == self.share.sockets {
                    break;
                }
            }
        }
        let mut returned = Returned {
            counts: self.swarm.counts.clone(),
            cpu: Usage::own()?.cpu - cpu,
            ..Returned::default()
        };
        for at in self.swarm.exact_times() {
            match at {
                Some(at) => returned.exact.push(at - began),
                None => returned.missing += 1,
            }
        }
        Ok(Told::Returned(Box::new(returned)))
    }
}

/// From an address of its own for each client, as clients have them.
fn line(url: &str, n: usize, cookie: String) -> anyhow::Result<Line> {
    let host = url
        .strip_prefix("http://")
        .context("an address begins with http://")?;
    let server: SocketAddr = host
        .parse()
        .with_context(|| format!("{host} is no address and port"))?;
    let n = u32::try_from(n)?;
    let source = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 1)) + n);
    Ok(Line {
        server,
        host: host.to_owned(),
        source,
        cookie,
    })
}
