//! A page that is watched without a browser: what it shows, and what each frame makes of it. Nothing here talks to a server;
//! it refuses nothing, and tells what it could not understand.

pub mod cursor;
mod hash;
mod html;
pub mod state;
pub mod watcher;
pub mod wire;

pub use html::attribute;
