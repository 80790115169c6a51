//! The engine on a toy page: most of it without sockets, for what is asked here is what a page ends with, not how the bytes
//! travel.

mod adoption;
mod dom;
mod instance;
mod load;
mod moves;
mod page;
mod socket;
mod story;
mod world;
