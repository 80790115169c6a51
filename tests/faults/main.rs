//! What must hold when things break: real processes, killed, frozen, cut off and lied to. A test's name says the fault, its
//! comment the row of the matrix whose bound it holds. `bin/test` runs this binary as a step of its own.

mod rig;

mod balancer;
mod booking;
mod clock;
mod crash;
mod database;
mod frozen;
mod payment;
mod redis;
mod restored;
mod sockets;
mod starved;
mod switches;
mod together;
