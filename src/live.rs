//! The stairs between the floors: the catalogue of live regions. For each: who may see it, how it loads, how it renders.
//!
//! A new live part of a page is a variant here, with its topics, its load and its view; no socket code, no second template.

mod desk;
mod load;
mod money;
mod page;
mod reading;
mod wait;

pub use desk::Desk;
pub use page::{Address, Page};
pub use reading::Reading;

use crate::assets::BUILD;
use crate::clock::Clock;
use crate::domain::id::{ClientId, InvoiceId, PersonId, ServiceId, StaffId};
use crate::domain::invoice::Filter;
use crate::domain::topic::Topic;
use crate::domain::viewer::{ClientViewer, Role, StaffViewer, Viewer};
use crate::domain::week::Week;
use crate::realtime::part::Filled;
use crate::realtime::{self, Cursor, Kind, LoadError, Loaded, Mark, Place, Tag, tag};
use crate::store::{self, Db, client, invoice, topic};
use crate::views::layout::Live;
use crate::views::url;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The hub of this catalogue.
pub type Hub = realtime::Hub<Region>;

/// Everyone whose calendar a region shows: part of its key, because its topics follow from the key alone.
type Everyone = Arc<[StaffId]>;

/// The live parts of all pages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Region {
    /// Free and taken starts of a week, the same for every client to whom the same services are open: `named` are those
    /// that are only for some, and for them.
    Slots {
        staff: StaffId,
        week: Week,
        named: Arc<[ServiceId]>,
    },
    /// A client's own starts, laid over those. `limited` is who may book no more just now: to them nothing is free, so that
    /// theirs alone depends on the calendar too.
    OwnSlots {
        client: ClientId,
        staff: StaffId,
        week: Week,
        limited: bool,
    },
    /// A client's next session.
    Next { client: ClientId },
    /// A client's sessions to come and past, for the client or for staff.
    Sessions { client: ClientId, for_staff: bool },
    /// The numbers of the day.
    Numbers { everyone: Everyone },
    /// Seven days from today.
    Agenda { everyone: Everyone },
    /// A week of staff's calendar: everybody's, or one's with the times still free.
    Timetable {
        everyone: Everyone,
        staff: Option<StaffId>,
        week: Week,
    },
    /// What just happened.
    Activity { everyone: Everyone },
    /// All clients, or those who have gone quiet.
    Clients { everyone: Everyone, quiet: bool },
    /// A client's thread, for the client or for staff.
    Thread { client: ClientId, for_staff: bool },
    /// All threads, or those whose clients wait for an answer.
    Threads { waiting: bool },
    /// What a client waits for, for the client or for staff.
    Waits { client: ClientId, for_staff: bool },
    /// Everyone who waits.
    Line,
    /// The latest mails.
    Outbox,
    /// What a client owes and owed.
    Invoices { client: ClientId },
    /// One invoice, for its client or for staff.
    Invoice {
        client: ClientId,
        invoice: InvoiceId,
        for_staff: bool,
    },
    /// Staff's invoices behind a filter, and what each filter comes to.
    Ledger {
        filter: Filter,
        before: Option<InvoiceId>,
    },
    /// What a client has to do.
    Todo { client: ClientId },
    /// What someone should know.
    Notifications { person: PersonId, for_staff: bool },
    /// How much waits for someone, on every page: a client's, or staff's without one.
    Badges {
        person: PersonId,
        client: Option<ClientId>,
    },
}

/// Where regions are loaded from.
#[derive(Debug, Clone)]
pub struct Source {
    pub db: Db,
    pub clock: Clock,
    /// For the links in mails.
    pub base_url: Arc<str>,
    /// Whether invoices can be paid here.
    pub can_pay: bool,
}

impl realtime::Region for Region {
    type Source = Source;

    fn topics(&self) -> Vec<Topic> {
        let calendars = |everyone: &Everyone| {
            everyone
                .iter()
                .map(|staff| Topic::Calendar(*staff))
                .collect()
        };
        let mut topics: Vec<Topic> = match self {
            Self::Slots { staff, .. } => vec![Topic::Calendar(*staff)],
            Self::OwnSlots {
                client,
                staff,
                limited: true,
                ..
            } => vec![Topic::Client(*client), Topic::Calendar(*staff)],
            Self::OwnSlots { client, .. }
            | Self::Next { client }
            | Self::Sessions { client, .. }
            | Self::Waits { client, .. }
            | Self::Invoices { client }
            | Self::Invoice {
                client,
                for_staff: false,
                ..
            } => {
                vec![Topic::Client(*client)]
            }
            Self::Invoice { client, .. } => vec![Topic::Client(*client), Topic::Invoices],
            Self::Todo { client } => vec![Topic::Client(*client), Topic::Thread(*client)],
            Self::Ledger { .. } => vec![Topic::Invoices, Topic::Clients],
            Self::Clients { everyone, .. } => {
                let mut topics: Vec<Topic> = calendars(everyone);
                topics.push(Topic::Clients);
                topics
            }
            Self::Activity { everyone } => {
                let mut topics: Vec<Topic> = calendars(everyone);
                topics.extend([Topic::Clients, Topic::Invoices]);
                topics
            }
            Self::Numbers { everyone } => {
                let mut topics: Vec<Topic> = calendars(everyone);
                topics.extend([Topic::Clients, Topic::Invoices, Topic::Threads]);
                topics
            }
            Self::Agenda { everyone } | Self::Timetable { everyone, .. } => calendars(everyone),
            Self::Thread { client, .. } => vec![Topic::Thread(*client)],
            // Not all clients' own topics: a name changes with the list of clients.
            Self::Threads { .. } => vec![Topic::Threads, Topic::Clients],
            Self::Line => vec![Topic::Waits, Topic::Clients],
            Self::Outbox => vec![Topic::Outbox],
            Self::Notifications { person, for_staff } => {
                let mut topics = vec![Topic::Notifications(*person)];
                // Their names stand in staff's.
                topics.extend(for_staff.then_some(Topic::Clients));
                topics
            }
            Self::Badges { person, client } => {
                let of = client.map_or([Topic::Invoices, Topic::Threads], |client| {
                    [Topic::Client(client), Topic::Thread(client)]
                });
                let mut topics = vec![Topic::Notifications(*person)];
                topics.extend(of);
                topics
            }
        };
        topics.push(Topic::Settings);
        topics
    }

    fn kind(&self) -> Kind {
        match self {
            Self::OwnSlots { .. } => Kind::Over,
            Self::Next { .. }
            | Self::Sessions { .. }
            | Self::Waits { .. }
            | Self::Invoices { .. }
            | Self::Invoice { .. }
            | Self::Todo { .. }
            | Self::Thread { .. }
            | Self::Notifications { .. }
            | Self::Badges { .. } => Kind::Own,
            _ => Kind::Shared,
        }
    }

    fn is_long(&self) -> bool {
        matches!(
            self,
            Self::Thread { .. } | Self::Notifications { .. } | Self::Badges { .. }
        )
    }

    async fn load(&self, source: &Source) -> Result<Loaded, LoadError> {
        let mut reading = Reading::open(source).await?;
        let versions = topic::versions(&mut reading.tx, &self.topics()).await?;
        Ok(self.read(&mut reading, &versions).await?)
    }

    async fn versions(source: &Source, topics: &[Topic]) -> Result<HashMap<Topic, i64>, LoadError> {
        Ok(topic::versions(&mut source.db.snapshot().await?, topics).await?)
    }
}

/// What a viewer may watch on a page; nothing when the page is not there for them.
pub async fn places(reading: &mut Reading, viewer: &Viewer, page: &Page) -> Places {
    let (person, client, places) = match viewer {
        Viewer::Guest => return Ok(None),
        Viewer::Client(me) => {
            let places = of_client(reading, me, page).await?;
            (me.person, Some(me.client), places)
        }
        Viewer::Staff(me) => (me.person, None, of_staff(reading, me, page).await?),
    };
    let Some(mut places) = places else {
        return Ok(None);
    };
    places.push(alone(Region::Badges { person, client }));
    Ok(Some(places))
}

fn alone(base: Region) -> Place<Region> {
    Place { base, over: None }
}

type Places = Result<Option<Vec<Place<Region>>>, store::Error>;

/// What belongs to a client's page and to no other.
async fn of_client(reading: &mut Reading, me: &ClientViewer, page: &Page) -> Places {
    Ok(Some(match page {
        Page::Plain => Vec::new(),
        Page::Home => vec![
            alone(Region::Next { client: me.client }),
            alone(Region::Todo { client: me.client }),
            alone(Region::Sessions {
                client: me.client,
                for_staff: false,
            }),
        ],
        Page::Invoices => {
            vec![alone(Region::Invoices { client: me.client })]
        }
        Page::Invoice { invoice } => {
            let viewer = Viewer::Client(me.clone());
            vec![of_invoice(reading, &viewer, *invoice).await?]
        }
        Page::Bookings {
            staff,
            week,
            moving,
        } => {
            let known = reading.everyone().await?.iter().any(|one| one.id == *staff);
            if !known || reading.business.week(Some(*week), reading.now) != *week {
                return Ok(None);
            }
            let (client, staff, week) = (me.client, *staff, *week);
            let named = reading.named(client).await?;
            let slots = Region::Slots { staff, week, named };
            // What moves is booked already.
            let limited = !moving && reading.is_limited(client).await?;
            vec![
                Place {
                    base: slots,
                    over: Some(Region::OwnSlots {
                        client,
                        staff,
                        week,
                        limited,
                    }),
                },
                alone(Region::Waits {
                    client,
                    for_staff: false,
                }),
                alone(Region::Sessions {
                    client,
                    for_staff: false,
                }),
            ]
        }
        Page::Messages => vec![alone(Region::Thread {
            client: me.client,
            for_staff: false,
        })],
        Page::Notifications => vec![alone(Region::Notifications {
            person: me.person,
            for_staff: false,
        })],
        _ => return Ok(None),
    }))
}

/// What belongs to staff's page and to no other.
async fn of_staff(reading: &mut Reading, me: &StaffViewer, page: &Page) -> Places {
    let everyone: Everyone = reading.everyone().await?.iter().map(|one| one.id).collect();
    Ok(Some(match page {
        Page::Plain => Vec::new(),
        Page::Today => vec![
            alone(Region::Numbers {
                everyone: Arc::clone(&everyone),
            }),
            alone(Region::Agenda {
                everyone: Arc::clone(&everyone),
            }),
            alone(Region::Activity { everyone }),
        ],
        Page::Calendar { staff, week } => {
            if staff.is_some_and(|staff| !everyone.contains(&staff)) {
                return Ok(None);
            }
            vec![alone(Region::Timetable {
                everyone,
                staff: *staff,
                week: *week,
            })]
        }
        Page::Clients { quiet } => vec![alone(Region::Clients {
            everyone,
            quiet: *quiet,
        })],
        Page::Client { client } => {
            client::find(&mut reading.tx, me, *client, reading.now).await?;
            vec![
                alone(Region::Waits {
                    client: *client,
                    for_staff: true,
                }),
                alone(Region::Sessions {
                    client: *client,
                    for_staff: true,
                }),
            ]
        }
        Page::Thread { client } => {
            client::find(&mut reading.tx, me, *client, reading.now).await?;
            vec![alone(Region::Thread {
                client: *client,
                for_staff: true,
            })]
        }
        Page::Threads { waiting } => vec![alone(Region::Threads { waiting: *waiting })],
        Page::Line => vec![alone(Region::Line)],
        Page::Outbox if me.role == Role::Owner => vec![alone(Region::Outbox)],
        Page::Notifications => vec![alone(Region::Notifications {
            person: me.person,
            for_staff: true,
        })],
        Page::Ledger { filter, before } => vec![alone(Region::Ledger {
            filter: *filter,
            before: *before,
        })],
        Page::Invoice { invoice } => {
            let viewer = Viewer::Staff(me.clone());
            vec![of_invoice(reading, &viewer, *invoice).await?]
        }
        _ => return Ok(None),
    }))
}

async fn of_invoice(
    reading: &mut Reading,
    viewer: &Viewer,
    id: InvoiceId,
) -> Result<Place<Region>, store::Error> {
    let found = invoice::find(&mut reading.tx, viewer, id).await?;
    Ok(alone(Region::Invoice {
        client: found.client,
        invoice: found.id,
        for_staff: matches!(viewer, Viewer::Staff(_)),
    }))
}

/// The epoch of this database as this build renders it under these settings.
pub fn epoch(source: &Source) -> Tag {
    let pay = if source.can_pay { "pay" } else { "" };
    tag(&[&source.db.epoch(), BUILD, pay])
}

/// A viewer's name in cursors: another role is another viewer.
pub fn viewer_tag(viewer: &Viewer) -> Tag {
    let person = viewer.person().map(|id| id.to_string()).unwrap_or_default();
    tag(&[&person, viewer.role()])
}

/// A page's regions as this snapshot has them, never from the hub: who posts here and reads there sees their own write.
/// [`store::Error::NotFound`] when the page is not there for the viewer.
pub async fn open(
    reading: &mut Reading,
    viewer: &Viewer,
    page: &Page,
) -> Result<Live, store::Error> {
    let places = places(reading, viewer, page)
        .await?
        .ok_or(store::Error::NotFound)?;
    let regions = places
        .iter()
        .flat_map(|place| std::iter::once(&place.base).chain(&place.over));
    let topics: HashSet<Topic> = regions.flat_map(realtime::Region::topics).collect();
    let topics: Vec<Topic> = topics.into_iter().collect();
    let versions = topic::versions(&mut reading.tx, &topics).await?;
    let mut cursor = Cursor {
        epoch: epoch(&reading.source),
        viewer: viewer_tag(viewer),
        marks: Vec::new(),
    };
    let mut filled = Vec::new();
    for place in &places {
        let base = place.base.read(reading, &versions).await?;
        cursor.marks.push(Mark::of(&place.base, &base));
        let over = match &place.over {
            Some(region) => {
                let loaded = region.read(reading, &versions).await?;
                cursor.marks.push(Mark::of(region, &loaded));
                Some(loaded.whole)
            }
            None => None,
        };
        filled.extend(Filled::all(&base.whole, over.as_ref()));
    }
    Ok(Live {
        url: url::live(&page.to_string(), &cursor.to_string()),
        regions: filled,
    })
}
