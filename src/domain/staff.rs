//! A person who serves clients and has a calendar of their own.

use super::id::{PersonId, StaffId};
use super::viewer::Role;

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    pub id: StaffId,
    pub person: PersonId,
    pub name: String,
    pub role: Role,
}
