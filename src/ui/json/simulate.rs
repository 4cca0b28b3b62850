//! `fleetctl simulate --json`: `fleetctl.simulate/1`.

use jiff::Timestamp;
use serde::Serialize;

use super::target::{LoadEntry, TargetEntry};
use crate::slot::{Outlook, Scenario};

/// The document of `--down`.
#[derive(Debug, Serialize)]
pub struct SimulateDocument {
    schema: &'static str,
    at: String,
    down: Vec<String>,
    slots: Vec<OutlookEntry>,
}

/// The document of `--each`.
#[derive(Debug, Serialize)]
pub struct SimulateEachDocument {
    schema: &'static str,
    at: String,
    scenarios: Vec<ScenarioEntry>,
}

#[derive(Debug, Serialize)]
struct ScenarioEntry {
    down: Vec<String>,
    slots: Vec<OutlookEntry>,
}

#[derive(Debug, Serialize)]
struct OutlookEntry {
    name: String,
    before: Option<TargetEntry>,
    after: Option<TargetEntry>,
    state: &'static str,
    loads: Vec<LoadEntry>,
}

const SCHEMA: &str = "fleetctl.simulate/1";

impl SimulateDocument {
    /// One scenario.
    pub fn new(scenario: &Scenario<'_>, at: Timestamp) -> Self {
        let ScenarioEntry { down, slots } = ScenarioEntry::new(scenario);
        Self { schema: SCHEMA, at: at.to_string(), down, slots }
    }
}

impl SimulateEachDocument {
    /// Several, in the order given.
    pub fn new(scenarios: &[Scenario<'_>], at: Timestamp) -> Self {
        Self { schema: SCHEMA, at: at.to_string(), scenarios: scenarios.iter().map(ScenarioEntry::new).collect() }
    }
}

impl ScenarioEntry {
    fn new(scenario: &Scenario<'_>) -> Self {
        Self {
            down: scenario.down.iter().map(|machine| machine.name.to_string()).collect(),
            slots: scenario.slots.iter().map(OutlookEntry::new).collect(),
        }
    }
}

impl OutlookEntry {
    fn new(outlook: &Outlook<'_>) -> Self {
        Self {
            name: outlook.slot.name.to_string(),
            before: TargetEntry::of(&outlook.before),
            after: TargetEntry::of(&outlook.after),
            state: outlook.state().as_str(),
            loads: outlook.after.choice.iter().flat_map(|choice| &choice.loads).map(LoadEntry::new).collect(),
        }
    }
}
