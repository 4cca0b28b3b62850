//! How things look: tables, progress, diffs, snippets, JSON documents, reports. Does none of the work that it shows.

mod console;
pub mod json;
mod problem;
mod sanitize;
mod table;

pub use console::{Color, Ui, Volume};
pub use problem::{render_problems, summarize_problems};
pub use sanitize::sanitize;
pub use table::{Grid, Tone};
