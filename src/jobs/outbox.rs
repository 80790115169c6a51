//! Sends the mails that wait. Any instance may: a mail is leased to one, read again, sent, and marked by whoever holds it.
//! One that dies between sending and marking has it sent twice, under one Message-ID. No request waits for a mail server.

mod post;

use crate::app::App;
use crate::domain::email::{self, Email, Verdict};
use crate::fault;
use crate::secret;
use crate::store::outbox::{self, Claim, Outcome, Settle};
use crate::store::{self, business};
use crate::views;
use futures_util::future::join_all;
pub(super) use post::Post;
use post::{Answer, PATIENCE};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How soon a mail leaves.
const EVERY: Duration = Duration::from_secs(1);
/// Mails under way at a time: as many lines as mail servers take from one sender without asking.
const AT_A_TIME: i64 = 8;
/// A lease outlives the longest try, so that only the dead lose one.
const LEASE: Duration = Duration::from_secs(2 * PATIENCE.as_secs());

pub(super) async fn run(app: App, post: Post) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        loop {
            match round(&app, &post).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "the outbox could not be read");
                    break;
                }
            }
        }
    }
}

/// Sends what is due, and tells how much that was.
async fn round(app: &App, post: &Post) -> Result<usize, store::Error> {
    let now = app.clock.now();
    if !outbox::is_due(&app.db, now).await? {
        return Ok(0);
    }
    let claim = Claim {
        lease: secret::token(),
        now,
        until: now + LEASE,
        most: AT_A_TIME,
    };
    let lease = claim.lease.clone();
    let mails = app
        .transact(claim, |tx, claim| {
            Box::pin(async move {
                let mails = outbox::claim(tx, claim).await?;
                Ok((business::load(tx).await?, mails))
            })
        })
        .await?;
    let (business, mails) = mails;
    let settled = join_all(mails.iter().map(async |mail| {
        let outcome = match mail.verdict(now) {
            Verdict::Drop(reason) => Outcome::Dropped {
                reason: reason.to_owned(),
            },
            Verdict::GiveUp => Outcome::Failed {
                reason: "It waited for longer than two days.".to_owned(),
            },
            Verdict::Send => {
                let stop = secret::sign(&app.mail_key, &mail.to.to_string());
                let base_url = app.config.base_url.as_str();
                let letter = views::email::letter(&business, base_url, mail, Some(&stop));
                let from = post.party(&business);
                let invite = views::ical::invite(&business, base_url, mail, &from);
                let answer = post.send(&from, mail, letter, invite).await;
                fault::point("sent_mail").await;
                outcome(app, mail, answer)
            }
        };
        let settle = Settle {
            email: mail.id,
            lease: lease.clone(),
            outcome,
            now: app.clock.now(),
        };
        app.transact(settle, |tx, settle| Box::pin(outbox::settle(tx, settle)))
            .await
    }));
    for settled in settled.await {
        settled?;
    }
    Ok(mails.len())
}

/// What an answer of the mail server makes of a mail. The log names neither who it is for nor what the server said of them.
fn outcome(app: &App, mail: &Email, answer: Answer) -> Outcome {
    let (is_final, reason) = match answer {
        Answer::Taken => return Outcome::Sent,
        Answer::Later(reason) => (false, reason),
        Answer::Never(reason) => (true, reason),
    };
    let now = app.clock.now();
    let due_at = now + email::pause(mail.tries);
    if is_final || due_at.duration_since(mail.waits_since) > email::GIVE_UP {
        tracing::warn!(mail = %mail.id, tries = mail.tries, "a mail could not be sent");
        return Outcome::Failed { reason };
    }
    tracing::info!(mail = %mail.id, tries = mail.tries, "a mail has to be sent again");
    Outcome::Later { due_at, reason }
}
