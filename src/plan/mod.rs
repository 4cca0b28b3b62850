//! Bundle × Observed → Plan: changes, cheapest actions, reasons, diffs. Pure; leaves execution no choice.

mod change;
mod diff;
pub mod doctor;
mod engine;
mod engine_view;
#[cfg(test)]
mod exposed_tests;
mod files;
mod input;
mod job_standing;
mod keys;
mod live;
mod measured;
mod obstacle;
mod planner;
mod pointer;
#[cfg(test)]
mod property_tests;
mod refusal;
mod release;
mod rights;
mod saved;
mod standing;
#[cfg(test)]
mod tests;
mod transaction;
mod units;

pub use change::{Action, Change, ChangeKind, Disturbs, Kept, MachinePlan, Plan, PlanState};
pub use input::{Input, Lineage};
pub use job_standing::{JobStanding, JobState, job_standing};
pub use measured::measured;
pub use planner::{Summary, plan_machine};
pub use pointer::{from_pointer, to_pointer};
pub use saved::{SavedMachine, SavedPlan, SavedPlanError};
pub use transaction::{Ask, Drain, Found, FoundBytes, Gate, Live, Merge, Put, Transaction, UnitAction, UnitStep};

/// What a transaction's values are made of, for those who carry one out.
pub use crate::render::{FillError, Owner, Placeholder, RUNNER, SecretId, Text, UnitKind, Values};
