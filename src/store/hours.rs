//! How the owner changes when someone works. Whoever would lose the hours of their session is named first, and the change is
//! made only by whoever has seen those names.

use super::activity::{self, NewActivity};
use super::stranded::Outcome;
use super::{Error, Tx, booking, business, staff};
use crate::domain::activity::Kind;
use crate::domain::hours::{Change, line, stranded};
use crate::domain::id::StaffId;
use crate::domain::slot::{Hours, Window};
use crate::domain::topic::Topic;
use crate::domain::viewer::StaffViewer;
use jiff::Timestamp;
use jiff::civil::Date;

/// A change to someone's hours.
#[derive(Debug, Clone)]
pub struct Set {
    pub by: StaffViewer,
    pub staff: StaffId,
    pub change: Change,
    /// The hours that the person saw, as [`line`] writes them.
    pub seen: String,
    /// Of the sessions that the person was shown, and agreed to leave as they are.
    pub agreed: Option<String>,
    pub now: Timestamp,
}

/// Changes someone's hours. What is so already is no change.
pub async fn set(tx: &mut Tx, set: &Set) -> Result<Outcome<Hours>, Error> {
    // Who books relies on this row: until the commit nobody books by hours that are about to change.
    staff::lock(tx, set.staff).await?;
    let one = staff::find(tx, set.staff).await?;
    let business = business::load(tx).await?;
    let stands = staff::hours(tx, set.staff, business.today(set.now)).await?;
    let wanted = set.change.applied(&stands);
    if line(&wanted) == line(&stands) {
        return Ok(Outcome::Done);
    }
    if line(&stands) != set.seen {
        return Ok(Outcome::Stale(stands));
    }
    let coming = booking::coming_with(tx, set.staff, set.now).await?;
    let left = stranded(&business, &stands, &wanted, coming);
    if let Some(ask) = Outcome::asking(left, set.agreed.as_deref()) {
        return Ok(ask);
    }
    match &set.change {
        Change::Week(weekly) => week(tx, set.staff, weekly).await?,
        Change::Override(day, windows) => {
            staff::override_day(tx, set.staff, *day, windows).await?;
        }
        Change::Plain(day) => plain(tx, set.staff, *day).await?,
        Change::Off(from, to) => staff::take_off(tx, set.staff, *from, *to).await?,
        Change::On(from) => back(tx, set.staff, *from).await?,
    }
    let fact = NewActivity::of_settings(Kind::HoursChanged, set.by.person, &one.name, set.now);
    activity::add(tx, &fact).await?;
    tx.touch(Topic::Calendar(set.staff));
    Ok(Outcome::Done)
}

async fn week(tx: &mut Tx, staff: StaffId, weekly: &[Vec<Window>; 7]) -> Result<(), Error> {
    tx.q("DELETE FROM availability WHERE staff_id = $1")
        .bind(staff.0)
        .run()
        .await?;
    for (weekday, windows) in (0i64..).zip(weekly) {
        for window in windows {
            super::staff::open_weekly(tx, staff, weekday, *window).await?;
        }
    }
    Ok(())
}

async fn plain(tx: &mut Tx, staff: StaffId, day: Date) -> Result<(), Error> {
    tx.q("DELETE FROM overrides WHERE staff_id = $1 AND day_on = $2")
        .bind(staff.0)
        .bind(day.to_string())
        .run()
        .await?;
    Ok(())
}

async fn back(tx: &mut Tx, staff: StaffId, from: Date) -> Result<(), Error> {
    tx.q("DELETE FROM time_off WHERE staff_id = $1 AND from_on = $2")
        .bind(staff.0)
        .bind(from.to_string())
        .run()
        .await?;
    Ok(())
}
