//! Failed sign-ins slow the next ones down, per account and per address, on every instance at once.
//!
//! Nobody is ever locked out: the longest wait is half a minute, and an address that has not failed itself is let
//! through to an attacked account once a second.

use super::{Error, Tx};
use jiff::Timestamp;

/// Failures that cost nothing: people mistype.
const FREE_PER_ACCOUNT: i64 = 5;
const FREE_PER_ADDRESS: i64 = 20;
/// The longest wait, in seconds.
const CAP: i64 = 30;
/// After so long without a failure all is forgotten.
const MEMORY_MS: i64 = 15 * 60 * 1000;

/// A sign-in under way.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub email: String,
    pub address: String,
    pub now: Timestamp,
}

impl Attempt {
    fn subjects(&self) -> (String, String) {
        (
            format!("account {}", self.email),
            format!("address {}", self.address),
        )
    }
}

/// Counts an attempt as failed until [`succeeded`] takes that back, so that a hundred at once cannot all slip through.
/// `Err` is the number of seconds to wait; then nothing was counted.
pub async fn begin(tx: &mut Tx, attempt: &Attempt) -> Result<Result<(), i64>, Error> {
    let (account, address) = attempt.subjects();
    // In this order in every transaction, so that two never wait for each other.
    let at_account = count(tx, &account, attempt.now).await?;
    let at_address = count(tx, &address, attempt.now).await?;
    let clean = at_address.failures == 0;
    let wait = at_account
        .wait(FREE_PER_ACCOUNT, if clean { 1 } else { CAP }, attempt.now)
        .max(at_address.wait(FREE_PER_ADDRESS, CAP, attempt.now));
    if wait > 0 {
        uncount(tx, &account, &at_account).await?;
        uncount(tx, &address, &at_address).await?;
        return Ok(Err(wait));
    }
    Ok(Ok(()))
}

/// The attempt was right: the account starts afresh, and the address is as it was before.
pub async fn succeeded(tx: &mut Tx, attempt: &Attempt) -> Result<(), Error> {
    let (account, address) = attempt.subjects();
    tx.q("DELETE FROM throttles WHERE subject = $1")
        .bind(account)
        .run()
        .await?;
    tx.q("UPDATE throttles SET failures = failures - 1 WHERE subject = $1 AND failures > 0")
        .bind(address)
        .run()
        .await?;
    Ok(())
}

/// How a subject stood before this attempt.
struct Before {
    failures: i64,
    last_at: i64,
}

impl Before {
    /// Seconds to wait: nothing for the first `free` failures, then one, two, four … up to `cap`.
    fn wait(&self, free: i64, cap: i64, now: Timestamp) -> i64 {
        if self.failures < free {
            return 0;
        }
        let doublings = (self.failures - free).clamp(0, 10);
        let pause = (1i64 << doublings).min(cap) * 1000;
        (self.last_at + pause - now.as_millisecond() + 999)
            .div_euclid(1000)
            .max(0)
    }
}

async fn count(tx: &mut Tx, subject: &str, now: Timestamp) -> Result<Before, Error> {
    // The row is locked by making it or changing it; only then is it safe to read.
    tx.q(
        "INSERT INTO throttles (subject, failures, last_at) VALUES ($1, 0, 0)
          ON CONFLICT (subject) DO UPDATE SET failures = throttles.failures",
    )
    .bind(subject.to_owned())
    .run()
    .await?;
    let (failures, last_at): (i64, i64) = tx
        .q("SELECT failures, last_at FROM throttles WHERE subject = $1")
        .bind(subject.to_owned())
        .one()
        .await?;
    let fresh = now.as_millisecond() - last_at > MEMORY_MS;
    let before = Before {
        failures: if fresh { 0 } else { failures },
        last_at,
    };
    set(tx, subject, before.failures + 1, now.as_millisecond()).await?;
    Ok(before)
}

async fn uncount(tx: &mut Tx, subject: &str, before: &Before) -> Result<(), Error> {
    set(tx, subject, before.failures, before.last_at).await
}

async fn set(tx: &mut Tx, subject: &str, failures: i64, last_at: i64) -> Result<(), Error> {
    tx.q("UPDATE throttles SET failures = $2, last_at = $3 WHERE subject = $1")
        .bind(subject.to_owned())
        .bind(failures)
        .bind(last_at)
        .run()
        .await?;
    Ok(())
}
