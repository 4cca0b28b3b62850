//! One file a verb: orchestration only.

mod completions;
mod context;
mod dispatch;

pub(crate) use context::Context;
pub use dispatch::run;
