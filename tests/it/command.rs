//! The command line as it is typed: what each command says, and that an unusable setting leaves nothing behind.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Runs the binary in a folder of its own, with no setting but those given.
fn portico<S: AsRef<OsStr>>(dir: &Path, args: &[S], settings: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portico"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .envs(settings.iter().copied())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Arguments, settings, and a word that the refusal must say.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn an_unusable_setting_is_one_line_and_nothing_is_written() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let cases: [Case<'_>; 22] = [
        (
            &["serve"],
            &[("PORTICO_DATABASE_URL", "mysql://localhost/x")],
            "PORTICO_DATABASE_URL",
        ),
        (
            &["serve"],
            &[("PORTICO_DATABASE_URL", "")],
            "PORTICO_DATABASE_URL",
        ),
        (
            &["serve"],
            &[("PORTICO_BASE_URL", "http://portal.example")],
            "https://",
        ),
        (
            &["serve"],
            &[("PORTICO_BASE_URL", "portal.example")],
            "PORTICO_BASE_URL",
        ),
        (
            &["serve"],
            &[("PORTICO_BASE_URL", "https://portal.example/x")],
            "PORTICO_BASE_URL",
        ),
        (&["serve"], &[("PORTICO_BIND", "here")], "here"),
        (
            &["serve"],
            &[("PORTICO_BIND", "0.0.0.0:0")],
            "PORTICO_BASE_URL",
        ),
        (&["serve"], &[("PORTICO_BIND", &taken)], &taken),
        (
            &["serve"],
            &[("PORTICO_MAX_SOCKETS_PER_PERSON", "many")],
            "many",
        ),
        (&["serve", "--nonsense"], &[], "--nonsense"),
        (&["sell"], &[], "sell"),
        (&["demo", "--port", "99999"], &[], "99999"),
        (&["owner", "nobody", "Naledi"], &[], "e-mail"),
        (&["owner", "naledi@kestrel.example", " "], &[], "name"),
        (&["owner", "naledi@kestrel.example"], &[], "NAME"),
        (
            &["seed"],
            &[("PORTICO_BASE_URL", "https://portal.example")],
            "loopback",
        ),
        (
            &["serve"],
            &[("PORTICO_MAX_SOCKETS_PER_PERSON", "0")],
            "at least 1",
        ),
        (&["check"], &[], "portico.db"),
        // Where everybody can reach it, the sandbox would pay everybody's invoices.
        (
            &["serve"],
            &[
                ("PORTICO_PAYMENTS", "sandbox"),
                ("PORTICO_BASE_URL", "https://portal.example"),
            ],
            "loopback",
        ),
        (
            &["serve"],
            &[
                ("PORTICO_PAYMENTS", "sandbox"),
                ("PORTICO_BASE_URL", "https://portal.example"),
                ("PORTICO_SANDBOX_IN_PUBLIC", "false"),
            ],
            "PORTICO_SANDBOX_IN_PUBLIC",
        ),
        (
            &["serve"],
            &[("PORTICO_PAYMENTS", "paypal")],
            "sandbox or off",
        ),
        (
            &["serve"],
            &[("PORTICO_SANDBOX_IN_PUBLIC", "perhaps")],
            "perhaps",
        ),
    ];
    for case in cases {
        assert_refused(case);
    }
}

#[test]
fn a_redis_url_that_names_none_is_refused_without_being_told() {
    for url in [
        "127.0.0.1:6379",
        "redis://",
        "http://:hunter2@127.0.0.1",
        "rediss://:hunter2@127.0.0.1",
    ] {
        let said = assert_refused((
            &["serve"],
            &[("PORTICO_REDIS_URL", url)],
            "PORTICO_REDIS_URL",
        ));
        assert!(!said.contains("hunter2"), "{said}");
    }
}

/// One line that says the word, exit code 2, and nothing written; what was said.
fn assert_refused((args, settings, word): Case<'_>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let output = portico(dir.path(), args, settings);
    let said = err(&output);
    let story = format!("{args:?} {settings:?}: {said}");
    assert_eq!(output.status.code(), Some(2), "{story}");
    assert_eq!(said.lines().count(), 1, "{story}");
    assert!(
        said.starts_with("portico: ") && said.contains(word),
        "{story}"
    );
    assert_eq!(out(&output), "", "{story}");
    assert_eq!(files(dir.path()), Vec::<String>::new(), "{story}");
    said
}

#[test]
fn a_password_in_a_setting_is_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let url = "postgres://portico:hunter2hunter2@127.0.0.1:1/portico";
    let output = portico(
        dir.path(),
        &["serve"],
        &[
            ("PORTICO_DATABASE_URL", url),
            ("PORTICO_BIND", "127.0.0.1:0"),
        ],
    );
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert!(!err(&output).contains("hunter2"), "{}", err(&output));
    let output = portico(
        dir.path(),
        &["help", "serve"],
        &[("PORTICO_DATABASE_URL", url)],
    );
    assert!(!out(&output).contains("hunter2"), "{}", out(&output));
}

#[test]
fn help_names_every_option_and_its_setting() {
    let dir = tempfile::tempdir().unwrap();
    let output = portico(dir.path(), &["help"], &[]);
    assert_eq!(output.status.code(), Some(0));
    let help = out(&output);
    for word in [
        "demo",
        "serve",
        "owner",
        "seed",
        "check",
        "PORTICO_DATABASE_URL",
        "PORTICO_BIND",
        "PORTICO_BASE_URL",
        "PORTICO_MAX_SOCKETS_PER_PERSON",
        "PORTICO_PAYMENTS",
        "PORTICO_SANDBOX_IN_PUBLIC",
        "--port",
        "--dir",
        "--quiet",
        "--clients",
        "--weeks",
    ] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
}

#[test]
fn the_first_owner_gets_a_link_and_there_is_no_second() {
    let dir = tempfile::tempdir().unwrap();
    let base = [("PORTICO_BASE_URL", "https://portal.example")];
    let output = portico(
        dir.path(),
        &["owner", " Naledi@Kestrel.Example", "Naledi Khumalo"],
        &base,
    );
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let link = out(&output);
    let secret = link
        .trim_end()
        .strip_prefix("https://portal.example/welcome/");
    assert_eq!(secret.map(str::len), Some(43), "{link}");
    for email in ["naledi@kestrel.example", "sipho@kestrel.example"] {
        let output = portico(dir.path(), &["owner", email, "Sipho Dube"], &base);
        assert_eq!(output.status.code(), Some(2));
        assert!(err(&output).contains("already"), "{}", err(&output));
        assert_eq!(out(&output), "");
    }
    let output = portico::<&str>(dir.path(), &["check"], &[]);
    assert_eq!(
        (output.status.code(), out(&output).as_str()),
        (Some(0), "ok\n")
    );
}

#[test]
fn a_seeded_business_is_sound_and_is_not_seeded_twice() {
    let dir = tempfile::tempdir().unwrap();
    let seed = ["seed", "--clients", "20", "--weeks", "2"];
    let output = portico(dir.path(), &seed, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let accounts = out(&output);
    for email in ["naledi@", "thandi@", "pieter@", "aisha@", "client-0001@"] {
        assert!(
            accounts.contains(&format!("{email}kestrel.example")),
            "{accounts}"
        );
    }
    assert!(accounts.contains("kestrel-demo-2026"), "{accounts}");
    let output = portico(dir.path(), &["check"], &[]);
    assert_eq!(
        (output.status.code(), out(&output).as_str()),
        (Some(0), "ok\n")
    );
    let output = portico(dir.path(), &seed, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("empty"), "{}", err(&output));
}

/// A server of the binary that ends with the test.
struct Running {
    child: std::process::Child,
    address: std::net::SocketAddr,
}

impl Running {
    /// Serves from `dir` on a free port, and writes everything that it has to say to `dir/log`.
    fn serve(dir: &Path) -> Self {
        Self::serve_with(dir, &[])
    }

    fn serve_with(dir: &Path, settings: &[(&str, &str)]) -> Self {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_portico"));
        Self::start(dir, serve.arg("serve"), settings)
    }

    fn start(dir: &Path, command: &mut Command, settings: &[(&str, &str)]) -> Self {
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let mut child = command
            .current_dir(dir)
            .env_clear()
            .envs([
                ("PORTICO_BIND", "127.0.0.1:0"),
                ("RUST_LOG", "trace"),
                ("NO_COLOR", "1"),
            ])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut greeting = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut greeting).unwrap();
        let address = greeting.trim_end().rsplit('/').next().unwrap();
        Self {
            child,
            address: address.parse().unwrap(),
        }
    }

    /// Asks it to stop, and waits until it has: its exit code.
    async fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.unwrap().success());
        let wait = tokio::task::spawn_blocking(move || self.child.wait().unwrap().code());
        let stopped = tokio::time::timeout(Duration::from_secs(20), wait).await;
        stopped.expect("it stops").unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_does_so_whatever_is_half_sent() {
    let dir = tempfile::tempdir().unwrap();
    let link = out(&portico(
        dir.path(),
        &["owner", "naledi@kestrel.example", "Naledi Khumalo"],
        &[],
    ));
    let running = Running::serve(dir.path());
    let mut browser = crate::browser::Browser::new(running.address);
    let path = &link.trim_end()[link.find("/welcome/").unwrap()..];
    let answer = browser
        .post(path, &[("password", "a secret of four words")])
        .await;
    browser.keep_cookie(&answer);
    let mut page = browser.watch("/admin").await;
    page.quiet().await;
    let mut half = TcpStream::connect(running.address).await.unwrap();
    half.write_all(b"GET /login HTTP/1.1\r\nHost: ")
        .await
        .unwrap();
    let stopped = tokio::spawn(running.stop());
    // Whoever watches is asked to come back, and whoever said half a sentence is not waited for.
    assert_eq!(page.closed().await, (1012, "restart".to_owned()));
    assert_eq!(stopped.await.unwrap(), Some(0));
}

#[tokio::test]
async fn a_log_tells_no_secret_however_much_it_tells() {
    let dir = tempfile::tempdir().unwrap();
    let output = portico(
        dir.path(),
        &["owner", "naledi@kestrel.example", "Naledi Khumalo"],
        &[],
    );
    let link = out(&output).trim_end().to_owned();
    let path = &link[link.find("/welcome/").unwrap()..];
    let running = Running::serve(dir.path());
    let mut browser = crate::browser::Browser::new(running.address);
    let password = "a secret of four words";
    assert_eq!(browser.get(path).await.status, 200);
    let answer = browser.post(path, &[("password", password)]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser.keep_cookie(&answer);
    let cookie = browser.cookie.clone().unwrap();
    assert_eq!(browser.get("/admin").await.status, 200);
    browser.watch("/admin").await.leave().await;
    assert_eq!(
        browser
            .get("/admin/calendar?week=x&who=a+question+of+mine")
            .await
            .status,
        200
    );
    let fields = [("email", "naledi@kestrel.example"), ("password", password)];
    assert_eq!(browser.post("/login", &fields).await.status, 303);
    let fields = [
        ("email", "naledi@kestrel.example"),
        ("password", "a wrong try of mine"),
    ];
    assert_eq!(browser.post("/login", &fields).await.status, 422);
    browser.post("/reset", &fields[..1]).await;
    drop(running);
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(
        log.contains("/welcome/{token}") && log.contains("status=303"),
        "{log}"
    );
    let secrets = [
        &path["/welcome/".len()..],
        cookie.split_once('=').unwrap().1,
        password,
        "a+secret+of",
        "a%20secret%20of",
        "a wrong try",
        "a question",
        "a+question",
        "$argon2id$",
        "\u{1b}",
    ];
    for secret in secrets {
        let told = log.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "{secret}");
    }
}

#[tokio::test]
async fn a_sandbox_stands_in_public_only_where_somebody_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [
        ("PORTICO_PAYMENTS", "sandbox"),
        ("PORTICO_BASE_URL", "https://portal.example"),
        ("PORTICO_SANDBOX_IN_PUBLIC", "true"),
    ];
    let running = Running::serve_with(dir.path(), &settings);
    let mut browser = crate::browser::Browser::new(running.address);
    browser.host = Some("portal.example");
    let webhook = browser
        .send(reqwest::Method::POST, "/webhooks/sandbox", &[], None)
        .await;
    assert_eq!(webhook.status, 400, "it is there, and believes nobody");
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test]
async fn a_log_tells_no_secret_of_a_payment() {
    let dir = tempfile::tempdir().unwrap();
    let seed = ["seed", "--clients", "20", "--weeks", "2"];
    let seeded = portico(dir.path(), &seed, &[]);
    assert_eq!(seeded.status.code(), Some(0), "{}", err(&seeded));
    let running = Running::serve_with(dir.path(), &[("PORTICO_PAYMENTS", "sandbox")]);
    let mut browser = crate::browser::Browser::new(running.address);
    let answer = browser.try_password("thandi", "kestrel-demo-2026").await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    browser.keep_cookie(&answer);
    let list = browser.get("/invoices").await;
    let pay = list.attribute("form[action$='/pay']", "action");
    let pay = pay.expect("Thandi has something to pay");
    let page = browser.post(&pay, &[]).await;
    let page = page.header("location").unwrap().to_owned();
    let pressed = browser.post(&page, &[("outcome", "pay")]).await;
    assert_eq!(pressed.status, 303);
    let paper = browser.get(pressed.header("location").unwrap()).await;
    let status = paper.attribute("#invoice-head", "data-status");
    assert_eq!(status.as_deref(), Some("paid"), "{}", paper.body);
    let forged = format!("t=1,v1={}", "5ec4e7".repeat(8));
    let body = b"{\"id\":\"evt_of_a_liar\"}".to_vec();
    let own = [("portico-signature", forged.as_str())];
    let lie = browser
        .send(reqwest::Method::POST, "/webhooks/sandbox", &own, Some(body))
        .await;
    assert_eq!(lie.status, 400);
    drop(running);

    let url = format!("sqlite:{}", dir.path().join("portico.db").display());
    let (db, _moved) = portico::store::Db::open(&url).await.unwrap();
    let (secret,): (String,) = db
        .q("SELECT value FROM settings WHERE name = 'sandbox_secret'")
        .one()
        .await
        .unwrap();
    assert!(secret.len() > 20);
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.contains("a payment was told"), "{log}");
    assert!(log.contains("a webhook was not the provider's"), "{log}");
    let secrets = [
        secret.as_str(),
        "portico-signature",
        "v1=",
        "5ec4e7",
        "evt_",
        "pay_",
    ];
    for secret in secrets {
        let told = log.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "{secret}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut running = Running::serve_with(dir.path(), &[("PORTICO_DRAIN_SECONDS", "600")]);
    let browser = crate::browser::Browser::new(running.address);
    for (signal, draining) in [("-INT", true), ("-TERM", false)] {
        let pid = running.child.id().to_string();
        let told = Command::new("kill").args([signal, &pid]).status();
        assert!(told.unwrap().success());
        while draining && browser.get("/readyz").await.status == 200 {
            tokio::task::yield_now().await;
        }
    }
    let wait = tokio::task::spawn_blocking(move || running.child.wait().unwrap().code());
    let ended = tokio::time::timeout(Duration::from_secs(10), wait).await;
    assert_eq!(ended.expect("it ends").unwrap(), Some(1));
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.contains("asked again to stop"), "{log}");
}

#[tokio::test]
async fn the_metrics_have_an_address_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    let bind = address.to_string();
    let taken = portico(dir.path(), &["serve"], &[("PORTICO_METRICS_BIND", &bind)]);
    assert_eq!(taken.status.code(), Some(2));
    assert!(err(&taken).contains("cannot listen on"), "{}", err(&taken));
    assert_eq!(files(dir.path()), Vec::<String>::new());
    drop(free);
    let settings = [("PORTICO_METRICS_BIND", bind.as_str())];
    let running = Running::serve_with(dir.path(), &settings);
    let public = crate::browser::Browser::new(running.address);
    assert_eq!(public.get("/metrics").await.status, 404);
    let told = crate::browser::Browser::new(address).get("/metrics").await;
    assert_eq!(told.status, 200);
    assert!(told.body.contains("portico_sockets 0\n"), "{}", told.body);
    assert_eq!(running.stop().await, Some(0));
}

#[tokio::test]
async fn a_server_without_descriptors_waits_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    // The soft limit is below what a start takes: it is raised to the hard one.
    let mut running = Running::start(
        dir.path(),
        Command::new("/bin/sh").args([
            "-c",
            "ulimit -Sn 40; ulimit -Hn 60; exec \"$0\" serve",
            env!("CARGO_BIN_EXE_portico"),
        ]),
        &[],
    );
    let mut crowd = Vec::new();
    let log = || std::fs::read_to_string(dir.path().join("log")).unwrap();
    while !log().contains("nothing left for them") {
        assert!(crowd.len() < 200, "there is no end of descriptors");
        crowd.push(TcpStream::connect(running.address).await.unwrap());
    }
    // Those who wait are let in as soon as others leave.
    let mut waiting = TcpStream::connect(running.address).await.unwrap();
    crowd.clear();
    waiting
        .write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    let heard = tokio::io::AsyncReadExt::read_to_string(&mut waiting, &mut answer);
    let heard = tokio::time::timeout(Duration::from_secs(10), heard).await;
    heard.expect("it is let in").unwrap();
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
    assert_eq!(
        log().matches("nothing left for them").count(),
        1,
        "it is said once"
    );
    assert!(running.child.try_wait().unwrap().is_none());
}
