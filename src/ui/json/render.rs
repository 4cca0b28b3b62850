//! `fleetctl render --json`: `fleetctl.render/1`.

use serde::Serialize;

use crate::render::ManifestMachine;

/// The document.
#[derive(Debug, Serialize)]
pub struct RenderDocument {
    schema: &'static str,
    machines: Vec<ManifestMachine>,
    /// What `--check` found; null without it.
    differences: Option<Vec<DifferenceEntry>>,
}

/// A file or link that is not as it would be rendered.
#[derive(Debug, Serialize)]
pub struct DifferenceEntry {
    /// The machine.
    pub machine: String,
    /// Relative to its directory.
    pub path: String,
    /// `missing`, `extra` or `changed`.
    pub kind: &'static str,
}

impl RenderDocument {
    /// The machines in the order given.
    pub fn new(machines: Vec<ManifestMachine>, differences: Option<Vec<DifferenceEntry>>) -> Self {
        Self { schema: "fleetctl.render/1", machines, differences }
    }
}
