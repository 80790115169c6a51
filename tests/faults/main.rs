//! What must hold when things break: real processes, killed, frozen, cut off and lied to. A test's name says the fault, its
//! comment the row of the matrix whose bound it holds. `bin/test` runs this binary as a step of its own.

mod rig;

#[path = "../it/post.rs"]
#[expect(dead_code, reason = "rows look at less of a mail than stories do")]
mod post;

mod balancer;
mod booking;
mod clock;
mod crash;
mod database;
mod frozen;
mod mail;
mod payment;
mod redis;
mod restored;
mod sockets;
mod starved;
mod switches;
mod together;
