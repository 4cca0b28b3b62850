//! `capacity` for people: what is taken, what is left, what alternates, machine by machine and window by window.
//!
//! Lays out what [`capacity`](crate::capacity) found; computes nothing but sums of what is shown beside each other.

mod answer;
mod bar;
mod page;
mod sentences;
mod tables;
#[cfg(test)]
mod tests;
mod verdict;

pub use answer::CapacityAnswer;
pub use page::render_capacity;
