//! Making the business: its settings, services, staff, clients and bookings, written in a few transactions.

use super::dice::Dice;
use super::history::History;
use super::money::Books;
use super::people::{self, Guest, Helper};
use super::{PASSWORD, Plan, message};
use crate::domain::booking::plus;
use crate::domain::id::{ClientId, PersonId, ServiceId};
use crate::domain::rule::Rules;
use crate::domain::service::{Colour, Service};
use crate::domain::week::Week;
use crate::secret;
use crate::store::business::{self, NewBusiness};
use crate::store::client::{self, Invite};
use crate::store::notification::{self, See};
use crate::store::person::NewPerson;
use crate::store::{Db, Error, Tx, seed, service, staff};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const ZONE: &str = "Africa/Johannesburg";
/// Rows in one transaction: far from the limit of its time also in a debug build.
const CHUNK: usize = 250;
const DAY: i64 = 24 * 60;
/// How much someone should know has not been looked at, and one.
const NEWS: i64 = 4;

/// Invents Kestrel Physio in an empty database.
pub async fn fill(db: &Db, plan: &Plan) -> anyhow::Result<()> {
    let zone = TimeZone::get(ZONE)?;
    let mut dice = Dice::new(plan.seed);
    let mut staff = people::staff(plan, &mut dice);
    time_off(&mut staff, Week::of(plan.now.to_zoned(zone.clone()).date()));
    let clients = people::clients(plan, &mut dice);
    let services = services();
    // Once for all: each one takes 20 ms, and ten thousand of them minutes.
    let hash = secret::hash_now(PASSWORD);

    let bookings = History::new(plan, &zone, &staff, &services, &clients, &mut dice).write();
    let helpers = staff.clone();
    let opening = Opening {
        staff,
        services,
        hash: hash.clone(),
        now: plan.now,
    };
    let owner = opening.staff.first().map(|owner| (owner.person, owner.id));
    let owner = owner.expect("there are always two staff");
    db.transact(opening, |tx, opening| Box::pin(open(tx, opening)))
        .await?;

    for chunk in clients.chunks(CHUNK) {
        let chunk = people_of(chunk, &hash, plan.now, &mut dice);
        db.transact(chunk, |tx, chunk| {
            Box::pin(async move {
                for (id, person) in chunk {
                    client::create(tx, *id, person).await?;
                }
                Ok(())
            })
        })
        .await?;
    }
    for (n, guest) in (0..).zip(clients.iter().filter(|guest| !guest.joined)) {
        let invited_at = plus(plan.now, -140 - n * DAY);
        let invite = Invite {
            by: owner.0,
            client: guest.id,
            person: person(guest, None, invited_at),
            secret: secret::token(),
        };
        db.transact(invite, |tx, invite| Box::pin(client::invite(tx, invite)))
            .await?;
    }
    for chunk in bookings.chunks(CHUNK) {
        db.transact(chunk.to_vec(), |tx, chunk| {
            Box::pin(seed::bookings(tx, chunk))
        })
        .await?;
    }
    message::fill(db, &zone, plan.now, &helpers, &clients).await?;
    let books = Books {
        owner,
        people: clients
            .iter()
            .filter(|guest| guest.joined)
            .map(|guest| (guest.id, guest.person))
            .collect(),
        waiting: clients.first().map(|guest| guest.id),
        zone: &zone,
        now: plan.now,
    };
    books.write(db, &bookings).await?;
    let known = clients.iter().take(3).map(|guest| guest.person);
    for person in std::iter::once(owner.0).chain(known) {
        look(db, person, plan.now).await?;
    }
    Ok(())
}

/// Opens someone's list of what they should know: of all that was told while the business was made only the newest is news.
async fn look(db: &Db, person: PersonId, now: Timestamp) -> Result<(), Error> {
    let told = notification::list(&mut db.snapshot().await?, person, NEWS).await?;
    let Some(oldest) = told.get(usize::try_from(NEWS - 1).unwrap_or(0)) else {
        return Ok(());
    };
    let see = See {
        person,
        upto: oldest.id,
        now,
    };
    db.transact(see, |tx, see| Box::pin(notification::see(tx, see)))
        .await
}

/// What stands before the first client comes.
struct Opening {
    staff: Vec<Helper>,
    services: Vec<Service>,
    hash: String,
    now: Timestamp,
}

async fn open(tx: &mut Tx, opening: &Opening) -> Result<(), Error> {
    let settings = NewBusiness {
        name: "Kestrel Physio".to_owned(),
        address: "14 Loop Street, Cape Town".to_owned(),
        zone: ZONE.to_owned(),
        currency: "ZAR".to_owned(),
        invoice_prefix: "KP-".to_owned(),
        tax_rate: 1500,
        hue: 172,
        rules: Rules::default(),
        horizon_weeks: 26,
    };
    business::save(tx, &settings).await?;
    for offered in &opening.services {
        service::create(tx, offered).await?;
    }
    for helper in &opening.staff {
        let person = NewPerson {
            id: helper.person,
            email: helper.email.clone(),
            name: helper.name.clone(),
            password_hash: Some(opening.hash.clone()),
            now: plus(opening.now, -600 * DAY),
        };
        staff::create(tx, helper.id, helper.role, &person).await?;
        for (weekday, windows) in (0..).zip(&helper.hours.weekly) {
            for window in windows {
                staff::open_weekly(tx, helper.id, weekday, *window).await?;
            }
        }
        for (day, windows) in &helper.hours.overrides {
            staff::override_day(tx, helper.id, *day, windows).await?;
        }
        for (from, to) in &helper.hours.time_off {
            staff::take_off(tx, helper.id, *from, *to).await?;
        }
    }
    Ok(())
}

/// A free Wednesday for the second, in two weeks, and a closed Friday for the owner, in five.
fn time_off(staff: &mut [Helper], current: Week) {
    let weekday = |weeks: i32, n: usize| current.plus(weeks).days().nth(n);
    if let (Some(owner), Some(friday)) = (staff.first_mut(), weekday(5, 4)) {
        owner.hours.overrides.insert(friday, Vec::new());
    }
    if let (Some(second), Some(wednesday)) = (staff.get_mut(1), weekday(2, 2)) {
        second.hours.time_off.push((wednesday, wednesday));
    }
}

/// The shortest one first: the planner measures by it.
fn services() -> Vec<Service> {
    let service = |name: &str, minutes, price, after| Service {
        id: ServiceId::new(),
        name: name.to_owned(),
        price,
        step: 45,
        minutes,
        before: 0,
        after,
        notice: 120,
        horizon_weeks: None,
        staff: Vec::new(),
        clients: Vec::new(),
        video_url: None,
        colour: Colour::default(),
        version: 1,
    };
    vec![
        service("Follow-up treatment", 45, 85_000, 0),
        service("First assessment", 60, 110_000, 15),
        service("Sports massage", 90, 130_000, 15),
    ]
}

/// Those of them who have an account already, as rows.
fn people_of(
    guests: &[Guest],
    hash: &str,
    now: Timestamp,
    dice: &mut Dice,
) -> Vec<(ClientId, NewPerson)> {
    let joined = guests.iter().filter(|guest| guest.joined);
    joined
        .map(|guest| {
            // Before the first booking of any plan.
            let since = plus(now, -dice.between(150, 500) * DAY - dice.between(0, DAY));
            (guest.id, person(guest, Some(hash.to_owned()), since))
        })
        .collect()
}

fn person(guest: &Guest, password_hash: Option<String>, now: Timestamp) -> NewPerson {
    NewPerson {
        id: guest.person,
        email: guest.email.clone(),
        name: guest.name.clone(),
        password_hash,
        now,
    }
}
