//! Who is looking. Every read that a person can cause takes one of these first.

use super::id::{ClientId, PersonId, StaffId};

/// Who is looking, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    Guest,
    Client(ClientViewer),
    Staff(StaffViewer),
}

/// A signed-in client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientViewer {
    pub person: PersonId,
    pub client: ClientId,
    pub name: String,
}

/// A signed-in member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffViewer {
    pub person: PersonId,
    pub staff: StaffId,
    pub name: String,
    pub role: Role,
}

/// What a member of staff may do beyond the daily work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything, the outbox included.
    Owner,
    Staff,
}

impl Role {
    /// The word that the database keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Staff => "staff",
        }
    }

    /// Reads [`Role::as_str`] back; a word nobody wrote grants the least.
    pub fn parse(text: &str) -> Self {
        if text == "owner" {
            Self::Owner
        } else {
            Self::Staff
        }
    }
}

impl Viewer {
    /// Who signed in, unless nobody did.
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Guest => None,
            Self::Client(client) => Some(client.person),
            Self::Staff(staff) => Some(staff.person),
        }
    }

    /// Their name; empty for a guest.
    pub fn name(&self) -> &str {
        match self {
            Self::Guest => "",
            Self::Client(client) => &client.name,
            Self::Staff(staff) => &staff.name,
        }
    }

    /// One word for the role, as it goes into a cursor's epoch: another role is another viewer.
    pub fn role(&self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Client(_) => "client",
            Self::Staff(staff) => staff.role.as_str(),
        }
    }
}
