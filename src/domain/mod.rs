//! What the business is: types and rules. No I/O, no async, no SQL, no html.

pub mod activity;
pub mod booking;
pub mod business;
pub mod client;
pub mod email;
pub mod grid;
pub mod hold;
pub mod holiday;
pub mod hours;
pub mod id;
pub mod invoice;
pub mod message;
pub mod money;
pub mod notification;
pub mod password;
pub mod outcome;
pub mod payment;
pub mod person;
pub mod service;
pub mod slot;
pub mod staff;
pub mod topic;
pub mod viewer;
pub mod week;
