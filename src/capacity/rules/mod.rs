//! Rules about memory and speed that need this room's arithmetic beside the sums of `config`'s own memory rules, one file a family.

mod assumed;
mod catalogue;
mod dflash;
mod draft;
mod every;
mod speed;
mod survey;
mod turboquant;
mod twins;

pub(crate) use catalogue::ONE_LOAD_SUFFICES;
pub use catalogue::RULES;
pub use every::{findings, findings_measured, findings_on};
