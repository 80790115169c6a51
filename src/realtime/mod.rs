//! What makes a page live: regions loaded once, compared, and pulled by every socket that is behind.
//!
//! Generic over what a region is: nothing here knows a booking from an invoice, or where either is kept.

mod adoption;
mod bell;
mod bus;
mod close;
mod cursor;
mod entry;
mod farewell;
mod frame;
mod history;
mod hub;
mod line;
mod meter;
mod outgoing;
mod pace;
pub mod part;
mod region;
mod round;
mod socket;
#[cfg(test)]
mod tests;
mod wire;

pub use bus::{Bus, BusHealth, Local, Redis, carry};
pub use cursor::{Cursor, Mark, Tag, tag};
pub use hub::Hub;
pub use line::Line;
pub use meter::Meter;
pub use part::{Parts, Whole};
pub use region::{Grant, Kind, LoadError, Loaded, Place, Region, Verdict};
pub use socket::{Limits, Rights, Socket};
