//! Values in, markup out: one file a noun, and what they share. Nothing here asks the database.

pub mod account;
pub mod activity;
pub mod agenda;
pub mod badge;
pub mod booking;
pub mod client;
pub mod email;
pub mod error;
pub mod home;
pub mod ical;
pub mod icon;
pub mod invoice;
pub mod layout;
pub mod message;
pub mod notification;
pub mod outbox;
pub mod payment;
pub mod settings;
pub mod sign_in;
pub mod text;
pub mod today;
pub mod url;
pub mod wait;
