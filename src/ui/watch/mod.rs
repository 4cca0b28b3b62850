//! `status --watch`: the fleet on the whole screen. A model takes events in and says what it wishes; drawing is a function of the model and the time.
//! Knows nothing of how machines are asked.

mod detail;
mod draw;
mod keys;
mod log;
mod machines;
mod model;
mod paint;
mod screen;
mod slots;
#[cfg(test)]
mod tests;

pub use keys::Wish;
pub use model::Watch;
pub use screen::{Input, Screen};
