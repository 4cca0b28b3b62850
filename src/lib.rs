//! fleetctl: the control plane for a fleet of Apple Silicon Macs that serve language models with oMLX.
//!
//! ```text
//! fleet.toml ─ config ─▶ Fleet ─ render ─▶ Bundle (what each machine should hold) ─┐
//!                                                                                  ├─ plan ─▶ Plan ─ execute ─▶ Report ─ ui
//! machines ─ transport ─ observe ─▶ Observed (what each machine holds) ────────────┘
//! ```
//!
//! Everything between the two arrows from outside (a file, a machine) and the last one is pure. A reader finds any feature by its verb in `command`, and any rule by its noun.

pub mod capacity;
mod cli;
pub mod clock;
mod command;
pub mod config;
pub mod diagnostic;
pub mod env;
pub mod error;
pub mod execute;
pub mod exit;
pub mod fleet;
pub mod fs;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod observe;
pub mod omlx;
pub mod plan;
pub mod render;
pub mod schedule;
pub mod secret;
pub mod shadow;
pub mod slot;
#[cfg(any(test, fuzzing))]
mod testing;
pub mod transport;
pub mod ui;

pub use command::{guarded, run};
