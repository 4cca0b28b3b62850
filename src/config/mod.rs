//! fleet.toml → Fleet: parse with spans, defaults, checks (one file a rule family), JSON Schema. Knows no machine and no network.
//!
//! ```text
//! text ─ syntax ─▶ Node (spans kept) ─ read ─▶ raw tables (typed, spans kept) ─ check ─▶ Fleet
//! ```
//!
//! Every stage reports all that it finds and hands on what is sound, so that one run shows every problem of the file. Pure on
//! the text: reading the file is the command's work.

mod canonical;
mod check;
#[cfg(test)]
mod hostile;
mod load;
mod node;
mod raw;
mod read;
#[cfg(test)]
mod reference_tests;
mod schema;
mod source;
mod suggest;
mod syntax;
mod wording;

pub use load::{Loaded, codes, load};
pub use schema::schema;
pub use source::{Place, Source};
pub use suggest::{help as suggestion, nearest};
