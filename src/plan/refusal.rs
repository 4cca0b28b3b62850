//! What keeps a machine from being touched at all, each with what to do about it.

use serde_json::Value;

use super::engine_view::{EngineView, OMLX_LABEL};
use super::standing::Standing;
use super::{Input, Lineage, MachinePlan, PlanState};
use crate::observe::{Sudo, WeightsState};

/// Why a machine is refused or in error, in one text that names the mend.
pub(super) struct Refusal {
    pub(super) state: PlanState,
    pub(super) detail: String,
}

fn refused(detail: String) -> Refusal {
    Refusal { state: PlanState::Refused, detail }
}

fn error(detail: String) -> Refusal {
    Refusal { state: PlanState::Error, detail }
}

/// The first reason to leave the machine alone, gravest first. `plan`: what there would be to do; `restarts`: whether oMLX would be started anew.
pub(super) fn check(input: &Input<'_>, view: &EngineView, plan: &MachinePlan, restarts: bool) -> Option<Refusal> {
    newer_fleetctl(input)
        .or_else(|| of_another_fleet(input))
        .or_else(|| older_file(input))
        .or_else(|| another_home(input))
        .or_else(|| another_release(input, view, restarts))
        .or_else(|| foreign_engine(input))
        .or_else(|| other_port_owner(input))
        .or_else(|| obstructed(input, plan))
        .or_else(|| if plan.changes.is_empty() { None } else { cannot_apply(input) })
}

/// What is declared cannot be compared or put in its place. Also where nothing else is to be done: the machine is not what the file says.
fn obstructed(input: &Input<'_>, plan: &MachinePlan) -> Option<Refusal> {
    let what = plan.obstacles.join("; ");
    (!what.is_empty()).then(|| error(format!("{what}; `fleetctl doctor {}` has the command", input.machine.name)))
}

/// What lies on the machine was written in a form that this program does not know: what it owns there could be misread.
fn newer_fleetctl(input: &Input<'_>) -> Option<Refusal> {
    let is_newer = |document: &Option<Value>, form: &str| -> bool {
        let schema = document.as_ref().and_then(|document| document.get("schema")?.as_str());
        let version = schema.and_then(|schema| schema.strip_prefix(form)?.parse::<u32>().ok());
        version.is_some_and(|version| version > 1)
    };
    let observed = input.observed;
    (is_newer(&observed.record, "fleetctl.record/") || is_newer(&observed.manifest, "fleetctl.render/")).then(|| {
        refused(
            "was applied by a newer fleetctl, whose record this one cannot read; use that one, or a later".to_owned(),
        )
    })
}

fn of_another_fleet(input: &Input<'_>) -> Option<Refusal> {
    let theirs = input.observed.record.as_ref()?.get("fleet")?.as_str()?;
    (theirs != input.fleet.name).then(|| {
        refused(format!(
            "belongs to fleet \"{theirs}\", this file is fleet \"{ours}\"; if it moved here, take it off there first: `remove {machine}` with the file of \"{theirs}\"",
            ours = input.fleet.name,
            machine = input.machine.name,
        ))
    })
}

fn older_file(input: &Input<'_>) -> Option<Refusal> {
    match input.lineage {
        Lineage::Older(applied) if !input.allow_older => Some(refused(format!(
            "revision {applied} was applied, which is newer than this fleet file; update the file (git pull), or go back on purpose with --allow-older"
        ))),
        _ => None,
    }
}

fn another_home(input: &Input<'_>) -> Option<Refusal> {
    let (declared, real) = (&input.machine.home, &input.observed.identity.home);
    (!real.is_empty() && declared != real).then(|| {
        error(format!(
            "the home of {user} is {real}, the fleet file says {declared}; write home = \"{real}\" in [machines.{machine}]",
            user = input.machine.user,
            machine = input.machine.name,
        ))
    })
}

fn another_release(input: &Input<'_>, view: &EngineView, restarts: bool) -> Option<Refusal> {
    let (release, machine) = (input.machine.omlx.release, &input.machine.name);
    match &view.standing {
        Standing::Other { verb, release: other } => Some(refused(format!(
            "{verb} oMLX {other}, the fleet file declares {release}; install {release} there, or set version in [machines.{machine}.omlx]"
        ))),
        Standing::Replaced { installed } if restarts => Some(refused(format!(
            "runs oMLX {release} as declared, but {installed} is installed there and would be started by this change; install {release} again, or set version in [machines.{machine}.omlx]"
        ))),
        Standing::Declared | Standing::Pending { .. } | Standing::Replaced { .. } => None,
    }
}

fn foreign_engine(input: &Input<'_>) -> Option<Refusal> {
    let foreign = input.observed.foreign.first()?;
    let what = match (&foreign.label, foreign.pid) {
        (Some(label), Some(pid)) => format!("the launchd job {label} (pid {pid})"),
        (Some(label), None) => format!("the launchd job {label}"),
        (None, Some(pid)) => format!("pid {pid} ({})", foreign.command),
        (None, None) => foreign.command.clone(),
    };
    // adopt takes launchd's jobs over; a process without one has to be stopped by hand.
    let mend = if foreign.target().is_some() {
        format!("Take it over with `fleetctl adopt {machine}`, or stop it on the machine", machine = input.machine.name)
    } else {
        format!("Stop it on the machine; `fleetctl doctor {machine}` says how", machine = input.machine.name)
    };
    Some(refused(format!(
        "another oMLX is there already: {what}. Two servers on one port load all their models before one dies. {mend}"
    )))
}

fn other_port_owner(input: &Input<'_>) -> Option<Refusal> {
    let port = input.machine.omlx.port;
    let ours = input.observed.jobs.get(OMLX_LABEL).and_then(|job| job.pid);
    // A wrapper that forks leaves the listener in a child of launchd's pid: known by our base path in its arguments.
    let is_ours =
        |pid: u32, command: &str| ours == Some(pid) || (ours.is_some() && command.contains(&input.machine.omlx.base));
    let owner = input.observed.listeners.get(&port)?.iter().find(|owner| !is_ours(owner.pid, &owner.command))?;
    let stale = owner.command.contains("omlx");
    let advice = if stale {
        format!(
            "it looks like a left-over oMLX: end it with `kill {}` on the machine; `fleetctl doctor {}` says more",
            owner.pid, input.machine.name
        )
    } else {
        format!("stop it, or choose another port in [machines.{}.omlx]", input.machine.name)
    };
    Some(refused(format!("port {port} is held by pid {} ({}); {advice}", owner.pid, owner.command)))
}

fn cannot_apply(input: &Input<'_>) -> Option<Refusal> {
    let machine = &input.machine.name;
    if let Some(Sudo::Refused(words)) = &input.observed.sudo {
        return Some(error(format!(
            "sudo refuses {user}: {words}; `fleetctl doctor {machine}` prints the line for /etc/sudoers.d/fleetctl",
            user = input.machine.user,
        )));
    }
    if input.observed.program_present == Some(false) {
        return Some(error(format!(
            "oMLX is not installed: {program} is missing or not executable; install oMLX {release} there, or set program in [machines.{machine}.omlx]",
            program = input.machine.omlx.program,
            release = input.machine.omlx.release,
        )));
    }
    let lacking: Vec<String> = input
        .fleet
        .served_on(machine)
        .filter_map(|served| input.fleet.weights.get(&served.model))
        .filter_map(|weights| {
            let path = crate::fleet::Fleet::weights_path(input.machine, weights);
            let state = input.observed.weights.get(&path)?.state;
            let what = match state {
                WeightsState::Complete => return None,
                WeightsState::Missing => "missing",
                WeightsState::Incomplete => "incomplete",
                WeightsState::Broken => "not usable (no config.json or no safetensors)",
            };
            Some(format!("{path} is {what}"))
        })
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    if !lacking.is_empty() {
        return Some(error(format!(
            "weights are lacking: {}; copy them with `fleetctl models sync --on {machine}`, or download them there",
            lacking.join(", ")
        )));
    }
    None
}

/// Whether a transaction of the machine is still running or could not be reverted: said as a note, execution attaches to it first.
pub(super) fn unfinished(input: &Input<'_>) -> Option<String> {
    let state = input.observed.result.as_ref()?.get("state").and_then(Value::as_str)?;
    match state {
        "revert-failed" => {
            Some("the last apply failed and could not be reverted: look at `fleetctl history`".to_owned())
        }
        _ => None,
    }
}
