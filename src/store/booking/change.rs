//! The writes: book, move, cancel. Each checks the rule, takes or frees the time, and leaves its mail and its line of
//! activity in one transaction. The database's key has the last word on what is taken. One's own hold makes room for what
//! it was taken for in that transaction, so that nobody comes between.

use super::find;
use super::occupied::{self, Taker};
use crate::domain::activity::Kind;
use crate::domain::booking::{Booking, Refusal, Status, plus};
use crate::domain::email;
use crate::domain::hold::check;
use crate::domain::id::{BookingId, ClientId, PersonId, ServiceId, StaffId};
use crate::domain::notification;
use crate::domain::service::Service;
use crate::domain::slot::Calendar;
use crate::domain::topic::Topic;
use crate::domain::viewer::Viewer;
use crate::store::activity::NewActivity;
use crate::store::answer::{self, Form};
use crate::store::notification::{self as notifications, NewNotification};
use crate::store::outbox::{self, NewEmail};
use crate::store::{Error, Tx, activity, business, hold, service, staff};
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
    staff::rely_on(tx, book.staff).await?;
    hold::end(tx, &book.viewer).await?;
    let service = service::find(tx, book.service)
        .await?
        .asked_by(&book.viewer);
    if !service.is_offered_by(book.staff) {
        return Err(Refusal::NotOffered.into());
    }
    let busy = service.busy(book.start);
    if matches!(book.viewer, Viewer::Staff(_)) {
        hold::make_way(tx, book.client, book.staff, &busy).await?;
    }
    fits(tx, &service, book.staff, book.start, None, book.now).await?;

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
        .bind(service.before)
        .bind(service.after)
        .bind(service.price)
        .bind(book.now.as_millisecond())
        .run()
        .await?;
    if made == 0 {
        return Err(Error::NotFound);
    }
    occupied::take(tx, Taker::Booking(id), book.staff, &busy).await?;
    let booking = find(tx, &book.viewer, id).await?;
    tell(
        tx,
        &booking,
        person,
        Kind::Booked,
        email::Kind::Booked,
        book.now,
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
    let rules = business::load(tx).await?;
    match &to.viewer {
        Viewer::Client(_) => from.may_move(&rules, to.now)?,
        _ => from.may_cancel(to.now)?,
    }
    let (service, _) = service::any(tx, from.service).await?;
    // With whom it was booked, it may stay.
    if to.staff != from.staff && !service.is_offered_by(to.staff) {
        return Err(Refusal::NotOffered.into());
    }
    let service = Service {
        minutes: from.minutes,
        ..service.asked_by(&to.viewer)
    };
    hold::end(tx, &to.viewer).await?;
    let busy = service.busy(to.start);
    if matches!(to.viewer, Viewer::Staff(_)) {
        hold::make_way(tx, from.client, to.staff, &busy).await?;
    }
    fits(tx, &service, to.staff, to.start, Some(from.id), to.now).await?;

    let moved = tx
        .q("UPDATE bookings SET staff_id = $3, starts_at = $4, before_minutes = $5, after_minutes = $6,
                                version = version + 1
            WHERE id = $1 AND version = $2 AND status = 'confirmed'")
        .bind(from.id.0)
        .bind(to.version)
        .bind(to.staff.0)
        .bind(to.start.as_millisecond())
        .bind(service.before)
        .bind(service.after)
        .run()
        .await?;
    if moved == 0 {
        return Err(Refusal::Stale.into());
    }
    occupied::free(tx, from.id).await?;
    occupied::take(tx, Taker::Booking(from.id), to.staff, &busy).await?;
    tx.touch(Topic::Calendar(from.staff));
    let booking = find(tx, &to.viewer, from.id).await?;
    tell(
        tx,
        &booking,
        person,
        Kind::Moved,
        email::Kind::Moved,
        to.now,
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
    pub now: Timestamp,
}

/// Cancels a booking. A client who does so after the window for changes is noted as late. Again is no change.
pub async fn cancel(tx: &mut Tx, cancel: &Cancel) -> Result<(), Error> {
    let person = cancel.viewer.person().ok_or(Error::NotFound)?;
    let from = find(tx, &cancel.viewer, cancel.booking).await?;
    if from.status == Status::Cancelled && from.version == cancel.version + 1 {
        return Ok(());
    }
    from.may_cancel(cancel.now)?;
    let rules = business::load(tx).await?;
    let late = matches!(cancel.viewer, Viewer::Client(_)) && cancel.now > from.change_until(&rules);
    let done = tx
        .q(
            "UPDATE bookings SET status = 'cancelled', late = $3, version = version + 1
            WHERE id = $1 AND version = $2 AND status = 'confirmed'",
        )
        .bind(from.id.0)
        .bind(cancel.version)
        .bind(late)
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
        &booking,
        person,
        kind,
        email::Kind::Cancelled,
        cancel.now,
    )
    .await
}

/// Asks the rule that also draws the grid. Holds that are over leave their rows, which the key would still refuse.
async fn fits(
    tx: &mut Tx,
    service: &Service,
    staff: StaffId,
    start: Timestamp,
    except: Option<BookingId>,
    now: Timestamp,
) -> Result<(), Error> {
    // Whoever was disabled meanwhile is not there to be booked.
    staff::find(tx, staff).await?;
    let business = business::load(tx).await?;
    let hours = staff::hours(tx, staff, business.today(start)).await?;
    hold::expire(tx, staff, now).await?;
    let end = plus(start, service.minutes);
    let busy = super::busy(tx, staff, start, end, except).await?;
    let holds = hold::list(tx, staff, start, end, None, None, now).await?;
    let calendar = Calendar {
        zone: &business.zone,
        hours: &hours,
        busy: &busy,
        now: Some(now),
    };
    Ok(check(&business, &calendar, &holds, service, start)?)
}

/// What every change leaves behind: a line of activity, a mail to the client, and the topics it moved.
async fn tell(
    tx: &mut Tx,
    booking: &Booking,
    actor: PersonId,
    kind: Kind,
    mail: email::Kind,
    now: Timestamp,
) -> Result<(), Error> {
    let fact = NewActivity {
        staff: Some(booking.staff),
        booking: Some(booking.id),
        starts_at: Some(booking.starts_at),
        ..NewActivity::of(kind, Some(actor), booking.client, now)
    };
    activity::add(tx, &fact).await?;
    let (person,): (uuid::Uuid,) = tx
        .q("SELECT person_id FROM clients WHERE id = $1")
        .bind(booking.client.0)
        .one()
        .await?;
    let mail = NewEmail {
        subject: format!("booking/{}", booking.id),
        version: booking.version,
        kind: mail,
        person: person.into(),
        booking: Some(booking.id),
        token: None,
        now,
    };
    outbox::add(tx, &mail).await?;
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
    Ok(())
}
