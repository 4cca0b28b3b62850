//! `fleetctl.plan/1`

use serde::Serialize;

use crate::plan::{Change, ChangeKind, Disturbs, MachinePlan, PlanState, Summary};

/// The document of `plan --json`.
#[derive(Debug, Serialize)]
pub struct PlanDocument {
    schema: &'static str,
    machines: Vec<PlanMachine>,
    summary: PlanSummary,
}

#[derive(Debug, Serialize)]
struct PlanMachine {
    name: String,
    state: &'static str,
    detail: Option<String>,
    changes: Vec<PlanChange>,
    kept: Vec<PlanKept>,
}

#[derive(Debug, Serialize)]
struct PlanChange {
    kind: &'static str,
    path: String,
    key: Option<String>,
    action: &'static str,
    disturbs: &'static str,
    names: Vec<String>,
    reason: String,
    diff: Option<String>,
}

#[derive(Debug, Serialize)]
struct PlanKept {
    path: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct PlanSummary {
    create: usize,
    update: usize,
    remove: usize,
    reloads: usize,
    restarts: usize,
    unreachable: usize,
}

impl PlanDocument {
    /// Builds the document.
    pub fn of(machines: &[MachinePlan]) -> Self {
        let summary = Summary::of(machines);
        Self {
            schema: "fleetctl.plan/1",
            machines: machines.iter().map(machine).collect(),
            summary: PlanSummary {
                create: summary.create,
                update: summary.update,
                remove: summary.remove,
                reloads: summary.reloads,
                restarts: summary.restarts,
                unreachable: summary.unreachable,
            },
        }
    }
}

fn machine(plan: &MachinePlan) -> PlanMachine {
    PlanMachine {
        name: plan.machine.to_string(),
        state: state_name(plan.state),
        detail: plan.detail.clone(),
        changes: plan.changes.iter().map(change).collect(),
        kept: plan.kept.iter().map(|kept| PlanKept { path: kept.path.clone(), reason: kept.reason.clone() }).collect(),
    }
}

/// json.md's word for a state.
fn state_name(state: PlanState) -> &'static str {
    match state {
        PlanState::InSync => "in-sync",
        PlanState::Changes => "changes",
        PlanState::Refused => "refused",
        PlanState::Unreachable => "unreachable",
        PlanState::Error => "error",
    }
}

fn change(change: &Change) -> PlanChange {
    PlanChange {
        kind: match change.kind {
            ChangeKind::File => "file",
            ChangeKind::Link => "link",
            ChangeKind::Service => "service",
            ChangeKind::Setting => "setting",
        },
        path: change.path.clone(),
        key: change.key.clone(),
        action: change.action.as_str(),
        disturbs: match change.disturbs {
            Disturbs::Nothing => "nothing",
            Disturbs::Reload => "reload",
            Disturbs::Restart => "restart",
        },
        names: change.names.iter().map(ToString::to_string).collect(),
        reason: change.reason.clone(),
        diff: change.diff.clone(),
    }
}
