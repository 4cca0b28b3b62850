//! One file a verb: orchestration only.

mod ask;
mod at;
mod catalogue;
mod check;
mod completions;
mod context;
mod dispatch;
mod edit;
mod explain;
mod fleet_file;
mod machines;
mod render;
mod resolve;
mod schedule;
mod schema;
mod secrets;
mod select;
mod simulate;
mod slot_probe;

pub(crate) use context::Context;
pub use dispatch::run;
pub(crate) use fleet_file::FleetFile;
