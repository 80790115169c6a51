//! The invented people of the demo: every few seconds one of them books, moves, cancels or writes, as a request would.

use super::dice::Dice;
use super::{diary, history, message, money, people};
use crate::clock::Clock;
use crate::domain::booking::{Booking, Status, plus};
use crate::domain::business::Business;
use crate::domain::client::Client;
use crate::domain::id::{BookingId, InvoiceId, StaffId};
use crate::domain::invoice::{Filter, Invoice};
use crate::domain::service::Service;
use crate::domain::slot::{Busy, Calendar, Hours};
use crate::domain::viewer::{ClientViewer, Viewer};
use crate::domain::week::Week;
use crate::store::booking::{self, Book, Cancel, Move};
use crate::store::{Db, Error, business, client, invoice, service, staff};
use jiff::Timestamp;
use jiff::civil::Date;
use std::time::Duration;

/// Of a hundred: below the first nobody leaves a week, above the second nobody joins it.
const EMPTY: i64 = 45;
const FULL: i64 = 75;
/// Starts that a week must have left: of fewer, one booking is too large a share to steer by.
const FEW: i64 = 4;

/// Acts until it is dropped. It never touches what the known clients have.
pub async fn act(db: Db, clock: Clock, seed: u64) {
    let mut dice = Dice::new(seed);
    loop {
        let pause = u64::try_from(dice.between(2_000, 6_000)).unwrap_or(2_000);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        match step(&db, clock.now(), &mut dice).await {
            // Someone else was quicker: so it goes.
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(error) => tracing::warn!(%error, "an invented client could not act"),
        }
    }
}

/// What an invented client did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Booked,
    Moved,
    Cancelled,
    Paid,
    /// They wrote, or were answered.
    Wrote,
    /// There was nothing to do where they looked.
    Nothing,
}

/// One act of someone, somewhere in this week or the next two.
pub(super) async fn step(db: &Db, now: Timestamp, dice: &mut Dice) -> Result<Act, Error> {
    if dice.chance(15) {
        message::write(db, now, dice).await?;
        return Ok(Act::Wrote);
    }
    let Some(scene) = Scene::look(db, now, dice).await? else {
        return Ok(Act::Nothing);
    };
    let Some((full, _)) = scene.fullness().filter(|&(_, starts)| starts >= FEW) else {
        return Ok(Act::Nothing);
    };
    if dice.chance(15) {
        return scene.pay(db, dice).await;
    }
    let roll = dice.between(0, 99);
    let books = 20 + FULL - full;
    if full <= FULL && (full < EMPTY || roll < books) {
        scene.book(db, dice).await
    } else if full <= FULL && roll < books + 35 {
        scene.reschedule(db, dice).await
    } else {
        scene.cancel(db, dice).await
    }
}

/// One member of staff's week, and who may act in it.
struct Scene {
    now: Timestamp,
    business: Business,
    services: Vec<Service>,
    staff: StaffId,
    hours: Hours,
    busy: Vec<Busy>,
    from: Date,
    to: Date,
    clients: Vec<Client>,
    /// Everyone's sessions of the week, whoever the staff.
    agenda: Vec<Booking>,
    unpaid: Vec<Invoice>,
}

impl Scene {
    async fn look(db: &Db, now: Timestamp, dice: &mut Dice) -> Result<Option<Self>, Error> {
        let mut tx = db.snapshot().await?;
        let business = business::load(&mut tx).await?;
        let mut services = service::list(&mut tx).await?;
        let helpers = staff::list(&mut tx).await?;
        let Some(helper) = dice.pick(&helpers) else {
            return Ok(None);
        };
        services.retain(|service| service.is_offered_by(helper.id));
        let today = business.today(now);
        let week = Week::of(today).plus(i32::try_from(dice.between(0, 2)).unwrap_or(0));
        let (from, to) = (week.first().max(today), week.last());
        let (start, end) = (business.starts(from), business.starts(week.plus(1).first()));
        let hours = staff::hours(&mut tx, helper.id, from).await?;
        let busy = booking::busy(&mut tx, helper.id, start, end, None).await?;
        let agenda = booking::agenda(&mut tx, start, end).await?;
        let mut clients = client::list(&mut tx, now).await?;
        clients.retain(|client| client.joined && !people::is_known(&client.email));
        let unpaid = invoice::list(&mut tx, Filter::Open, None, today, 100).await?;
        let staff = helper.id;
        Ok(Some(Self {
            now,
            business,
            services,
            staff,
            hours,
            busy,
            from,
            to,
            clients,
            agenda,
            unpaid,
        }))
    }

    fn calendar(&self) -> Calendar<'_> {
        let (zone, hours, busy) = (&self.business.zone, &self.hours, &self.busy);
        Calendar {
            zone,
            hours,
            busy,
            now: Some(self.now),
        }
    }

    fn fullness(&self) -> Option<(i64, i64)> {
        let shortest = self.services.iter().min_by_key(|service| service.minutes)?;
        diary::fullness(&self.calendar(), shortest, self.from, self.to)
    }

    async fn book(&self, db: &Db, dice: &mut Dice) -> Result<Act, Error> {
        let service = self
            .services
            .get(history::any_service(dice))
            .or(self.services.first());
        let Some(service) = service else {
            return Ok(Act::Nothing);
        };
        let Some(start) = self.any_start(service, dice) else {
            return Ok(Act::Nothing);
        };
        let day = self.business.local(start).date();
        let is_away = |client: &&Client| {
            let same = |other: &&Booking| {
                other.client == client.id && self.business.local(other.starts_at).date() == day
            };
            !self.agenda.iter().any(|booking| same(&booking))
        };
        let away: Vec<&Client> = self.clients.iter().filter(is_away).collect();
        let Some(client) = dice.pick(&away) else {
            return Ok(Act::Nothing);
        };
        let book = Book {
            viewer: viewer(client),
            client: client.id,
            staff: self.staff,
            service: service.id,
            start,
            key: BookingId::new().to_string(),
            reason: None,
            now: self.now,
        };
        db.transact(book, |tx, book| Box::pin(booking::book(tx, book)))
            .await?;
        Ok(Act::Booked)
    }

    async fn reschedule(&self, db: &Db, dice: &mut Dice) -> Result<Act, Error> {
        let Some((client, booking)) = self.any_booking(false, dice) else {
            return Ok(Act::Nothing);
        };
        let service = self
            .services
            .iter()
            .find(|service| service.id == booking.service);
        let Some(start) = service.and_then(|service| self.any_start(service, dice)) else {
            return Ok(Act::Nothing);
        };
        let to = Move {
            viewer: viewer(client),
            booking: booking.id,
            version: booking.version,
            staff: self.staff,
            start,
            reason: None,
            now: self.now,
        };
        db.transact(to, |tx, to| Box::pin(booking::reschedule(tx, to)))
            .await?;
        Ok(Act::Moved)
    }

    async fn cancel(&self, db: &Db, dice: &mut Dice) -> Result<Act, Error> {
        let late = dice.chance(10);
        let Some((client, booking)) = self.any_booking(late, dice) else {
            return Ok(Act::Nothing);
        };
        let cancel = Cancel {
            viewer: viewer(client),
            booking: booking.id,
            version: booking.version,
            told: None,
            reason: None,
            now: self.now,
        };
        db.transact(cancel, |tx, cancel| Box::pin(booking::cancel(tx, cancel)))
            .await?;
        Ok(Act::Cancelled)
    }

    async fn pay(&self, db: &Db, dice: &mut Dice) -> Result<Act, Error> {
        let theirs = |invoice: &Invoice| {
            let client = self.clients.iter().find(|one| one.id == invoice.client)?;
            Some((client, invoice.id))
        };
        let theirs: Vec<(&Client, InvoiceId)> = self.unpaid.iter().filter_map(theirs).collect();
        let Some((client, invoice)) = dice.pick(&theirs) else {
            return Ok(Act::Nothing);
        };
        money::settle(db, own(client), *invoice, self.now).await?;
        Ok(Act::Paid)
    }

    fn any_start(&self, service: &Service, dice: &mut Dice) -> Option<Timestamp> {
        let to = self.to.min(self.business.horizon(self.now));
        dice.pick(&self.calendar().slots(&service.terms(), self.from, to))
            .copied()
    }

    /// Someone's coming session with this member of staff, inside the window for changes only if `late`.
    fn any_booking(&self, late: bool, dice: &mut Dice) -> Option<(&Client, &Booking)> {
        let window = if late {
            0
        } else {
            let rules = &self.business.rules;
            rules.cancel_minutes.max(rules.move_minutes)
        };
        let from = plus(self.now, window);
        let changeable = |booking: &&Booking| {
            booking.staff == self.staff
                && booking.status == Status::Confirmed
                && booking.starts_at > from
        };
        let bookings = self.agenda.iter().filter(changeable);
        let theirs: Vec<(&Client, &Booking)> = bookings
            .filter_map(|booking| {
                Some((
                    self.clients
                        .iter()
                        .find(|client| client.id == booking.client)?,
                    booking,
                ))
            })
            .collect();
        dice.pick(&theirs).copied()
    }
}

fn viewer(client: &Client) -> Viewer {
    Viewer::Client(own(client))
}

fn own(client: &Client) -> ClientViewer {
    ClientViewer {
        person: client.person,
        client: client.id,
        name: client.name.clone(),
    }
}
