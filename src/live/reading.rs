//! One snapshot for a page or a region, the instant it is read for, and what several of its readers ask for, read once: each
//! statement is a trip to the database, and pages are made of little else.

use super::Source;
use crate::domain::business::Business;
use crate::domain::grid::{Grid, grid};
use crate::domain::id::StaffId;
use crate::domain::service::Service;
use crate::domain::staff::Staff;
use crate::domain::week::Week;
use crate::store::{self, Error, Tx, business, service, staff};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// A snapshot with what has been read from it.
#[derive(Debug)]
pub struct Reading {
    pub source: Source,
    pub tx: Tx,
    pub business: Business,
    pub now: Timestamp,
    everyone: Option<Arc<[Staff]>>,
    services: Option<Arc<[Service]>>,
    grids: HashMap<(StaffId, Week), Arc<Grid>>,
}

impl Reading {
    /// Opens the snapshot.
    pub async fn open(source: &Source) -> Result<Self, Error> {
        let mut tx = source.db.snapshot().await?;
        Ok(Self {
            source: source.clone(),
            business: business::load(&mut tx).await?,
            tx,
            now: source.clock.now(),
            everyone: None,
            services: None,
            grids: HashMap::new(),
        })
    }

    /// Everyone who serves clients, in the order of the business.
    pub async fn everyone(&mut self) -> Result<Arc<[Staff]>, Error> {
        if let Some(everyone) = &self.everyone {
            return Ok(Arc::clone(everyone));
        }
        let everyone: Arc<[Staff]> = staff::list(&mut self.tx).await?.into();
        self.everyone = Some(Arc::clone(&everyone));
        Ok(everyone)
    }

    /// The services on offer, in the order of the business.
    pub async fn services(&mut self) -> Result<Arc<[Service]>, Error> {
        if let Some(services) = &self.services {
            return Ok(Arc::clone(services));
        }
        let services: Arc<[Service]> = service::list(&mut self.tx).await?.into();
        self.services = Some(Arc::clone(&services));
        Ok(services)
    }

    /// A week's starts as clients see them.
    pub async fn grid(&mut self, staff: StaffId, week: Week) -> Result<Arc<Grid>, Error> {
        if let Some(grid) = self.grids.get(&(staff, week)) {
            return Ok(Arc::clone(grid));
        }
        let services = self.services().await?;
        let grid = Arc::new(self.grid_for(staff, week, &services).await?);
        self.grids.insert((staff, week), Arc::clone(&grid));
        Ok(grid)
    }

    /// A week's starts at which one of `services` can be booked.
    pub(super) async fn grid_for(
        &mut self,
        staff: StaffId,
        week: Week,
        services: &[Service],
    ) -> Result<Grid, Error> {
        let own = services.iter().filter(|one| one.is_offered_by(staff));
        let services: Vec<Service> = own.cloned().collect();
        let hours = staff::hours(&mut self.tx, staff, week.first()).await?;
        let (from, to) = self.span(week);
        let busy = store::booking::busy(&mut self.tx, staff, from, to, None).await?;
        let holds = store::hold::list(&mut self.tx, staff, from, to, None, None, self.now).await?;
        Ok(grid(
            &self.business,
            &hours,
            &busy,
            &holds,
            &services,
            week,
            self.now,
        ))
    }

    /// The instants between which a week's sessions start.
    pub(super) fn span(&self, week: Week) -> (Timestamp, Timestamp) {
        (
            self.business.starts(week.first()),
            self.business.starts(week.plus(1).first()),
        )
    }
}
