//! The house from outside: every verb on both databases, every route through HTTP, every live page through a real socket.
//! One binary, a module a noun; each test owns its data and tells a story in the words of the trade.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it stands"
)]

mod browser;
mod gate;
mod house;
mod money;
mod post;
mod state;
mod wire;

mod booking;
mod bus;
mod command;
mod deploy;
mod fragments;
mod health;
mod hold;
mod invoice;
mod laws;
mod live;
mod mail;
mod message;
mod metrics;
mod notification;
mod outcome;
mod payment;
mod proxy;
mod rules;
mod security;
mod serve;
mod setup;
mod sweep;
mod wait;
