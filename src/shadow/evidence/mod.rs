//! The evidence for the next rung: the looks, what each rung asks for on top of them, and what earlier decisions leave behind.

mod ladder;
mod looks;
mod standing;

#[cfg(test)]
mod tests;

pub use ladder::{Evidence, NextRung, above, below, next_rung};
pub use looks::{Looks, NextLook, TakenLook, take_looks};
pub use standing::{Standing, arrived, last_demotion, pairs_since};
