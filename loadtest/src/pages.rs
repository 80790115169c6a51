//! How long a signed-in client waits for a page: one request after the other, over one connection.

use crate::http::Person;
use crate::server::{Server, Which};
use crate::stats::{Sample, head};
use clap::Args;
use std::time::Instant;

/// Requests before the clock counts.
const WARM: usize = 50;
/// As they are sent without and with the header of a browser.
const ENCODINGS: [&str; 2] = ["identity", "gzip, deflate, br, zstd"];

/// What to ask for, and how often.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Requests for each encoding
    #[arg(long, env = "LOADTEST_REQUESTS", default_value_t = 2000)]
    requests: usize,
    /// A client's page
    #[arg(long, env = "LOADTEST_PATH", default_value = "/bookings")]
    path: String,
    #[command(flatten)]
    which: Which,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let server = Server::start(&options.which).await?;
    let thandi = Person::sign_in(&server.url, "thandi").await?;
    println!(
        "GET {} at {}, one after the other (aim of the server alone: p50 2 ms)",
        options.path, server.url
    );
    head("round trip, ms");
    for encoding in ENCODINGS {
        let mut times = Sample::default();
        let mut bytes = 0;
        for n in 0..WARM + options.requests {
            let began = Instant::now();
            bytes = thandi.fetch(&options.path, encoding).await?.len();
            if n >= WARM {
                times.push(began.elapsed().as_secs_f64() * 1000.0);
            }
        }
        times.row(&format!("{encoding}, {bytes} bytes"));
    }
    Ok(())
}
