//! The pages that are live, and how a live address names them. A name in an address is never a right.

use crate::domain::id::{ClientId, InvoiceId, StaffId};
use crate::domain::invoice::Filter;
use crate::domain::week::Week;
use std::fmt;

/// What a page shows, as its live address names it. A name in an address is never a right.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Page {
    /// Live in nothing but its badges.
    Plain,
    Home,
    Bookings {
        staff: StaffId,
        week: Week,
        /// A new time is chosen for a booking that stands.
        moving: bool,
    },
    Today,
    Calendar {
        staff: Option<StaffId>,
        week: Week,
    },
    Clients {
        /// Only those who have gone quiet.
        quiet: bool,
    },
    Client {
        client: ClientId,
    },
    /// A client's own thread.
    Messages,
    /// A client's thread, for staff.
    Thread {
        client: ClientId,
    },
    Threads {
        /// Only those whose clients wait for an answer.
        waiting: bool,
    },
    Outbox,
    /// Who waits, for staff.
    Line,
    Invoices,
    Invoice {
        invoice: InvoiceId,
    },
    Ledger {
        filter: Filter,
        /// Only those made before this one.
        before: Option<InvoiceId>,
    },
    Notifications,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home => f.write_str("page=home"),
            Self::Bookings {
                staff,
                week,
                moving,
            } => {
                write!(f, "page=bookings&staff={staff}&week={week}")?;
                f.write_str(if *moving { "&show=move" } else { "" })
            }
            Self::Today => f.write_str("page=today"),
            Self::Calendar { staff: None, week } => write!(f, "page=calendar&week={week}"),
            Self::Calendar {
                staff: Some(staff),
                week,
            } => write!(f, "page=calendar&staff={staff}&week={week}"),
            Self::Clients { quiet: false } => f.write_str("page=clients"),
            Self::Clients { quiet: true } => f.write_str("page=clients&show=quiet"),
            Self::Client { client } => write!(f, "page=client&client={client}"),
            Self::Messages => f.write_str("page=messages"),
            Self::Thread { client } => write!(f, "page=thread&client={client}"),
            Self::Threads { waiting: false } => f.write_str("page=threads"),
            Self::Threads { waiting: true } => f.write_str("page=threads&show=waiting"),
            Self::Line => f.write_str("page=waits"),
            Self::Outbox => f.write_str("page=outbox"),
            Self::Invoices => f.write_str("page=invoices"),
            Self::Invoice { invoice } => write!(f, "page=invoice&invoice={invoice}"),
            Self::Ledger { filter, before } => {
                write!(f, "page=ledger&show={}", filter.as_str())?;
                before.map_or(Ok(()), |id| write!(f, "&before={id}"))
            }
            Self::Plain => f.write_str("page=plain"),
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
    invoice: Option<String>,
    show: Option<String>,
    before: Option<String>,
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
        let client = || self.client.as_deref()?.parse().ok();
        Some(match self.page.as_str() {
            "home" => Page::Home,
            "bookings" => Page::Bookings {
                staff: staff()??,
                week: week()?,
                moving: self.show.as_deref() == Some("move"),
            },
            "today" => Page::Today,
            "calendar" => Page::Calendar {
                staff: staff()?,
                week: week()?,
            },
            "clients" => Page::Clients {
                quiet: self.show.as_deref() == Some("quiet"),
            },
            "client" => Page::Client { client: client()? },
            "messages" => Page::Messages,
            "thread" => Page::Thread { client: client()? },
            "threads" => Page::Threads {
                waiting: self.show.as_deref() == Some("waiting"),
            },
            "waits" => Page::Line,
            "outbox" => Page::Outbox,
            "plain" => Page::Plain,
            "invoices" => Page::Invoices,
            "invoice" => Page::Invoice {
                invoice: self.invoice.as_deref()?.parse().ok()?,
            },
            "ledger" => Page::Ledger {
                filter: Filter::parse(self.show.as_deref()?)?,
                before: match self.before.as_deref() {
                    Some(id) => Some(id.parse().ok()?),
                    None => None,
                },
            },
            "notifications" => Page::Notifications,
            _ => return None,
        })
    }
}
