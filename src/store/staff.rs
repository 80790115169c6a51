//! Staff and when they work.

use super::{Error, Tx, person};
use crate::domain::id::{PersonId, StaffId};
use crate::domain::slot::{Hours, Window};
use crate::domain::staff::Staff;
use crate::domain::topic::Topic;
use crate::domain::viewer::Role;
use jiff::civil::Date;

/// Everyone who serves clients, in the order of the business.
pub async fn list(tx: &mut Tx) -> Result<Vec<Staff>, Error> {
    let rows: Vec<(uuid::Uuid, uuid::Uuid, String, String)> = tx
        .q("SELECT staff.id, people.id, people.name, staff.role FROM staff JOIN people ON people.id = staff.person_id
            WHERE NOT people.disabled ORDER BY staff.position, staff.id")
        .all()
        .await?;
    let staff = |(id, person, name, role): (uuid::Uuid, uuid::Uuid, String, String)| Staff {
        id: id.into(),
        person: person.into(),
        name,
        role: Role::parse(&role),
    };
    Ok(rows.into_iter().map(staff).collect())
}

/// Someone who serves clients.
pub async fn find(tx: &mut Tx, id: StaffId) -> Result<Staff, Error> {
    list(tx)
        .await?
        .into_iter()
        .find(|staff| staff.id == id)
        .ok_or(Error::NotFound)
}

/// Adds a person and makes them staff.
pub async fn create(
    tx: &mut Tx,
    id: StaffId,
    role: Role,
    new: &person::NewPerson,
) -> Result<(), Error> {
    person::create(tx, new).await?;
    tx.q("INSERT INTO staff (id, person_id, role, position) VALUES ($1, $2, $3, (SELECT COUNT(*) FROM staff))")
        .bind(id.0)
        .bind(new.id.0)
        .bind(role.as_str())
        .run()
        .await?;
    tx.touch(Topic::Settings);
    tx.touch(Topic::Calendar(id));
    Ok(())
}

/// Changes what a member of staff may do, here and in every page they have open.
pub async fn set_role(tx: &mut Tx, person: PersonId, role: Role) -> Result<(), Error> {
    let changed = tx
        .q("UPDATE staff SET role = $2 WHERE person_id = $1")
        .bind(person.0)
        .bind(role.as_str())
        .run()
        .await?;
    if changed == 0 {
        return Err(Error::NotFound);
    }
    tx.touch(Topic::Settings);
    tx.touch(Topic::Viewer(person));
    Ok(())
}

/// When someone works. Overrides and time off that end before `from` are left out.
pub async fn hours(tx: &mut Tx, staff: StaffId, from: Date) -> Result<Hours, Error> {
    // A window may run past midnight, so that yesterday's override still matters.
    let from = from.yesterday().unwrap_or(Date::MIN).to_string();
    // One statement for three tables: each costs a trip to the database, and every calendar asks.
    let rows: Vec<(String, i64, i64, i64, String, String)> = tx
        .q("SELECT 'weekly', weekday, start_minute, end_minute, '', '' FROM availability WHERE staff_id = $1
            UNION ALL
            SELECT 'override', 0, 0, 0, day_on, windows FROM overrides WHERE staff_id = $1 AND day_on >= $2
            UNION ALL
            SELECT 'off', 0, 0, 0, from_on, to_on FROM time_off WHERE staff_id = $1 AND to_on >= $2
            ORDER BY 1, 2, 3, 5")
        .bind(staff.0)
        .bind(from)
        .all()
        .await?;
    let mut hours = Hours::default();
    for (kind, weekday, start, end, day, rest) in rows {
        match kind.as_str() {
            "weekly" => {
                let day = usize::try_from(weekday).ok();
                let day = day.and_then(|day| hours.weekly.get_mut(day));
                day.expect("weekday has a CHECK")
                    .push(Window { start, end });
            }
            "override" => {
                let windows: Vec<(i64, i64)> = serde_json::from_str(&rest).unwrap_or_default();
                let windows = windows
                    .into_iter()
                    .map(|(start, end)| Window { start, end });
                if let Ok(day) = day.parse() {
                    hours.overrides.insert(day, windows.collect());
                }
            }
            _ => hours
                .time_off
                .extend(day.parse().ok().zip(rest.parse().ok())),
        }
    }
    Ok(hours)
}

/// Adds a window to a weekday (0 is Monday).
pub async fn open_weekly(
    tx: &mut Tx,
    staff: StaffId,
    weekday: i64,
    window: Window,
) -> Result<(), Error> {
    lock(tx, staff).await?;
    tx.q("INSERT INTO availability (staff_id, weekday, start_minute, end_minute) VALUES ($1, $2, $3, $4)")
        .bind(staff.0)
        .bind(weekday)
        .bind(window.start)
        .bind(window.end)
        .run()
        .await?;
    tx.touch(Topic::Calendar(staff));
    Ok(())
}

/// Replaces the hours of one date; no windows close it.
pub async fn override_day(
    tx: &mut Tx,
    staff: StaffId,
    day: Date,
    windows: &[Window],
) -> Result<(), Error> {
    lock(tx, staff).await?;
    let windows: Vec<(i64, i64)> = windows
        .iter()
        .map(|window| (window.start, window.end))
        .collect();
    tx.q(
        "INSERT INTO overrides (staff_id, day_on, windows) VALUES ($1, $2, $3)
          ON CONFLICT (staff_id, day_on) DO UPDATE SET windows = excluded.windows",
    )
    .bind(staff.0)
    .bind(day.to_string())
    .bind(serde_json::to_string(&windows).expect("numbers are JSON"))
    .run()
    .await?;
    tx.touch(Topic::Calendar(staff));
    Ok(())
}

/// Takes whole dates off, both included.
pub async fn take_off(tx: &mut Tx, staff: StaffId, from: Date, to: Date) -> Result<(), Error> {
    lock(tx, staff).await?;
    tx.q(
        "INSERT INTO time_off (staff_id, from_on, to_on) VALUES ($1, $2, $3)
          ON CONFLICT (staff_id, from_on) DO UPDATE SET to_on = excluded.to_on",
    )
    .bind(staff.0)
    .bind(from.to_string())
    .bind(to.to_string())
    .run()
    .await?;
    tx.touch(Topic::Calendar(staff));
    Ok(())
}

/// Locks someone's schedule against everyone who changes it or relies on it, until the commit. SQLite has one writer.
pub(super) async fn lock(tx: &mut Tx, staff: StaffId) -> Result<(), Error> {
    tx.pair(
        "SELECT position FROM staff WHERE id = $1",
        "SELECT position FROM staff WHERE id = $1 FOR UPDATE",
    )
    .bind(staff.0)
    .one::<(i64,)>()
    .await?;
    Ok(())
}

/// Keeps someone's schedule from changing until the commit, while others may rely on it too.
pub(super) async fn rely_on(tx: &mut Tx, staff: StaffId) -> Result<(), Error> {
    tx.pair(
        "SELECT position FROM staff WHERE id = $1",
        "SELECT position FROM staff WHERE id = $1 FOR SHARE",
    )
    .bind(staff.0)
    .one::<(i64,)>()
    .await?;
    Ok(())
}
