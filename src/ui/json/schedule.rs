//! `fleetctl schedule --json`: `fleetctl.schedule/1`.

use indexmap::IndexMap;
use serde::Serialize;

use crate::fleet::Served;
use crate::schedule::Transition;

/// The document.
#[derive(Debug, Serialize)]
pub struct ScheduleDocument {
    schema: &'static str,
    transitions: Vec<TransitionEntry>,
}

#[derive(Debug, Serialize)]
struct TransitionEntry {
    at: String,
    machine: String,
    window: Option<String>,
    resident: Vec<String>,
    load: Vec<String>,
    unload: Vec<String>,
    load_bytes: u64,
    estimated_seconds: f64,
    rebinds: IndexMap<String, Vec<String>>,
}

impl ScheduleDocument {
    /// The transitions in the order given.
    pub fn new(transitions: &[Transition<'_>]) -> Self {
        Self { schema: "fleetctl.schedule/1", transitions: transitions.iter().map(TransitionEntry::new).collect() }
    }
}

impl TransitionEntry {
    fn new(transition: &Transition<'_>) -> Self {
        let names = |all: &[&Served]| all.iter().map(|served| served.name.to_string()).collect();
        let rebinds = transition
            .rebinds
            .iter()
            .map(|(slot, route)| (slot.to_string(), route.iter().map(ToString::to_string).collect()));
        Self {
            at: transition.at.to_string(),
            machine: transition.machine.name.to_string(),
            window: transition.window.map(|window| window.name.to_string()),
            resident: names(&transition.resident),
            load: names(&transition.load),
            unload: names(&transition.unload),
            load_bytes: transition.cost.bytes.get(),
            // Tenths of a second are already more than the estimate knows.
            estimated_seconds: (transition.cost.seconds * 10.0).round() / 10.0,
            rebinds: rebinds.collect(),
        }
    }
}
