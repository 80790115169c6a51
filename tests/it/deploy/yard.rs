//! Processes of a test: instances of one business on the Postgres of the run, and HAProxy or nginx before them with the files
//! of `deploy/`. Each ends with the test, and with a test that is killed.

use crate::browser::Browser;
use crate::house::fresh_postgres;
use portico::demo;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep};

/// Clients besides the three of the demo.
pub(super) const CLIENTS: usize = 9;

/// Repeats `check` until it gives something.
pub(super) async fn until<T>(
    what: &str,
    seconds: u64,
    mut check: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {seconds} s");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A program that ends with this value, or with the test.
#[derive(Debug)]
pub(super) struct Program(Child);

impl Program {
    /// `words` are the program and its arguments; what it says goes to the file `log`.
    fn start(words: &[&str], settings: &[(&str, String)], log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .args(words)
            .env_clear()
            .env("PATH", path)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Self(child.unwrap())
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    pub(super) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status();
        assert!(sent.unwrap().success(), "{signal}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A business and its instances.
pub(super) struct Yard {
    dir: TempDir,
    pub(super) database_url: String,
    pub(super) instances: Vec<Instance>,
}

/// One instance, and where it listens whenever it runs.
pub(super) struct Instance {
    program: Program,
    pub(super) address: SocketAddr,
}

impl Yard {
    /// An invented business with `count` instances, each with a Redis.
    pub(super) async fn open(count: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database_url = fresh_postgres().await;
        let mut yard = Self {
            dir,
            database_url,
            instances: Vec::new(),
        };
        let clients = CLIENTS.to_string();
        let words = ["seed", "--weeks", "1", "--clients", &clients];
        let mut seed = yard.portico(&words, "seed", "127.0.0.1:0");
        until("seeding", 30, async || (!seed.is_running()).then_some(())).await;
        for number in 0..count {
            let bind = "127.0.0.1:0".parse().unwrap();
            let instance = yard.start(number, bind).await;
            yard.instances.push(instance);
        }
        yard
    }

    fn portico(&self, words: &[&str], log: &str, bind: &str) -> Program {
        let redis = std::env::var("PORTICO_TEST_REDIS").expect(
            "PORTICO_TEST_REDIS is not set: run this test with bin/test, which starts a Redis",
        );
        let settings = [
            ("PORTICO_DATABASE_URL", self.database_url.clone()),
            ("PORTICO_REDIS_URL", redis),
            ("PORTICO_BASE_URL", "http://127.0.0.1".to_owned()),
            ("PORTICO_BIND", bind.to_owned()),
            ("PORTICO_TRUSTED_PROXIES", "127.0.0.1".to_owned()),
            ("PORTICO_DRAIN_SECONDS", "2".to_owned()),
            ("NO_COLOR", "1".to_owned()),
        ];
        let words = [&[env!("CARGO_BIN_EXE_portico")], words].concat();
        Program::start(&words, &settings, &self.dir.path().join(log))
    }

    async fn start(&self, number: usize, bind: SocketAddr) -> Instance {
        let name = format!("instance-{number}");
        let mut program = self.portico(&["serve"], &name, &bind.to_string());
        let log = self.dir.path().join(name);
        let address = until("an instance starts", 20, async || {
            let said = std::fs::read_to_string(&log).unwrap();
            assert!(program.is_running(), "{said}");
            let rest = said.split_once("listens on http://")?.1;
            rest.split_once('\n')?.0.parse().ok()
        });
        let address = address.await;
        Instance { program, address }
    }

    /// Asks an instance to stop, as a service manager does.
    pub(super) fn terminate(&self, number: usize) {
        self.instances[number].program.signal("-TERM");
    }

    /// Waits until an instance has ended.
    pub(super) async fn ended(&mut self, number: usize) {
        let program = &mut self.instances[number].program;
        until("an instance stops", 25, async || {
            (!program.is_running()).then_some(())
        })
        .await;
        let status = program.0.wait().unwrap();
        assert!(status.success(), "an instance ended with {status}");
    }

    /// Starts an instance that has ended, where it was.
    pub(super) async fn start_again(&mut self, number: usize) {
        let bind = self.instances[number].address;
        self.instances[number] = self.start(number, bind).await;
    }

    /// `deploy/haproxy.cfg` as it stands, before three instances.
    pub(super) async fn haproxy(&self) -> Haproxy {
        let address = free_address();
        let socket = self.dir.path().join("haproxy.sock");
        let server = |number: usize| self.instances[number].address.to_string();
        let settings = [
            ("PORTICO_LISTEN", address.to_string()),
            ("PORTICO_1", server(0)),
            ("PORTICO_2", server(1)),
            ("PORTICO_3", server(2)),
            ("PORTICO_ADMIN_SOCKET", socket.display().to_string()),
        ];
        let words = ["haproxy", "-db", "-f", &deployed("haproxy.cfg")];
        let log = self.dir.path().join("haproxy.log");
        let mut program = Program::start(&words, &settings, &log);
        answers(address, &mut program, &log).await;
        // It listens for visitors before its socket has its name.
        until("its runtime API", 10, async || {
            UnixStream::connect(&socket).await.ok()
        })
        .await;
        let haproxy = Haproxy {
            _program: program,
            address,
            socket,
        };
        for name in ["one", "two", "three"] {
            haproxy.is(name, "UP").await;
        }
        haproxy
    }

    /// `deploy/nginx.conf` with its marked lines changed.
    pub(super) async fn nginx(&self) -> Nginx {
        let address = free_address();
        let file = self.dir.path().join("nginx.conf");
        std::fs::create_dir(self.dir.path().join("bodies")).unwrap();
        std::fs::write(&file, self.nginx_text(address, None)).unwrap();
        let words = ["nginx", "-c", file.to_str().unwrap()];
        let log = self.dir.path().join("nginx.log");
        let mut program = Program::start(&words, &[], &log);
        answers(address, &mut program, &log).await;
        Nginx { program, address }
    }

    /// Takes an instance out, as one does with nginx: by its file.
    pub(super) fn reload_without(&self, nginx: &Nginx, number: usize) {
        let text = self.nginx_text(nginx.address, Some(number));
        std::fs::write(self.dir.path().join("nginx.conf"), text).unwrap();
        nginx.program.signal("-HUP");
    }

    fn nginx_text(&self, listen: SocketAddr, without: Option<usize>) -> String {
        let dir = self.dir.path().display();
        let mut text = std::fs::read_to_string(deployed("nginx.conf")).unwrap();
        let mut change = |line: &str, other: &str| {
            assert!(text.contains(line), "deploy/nginx.conf has no line {line}");
            text = text.replace(line, other);
        };
        change(
            "pid /run/nginx-portico.pid;",
            &format!("pid {dir}/nginx.pid; daemon off;"),
        );
        change("/tmp/nginx-portico;", &format!("{dir}/bodies;"));
        change("listen 127.0.0.1:8080;", &format!("listen {listen};"));
        // The rule is the same with less to wait for.
        change(
            "worker_shutdown_timeout 30s;",
            "worker_shutdown_timeout 5s;",
        );
        for number in 0..3 {
            let away = if without == Some(number) { " down" } else { "" };
            let address = self.instances[number].address;
            let line = format!("server 127.0.0.1:{} max_fails", 3001 + number);
            change(&line, &format!("server {address}{away} max_fails"));
        }
        text
    }
}

/// A file of `deploy/`.
pub(super) fn deployed(name: &str) -> String {
    format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// HAProxy before three instances.
pub(super) struct Haproxy {
    _program: Program,
    pub(super) address: SocketAddr,
    socket: std::path::PathBuf,
}

impl Haproxy {
    /// A command of its runtime API, and the answer.
    pub(super) async fn tell(&self, command: &str) -> String {
        let mut socket = UnixStream::connect(&self.socket).await.unwrap();
        let line = format!("{command}\n");
        socket.write_all(line.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// A column of `show stat` for a server: 4 is its connections now, 17 its state.
    pub(super) async fn column(&self, name: &str, column: usize) -> String {
        let stat = self.tell("show stat").await;
        let row = format!("portico,{name},");
        let line = stat.lines().find(|line| line.starts_with(&row)).unwrap();
        line.split(',').nth(column).unwrap().to_owned()
    }

    /// Waits until it holds a server for `UP`, `DOWN` ..
    pub(super) async fn is(&self, name: &str, state: &str) {
        until(state, 15, async || {
            (self.column(name, 17).await == state).then_some(())
        })
        .await;
    }
}

/// nginx before three instances.
pub(super) struct Nginx {
    program: Program,
    pub(super) address: SocketAddr,
}

/// Somebody's browser, signed in through `address`.
pub(super) async fn signed_in(address: SocketAddr, who: &str) -> Browser {
    let mut browser = Browser::new(address);
    let answer = browser.try_password(who, demo::PASSWORD).await;
    assert_eq!(answer.status, 303, "{who} cannot sign in: {}", answer.body);
    browser.keep_cookie(&answer);
    browser
}

/// Invented client number `number`, from 1.
pub(super) fn client(number: usize) -> String {
    format!("client-{number:04}")
}

async fn answers(address: SocketAddr, program: &mut Program, log: &Path) {
    until("a proxy starts", 10, async || {
        let said = std::fs::read_to_string(log).unwrap();
        assert!(program.is_running(), "{said}");
        TcpStream::connect(address).await.ok()
    })
    .await;
}

/// An address that nothing listens at. The next who asks for a free one gets another for a good while.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
