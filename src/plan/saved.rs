//! A plan that was saved to be applied later (`plan --out`, `apply FILE`): what was agreed to, and how to tell that it still holds.

use serde::{Deserialize, Serialize};

use super::{MachinePlan, PlanState};
use crate::fleet::{Fleet, sha256};

/// The version of the format.
const SCHEMA: &str = "fleetctl.saved-plan/1";

/// The fleetctl that plans: another one may render other bytes from the same file.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A saved plan. Holds no secret: texts keep their holes, found files are in it as digests only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// Always `fleetctl.saved-plan/1`.
    pub schema: String,
    /// The version of the fleetctl that made it.
    pub fleetctl: String,
    /// The fleet's name.
    pub fleet: String,
    /// SHA-256 of the fleet file in canonical form: comments may change, meaning may not.
    pub file: String,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// The machines, in the order of declaration.
    pub machines: Vec<SavedMachine>,
}

/// One machine of a saved plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedMachine {
    /// Its name.
    pub name: String,
    /// SHA-256 over everything that would be done and everything that was seen to decide it.
    pub digest: String,
    /// The changes, a line each, for people and for the answer when they no longer hold.
    pub changes: Vec<String>,
}

/// Why a saved plan cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// Not a saved plan, or of another version.
    #[error("not a saved plan of this version ({SCHEMA})")]
    Format,
    /// Another fleetctl made it.
    #[error("fleetctl {0} made it, and this is fleetctl {VERSION}")]
    AnotherVersion(String),
    /// The fleet file says something else now.
    #[error("the fleet file changed since the plan was saved")]
    FleetMovedOn,
}

impl SavedPlan {
    /// Saves the plan of some machines.
    pub fn of(fleet: &Fleet, machines: &[MachinePlan], made_at: jiff::Timestamp) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            fleetctl: VERSION.to_owned(),
            fleet: fleet.name.clone(),
            file: file_digest(fleet),
            made_at: made_at.to_string(),
            machines: machines.iter().map(SavedMachine::of).collect(),
        }
    }

    /// Reads a saved plan. Errors: [`SavedPlanError::Format`], [`SavedPlanError::AnotherVersion`].
    pub fn read(text: &str) -> Result<Self, SavedPlanError> {
        let plan: Self = serde_json::from_str(text).map_err(|_| SavedPlanError::Format)?;
        if plan.schema != SCHEMA {
            return Err(SavedPlanError::Format);
        }
        if plan.fleetctl == VERSION { Ok(plan) } else { Err(SavedPlanError::AnotherVersion(plan.fleetctl)) }
    }

    /// Checks that it was made from this fleet file. Errors: [`SavedPlanError::FleetMovedOn`].
    pub fn check_fleet(&self, fleet: &Fleet) -> Result<(), SavedPlanError> {
        if self.file == file_digest(fleet) { Ok(()) } else { Err(SavedPlanError::FleetMovedOn) }
    }

    /// SHA-256 over the plans of all machines: what a receipt and the record name.
    pub fn digest(&self) -> String {
        let all: Vec<String> =
            self.machines.iter().map(|machine| format!("{} {}\n", machine.name, machine.digest)).collect();
        sha256(all.concat().as_bytes())
    }

    /// What changed on a machine since: `None` when the plan still holds there.
    pub fn moved_on(&self, now: &MachinePlan) -> Option<String> {
        let saved = self.machines.iter().find(|saved| saved.name == now.machine.as_str());
        let present = SavedMachine::of(now);
        let Some(saved) = saved else {
            return Some("the saved plan does not hold this machine".to_owned());
        };
        if saved.digest == present.digest {
            return None;
        }
        let added =
            present.changes.iter().filter(|change| !saved.changes.contains(change)).map(|c| format!("now also: {c}"));
        let gone =
            saved.changes.iter().filter(|change| !present.changes.contains(change)).map(|c| format!("no longer: {c}"));
        let differences: Vec<String> = added.chain(gone).collect();
        Some(if differences.is_empty() {
            // The same changes, decided by something else.
            "the machine holds other bytes than the plan saw, or other names are resident by now".to_owned()
        } else {
            differences.join("; ")
        })
    }
}

impl SavedMachine {
    fn of(plan: &MachinePlan) -> Self {
        let changes = plan
            .changes
            .iter()
            .map(|change| {
                let key = change.key.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
                format!("{} {}{key}", change.action.as_str(), change.path)
            })
            .collect();
        // The Debug form of the whole plan: every found hash, every action. Found bytes are digested beside it, because Debug hides them.
        let mut digested = format!("{:?}", (plan.state == PlanState::Changes, &plan.changes, &plan.transaction));
        for found in plan.transaction.iter().flat_map(|transaction| &transaction.found) {
            if let super::Found::Keys { bytes, .. } = found {
                digested.push_str(&sha256(&bytes.0));
            }
        }
        Self { name: plan.machine.to_string(), digest: sha256(digested.as_bytes()), changes }
    }
}

fn file_digest(fleet: &Fleet) -> String {
    sha256(fleet.canonical.to_string().as_bytes())
}
