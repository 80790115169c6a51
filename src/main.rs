//! The command line: reads it, runs one command, and turns its outcome into an exit code. 2 is an unusable setting, told in
//! one line, with nothing written.

mod settings;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use portico::app::App;
use portico::clock::Clock;
use portico::config::{BaseUrl, Config, PaymentSetting};
use portico::demo::{self, Plan};
use portico::domain::id::{PersonId, StaffId};
use portico::domain::person;
use portico::domain::viewer::Role;
use portico::store::person::NewPerson;
use portico::store::token::{self, Issue, Kind};
use portico::store::{self, Db};
use portico::{http, jobs, secret};
use settings::{Settings, Unusable};
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A live client portal for a service business.
#[derive(Debug, Parser)]
#[command(
    name = "portico",
    version,
    flatten_help = true,
    subcommand_required = true,
    arg_required_else_help = false
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an invented business anew and serve it
    Demo {
        /// On 127.0.0.1; 0 takes a free one
        #[arg(long, env = "PORTICO_DEMO_PORT", default_value_t = 3000)]
        port: u16,
        /// Where portico-demo.db is made anew; a new temporary folder when unset
        #[arg(long, env = "PORTICO_DEMO_DIR")]
        dir: Option<PathBuf>,
        /// No other clients who book, move and cancel meanwhile
        #[arg(long, env = "PORTICO_DEMO_QUIET")]
        quiet: bool,
    },
    /// Serve
    Serve(Settings),
    /// Make the first owner and print a one-time link to set a password
    Owner {
        /// Their address, with which they sign in
        email: String,
        /// As clients see it
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Fill an empty database with an invented business, for load tests
    Seed {
        /// How many, besides the three that the demo has
        #[arg(long, env = "PORTICO_SEED_CLIENTS", default_value_t = 200)]
        clients: usize,
        /// Weeks ahead that have bookings
        #[arg(long, env = "PORTICO_SEED_WEEKS", default_value_t = 4)]
        weeks: usize,
        /// The same seed makes the same business
        #[arg(long, env = "PORTICO_SEED", default_value_t = 1)]
        seed: u64,
        #[command(flatten)]
        settings: Settings,
    },
    /// Verify that the database keeps its promises
    Check(Settings),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            let text = error.render().to_string();
            // Up to the blank line: what is missing stands in lines of its own.
            let words: Vec<&str> = text
                .lines()
                .map(str::trim)
                .take_while(|line| !line.is_empty())
                .collect();
            eprintln!("portico: {}", words.join(" ").trim_start_matches("error: "));
            return ExitCode::from(2);
        }
        Err(help) => {
            // Whoever pipes it into `head` has read enough.
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    let usual = if matches!(cli.command, Command::Serve(_)) {
        "info"
    } else {
        "warn"
    };
    // A cookie that is none of ours is no news: anybody may send one.
    let usual = format!("{usual},tower_sessions=error");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let runtime = tokio::runtime::Runtime::new().expect("the system gives threads");
    let outcome = runtime.block_on(run(cli.command));
    // What is still under way after a second signal is not waited for.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portico: {error:#}");
            ExitCode::from(if error.is::<Unusable>() { 2 } else { 1 })
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo { port, dir, quiet } => demo(port, dir, quiet).await,
        Command::Serve(settings) => serve(settings.config()?).await,
        Command::Owner {
            email,
            name,
            settings,
        } => owner(&settings.config()?, &email, &name).await,
        Command::Seed {
            clients,
            weeks,
            seed,
            settings,
        } => fill(&settings.config()?, clients, weeks, seed).await,
        Command::Check(settings) => check(&settings.config()?).await,
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let listener = listen(config.bind)?;
    let metrics = config.metrics_bind.map(listen).transpose()?;
    let app = open(config).await?;
    jobs::start(&app).await?;
    if let Some(metrics) = metrics {
        tokio::spawn(http::serve_metrics(app.clone(), metrics));
    }
    println!("Portico listens on http://{}", listener.local_addr()?);
    until_stopped(app, listener).await
}

/// Takes an address, before anything is written.
fn listen(bind: SocketAddr) -> Result<TcpListener, Unusable> {
    http::listen(bind).map_err(|error| Unusable(format!("cannot listen on {bind}: {error}")))
}

/// Serves until it is asked to stop, and has; asked again, it ends at once.
async fn until_stopped(app: App, listener: TcpListener) -> anyhow::Result<()> {
    let (mut asked, mut again) = (Stop::new()?, Stop::new()?);
    let serving = http::serve(app, listener, async move { asked.wait().await });
    tokio::select! {
        served = serving => served.context("serving"),
        () = async { again.wait().await; again.wait().await } => {
            anyhow::bail!("asked again to stop, before everything was finished")
        }
    }
}

async fn open(config: Config) -> anyhow::Result<App> {
    let opened = App::start(config, Clock::system()).await;
    opened.map_err(|error| Unusable(format!("the database cannot be opened: {error}")).into())
}

async fn demo(port: u16, dir: Option<PathBuf>, quiet: bool) -> anyhow::Result<()> {
    let bind = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = listen(bind)?;
    let bind = listener.local_addr()?;
    let dir = dir.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("portico-demo-{}", std::process::id()))
    });
    std::fs::create_dir_all(&dir)
        .and_then(|()| make_room(&dir))
        .map_err(|error| Unusable(format!("cannot use the folder {}: {error}", dir.display())))?;
    let database_url = format!("sqlite:{}", dir.join("portico-demo.db").display());
    let mut config = Config::new(
        database_url,
        bind,
        BaseUrl::of_bind(bind).map_err(Unusable)?,
    );
    config.payments = PaymentSetting::Sandbox;
    let app = open(config).await?;
    let plan = Plan::demo(1, app.clock.now());
    demo::fill(&app.db, &plan).await?;
    jobs::start(&app).await?;
    if !quiet {
        tokio::spawn(demo::act(app.db.clone(), app.clock.clone(), rand::random()));
    }
    println!("Kestrel Physio is open at http://{bind}");
    print_accounts(&plan);
    until_stopped(app, listener).await
}

/// Removes an earlier demo's file, and nothing else that may stand in the folder.
fn make_room(dir: &Path) -> std::io::Result<()> {
    for name in [
        "portico-demo.db",
        "portico-demo.db-wal",
        "portico-demo.db-shm",
    ] {
        match std::fs::remove_file(dir.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn print_accounts(plan: &Plan) {
    println!("Sign in as one of these, password {}:", demo::PASSWORD);
    for account in demo::accounts(plan) {
        println!("  {:<28} {}, {}", account.email, account.name, account.role);
    }
}

async fn owner(config: &Config, email: &str, name: &str) -> anyhow::Result<()> {
    let email = person::email(email).map_err(|error| Unusable(error.to_string()))?;
    let name = person::name(name).map_err(|error| Unusable(error.to_string()))?;
    let db = database(config).await?;
    let now = Clock::system().now();
    let new = NewPerson {
        id: PersonId::new(),
        email,
        name,
        password_hash: None,
        now,
    };
    let secret = secret::token();
    let link = Issue {
        person: new.id,
        kind: Kind::Invitation,
        secret: secret.clone(),
        now,
    };
    let made = db
        .transact((new, link), |tx, (new, link)| {
            Box::pin(async move {
                if store::staff::list(tx)
                    .await?
                    .iter()
                    .any(|staff| staff.role == Role::Owner)
                {
                    return Ok(false);
                }
                store::staff::create(tx, StaffId::new(), Role::Owner, new).await?;
                token::issue(tx, link).await?;
                Ok(true)
            })
        })
        .await;
    let made = made.map_err(|error| match error {
        store::Error::Conflict => {
            anyhow::Error::from(Unusable("this address has an account already".to_owned()))
        }
        error => error.into(),
    })?;
    if !made {
        return Err(Unusable("there is an owner already".to_owned()).into());
    }
    println!(
        "{}{}",
        config.base_url.as_str(),
        portico::views::url::welcome(&secret)
    );
    db.close().await;
    Ok(())
}

async fn fill(config: &Config, clients: usize, weeks: usize, seed: u64) -> anyhow::Result<()> {
    if !config.base_url.is_loopback() {
        let words = "seed makes accounts with a known password: only under a loopback base URL";
        return Err(Unusable(words.to_owned()).into());
    }
    let db = database(config).await?;
    let is_empty = store::business::is_empty(&mut db.snapshot().await?).await?;
    if !is_empty {
        db.close().await;
        return Err(Unusable(
            "the database holds something already; seed wants an empty one".to_owned(),
        )
        .into());
    }
    let plan = Plan {
        clients,
        weeks,
        seed,
        now: Clock::system().now(),
        numbered: true,
    };
    demo::fill(&db, &plan).await?;
    print_accounts(&plan);
    db.close().await;
    Ok(())
}

async fn check(config: &Config) -> anyhow::Result<()> {
    if let Some(path) = config.database_url.strip_prefix("sqlite:")
        && !Path::new(
            path.trim_start_matches("//")
                .split('?')
                .next()
                .unwrap_or(path),
        )
        .exists()
    {
        return Err(Unusable(format!("there is no database at {path}")).into());
    }
    let db = database(config).await?;
    let problems = store::check::problems(&mut db.snapshot().await?).await?;
    db.close().await;
    if problems.is_empty() {
        println!("ok");
        return Ok(());
    }
    anyhow::bail!("{}", problems.join(" "))
}

async fn database(config: &Config) -> anyhow::Result<Db> {
    let opened = Db::open(&config.database_url).await;
    let (db, _moved) =
        opened.map_err(|error| Unusable(format!("the database cannot be opened: {error}")))?;
    Ok(db)
}

/// SIGTERM from a service manager, or ctrl-C.
struct Stop {
    term: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
