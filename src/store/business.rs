//! The settings of the one business, and the database's epoch.

use super::activity::{self, NewActivity};
use super::stranded::Outcome;
use super::{Db, Error, Tx};
use crate::domain::activity::Kind;
use crate::domain::business::Business;
use crate::domain::money::Symbol;
use crate::domain::reminder;
use crate::domain::rule::Rules;
use crate::domain::topic::Topic;
use crate::domain::viewer::StaffViewer;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// What a new business is described by. Everything is text, as the settings table keeps it.
#[derive(Debug, Clone)]
pub struct NewBusiness {
    pub name: String,
    pub address: String,
    /// An IANA name.
    pub zone: String,
    /// An ISO 4217 code.
    pub currency: String,
    /// What stands before an invoice's number.
    pub invoice_prefix: String,
    /// Hundredths of a percent.
    pub tax_rate: i64,
    pub hue: u16,
    pub rules: Rules,
    pub horizon_weeks: i32,
}

/// The settings, each with a plain default, so that an empty database has pages too.
pub async fn load(tx: &mut Tx) -> Result<Business, Error> {
    let rows: Vec<(String, String)> = tx.q("SELECT name, value FROM settings").all().await?;
    let settings: HashMap<String, String> = rows.into_iter().collect();
    let text = |name: &str| settings.get(name).map(String::as_str);
    let number = |name: &str| text(name).and_then(|value| value.parse::<i64>().ok());
    let plain = Business::unnamed();
    Ok(Business {
        name: text("name").map_or(plain.name, str::to_owned),
        address: text("address").map_or(plain.address, str::to_owned),
        zone: text("zone")
            .and_then(|zone| TimeZone::get(zone).ok())
            .unwrap_or(plain.zone),
        symbol: text("currency").map_or(plain.symbol, Symbol::of),
        currency: text("currency").map_or(plain.currency, str::to_owned),
        invoice_prefix: text("invoice_prefix").map_or(plain.invoice_prefix, str::to_owned),
        tax_rate: number("tax_rate").unwrap_or(plain.tax_rate),
        due_days: number("due_days")
            .and_then(|n| n.try_into().ok())
            .unwrap_or(plain.due_days),
        hue: number("hue")
            .and_then(|hue| hue.try_into().ok())
            .unwrap_or(plain.hue),
        rules: Rules {
            cancel_minutes: number("cancel_minutes").unwrap_or(plain.rules.cancel_minutes),
            move_minutes: number("move_minutes").unwrap_or(plain.rules.move_minutes),
            most_open: number("most_open").unwrap_or(plain.rules.most_open),
            late_fee: number("late_fee").unwrap_or(plain.rules.late_fee),
            offer_minutes: number("offer_minutes").unwrap_or(plain.rules.offer_minutes),
            completes: number("completes").map_or(plain.rules.completes, |n| n == 1),
        },
        reminders: text("reminders").map_or(plain.reminders, reminder::times),
        horizon_weeks: number("horizon_weeks")
            .and_then(|n| n.try_into().ok())
            .unwrap_or(plain.horizon_weeks),
    })
}

/// Writes every setting.
pub async fn save(tx: &mut Tx, new: &NewBusiness) -> Result<(), Error> {
    let settings = [
        ("name", new.name.clone()),
        ("address", new.address.clone()),
        ("zone", new.zone.clone()),
        ("currency", new.currency.clone()),
        ("invoice_prefix", new.invoice_prefix.clone()),
        ("tax_rate", new.tax_rate.to_string()),
        ("hue", new.hue.to_string()),
        ("horizon_weeks", new.horizon_weeks.to_string()),
    ];
    for (name, value) in settings.into_iter().chain(written(&new.rules)) {
        set(tx, name, value).await?;
    }
    tx.touch(Topic::Settings);
    Ok(())
}

fn written(rules: &Rules) -> [(&'static str, String); 6] {
    [
        ("cancel_minutes", rules.cancel_minutes.to_string()),
        ("move_minutes", rules.move_minutes.to_string()),
        ("most_open", rules.most_open.to_string()),
        ("late_fee", rules.late_fee.to_string()),
        ("offer_minutes", rules.offer_minutes.to_string()),
        ("completes", i64::from(rules.completes).to_string()),
    ]
}

async fn set(tx: &mut Tx, name: &'static str, value: String) -> Result<(), Error> {
    tx.q("INSERT INTO settings (name, value) VALUES ($1, $2)
          ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(name)
        .bind(value)
        .run()
        .await?;
    Ok(())
}

/// Rules of booking, in place of those that the owner saw.
#[derive(Debug, Clone)]
pub struct SetRules {
    pub by: StaffViewer,
    pub rules: Rules,
    /// The rules that the person saw, as [`Rules::line`] writes them.
    pub seen: String,
    pub now: Timestamp,
}

/// Sets the rules of booking. What is so already is no change.
pub async fn set_rules(tx: &mut Tx, change: &SetRules) -> Result<Outcome<Rules>, Error> {
    // Locks the row: of two who save at once, the second must find what the first wrote.
    tx.q("UPDATE settings SET value = value WHERE name = 'name'")
        .run()
        .await?;
    let stands = load(tx).await?.rules;
    if stands == change.rules {
        return Ok(Outcome::Done);
    }
    if stands.line() != change.seen {
        return Ok(Outcome::Stale(stands));
    }
    for (name, value) in written(&change.rules) {
        set(tx, name, value).await?;
    }
    let (by, now) = (change.by.person, change.now);
    let fact = NewActivity::of_settings(Kind::RulesChanged, by, "the booking rules", now);
    activity::add(tx, &fact).await?;
    tx.touch(Topic::Settings);
    Ok(Outcome::Done)
}

/// Sets when clients are reminded.
pub async fn set_reminders(tx: &mut Tx, times: &[i64]) -> Result<(), Error> {
    tx.q("INSERT INTO settings (name, value) VALUES ('reminders', $1)
          ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(reminder::text(times))
        .run()
        .await?;
    tx.touch(Topic::Settings);
    Ok(())
}

/// The database's epoch, made now if there is none.
pub(super) async fn make_epoch(db: &Db) -> Result<String, Error> {
    if let Some(epoch) = epoch(&mut db.snapshot().await?).await? {
        return Ok(epoch);
    }
    let fresh = format!("{:032x}", rand::random::<u128>());
    db.transact(fresh, |tx, fresh| {
        Box::pin(async move {
            tx.q("INSERT INTO settings (name, value) VALUES ('epoch', $1) ON CONFLICT (name) DO NOTHING")
                .bind(fresh.clone())
                .run()
                .await?;
            epoch(tx).await?.ok_or(Error::NotFound)
        })
    })
    .await
}

/// The secret with which the payment sandbox signs, made now if there is none: instances on one database share it.
pub async fn sandbox_secret(db: &Db, fresh: String) -> Result<String, Error> {
    keep(db, "sandbox_secret", fresh).await
}

/// The key that signs the links which stop reminders, made now if there is none. Such a link lives as long as its mail.
pub async fn mail_key(db: &Db, fresh: String) -> Result<String, Error> {
    keep(db, "mail_key", fresh).await
}

/// The name under which instances on this database hear each other, made now if there is none. It outlives every epoch.
pub async fn bus_channel(db: &Db, fresh: String) -> Result<String, Error> {
    keep(db, "bus_channel", fresh).await
}

/// A setting that is made once and stays: `fresh` if nobody was sooner.
async fn keep(db: &Db, name: &'static str, fresh: String) -> Result<String, Error> {
    db.transact((name, fresh), |tx, (name, fresh)| {
        Box::pin(async move {
            tx.q(
                "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            )
            .bind(*name)
            .bind(fresh.clone())
            .run()
            .await?;
            let (kept,): (String,) = tx
                .q("SELECT value FROM settings WHERE name = $1")
                .bind(*name)
                .one()
                .await?;
            Ok(kept)
        })
    })
    .await
}

/// The epoch as it stands. A Postgres that was brought back to an earlier point goes on under another timeline, which the
/// names of its log's files begin with: versions from before and after it cannot be compared either.
pub(super) async fn epoch(tx: &mut Tx) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = tx
        .pair(
            "SELECT value FROM settings WHERE name = 'epoch'",
            "SELECT value || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
             FROM settings WHERE name = 'epoch'",
        )
        .opt()
        .await?;
    Ok(row.map(|(epoch,)| epoch))
}

/// Whether nobody has ever used this database.
pub async fn is_empty(tx: &mut Tx) -> Result<bool, Error> {
    let (people,): (i64,) = tx.q("SELECT COUNT(*) FROM people").one().await?;
    Ok(people == 0)
}
