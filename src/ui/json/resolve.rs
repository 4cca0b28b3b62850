//! `fleetctl resolve --json`: `fleetctl.resolve/1`. The resolver service answers the same document.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::fleet::Shadow;
use crate::shadow::{Answerer, Route};
use crate::slot::{Choice, Rejected, Resolution};

/// The document.
#[derive(Debug, Serialize)]
pub struct ResolveDocument {
    schema: &'static str,
    slot: String,
    served: Option<String>,
    model: Option<String>,
    profile: Option<String>,
    machine: Option<String>,
    base_url: Option<String>,
    rank: Option<usize>,
    degraded: bool,
    degraded_reason: Option<String>,
    reason: String,
    stateless: bool,
    valid_until: Option<String>,
    overlay: Map<String, Value>,
    rejected: Vec<RejectedEntry>,
    /// Only where an item was named (json.md, `--item`).
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct RejectedEntry {
    served: String,
    machine: String,
    rank: usize,
    reason: &'static str,
}

/// Whether the answer rests on a memory of earlier probes and turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The command: one probe, or none.
    Stateless,
    /// The resolver service.
    Kept,
}

impl ResolveDocument {
    /// The document of a resolution.
    pub fn new(resolution: &Resolution<'_>, memory: Memory) -> Self {
        let choice = resolution.choice.as_ref();
        let text = |of: fn(&Choice<'_>) -> String| choice.map(of);
        Self {
            schema: "fleetctl.resolve/1",
            slot: resolution.slot.name.to_string(),
            served: text(|choice| choice.served.name.to_string()),
            model: text(|choice| choice.served.model.to_string()),
            profile: text(|choice| choice.served.profile.to_string()),
            machine: text(|choice| choice.machine.name.to_string()),
            base_url: text(|choice| choice.base_url.clone()),
            rank: choice.map(|choice| choice.rank),
            degraded: choice.is_some_and(|choice| choice.degraded.is_some()),
            degraded_reason: choice.and_then(|choice| choice.degraded.clone()),
            reason: resolution.reason.clone(),
            stateless: memory == Memory::Stateless,
            valid_until: resolution.valid_until.map(|at| at.to_string()),
            overlay: choice.map(|choice| choice.overlay.clone()).unwrap_or_default(),
            rejected: resolution.rejected.iter().map(RejectedEntry::new).collect(),
            answer: None,
        }
    }

    /// The same for an item. For the reference nothing of the fleet is named: model and base URL are those of its declaration.
    #[must_use]
    pub fn for_item(mut self, shadow: Option<&Shadow>, route: &Route) -> Self {
        self.answer = Some(route.answerer.as_str());
        let told =
            if route.audit && route.answerer == Answerer::Fleet { "; an audit: ask the reference as well" } else { "" };
        match (route.answerer, shadow) {
            (Answerer::Reference, Some(shadow)) => {
                (self.served, self.profile, self.machine, self.rank) = (None, None, None, None);
                self.model = Some(shadow.reference.model.clone());
                self.base_url = Some(shadow.reference.base_url.clone());
                (self.degraded, self.degraded_reason) = (false, None);
                self.overlay = Map::new();
                self.reason.clone_from(&route.reason);
            }
            _ => self.reason = format!("{}; {}{told}", route.reason, self.reason),
        }
        self
    }
}

impl RejectedEntry {
    fn new(rejected: &Rejected<'_>) -> Self {
        Self {
            served: rejected.served.name.to_string(),
            machine: rejected.machine.name.to_string(),
            rank: rejected.rank,
            reason: rejected.reason.as_str(),
        }
    }
}
