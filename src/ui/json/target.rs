//! Where a slot goes, as several documents say it.

use serde::Serialize;

use crate::slot::{Load, Resolution};

/// `{served, machine, base_url}`.
#[derive(Clone, Debug, Serialize)]
pub struct TargetEntry {
    served: String,
    machine: String,
    base_url: String,
}

impl TargetEntry {
    /// The target of a resolution; `None` when nobody can answer.
    pub fn of(resolution: &Resolution<'_>) -> Option<Self> {
        resolution.choice.as_ref().map(|choice| Self {
            served: choice.served.name.to_string(),
            machine: choice.machine.name.to_string(),
            base_url: choice.base_url.clone(),
        })
    }
}

impl TargetEntry {
    /// The served name.
    pub fn served(&self) -> &str {
        &self.served
    }

    /// The machine.
    pub fn machine(&self) -> &str {
        &self.machine
    }
}

/// `{served, machine, bytes}`.
#[derive(Debug, Serialize)]
pub struct LoadEntry {
    served: String,
    machine: String,
    bytes: u64,
}

impl LoadEntry {
    /// A load that must happen.
    pub fn new(load: &Load<'_>) -> Self {
        Self { served: load.served.to_string(), machine: load.machine.name.to_string(), bytes: load.bytes.get() }
    }
}
