//! An instance's own front, with settings and patience of a test's choice, and a visitor who sends bytes as they like.

use crate::browser::Browser;
use crate::house::House;
use portico::app::App;
use portico::config::Config;
use portico::http::{self, Patience};
use portico::jobs;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long anything that should happen may take before a test gives up on it.
const LIMIT: Duration = Duration::from_secs(10);

/// An open front; it stops with the test.
pub(crate) struct Gate {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
}

impl Gate {
    /// Opens a front of the house with other settings.
    pub(crate) async fn of(
        house: &House,
        patience: Patience,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::clone(&house.app.config);
        change(&mut config);
        let app = App {
            config: Arc::new(config),
            ..house.app.clone()
        };
        let listener = http::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        jobs::start(&app).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(http::serve_within(
            patience,
            app.clone(),
            listener,
            async move {
                let _ = stopped.await;
            },
        ));
        Self {
            app,
            address,
            stop: Some(stop),
            running,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    pub(crate) async fn visitor(&self) -> Visitor {
        Visitor::at(self.address, "127.0.0.1").await
    }

    /// Asks it to stop.
    pub(crate) fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(self) {
        let ended = timeout(LIMIT * 2, self.running).await;
        ended.expect("it stops").unwrap().unwrap();
    }
}

/// Someone with a connection and no manners.
pub(crate) struct Visitor(pub(crate) TcpStream);

impl Visitor {
    /// Connects from another address of this machine.
    pub(crate) async fn at(address: SocketAddr, from: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        let from: IpAddr = from.parse().unwrap();
        socket.bind((from, 0).into()).unwrap();
        Self(socket.connect(address).await.unwrap())
    }

    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        // The other side may have closed it meanwhile, which is for `hear` to tell.
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Everything that is said until the other side closes.
    pub(crate) async fn hear(&mut self) -> String {
        let mut heard = Vec::new();
        // A connection that is cut has ended as well.
        let read = timeout(LIMIT, self.0.read_to_end(&mut heard)).await;
        let _ = read.expect("the connection stays open");
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Asks for something, and tells whether the connection was closed instead.
    pub(crate) async fn is_sent_away(&mut self) -> bool {
        self.say("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            .await;
        let read = timeout(LIMIT, self.0.read_u8()).await;
        read.expect("something happens").is_err()
    }

    /// Asks for a path, keeps the connection, and tells the answer's head.
    pub(crate) async fn ask(&mut self, path: &str) -> String {
        self.say(format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"))
            .await;
        self.answer().await
    }

    /// One answer with a length: its head and its body.
    pub(crate) async fn answer(&mut self) -> String {
        let read = async {
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"\r\n\r\n") {
                bytes.push(self.0.read_u8().await.expect("an answer has a head"));
            }
            let head = String::from_utf8(bytes).unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            self.0.read_exact(&mut body).await.unwrap();
            head + &String::from_utf8_lossy(&body)
        };
        timeout(LIMIT, read).await.expect("an answer comes")
    }
}
