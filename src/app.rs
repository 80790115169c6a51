//! One instance: what its handlers and jobs share. A clone is cheap.

use crate::clock::Clock;
use crate::config::{Config, PaymentSetting};
use crate::live::{Desk, Hub, Source};
use crate::meter::Meter;
use crate::payment::Payments;
use crate::realtime::{self, Bus, Local, Redis};
use crate::secret::{self, Passwords};
use crate::store::{Db, Error, Tx, Work, business};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long Redis is waited for at the end. What it was not told by then, the others' sweeps find.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One instance.
#[derive(Debug, Clone)]
pub struct App {
    pub db: Db,
    pub hub: Hub,
    pub bus: Arc<dyn Bus>,
    pub desk: Desk,
    pub clock: Clock,
    pub config: Arc<Config>,
    pub passwords: Passwords,
    pub payments: Payments,
    pub source: Source,
    /// Signs the links in mails that stop reminders.
    pub mail_key: Arc<str>,
    /// What is counted of connections and requests.
    pub meter: Meter,
    /// Rung after each write here: something may have become free for someone who waits.
    pub written: Arc<Notify>,
    /// Cancelled once this instance wants no more traffic.
    pub leaving: CancellationToken,
    /// Done when the bus was handed everything that was ever committed here.
    pub carrying: TaskTracker,
}

impl App {
    /// Opens the database, and carries what commits move to the hub from now on.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let (db, moved) = Db::open(&config.database_url).await?;
        let payments = match config.payments {
            PaymentSetting::Off => Payments::default(),
            PaymentSetting::Sandbox => {
                Payments::sandbox_with(business::sandbox_secret(&db, secret::token()).await?)
            }
        };
        let mail_key = business::mail_key(&db, secret::token()).await?;
        let source = Source {
            db: db.clone(),
            clock: clock.clone(),
            base_url: config.base_url.as_str().into(),
            can_pay: payments.provider().is_some(),
        };
        let hub = Hub::new(source.clone(), clock.clone());
        let bus: Arc<dyn Bus> = match &config.redis_url {
            Some(url) => {
                let channel = business::bus_channel(&db, secret::token()).await?;
                Arc::new(Redis::start(url, &channel, hub.clone())?)
            }
            None => Arc::new(Local::new(hub.clone())),
        };
        let carrying = TaskTracker::new();
        carrying.spawn(realtime::carry(moved, db.written(), Arc::clone(&bus)));
        carrying.close();
        Ok(Self {
            db,
            hub,
            bus,
            desk: Desk::new(source.clone()),
            clock,
            config: Arc::new(config),
            passwords: Passwords::default(),
            payments,
            source,
            mail_key: mail_key.into(),
            meter: Meter::default(),
            written: Arc::default(),
            leaving: CancellationToken::new(),
            carrying,
        })
    }

    /// See [`Db::transact`].
    pub async fn transact<I, T, F>(&self, input: I, work: F) -> Result<T, Error>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t I) -> Work<'t, T> + Send + Sync + 'static,
    {
        let done = self.db.transact(input, work).await;
        if done.is_ok() {
            self.written.notify_one();
        }
        done
    }

    /// Asks every live page to come back elsewhere, lets writes finish and the others hear of them, and closes the database.
    pub async fn stop(&self) {
        self.hub.close().await;
        tokio::join!(self.db.close(), self.tell_the_rest());
    }

    /// Pages that came back elsewhere would show what was committed here last only after a sweep.
    async fn tell_the_rest(&self) {
        self.carrying.wait().await;
        let told = async {
            while self.bus.health().queued > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        if timeout(LAST_WORDS, told).await.is_err() {
            tracing::warn!(
                "Redis was not told of the last changes: others find them up to 3 s late"
            );
        }
    }
}
