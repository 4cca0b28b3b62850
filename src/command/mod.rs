//! One file a verb: orchestration only.

mod adopt;
mod apply;
mod ask;
mod at;
mod by_hand;
mod capacity;
mod carry_out;
mod catalogue;
mod check;
mod completions;
mod context;
mod dispatch;
mod doctor;
mod edit;
mod explain;
mod fleet_file;
mod gateway;
mod history;
mod init;
mod jobs;
mod logs;
mod machines;
mod man;
mod plan;
mod planning;
mod remove;
mod render;
mod resolve;
mod resolver;
mod revision;
mod schedule;
mod schema;
mod secrets;
mod select;
mod shadow;
mod simulate;
mod slot_probe;
mod status;
mod tailnet;

#[cfg(any(test, fuzzing))]
pub(crate) use ask::ask;
pub(crate) use context::Context;
pub use dispatch::run;
pub(crate) use fleet_file::FleetFile;
