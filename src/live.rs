//! The stairs between the floors: the catalogue of live regions. For each: who may see it, how it loads, how it renders.
//!
//! A new live part of a page is a variant here, with its topics, its load and its view; no socket code, no second template.

mod load;
mod reading;

pub use reading::Reading;

use crate::assets::BUILD;
use crate::clock::Clock;
use crate::domain::id::{ClientId, PersonId, StaffId};
use crate::domain::topic::Topic;
use crate::domain::viewer::{Role, Viewer};
use crate::domain::week::Week;
use crate::realtime::part::Filled;
use crate::realtime::{self, Cursor, Grant, Kind, LoadError, Loaded, Mark, Place, Tag, tag};
use crate::store::{self, Db, client, topic};
use crate::views::layout::Live;
use crate::views::url;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// The hub of this catalogue.
pub type Hub = realtime::Hub<Region>;

/// Everyone whose calendar a region shows: part of its key, because its topics follow from the key alone.
type Everyone = Arc<[StaffId]>;

/// The live parts of all pages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Region {
    /// Free and taken starts of a week, the same for every client.
    Slots { staff: StaffId, week: Week },
    /// A client's own starts, laid over those.
    OwnSlots {
        client: ClientId,
        staff: StaffId,
        week: Week,
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
    /// All clients.
    Clients { everyone: Everyone },
    /// The latest mails.
    Outbox,
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
            Self::OwnSlots { client, .. }
            | Self::Next { client }
            | Self::Sessions { client, .. } => {
                vec![Topic::Client(*client)]
            }
            Self::Numbers { everyone }
            | Self::Activity { everyone }
            | Self::Clients { everyone } => {
                let mut topics: Vec<Topic> = calendars(everyone);
                topics.push(Topic::Clients);
                topics
            }
            Self::Agenda { everyone } | Self::Timetable { everyone, .. } => calendars(everyone),
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
            | Self::Notifications { .. }
            | Self::Badges { .. } => Kind::Own,
            _ => Kind::Shared,
        }
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

/// What a page shows, as its live address names it. A name in an address is never a right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    Home,
    Bookings { staff: StaffId, week: Week },
    Today,
    Calendar { staff: Option<StaffId>, week: Week },
    Clients,
    Client { client: ClientId },
    Outbox,
    Notifications,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home => f.write_str("page=home"),
            Self::Bookings { staff, week } => write!(f, "page=bookings&staff={staff}&week={week}"),
            Self::Today => f.write_str("page=today"),
            Self::Calendar { staff: None, week } => write!(f, "page=calendar&week={week}"),
            Self::Calendar {
                staff: Some(staff),
                week,
            } => write!(f, "page=calendar&staff={staff}&week={week}"),
            Self::Clients => f.write_str("page=clients"),
            Self::Client { client } => write!(f, "page=client&client={client}"),
            Self::Outbox => f.write_str("page=outbox"),
            Self::Notifications => f.write_str("page=notifications"),
        }
    }
}

/// The fields of a live address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct Address {
    #[serde(default)]
    page: String,
    staff: Option<String>,
    week: Option<String>,
    client: Option<String>,
    pub since: Option<String>,
}

impl Address {
    /// The page that is named, if it is one of ours.
    pub fn page(&self) -> Option<Page> {
        let week = || self.week.as_deref().and_then(Week::parse);
        let staff = || {
            self.staff
                .as_deref()
                .map(str::parse::<StaffId>)
                .transpose()
                .ok()
        };
        Some(match self.page.as_str() {
            "home" => Page::Home,
            "bookings" => Page::Bookings {
                staff: staff()??,
                week: week()?,
            },
            "today" => Page::Today,
            "calendar" => Page::Calendar {
                staff: staff()?,
                week: week()?,
            },
            "clients" => Page::Clients,
            "client" => Page::Client {
                client: self.client.as_deref()?.parse().ok()?,
            },
            "outbox" => Page::Outbox,
            "notifications" => Page::Notifications,
            _ => return None,
        })
    }
}

/// What a viewer may watch on a page; nothing when the page is not there for them.
pub async fn places(
    reading: &mut Reading,
    viewer: &Viewer,
    page: &Page,
) -> Result<Option<Vec<Place<Region>>>, store::Error> {
    let badges = match viewer {
        Viewer::Guest => return Ok(None),
        Viewer::Client(me) => Region::Badges {
            person: me.person,
            client: Some(me.client),
        },
        Viewer::Staff(me) => Region::Badges {
            person: me.person,
            client: None,
        },
    };
    let Some(mut places) = places_of(reading, viewer, page).await? else {
        return Ok(None);
    };
    places.push(alone(badges));
    Ok(Some(places))
}

fn alone(base: Region) -> Place<Region> {
    Place { base, over: None }
}

/// What belongs to this page and to no other.
async fn places_of(
    reading: &mut Reading,
    viewer: &Viewer,
    page: &Page,
) -> Result<Option<Vec<Place<Region>>>, store::Error> {
    Ok(Some(match (viewer, page) {
        (Viewer::Client(me), Page::Home) => vec![
            alone(Region::Next { client: me.client }),
            alone(Region::Sessions {
                client: me.client,
                for_staff: false,
            }),
        ],
        (Viewer::Client(me), Page::Bookings { staff, week }) => {
            let known = reading.everyone().await?.iter().any(|one| one.id == *staff);
            if !known || reading.business.week(Some(*week), reading.now) != *week {
                return Ok(None);
            }
            let (client, staff, week) = (me.client, *staff, *week);
            let slots = Region::Slots { staff, week };
            vec![
                Place {
                    base: slots,
                    over: Some(Region::OwnSlots {
                        client,
                        staff,
                        week,
                    }),
                },
                alone(Region::Sessions {
                    client,
                    for_staff: false,
                }),
            ]
        }
        (Viewer::Client(me), Page::Notifications) => vec![alone(Region::Notifications {
            person: me.person,
            for_staff: false,
        })],
        (Viewer::Staff(me), page) => {
            let everyone: Everyone = reading.everyone().await?.iter().map(|one| one.id).collect();
            match page {
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
                Page::Clients => vec![alone(Region::Clients { everyone })],
                Page::Client { client } => {
                    client::find(&mut reading.tx, me, *client, reading.now).await?;
                    vec![alone(Region::Sessions {
                        client: *client,
                        for_staff: true,
                    })]
                }
                Page::Outbox if me.role == Role::Owner => vec![alone(Region::Outbox)],
                Page::Notifications => vec![alone(Region::Notifications {
                    person: me.person,
                    for_staff: true,
                })],
                Page::Outbox | Page::Home | Page::Bookings { .. } => return Ok(None),
            }
        }
        _ => return Ok(None),
    }))
}

/// The epoch of this database as this build renders it.
pub fn epoch(db: &Db) -> Tag {
    tag(&[&db.epoch(), BUILD])
}

/// A viewer's name in cursors: another role is another viewer.
pub fn viewer_tag(viewer: &Viewer) -> Tag {
    let person = viewer.person().map(|id| id.to_string()).unwrap_or_default();
    tag(&[&person, viewer.role()])
}

/// What a session may watch, for the engine.
pub async fn grant(
    source: &Source,
    viewer: &Viewer,
    page: &Page,
    until: Timestamp,
) -> Result<Option<Grant<Region>>, store::Error> {
    let Some(person) = viewer.person() else {
        return Ok(None);
    };
    let mut reading = Reading::open(source).await?;
    let places = match places(&mut reading, viewer, page).await {
        Err(store::Error::NotFound) => None,
        places => places?,
    };
    Ok(places.map(|places| Grant {
        person,
        viewer: viewer_tag(viewer),
        places,
        until,
    }))
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
        epoch: epoch(&reading.source.db),
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
