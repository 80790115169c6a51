//! Someone's calendar around a time that is looked at, and what the one rule says of it. It reads, and writes nothing.

use super::super::error::Error;
use crate::domain::booking::{Refusal, plus};
use crate::domain::business::Business;
use crate::domain::grid::nearest;
use crate::domain::hold::{self, Kept, check};
use crate::domain::id::{BookingId, ClientId};
use crate::domain::rule::{Rule, broken};
use crate::domain::service::Service;
use crate::domain::slot::{Busy, Calendar, Hours};
use crate::domain::staff::Staff;
use crate::domain::viewer::Viewer;
use crate::store::{self, Tx, business, staff};
use jiff::{Span, Timestamp};

/// Free times that a refusal offers instead.
const NEAREST: usize = 4;

/// Someone's calendar around a wish: everything that the one rule asks for.
pub(super) struct Around {
    pub(super) business: Business,
    hours: Hours,
    busy: Vec<Busy>,
    /// What others hold: one's own hold never blocks oneself, nor staff who book for whoever it is.
    holds: Vec<Kept>,
    now: Timestamp,
}

impl Around {
    pub(super) async fn read(
        tx: &mut Tx,
        viewer: &Viewer,
        client: Option<ClientId>,
        staff: &Staff,
        start: Timestamp,
        except: Option<BookingId>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        // A client's link may name anybody.
        let client = client.filter(|_| matches!(viewer, Viewer::Staff(_)));
        let business = business::load(tx).await?;
        let day = business.today(start);
        let from = day.saturating_sub(Span::new().days(4));
        let to = day.saturating_add(Span::new().days(5));
        let hours = staff::hours(tx, staff.id, from).await?;
        let (from, to) = (business.starts(from), business.starts(to));
        let busy = store::booking::busy(tx, staff.id, from, to, except).await?;
        let holds = store::hold::list(tx, staff.id, from, to, viewer.person(), client, now).await?;
        Ok(Self {
            business,
            hours,
            busy,
            holds,
            now,
        })
    }

    fn calendar(&self) -> Calendar<'_> {
        Calendar {
            zone: &self.business.zone,
            hours: &self.hours,
            busy: &self.busy,
            now: Some(self.now),
        }
    }

    fn check(&self, service: &Service, start: Timestamp) -> Result<(), Refusal> {
        let calendar = self.calendar();
        check(&self.business, &calendar, &self.holds, service, start)
    }

    /// Which rules about time it would break. Clients break none.
    pub(super) fn broken(
        &self,
        viewer: &Viewer,
        service: &Service,
        start: Timestamp,
    ) -> Result<Vec<Rule>, Refusal> {
        match viewer {
            Viewer::Staff(_) => {
                let calendar = self.calendar();
                broken(&self.business, &calendar, &self.holds, service, start)
            }
            _ => self.check(service, start).map(|()| Vec::new()),
        }
    }

    pub(super) fn nearest(&self, service: &Service, start: Timestamp) -> Vec<Timestamp> {
        let calendar = Calendar {
            busy: &hold::with(&self.busy, &self.holds),
            ..self.calendar()
        };
        nearest(&self.business, &calendar, service, start, NEAREST)
    }

    /// Until when the time from `start` is free and open, where it is at all.
    pub(super) fn free_until(&self, service: &Service, start: Timestamp) -> Option<Timestamp> {
        let lengths = (1..=service.minutes / 5).rev().map(|quanta| quanta * 5);
        let fits = |minutes: &i64| {
            let shorter = Service {
                minutes: *minutes,
                before: 0,
                after: 0,
                notice: 0,
                ..service.clone()
            };
            self.check(&shorter, start).is_ok()
        };
        lengths
            .into_iter()
            .find(fits)
            .map(|minutes| plus(start, minutes))
    }
}
