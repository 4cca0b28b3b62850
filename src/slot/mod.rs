//! The resolver: Fleet × snapshot × time × cursor → (model, profile, machine). Pure.
//!
//! One core, [`resolve`], answers `resolve`, `status`, `simulate`, the gateway's configuration and the resolver service; nothing else in the
//! house decides where a slot goes. It knows no network, no clock and no terminal: what is up comes in as a [`Snapshot`].

mod address;
mod balance;
mod breaker;
mod candidate;
pub mod gateway;
mod health;
mod hysteresis;
mod observed;
mod overlay;
mod reason;
mod resolution;
mod resolve;
mod room;
mod simulate;
mod snapshot;
mod tracker;

pub use address::{base_url, host, url_host};
pub use balance::Cursor;
pub use breaker::{Admission, Breaker};
pub use candidate::{Candidate, candidates};
pub use health::{MachineHealth, Reach};
pub use hysteresis::{Hysteresis, PROBE_INTERVAL, ProbeOutcome, probe_delay};
pub use observed::{Answer, MODELS_STATUS, STATUS, observed};
pub use overlay::overlay;
pub use reason::Reason;
pub use resolution::{Choice, Load, Rejected, Resolution, SlotState};
pub use resolve::{resolve, resolve_in};
pub use simulate::{Outlook, Scenario, each_down, simulate};
pub use snapshot::{LEASE, Snapshot};
pub use tracker::Tracker;

#[cfg(test)]
mod property_tests;
