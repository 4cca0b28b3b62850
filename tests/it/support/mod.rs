//! What several features' tests need.

pub(crate) mod fleet_text;
pub(crate) mod fleetctl;
pub(crate) mod lab;
pub(crate) mod sshd;
pub(crate) mod terminal;

pub(crate) use fleetctl::Fleetctl;
