//! Portico: a client portal whose every page is live. The modules stand in the order of the floors.

pub mod assets;
pub mod clock;
pub mod config;
pub mod domain;
pub mod fault;
pub mod meter;
pub mod payment;
pub mod secret;

pub mod store;

pub mod realtime;

pub mod views;

pub mod live;

pub mod app;

pub mod jobs;

pub mod http;

pub mod demo;
