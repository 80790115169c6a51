//! What stands before the instances takes one out, cuts lines that are quiet for long, or lets no socket through at all. The
//! files of `deploy/` have tests of their own; here the balancer is as little as shows the fault.

use crate::rig::process::{Process, tied};
use crate::rig::watcher::Seen;
use crate::rig::{Business, Instance, On, Outcome, Person, Watcher, until};
use anyhow::{Context as _, ensure};
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// P2: two seconds for a sweep and one to load and push.
const STALE: Duration = Duration::from_secs(3);
/// Row 17: how long a socket may stay at an instance that is taken out.
const MOVED: Duration = Duration::from_secs(30);
/// A balancer is a second away from noticing that an instance is not ready; its own work may take as long again.
const START: Duration = Duration::from_secs(10);

/// Nobody listens there, and the next who asks for a free port gets another for a good while.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A balancer's process with its file, once it listens.
async fn balancer(
    program: &str,
    flag: &str,
    dir: &Path,
    text: &str,
    address: SocketAddr,
) -> anyhow::Result<Process> {
    let file = dir.join(program);
    fs::write(&file, text)?;
    // Debian keeps them where only root's PATH leads.
    let path = Path::new("/usr/sbin").join(program);
    let log = fs::File::create(dir.join("log"))?;
    let mut command = tied(if path.exists() { path } else { program.into() });
    command
        .arg(flag)
        .arg(&file)
        .stdout(log.try_clone()?)
        .stderr(log);
    let balancer = Process::start(&mut command)?;
    until(&format!("{program} listens"), START, || {
        TcpStream::connect(address).is_ok()
    })
    .await?;
    Ok(balancer)
}

/// Row 17: `HAProxy` takes an instance out while a form is under way there. The form is answered, the page moves, and
/// nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_drained_and_its_pages_move() -> Outcome {
    let business = Business::open(On::Postgres).await?;
    let start = || {
        let start = Instance::of(&business).with("PORTICO_TRUSTED_PROXIES", "127.0.0.1");
        start.with("PORTICO_DRAIN_SECONDS", "1").serve()
    };
    let (mut one, two) = (start().await?, start().await?);
    let (dir, address) = (tempfile::tempdir()?, free_address()?);
    let control = dir.path().join("control");
    let text = format!(
        "global\n stats socket {control} level admin\ndefaults\n mode http\n timeout connect 2s\n timeout client 30s\n \
         timeout server 30s\n timeout tunnel 60s\nlisten portico\n bind {address}\n balance roundrobin\n \
         option forwardfor\n option httpchk GET /readyz\n default-server check inter 200ms fall 1\n \
         server one {}\n server two {} backup\n",
        one.address,
        two.address,
        control = control.display(),
    );
    let _haproxy = balancer("haproxy", "-f", dir.path(), &text, address).await?;
    // The second is for when the first is out.
    let thandi = Person::sign_in(&one, "thandi").await?.at_address(address);
    let page = Watcher::open(&thandi, "/messages").await?;
    one.arm("before_commit")?;
    let form = tokio::spawn({
        let thandi = thandi.clone();
        async move { thandi.write("Under way.", "k1").await }
    });
    one.reached("before_commit").await?;
    let mut socket = UnixStream::connect(&control).await?;
    socket
        .write_all(b"set server portico/one state drain\n")
        .await?;
    let mut told = String::new();
    socket.read_to_string(&mut told).await?;
    ensure!(told.trim().is_empty(), "it is drained: {told}");
    one.process.signal("TERM")?;
    let meanwhile = thandi.get("/bookings").await?;
    ensure!(meanwhile.status == 200, "the other answers");
    one.release("before_commit");
    let answer = form.await??;
    ensure!(answer.status == 303, "it is answered: {}", answer.status);
    until("the instance has ended", MOVED, || one.process.has_ended()).await?;
    page.is_live(MOVED).await?;
    let written = thandi.write("Afterwards.", "k2").await?;
    ensure!(written.status == 303, "the other takes forms");
    for words in ["Under way.", "Afterwards."] {
        page.shows(words, STALE).await?;
    }
    page.is_exact(two.address, STALE).await?;
    business.is_sound()
}

/// Row 18: nginx cuts what is silent for 10 s, and buffers. A page that nobody writes to stays on its one line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_page_outlives_the_patience_of_nginx() -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let only = Instance::of(&business).serve().await?;
    let upgrade = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;";
    let (_dir, address, _nginx) = nginx(&only, upgrade).await?;
    let thandi = Person::sign_in(&only, "thandi").await?;
    let there = thandi.at_address(address);
    let page = Watcher::open(&there, "/messages").await?;
    // Three of its patiences.
    let mut beats = Vec::new();
    until("it is quiet for long", Duration::from_secs(40), || {
        let beat = page.seen().beat;
        if beats.last() != beat.as_ref() {
            beats.extend(beat);
        }
        beats.len() > 6
    })
    .await?;
    ensure!(page.seen().connections == 1, "one line: {:?}", page.seen());
    thandi.write("Still there?", "k1").await?;
    page.shows("Still there?", STALE).await?;
    page.is_exact(only.address, STALE).await
}

/// Row 18: nginx lets no upgrade through. The page never says that it is live, and loading it again shows what is so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_upgrades_a_page_is_not_live_and_not_wrong() -> Outcome {
    let business = Business::open(On::Sqlite).await?;
    let only = Instance::of(&business).serve().await?;
    let (_dir, address, _nginx) = nginx(&only, "").await?;
    let there = Person::sign_in(&only, "thandi").await?.at_address(address);
    let page = there.get("/messages").await?;
    let url = page.live_url()?;
    let far = Watcher::resume(&there, "/messages", &[address], &url, Seen::of(&page.body));
    ensure!(far.is_live(STALE).await.is_err(), "it is not live");
    ensure!(
        there.write("By post", "k1").await?.status == 303,
        "forms go through"
    );
    let again = there.get("/messages").await?;
    ensure!(again.body.contains("By post"), "it is there");
    let known = far.seen().closed;
    ensure!(known.is_none(), "a page goes on trying: {known:?}");
    Ok(())
}

/// nginx before one instance, with as much patience as row 18 says.
async fn nginx(
    only: &Instance,
    upgrade: &str,
) -> anyhow::Result<(tempfile::TempDir, SocketAddr, Process)> {
    let (dir, address) = (tempfile::tempdir()?, free_address()?);
    let text = format!(
        "daemon off; pid {dir}/pid; error_log stderr; events {{}} http {{ access_log off; \
         client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f; \
         uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s; server {{ listen {address}; location / {{ \
         proxy_http_version 1.1; proxy_read_timeout 10s; proxy_set_header Host $http_host; {upgrade} \
         proxy_pass http://{}; }} }} }}",
        only.address,
        dir = dir.path().display(),
    );
    let nginx = balancer("nginx", "-c", dir.path(), &text, address).await;
    let said = fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    let nginx = nginx.with_context(|| said)?;
    Ok((dir, address, nginx))
}
