//! The settings as the command line and the environment give them.

use clap::Args;
use portico::config::{self, BaseUrl, Config, PaymentSetting};
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// sqlite:PATH or postgres://…
    #[arg(
        long,
        env = "PORTICO_DATABASE_URL",
        default_value = "sqlite:portico.db",
        hide_env_values = true
    )]
    database_url: String,
    /// Where to listen
    #[arg(long, env = "PORTICO_BIND", default_value = "127.0.0.1:3000")]
    bind: SocketAddr,
    /// What people type; http:// and the bound address when unset
    #[arg(long, env = "PORTICO_BASE_URL")]
    base_url: Option<String>,
    /// redis://… through which several instances hear of each other's changes at once; unset: within seconds
    #[arg(long, env = "PORTICO_REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// Where the numbers for Prometheus are told; nowhere when unset
    #[arg(long, env = "PORTICO_METRICS_BIND")]
    metrics_bind: Option<SocketAddr>,
    /// Addresses and networks whose X-Forwarded-For and PROXY headers are believed, comma-separated
    #[arg(long, env = "PORTICO_TRUSTED_PROXIES", value_delimiter = ',')]
    trusted_proxies: Vec<String>,
    /// Connections at a time
    #[arg(long, env = "PORTICO_MAX_CONNECTIONS", default_value_t = config::MAX_CONNECTIONS)]
    max_connections: usize,
    /// Connections at a time from one address
    #[arg(long, env = "PORTICO_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = config::MAX_CONNECTIONS_PER_ADDRESS)]
    max_connections_per_address: usize,
    /// Seconds between no longer being ready and no longer listening, for a load balancer to notice
    #[arg(long, env = "PORTICO_DRAIN_SECONDS", default_value_t = 0)]
    drain_seconds: u64,
    /// Also speak HTTP/2 in clear text, for a proxy that does; sockets stay on HTTP/1.1
    #[arg(long, env = "PORTICO_H2C")]
    h2c: bool,
    /// Live pages that one person may have open
    #[arg(long, env = "PORTICO_MAX_SOCKETS_PER_PERSON", default_value_t = config::SOCKETS_PER_PERSON)]
    max_sockets_per_person: usize,
    /// Who takes the clients' money: sandbox (nobody, but it looks so) or off
    #[arg(long, env = "PORTICO_PAYMENTS", default_value = "off")]
    payments: String,
    /// smtps://… of the server that sends the mails; unset: they are read in the outbox
    #[arg(long, env = "PORTICO_SMTP_URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Whom mails come from: an address, or NAME <ADDRESS>
    #[arg(long, env = "PORTICO_MAIL_FROM")]
    mail_from: Option<String>,
    /// Let the sandbox stand where everybody can reach it and pay with nothing
    #[arg(long, env = "PORTICO_SANDBOX_IN_PUBLIC")]
    sandbox_in_public: bool,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unusable(pub(crate) String);

impl Settings {
    pub(crate) fn config(&self) -> Result<Config, Unusable> {
        let base_url = match &self.base_url {
            Some(url) => BaseUrl::parse(url),
            None => BaseUrl::of_bind(self.bind),
        };
        let base_url = base_url.map_err(Unusable)?;
        let proxies = self
            .trusted_proxies
            .iter()
            .map(|text| config::network(text));
        let config = Config {
            redis_url: self.redis_url.clone(),
            metrics_bind: self.metrics_bind,
            trusted_proxies: proxies.collect::<Result<_, _>>().map_err(Unusable)?,
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            drain: Duration::from_secs(self.drain_seconds),
            h2c: self.h2c,
            sockets_per_person: self.max_sockets_per_person,
            payments: PaymentSetting::parse(&self.payments).map_err(Unusable)?,
            smtp_url: self.smtp_url.clone(),
            mail_from: self.mail_from.clone(),
            sandbox_in_public: self.sandbox_in_public,
            ..Config::new(self.database_url.clone(), self.bind, base_url)
        };
        config.check().map_err(Unusable)?;
        Ok(config)
    }
}
