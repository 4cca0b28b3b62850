//! Bundle × Observed → Plan: changes, cheapest actions, reasons, diffs. Pure; leaves execution no choice.

mod change;
mod transaction;

pub use change::{Action, Change, ChangeKind, Disturbs, Kept, MachinePlan, Plan, PlanState};
pub use transaction::{Ask, Drain, Found, FoundBytes, Gate, Live, Merge, Put, Transaction, UnitAction, UnitStep};
