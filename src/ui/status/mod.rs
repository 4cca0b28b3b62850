//! `status` as text, as a page and as metrics: three looks at one document, which say the same because they read it in one place.

mod exposition;
#[cfg(test)]
pub(super) mod fixture;
mod metrics;
mod page;
pub(super) mod reading;
mod text;

pub use metrics::{SlotCounters, render_metrics};
pub use page::{Refresh, render_status_page};
pub use text::render_status;
