//! One instance: what its handlers and jobs share. A clone is cheap.

use crate::clock::Clock;
use crate::config::{Config, PaymentSetting};
use crate::live::{Desk, Hub, Source};
use crate::payment::Payments;
use crate::realtime::{self, Bus, Local, Redis};
use crate::secret::{self, Passwords};
use crate::store::{Db, Error, Tx, Work, business};
use std::sync::Arc;

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
        tokio::spawn(realtime::carry(moved, Arc::clone(&bus)));
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
        })
    }

    /// See [`Db::transact`].
    pub async fn transact<I, T, F>(&self, input: I, work: F) -> Result<T, Error>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t I) -> Work<'t, T> + Send + Sync + 'static,
    {
        self.db.transact(input, work).await
    }

    /// Asks every live page to come back elsewhere, lets writes finish, and closes the database.
    pub async fn stop(&self) {
        self.hub.close();
        self.db.close().await;
    }
}
