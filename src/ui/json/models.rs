//! `fleetctl models --json`: `fleetctl.models/1`; of its actions `fleetctl.models-sync/1` and `fleetctl.models-prune/1`. What is not known is null.

use serde::Serialize;

/// Which weights are where.
#[derive(Debug, Serialize)]
pub struct ModelsDocument {
    /// `fleetctl.models/1`
    pub schema: &'static str,
    /// One a machine asked, as declared.
    pub machines: Vec<MachineModels>,
    /// What the hub keeps; null without [hub].
    pub hub: Option<HubModels>,
}

/// One machine's weights.
#[derive(Debug, Serialize)]
pub struct MachineModels {
    /// The machine.
    pub name: String,
    /// Why it gave no answer; null when it did.
    pub detail: Option<String>,
    /// `[omlx].weights` there.
    pub directory: String,
    /// Bytes free on its volume.
    pub free_bytes: Option<u64>,
    /// Empty when it gave no answer.
    pub weights: Vec<WeightsEntry>,
}

/// The hub's weights.
#[derive(Debug, Serialize)]
pub struct HubModels {
    /// The machine.
    pub machine: String,
    /// `[hub].path`.
    pub path: String,
    /// Why it gave no answer; null when it did.
    pub detail: Option<String>,
    /// Empty when it gave no answer.
    pub weights: Vec<WeightsEntry>,
}

/// Weights in one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightsEntry {
    /// The key in [models]; null where none declares the directory.
    pub name: Option<String>,
    /// Below the machine's directory of weights.
    pub directory: String,
    /// `complete`, `incomplete` (the index names a missing file, or what makes them weights is missing), `absent`, or `orphaned` (nothing there needs them).
    pub state: &'static str,
    /// Bytes of all files.
    pub bytes: Option<u64>,
    /// `size` of [models].
    pub declared_bytes: Option<u64>,
    /// Files that the index names and that are not there.
    pub missing: Vec<String>,
    /// The names of the machine that need them.
    pub served: Vec<String>,
}

/// What a sync did.
#[derive(Debug, Serialize)]
pub struct SyncDocument {
    /// `fleetctl.models-sync/1`
    pub schema: &'static str,
    /// One for each weights that a machine needs.
    pub transfers: Vec<TransferEntry>,
}

/// One copy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TransferEntry {
    /// Where to.
    pub machine: String,
    /// The key in [models].
    pub name: String,
    /// `copied`, `present`, `refused` (nothing was touched), `failed`, `interrupted` or `unreachable`.
    pub result: &'static str,
    /// `mount`, `local` (the machine is the hub) or `ssh`; null when it did not come so far.
    pub source: Option<&'static str>,
    /// Bytes of all files.
    pub bytes: Option<u64>,
    /// Seconds that it took.
    pub seconds: Option<f64>,
    /// Connections that died on the way.
    pub interruptions: u32,
    /// Why, or what else is to be said.
    pub detail: Option<String>,
}

/// What a prune found and did.
#[derive(Debug, Serialize)]
pub struct PruneDocument {
    /// `fleetctl.models-prune/1`
    pub schema: &'static str,
    /// One a machine asked.
    pub machines: Vec<MachinePrune>,
}

/// One machine's part of a prune.
#[derive(Debug, Serialize)]
pub struct MachinePrune {
    /// The machine.
    pub name: String,
    /// Why it gave no answer, or did not do it; null when all is well.
    pub detail: Option<String>,
    /// What nothing there needs, before.
    pub orphaned: Vec<WeightsEntry>,
    /// Directories that were removed.
    pub removed: Vec<String>,
    /// Directories that were named and stay, with the reason.
    pub kept: Vec<String>,
}
