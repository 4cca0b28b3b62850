//! The transaction on a machine: fleetctl on the lab's laptop, the runner on a lab host.

mod agreed;
mod away;
mod bench;
mod fault;
mod holds;
mod host;
mod judge;
mod kills;
mod matrix;
mod orders;
mod outcomes;
mod results;
mod secrets;
mod shell;
mod waves;
