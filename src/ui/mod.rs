//! How things look: tables, progress, diffs, snippets, JSON documents, reports. Does none of the work that it shows.

mod apply;
mod capacity;
mod clock_face;
mod console;
mod day_chart;
mod diff;
pub mod json;
mod palette;
mod plan;
mod problem;
mod progress;
mod resolve;
mod resolver_metrics;
mod resolver_page;
mod sanitize;
mod schedule;
mod simulate;
mod stacked_bar;
mod table;

pub use apply::{history_text, report_text};
pub use capacity::{CapacityAnswer, render_capacity};
pub use console::{Color, Ui, Volume};
pub use diff::short_diff;
pub use palette::Palette;
pub use plan::plan_text;
pub use problem::{render_problems, summarize_problems};
pub use progress::Progress;
pub use resolve::{render_candidates, render_resolution};
pub use resolver_metrics::{SlotCounters, render_resolver_metrics};
pub use resolver_page::render_resolver_page;
pub use sanitize::sanitize;
pub use schedule::{SchedulePeriod, render_schedule};
pub use simulate::{render_scenario, render_scenarios};
pub use stacked_bar::{Part, stacked_bar};
pub use table::{Grid, Tone};
