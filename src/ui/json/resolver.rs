//! What the resolver service answers besides `fleetctl.resolve/1`.

use serde::Serialize;

use super::ResolveDocument;

/// `GET /slots`: `fleetctl.resolver-slots/1`.
#[derive(Debug, Serialize)]
pub struct ResolverSlotsDocument {
    schema: &'static str,
    slots: Vec<ResolveDocument>,
}

impl ResolverSlotsDocument {
    /// Every slot as it would be answered now.
    pub fn new(slots: Vec<ResolveDocument>) -> Self {
        Self { schema: "fleetctl.resolver-slots/1", slots }
    }
}

/// `GET /health`: `fleetctl.resolver-health/1`.
#[derive(Debug, Serialize)]
pub struct ResolverHealthDocument {
    schema: &'static str,
    status: &'static str,
    machines: usize,
    up: usize,
}

impl ResolverHealthDocument {
    /// Whether every machine has been asked, how many there are, and how many of them answer.
    pub fn new(is_warm: bool, machines: usize, up: usize) -> Self {
        let status = if is_warm { "ok" } else { "starting" };
        Self { schema: "fleetctl.resolver-health/1", status, machines, up }
    }
}

/// What it could not answer.
#[derive(Debug, Serialize)]
pub struct ResolverErrorDocument {
    schema: &'static str,
    error: &'static str,
    help: Option<String>,
}

impl ResolverErrorDocument {
    /// An error. What was asked for is not repeated: it is a stranger's text.
    pub fn new(error: &'static str, help: Option<String>) -> Self {
        Self { schema: "fleetctl.resolver-error/1", error, help }
    }
}
