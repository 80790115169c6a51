//! The house from outside: every verb on both databases, every route through HTTP, every live page through a real socket.
//! One binary, a module a noun; each test owns its data and tells a story in the words of the trade.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it stands"
)]

mod browser;
mod house;
mod money;
mod state;
mod wire;

mod booking;
mod bus;
mod command;
mod fragments;
mod invoice;
mod laws;
mod live;
mod message;
mod notification;
mod payment;
mod security;
mod sweep;
