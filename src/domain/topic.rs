//! Everything that can change, by name: what a write touches and what a region depends on.

use super::id::{ClientId, PersonId, StaffId};
use std::fmt;
use std::str::FromStr;

/// A name whose version moves whenever what it stands for changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// One staff member's bookings, hours and time off.
    Calendar(StaffId),
    /// One client's own data and bookings.
    Client(ClientId),
    /// A person's sessions, roles and rights.
    Viewer(PersonId),
    /// The list of clients: who is in it and under which name.
    Clients,
    /// The waiting list: who waits for what, and what is offered to them.
    Waits,
    /// The mails that wait or have left.
    Outbox,
    /// The business itself: name, zone, services, staff.
    Settings,
    /// Every invoice and payment.
    Invoices,
    /// One client's conversation: its messages, and how far each side has read.
    Thread(ClientId),
    /// The list of conversations: who wrote last, and who waits.
    Threads,
    /// What one person should know, and has seen of it.
    Notifications(PersonId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar(id) => write!(f, "calendar/{id}"),
            Self::Client(id) => write!(f, "client/{id}"),
            Self::Viewer(id) => write!(f, "viewer/{id}"),
            Self::Clients => f.write_str("clients"),
            Self::Waits => f.write_str("waits"),
            Self::Outbox => f.write_str("outbox"),
            Self::Settings => f.write_str("settings"),
            Self::Invoices => f.write_str("invoices"),
            Self::Thread(id) => write!(f, "thread/{id}"),
            Self::Threads => f.write_str("threads"),
            Self::Notifications(id) => write!(f, "notifications/{id}"),
        }
    }
}

/// The name is of a topic that this build does not know: an older or newer one wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown;

impl FromStr for Topic {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        match name.split_once('/') {
            Some(("calendar", id)) => id.parse().map(Self::Calendar).map_err(|_| Unknown),
            Some(("client", id)) => id.parse().map(Self::Client).map_err(|_| Unknown),
            Some(("viewer", id)) => id.parse().map(Self::Viewer).map_err(|_| Unknown),
            Some(("thread", id)) => id.parse().map(Self::Thread).map_err(|_| Unknown),
            Some(("notifications", id)) => id.parse().map(Self::Notifications).map_err(|_| Unknown),
            None if name == "invoices" => Ok(Self::Invoices),
            None if name == "threads" => Ok(Self::Threads),
            None if name == "clients" => Ok(Self::Clients),
            None if name == "waits" => Ok(Self::Waits),
            None if name == "outbox" => Ok(Self::Outbox),
            None if name == "settings" => Ok(Self::Settings),
            _ => Err(Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_reads_back_from_its_name() {
        let topics = [
            Topic::Calendar(StaffId::new()),
            Topic::Client(ClientId::new()),
            Topic::Viewer(PersonId::new()),
            Topic::Clients,
            Topic::Waits,
            Topic::Outbox,
            Topic::Settings,
            Topic::Invoices,
            Topic::Thread(ClientId::new()),
            Topic::Threads,
            Topic::Notifications(PersonId::new()),
        ];
        for topic in topics {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        assert_eq!("calendar/x".parse::<Topic>(), Err(Unknown));
        assert_eq!("settings/1".parse::<Topic>(), Err(Unknown));
    }
}
