//! The writes: book, move, cancel. Each checks the rule, takes or frees the time, and leaves its mail and its line of
//! activity in one transaction. The database's key has the last word on what is taken. One's own hold makes room for what
//! it was taken for in that transaction, so that nobody comes between.

use super::excuse::{Excuse, squeeze};
use super::occupied::{self, Taker};
use super::{find, moves};
use crate::domain::activity::Kind;
use crate::domain::booking::{Booking, Cost, Refusal, Status, objections, plus};
use crate::domain::business::Business;
use crate::domain::email;
use crate::domain::hold::check;
use crate::domain::id::{BookingId, ClientId, PersonId, ServiceId, StaffId};
use crate::domain::notification;
use crate::domain::rule::{Reason, Rule, Rules, broken};
use crate::domain::service::Service;
use crate::domain::slot::{Busy, Calendar};
use crate::domain::topic::Topic;
use crate::domain::viewer::Viewer;
use crate::store::activity::NewActivity;
use crate::store::answer::{self, Form};
use crate::store::notification::{self as notifications, NewNotification};
use crate::store::outbox::{self, NewEmail};
use crate::store::{Error, Tx, activity, business, hold, service, staff, wait};
use jiff::Timestamp;

/// A booking to be made.
#[derive(Debug, Clone)]
pub struct Book {
    pub viewer: Viewer,
    pub client: ClientId,
    pub staff: StaffId,
    pub service: ServiceId,
    pub start: Timestamp,
    /// The form's key: sent twice, it books once.
    pub key: String,
    /// From staff: why they set rules aside.
    pub reason: Option<Reason>,
    pub now: Timestamp,
}

/// Books, and tells which booking that is; the same form again tells the same.
pub async fn book(tx: &mut Tx, book: &Book) -> Result<BookingId, Error> {
    let person = book.viewer.person().ok_or(Error::NotFound)?;
    if matches!(&book.viewer, Viewer::Client(own) if own.client != book.client) {
        return Err(Error::NotFound);
    }
    let form = Form {
        person,
        key: book.key.clone(),
        fields: format!(
            "book {} {} {} {}",
            book.client, book.staff, book.service, book.start
        ),
        now: book.now,
    };
    if let Some(outcome) = answer::begin(tx, &form).await? {
        return outcome.parse().map_err(|_| Error::KeyReused);
    }
    if book.reason.is_some() {
        // Buffers around it may be cut.
        staff::lock(tx, book.staff).await?;
    } else {
        staff::rely_on(tx, book.staff).await?;
    }
    hold::end(tx, &book.viewer).await?;
    let service = service::find(tx, book.service)
        .await?
        .asked_by(&book.viewer);
    let mut excuse = Excuse::new(&book.viewer, book.reason.as_ref());
    let business = business::load(tx).await?;
    let open_count = open_count(tx, &business.rules, book.client, book.now).await?;
    let rules = &business.rules;
    for refusal in objections(rules, &service, book.staff, book.client, open_count) {
        excuse.hear(refusal)?;
    }
    let place = Place {
        client: book.client,
        staff: book.staff,
        start: book.start,
        except: None,
        now: book.now,
    };
    let busy = fits(tx, &business, &service, &place, &mut excuse).await?;
    let aside = excuse.end()?;

    let id = BookingId::new();
    let made = tx
        .q("INSERT INTO bookings (id, client_id, staff_id, service_id, starts_at, minutes, before_minutes,
                                  after_minutes, price, status, late, version, created_at)
            SELECT $1, clients.id, $3, $4, $5, $6, $7, $8, $9, 'confirmed', FALSE, 1, $10
            FROM clients WHERE clients.id = $2")
        .bind(id.0)
        .bind(book.client.0)
        .bind(book.staff.0)
        .bind(book.service.0)
        .bind(book.start.as_millisecond())
        .bind(service.minutes)
        .bind(busy.before)
        .bind(busy.after)
        .bind(service.price)
        .bind(book.now.as_millisecond())
        .run()
        .await?;
    if made == 0 {
        return Err(Error::NotFound);
    }
    occupied::take(tx, Taker::Booking(id), book.staff, &busy).await?;
    let booking = find(tx, &book.viewer, id).await?;
    wait::met(tx, &booking, book.now).await?;
    tell(
        tx,
        &business,
        &booking,
        Told {
            actor: person,
            kind: Kind::Booked,
            mail: email::Kind::Booked,
            aside,
            now: book.now,
        },
    )
    .await?;
    answer::finish(tx, &form, &id.to_string()).await?;
    Ok(id)
}

/// A booking to be moved.
#[derive(Debug, Clone)]
pub struct Move {
    pub viewer: Viewer,
    pub booking: BookingId,
    /// The version that the person saw.
    pub version: i64,
    pub staff: StaffId,
    pub start: Timestamp,
    /// From staff: why they set rules aside.
    pub reason: Option<Reason>,
    pub now: Timestamp,
}

/// Moves a booking: its old time is free at once. Doing it again is no change and no error.
pub async fn reschedule(tx: &mut Tx, to: &Move) -> Result<(), Error> {
    let person = to.viewer.person().ok_or(Error::NotFound)?;
    let from = find(tx, &to.viewer, to.booking).await?;
    // In the order of the ids: two bookings that swap their staff would wait for each other.
    let mut calendars = [from.staff, to.staff];
    calendars.sort_unstable();
    for calendar in calendars {
        staff::lock(tx, calendar).await?;
    }
    let from = find(tx, &to.viewer, to.booking).await?;
    if from.version == to.version + 1 && (from.staff, from.starts_at) == (to.staff, to.start) {
        return Ok(());
    }
    let business = business::load(tx).await?;
    let mut excuse = Excuse::new(&to.viewer, to.reason.as_ref());
    if let Err(refusal) = from.may_move(&business.rules, to.now) {
        excuse.hear(refusal)?;
    }
    let (service, _) = service::any(tx, from.service).await?;
    // With whom it was booked, it may stay.
    if to.staff != from.staff && !service.is_offered_by(to.staff) {
        excuse.hear(Refusal::NotOffered)?;
    }
    let service = Service {
        minutes: from.minutes,
        ..service.asked_by(&to.viewer)
    };
    hold::end(tx, &to.viewer).await?;
    let place = Place {
        client: from.client,
        staff: to.staff,
        start: to.start,
        except: Some(from.id),
        now: to.now,
    };
    let busy = fits(tx, &business, &service, &place, &mut excuse).await?;
    let aside = excuse.end()?;

    let moved = tx
        .q("UPDATE bookings SET staff_id = $3, starts_at = $4, before_minutes = $5, after_minutes = $6,
                                version = version + 1
            WHERE id = $1 AND version = $2 AND status = 'confirmed'")
        .bind(from.id.0)
        .bind(to.version)
        .bind(to.staff.0)
        .bind(to.start.as_millisecond())
        .bind(busy.before)
        .bind(busy.after)
        .run()
        .await?;
    if moved == 0 {
        return Err(Refusal::Stale.into());
    }
    occupied::free(tx, from.id).await?;
    occupied::take(tx, Taker::Booking(from.id), to.staff, &busy).await?;
    tx.touch(Topic::Calendar(from.staff));
    let booking = find(tx, &to.viewer, from.id).await?;
    moves::note(tx, &from, &booking, person, to.now).await?;
    wait::met(tx, &booking, to.now).await?;
    if to.staff != from.staff {
        hand_over(tx, &booking, from.staff, to.now).await?;
    }
    tell(
        tx,
        &business,
        &booking,
        Told {
            actor: person,
            kind: Kind::Moved,
            mail: email::Kind::Moved,
            aside,
            now: to.now,
        },
    )
    .await
}

/// A booking to be cancelled.
#[derive(Debug, Clone)]
pub struct Cancel {
    pub viewer: Viewer,
    pub booking: BookingId,
    /// The version that the person saw.
    pub version: i64,
    /// What they were told that it costs, where they were told.
    pub told: Option<Cost>,
    /// From staff: why they set rules aside.
    pub reason: Option<Reason>,
    pub now: Timestamp,
}

/// Cancels a booking. A client who does so after the window is noted as late, with what that costs; never with more than
/// they were told. Again is no change.
pub async fn cancel(tx: &mut Tx, cancel: &Cancel) -> Result<(), Error> {
    let person = cancel.viewer.person().ok_or(Error::NotFound)?;
    let from = find(tx, &cancel.viewer, cancel.booking).await?;
    if from.status == Status::Cancelled && from.version == cancel.version + 1 {
        return Ok(());
    }
    from.may_cancel(cancel.now)?;
    let business = business::load(tx).await?;
    let rules = business.rules;
    let mut excuse = Excuse::new(&cancel.viewer, cancel.reason.as_ref());
    let mut cost = from.cost(&rules, cancel.now);
    if excuse.is_staffs() {
        // Whoever serves gives up the time themselves: nobody owes them for it.
        excuse.add((cost != Cost::Free).then_some(Rule::Cancel));
        cost = Cost::Free;
    }
    if cancel.told.is_some_and(|told| cost > told) {
        return Err(Refusal::CostsMore.into());
    }
    let aside = excuse.end()?;
    let (late, fee) = match cost {
        Cost::Free => (false, 0),
        Cost::Late(fee) => (true, fee),
    };
    let done = tx
        .q(
            "UPDATE bookings SET status = 'cancelled', late = $3, late_fee = $4, version = version + 1
            WHERE id = $1 AND version = $2 AND status = 'confirmed'",
        )
        .bind(from.id.0)
        .bind(cancel.version)
        .bind(late)
        .bind(fee)
        .run()
        .await?;
    if done == 0 {
        return Err(Refusal::Stale.into());
    }
    occupied::free(tx, from.id).await?;
    let booking = find(tx, &cancel.viewer, from.id).await?;
    let kind = if late {
        Kind::CancelledLate
    } else {
        Kind::Cancelled
    };
    tell(
        tx,
        &business,
        &booking,
        Told {
            actor: person,
            kind,
            mail: email::Kind::Cancelled,
            aside,
            now: cancel.now,
        },
    )
    .await
}

/// How many sessions a client has ahead. Where that is limited, their next booking waits for this one's commit: two at once
/// would both find room.
async fn open_count(
    tx: &mut Tx,
    rules: &Rules,
    client: ClientId,
    now: Timestamp,
) -> Result<i64, Error> {
    if rules.most_open == 0 {
        return Ok(0);
    }
    tx.q("UPDATE clients SET created_at = created_at WHERE id = $1")
        .bind(client.0)
        .run()
        .await?;
    super::open_count(tx, client, now).await
}

/// Where a session shall be.
struct Place {
    client: ClientId,
    staff: StaffId,
    start: Timestamp,
    /// The booking that is about to move there.
    except: Option<BookingId>,
    now: Timestamp,
}

/// Asks the rule that also draws the grid, and tells the time to take. Holds that are over leave their rows, which the key
/// would still refuse.
async fn fits(
    tx: &mut Tx,
    business: &Business,
    service: &Service,
    place: &Place,
    excuse: &mut Excuse<'_>,
) -> Result<Busy, Error> {
    let &Place {
        client,
        staff,
        start,
        except,
        now,
    } = place;
    // Whoever was disabled meanwhile is not there to be booked.
    staff::find(tx, staff).await?;
    let hours = staff::hours(tx, staff, business.today(start)).await?;
    hold::expire(tx, staff, now).await?;
    let wanted = service.busy(start);
    hold::make_way(tx, client, staff, &wanted).await?;
    let end = plus(start, service.minutes);
    let busy = super::busy(tx, staff, start, end, except).await?;
    let holds = hold::list(tx, staff, start, end, None, None, now).await?;
    let calendar = Calendar {
        zone: &business.zone,
        hours: &hours,
        busy: &busy,
        now: Some(now),
    };
    if excuse.is_staffs() {
        excuse.add(broken(business, &calendar, &holds, service, start)?);
    } else {
        check(business, &calendar, &holds, service, start)?;
    }
    if excuse.sets_aside(Rule::Buffers) {
        return squeeze(tx, staff, wanted, except).await;
    }
    Ok(wanted)
}

/// What was done to a booking.
struct Told {
    actor: PersonId,
    kind: Kind,
    mail: email::Kind,
    aside: Option<(Vec<Rule>, Reason)>,
    now: Timestamp,
}

/// What every change leaves behind: a line of activity, a mail to each side, and the topics it moved.
async fn tell(
    tx: &mut Tx,
    business: &Business,
    booking: &Booking,
    told: Told,
) -> Result<(), Error> {
    let Told {
        actor,
        kind,
        mail,
        aside,
        now,
    } = told;
    let fact = NewActivity {
        amount: (booking.late_fee > 0).then_some(booking.late_fee),
        aside,
        staff: Some(booking.staff),
        booking: Some(booking.id),
        starts_at: Some(booking.starts_at),
        ..NewActivity::of(kind, Some(actor), booking.client, now)
    };
    activity::add(tx, &fact).await?;
    let person = mails(tx, booking, mail, now).await?;
    let notice = NewNotification {
        kind: match kind {
            Kind::Booked => notification::Kind::Booked,
            Kind::Moved => notification::Kind::Moved,
            _ => notification::Kind::Cancelled,
        },
        about: notification::About::Booking(booking.id),
        version: booking.version,
        client: booking.client,
        starts_at: Some(booking.starts_at),
        amount: None,
        now,
    };
    notifications::tell_client(tx, &notice, Some(actor)).await?;
    notifications::tell_staff(tx, &notice, Some(actor)).await?;
    tx.touch(Topic::Calendar(booking.staff));
    tx.touch(Topic::Client(booking.client));
    // Their calendar is another region while they may book no more.
    if business.rules.most_open > 0 && kind != Kind::Moved {
        tx.touch(Topic::Viewer(person));
    }
    Ok(())
}

/// Tells both sides by mail, and which person the client is. The client's subject is the booking; a member of staff has one of their own, so that the key
/// tells the two apart.
async fn mails(
    tx: &mut Tx,
    booking: &Booking,
    kind: email::Kind,
    now: Timestamp,
) -> Result<PersonId, Error> {
    let (client, staff): (uuid::Uuid, uuid::Uuid) = tx
        .q("SELECT clients.person_id, staff.person_id FROM clients, staff WHERE clients.id = $1 AND staff.id = $2")
        .bind(booking.client.0)
        .bind(booking.staff.0)
        .one()
        .await?;
    let sides = [
        (client, format!("booking/{}", booking.id)),
        (staff, for_staff(booking.id, booking.staff)),
    ];
    for (person, subject) in sides {
        let mail = NewEmail {
            subject,
            version: booking.version,
            kind,
            person: person.into(),
            booking: Some(booking.id),
            wait: None,
            token: None,
            now,
        };
        outbox::add(tx, &mail).await?;
    }
    Ok(client.into())
}

/// Tells the one who had a session that a colleague has it now.
async fn hand_over(
    tx: &mut Tx,
    booking: &Booking,
    from: StaffId,
    now: Timestamp,
) -> Result<(), Error> {
    let (person,): (uuid::Uuid,) = tx
        .q("SELECT person_id FROM staff WHERE id = $1")
        .bind(from.0)
        .one()
        .await?;
    let mail = NewEmail {
        subject: for_staff(booking.id, from),
        version: booking.version,
        kind: email::Kind::HandedOver,
        person: person.into(),
        booking: Some(booking.id),
        wait: None,
        token: None,
        now,
    };
    outbox::add(tx, &mail).await
}

fn for_staff(booking: BookingId, staff: StaffId) -> String {
    format!("booking/{booking}/staff/{staff}")
}
