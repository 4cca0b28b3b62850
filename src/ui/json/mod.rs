//! The versioned JSON documents of json.md, one file a verb: types of their own, apart from the domain.

mod apply;
mod bench;
mod by_hand;
mod capacity;
mod check;
mod doctor;
mod explain;
mod gateway;
mod history;
mod init;
mod jobs;
mod models;
mod render;
mod resolve;
mod resolver;
mod schedule;
mod shadow;
mod simulate;
mod status;
mod target;

pub use apply::ApplyDocument;
pub use bench::{BenchDocument, BenchEntry, BoundEntry, Conditions, SpreadEntry};
pub use by_hand::{HandDocument, HandEntry};
pub use capacity::{CapacityDocument, HeadroomEntry};
pub use check::CheckDocument;
pub use doctor::{DoctorDocument, ExaminedMachine, FindingEntry};
pub use explain::{ExplainDocument, ExplainListDocument};
pub use gateway::GatewayDocument;
pub use history::HistoryDocument;
pub use init::InitDocument;
pub use jobs::{JobEntry, JobRunEntry, JobsDocument, JobsRunDocument, JobsRunEntry, SilentEntry};
pub use models::{
    HubModels, MachineModels, MachinePrune, ModelsDocument, PruneDocument, SyncDocument, TransferEntry, WeightsEntry,
};
pub use render::{DifferenceEntry, RenderDocument};
pub use resolve::{Memory, ResolveDocument};
pub use resolver::{ResolverErrorDocument, ResolverHealthDocument, ResolverSlotsDocument};
pub use schedule::ScheduleDocument;
pub use shadow::{MeasureEntry, ShadowReportDocument, VerdictMode, measure_entries};
pub use simulate::{SimulateDocument, SimulateEachDocument};
pub use status::{
    Alert, Drift, HeadroomStatus, JobRun, JobStatus, MachineStatus, MemoryStatus, OmlxStatus, Reach, ServedStatus,
    ServiceState, ServiceStatus, SlotStatus, StatusDocument, Step, TransactionStatus, TransitionStatus, WorkStatus,
};
pub use target::{LoadEntry, TargetEntry};
mod plan;

pub use plan::PlanDocument;
