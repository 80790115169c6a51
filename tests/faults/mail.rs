//! Mails, and instances that die while they send them.

use crate::post::Post;
use crate::rig::instance::Start;
use crate::rig::{Business, Instance, On, Outcome};
use anyhow::ensure;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Long enough for two jobs to find what is due and for a few dozen mails.
const SENT: Duration = Duration::from_secs(40);

fn sending(business: &Business, post: &Post) -> Start {
    Instance::of(business)
        .with("PORTICO_SMTP_URL", &post.url)
        .with("PORTICO_MAIL_FROM", "hello@kestrel.example")
}

/// Rows 22 and 36: reminders are due, and an instance is killed when the server has taken mails that nobody has marked yet. Two
/// others send all of them: none is lost, and what arrives twice has one Message-ID.
async fn killed_between_sending_and_marking(on: On) -> Outcome {
    let business = Business::open(on).await?;
    let post = Post::open().await;
    // Everybody booked long ago, and is reminded two weeks ahead.
    let long_ago = "UPDATE bookings SET created_at = 0";
    let early = "INSERT INTO settings (name, value) VALUES ('reminders', '20160')";
    business.tell(format!("{long_ago}; {early}")).await?;
    let mut first = sending(&business, &post)
        .armed("sent_mail")?
        .serve()
        .await?;
    first.reached("sent_mail").await?;
    let taken = post.has(1).await.len();
    let second = sending(&business, &post).serve().await?;
    let third = sending(&business, &post).serve().await?;
    first.kill();
    // The minute that its lease lives on.
    let over = "UPDATE outbox SET lease_until = 0 WHERE status = 'waiting'";
    business.tell(over.to_owned()).await?;

    let waiting = "SELECT COUNT(*) FROM outbox WHERE status <> 'sent'";
    let facts = "SELECT COUNT(*) FROM outbox WHERE kind = 'reminder'";
    let began = Instant::now();
    while business.count(waiting).await? > 0 || business.count(facts).await? == 0 {
        ensure!(
            began.elapsed() < SENT,
            "{} wait: {}",
            business.count(waiting).await?,
            second.log() + &third.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut copies: HashMap<String, (String, usize)> = HashMap::new();
    for mail in post.arrived() {
        let of = copies.entry(mail.id).or_insert((mail.text.clone(), 0));
        ensure!(of.0 == mail.text, "one name, two mails");
        of.1 += 1;
    }
    let facts = usize::try_from(business.count(facts).await?)?;
    ensure!(copies.len() == facts, "{} of {facts} mails", copies.len());
    let twice = copies.values().filter(|(_, count)| *count > 1).count();
    ensure!(taken > 0 && twice > 0, "nothing was sent before the kill");
    ensure!(twice <= 8, "{twice} mails went out twice");
    ensure!(
        !second.log().contains('@') && !third.log().contains('@'),
        "an address is in a log"
    );
    business.is_sound()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_sending_and_marking_no_reminder_is_lost_on_sqlite() -> Outcome {
    killed_between_sending_and_marking(On::Sqlite).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_sending_and_marking_no_reminder_is_lost_on_postgres() -> Outcome {
    killed_between_sending_and_marking(On::Postgres).await
}
