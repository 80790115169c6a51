//! What nobody gets away with: the checks of the security floor, a module an area. Numbers like S1 are those of the
//! project's list of checks.

mod headers;
mod input;
mod links;
mod matrix;
mod origin;
mod passwords;
mod revocation;
mod rights;
mod sessions;
mod socket;
mod throttle;
