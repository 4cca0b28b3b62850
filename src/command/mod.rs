//! One file a verb: orchestration only.

mod catalogue;
mod check;
mod completions;
mod context;
mod dispatch;
mod edit;
mod explain;
mod fleet_file;
mod schema;
mod select;

pub(crate) use context::Context;
pub use dispatch::run;
pub(crate) use fleet_file::FleetFile;
