//! `fleetctl status --json`: `fleetctl.status/1`. The table for people and the exit code are made of the same value.

use serde::Serialize;

use super::TargetEntry;
use crate::plan::JobState;
use crate::ui::Commands;

/// The document.
#[derive(Clone, Debug, Serialize)]
pub struct StatusDocument {
    /// `fleetctl.status/1`
    pub schema: &'static str,
    /// The fleet's name.
    pub fleet: String,
    /// RFC 3339, UTC.
    pub taken_at: String,
    /// In the order of declaration.
    pub machines: Vec<MachineStatus>,
    /// In the order of declaration.
    pub slots: Vec<SlotStatus>,
    /// In the order of declaration, a job once for each of its machines.
    pub jobs: Vec<JobStatus>,
    /// The next 24 hours.
    pub transitions: Vec<TransitionStatus>,
    /// How command lines to copy are written; for people only.
    #[serde(skip)]
    pub commands: Commands,
}

/// One machine.
#[derive(Clone, Debug, Serialize)]
pub struct MachineStatus {
    /// Its name.
    pub name: String,
    /// Its `tier`.
    pub tier: Option<String>,
    /// How it was reached.
    pub reach: Reach,
    /// `15.6.1`
    pub macos: Option<String>,
    /// oMLX.
    pub omlx: OmlxStatus,
    /// Declared names.
    pub served: Vec<ServedStatus>,
    /// Names that it serves and the file does not declare.
    pub undeclared: Vec<String>,
    /// Memory.
    pub memory: MemoryStatus,
    /// What plan would change.
    pub drift: Drift,
    /// The last apply.
    pub transaction: TransactionStatus,
    /// What deserves a look.
    pub alerts: Vec<Alert>,
    /// What it is working on; for people and metrics only.
    #[serde(skip)]
    pub work: WorkStatus,
    /// The gateway and the resolver, where they are declared on it; for people and metrics only.
    #[serde(skip)]
    pub services: Vec<ServiceStatus>,
}

/// The gateway or the resolver on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceStatus {
    /// `gateway` or `resolver`
    pub name: &'static str,
    /// How it stands.
    pub state: ServiceState,
    /// `http://HOST:PORT` for its clients; on loopback the machine is its only client.
    pub url: String,
}

/// How a service stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// It has a process.
    Running,
    /// It was stopped by hand.
    Held,
    /// It has none, and why.
    Stopped(String),
    /// The machine did not say.
    Unknown,
}

/// What oMLX counts of its requests. Its scheduler's engines only: DFlash, embeddings, reranking and audio are missing on 0.3.8 (facts/omlx.md 6.4).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkStatus {
    /// Requests in work.
    pub running: Option<u64>,
    /// Requests in the queue.
    pub waiting: Option<u64>,
    /// Tokens of prompts since its start.
    pub prompt_tokens: Option<u64>,
    /// Tokens written since its start.
    pub completion_tokens: Option<u64>,
    /// Tokens per second since its start, as oMLX averages them.
    pub average_tps: Option<f64>,
}

/// How a machine was reached.
#[derive(Clone, Debug, Serialize)]
pub struct Reach {
    /// `up`, `unreachable`, `auth-failed` or `host-key-changed`
    pub state: &'static str,
    /// `lan`, `tailnet`, `address` or `local`
    pub path: Option<&'static str>,
    /// What came back.
    pub detail: Option<String>,
}

/// oMLX on a machine.
#[derive(Clone, Debug, Serialize)]
pub struct OmlxStatus {
    /// See `observe::EngineState`.
    pub state: &'static str,
    /// The release that answers.
    pub version: Option<String>,
    /// Of our daemon.
    pub pid: Option<u32>,
    /// Of our daemon's process.
    pub uptime_seconds: Option<u64>,
    /// Starts by launchd since it was loaded, without the first.
    pub restarts: Option<u64>,
}

/// A declared name.
#[derive(Clone, Debug, Serialize)]
pub struct ServedStatus {
    /// The name.
    pub name: String,
    /// The key of its weights.
    pub model: String,
    /// Its profile.
    pub profile: String,
    /// Whether oMLX lists it.
    pub listed: Option<bool>,
    /// Whether it is loaded.
    pub loaded: Option<bool>,
    /// Whether it is never evicted.
    pub pinned: Option<bool>,
    /// What oMLX counts for it, bytes.
    pub size_bytes: Option<u64>,
    /// Whether it is being loaded; for people only.
    #[serde(skip)]
    pub is_loading: bool,
    /// Whether it is resident now, by the clock; for people only.
    #[serde(skip)]
    pub is_resident: bool,
    /// Whether it was unloaded by hand; for people only.
    #[serde(skip)]
    pub is_held: bool,
    /// When its last request began, seconds since 1970; for people and metrics only.
    #[serde(skip)]
    pub last_use: Option<i64>,
}

/// Memory, bytes.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "json.md's own words")]
pub struct MemoryStatus {
    pub total_bytes: Option<u64>,
    pub available_bytes: Option<u64>,
    pub swap_used_bytes: Option<u64>,
    pub pressure: Option<&'static str>,
    pub gpu_limit_bytes: Option<u64>,
    pub gpu_limit_source: Option<&'static str>,
    pub omlx_limit_bytes: Option<u64>,
    pub omlx_used_bytes: Option<u64>,
    pub headroom: HeadroomStatus,
    /// The limit that the headroom is measured from; for people only.
    #[serde(skip)]
    pub budget_bytes: Option<u64>,
}

/// The three headrooms, bytes; below 0 is too much.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "json.md's own words")]
pub struct HeadroomStatus {
    pub load_bytes: Option<i64>,
    pub context_bytes: Option<i64>,
    pub system_bytes: Option<i64>,
}

/// What plan would change.
#[derive(Clone, Debug, Serialize)]
pub struct Drift {
    /// `in-sync`, `drifted` or `unknown`
    pub state: &'static str,
    /// How many changes.
    pub changes: Option<usize>,
}

/// The last apply.
#[derive(Clone, Debug, Serialize)]
pub struct TransactionStatus {
    /// `none`, `running`, `committed`, `reverted` or `revert-failed`; null when it could not be read.
    pub state: Option<&'static str>,
    /// The generation that the machine is in.
    pub generation: Option<u32>,
    /// When it began.
    pub at: Option<String>,
}

/// What deserves a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// An entry of the catalogue.
    pub code: &'static str,
    /// `error`, `warning` or `note`
    pub severity: &'static str,
    /// What, naming the object.
    pub message: String,
    /// What to do; for people only.
    #[serde(skip)]
    pub hints: Vec<String>,
    /// The verb that tells more or mends it; for people only.
    #[serde(skip)]
    pub next: Option<Step>,
    /// The daemon that it is about, where its code is about several; for people only.
    #[serde(skip)]
    pub unit: Option<&'static str>,
}

/// What to do first about an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `doctor`: find out what is wrong, and how to mend it.
    Doctor,
    /// `plan`, then `apply`.
    Plan,
    /// `adopt`
    Adopt,
    /// `logs`
    Logs,
    /// `logs` of the reconciler
    ScheduleLogs,
    /// `jobs`
    Jobs,
}

impl Step {
    /// Whether one command line does it for several machines.
    pub fn is_shared(self) -> bool {
        matches!(self, Self::Doctor | Self::Plan | Self::Jobs)
    }
}

/// A slot.
#[derive(Clone, Debug, Serialize)]
pub struct SlotStatus {
    /// Its name.
    pub name: String,
    /// `ok`, `degraded` or `down`
    pub state: &'static str,
    /// Where it goes now.
    pub target: Option<TargetEntry>,
    /// Why; for people only.
    #[serde(skip)]
    pub reason: String,
    /// `NAME on MACHINE`; for people only.
    #[serde(skip)]
    pub goes_to: Option<String>,
    /// The rank of the route that answers, from 0; for metrics only.
    #[serde(skip)]
    pub rank: Option<usize>,
}

/// A job on a machine.
#[derive(Clone, Debug, Serialize)]
pub struct JobStatus {
    /// Its name.
    pub name: String,
    /// Where.
    pub machine: String,
    /// Its last run.
    pub last: Option<JobRun>,
    /// Its next start.
    pub next_at: Option<String>,
    /// How it stands; `None`: not known. For people only.
    #[serde(skip)]
    pub state: Option<JobState>,
}

/// A run of a job.
#[derive(Clone, Debug, Serialize)]
pub struct JobRun {
    /// RFC 3339, UTC.
    pub started_at: Option<String>,
    /// Its exit code.
    pub exit: Option<i64>,
    /// How long it took.
    pub seconds: Option<f64>,
}

/// A coming transition.
#[derive(Clone, Debug, Serialize)]
pub struct TransitionStatus {
    /// RFC 3339, UTC.
    pub at: String,
    /// Where.
    pub machine: String,
    /// Names that are loaded then.
    pub load: Vec<String>,
    /// Names that are unloaded then.
    pub unload: Vec<String>,
}
