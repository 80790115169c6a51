//! Bookings as a client sees them: the calendar, the sheet that confirms, and the sessions so far.

pub mod calendar;
pub mod history;
pub mod sessions;
pub mod sheet;
