//! Daemons: which must be started, restarted or removed. launchd reads a plist at bootstrap only, so the loaded job counts as found.

use std::collections::BTreeSet;

use super::engine_view::OMLX_LABEL;
use super::{Action, Change, ChangeKind, Disturbs, Input, UnitAction, UnitStep};
use crate::observe::{LaunchdJob, is_held};
use crate::render::{LoadedDefinition, Unit, UnitKind};

const PREFIX: &str = "dev.fleetctl.";
/// The runner: there only while an apply runs, and its own business.
const APPLY_LABEL: &str = "dev.fleetctl.apply";
/// Where every plist of ours lies (machine.md).
const DAEMONS: &str = "/Library/LaunchDaemons/";

/// What is done about daemons.
#[derive(Default)]
pub(super) struct UnitWork {
    pub(super) changes: Vec<Change>,
    pub(super) steps: Vec<UnitStep>,
    /// Labels of timed daemons that run right now and are about to be replaced.
    pub(super) busy: Vec<String>,
}

impl UnitWork {
    /// Whether oMLX itself is started, restarted or removed.
    pub(super) fn touches_omlx(&self) -> bool {
        self.steps.iter().any(|step| step.label == OMLX_LABEL && step.action != UnitAction::LeaveHeld)
    }
}

/// Compares the declared daemons with the loaded ones. `written` are the paths that will be written; `omlx_restart` is why oMLX must be restarted for its keys.
pub(super) fn compare(input: &Input<'_>, written: &BTreeSet<&str>, omlx_restart: Option<&str>) -> UnitWork {
    let mut work = UnitWork::default();
    for unit in &input.bundle.units {
        one(input, unit, written, omlx_restart.filter(|_| unit.kind == UnitKind::Omlx), &mut work);
    }
    for label in input.observed.jobs.keys() {
        let declared = input.bundle.units.iter().any(|unit| unit.label == *label);
        if declared || label == APPLY_LABEL || !label.starts_with(PREFIX) {
            continue;
        }
        let name = label.trim_start_matches(PREFIX).to_owned();
        let kind = if label == OMLX_LABEL { UnitKind::Omlx } else { UnitKind::Timed };
        if kind == UnitKind::Timed && is_running(input, label) {
            work.busy.push(label.clone());
        }
        let disturbs = if kind == UnitKind::Omlx { Disturbs::Restart } else { Disturbs::Nothing };
        work.changes.push(service(label, Action::Remove, disturbs, "no longer declared; it is stopped".to_owned()));
        let plist = format!("{DAEMONS}{label}.plist");
        work.steps.push(UnitStep {
            name,
            label: label.clone(),
            kind,
            plist,
            log: None,
            action: UnitAction::Remove,
            ready: None,
        });
    }
    work
}

fn one(input: &Input<'_>, unit: &Unit, written: &BTreeSet<&str>, omlx_restart: Option<&str>, work: &mut UnitWork) {
    let job = input.observed.jobs.get(&unit.label);
    let plist_changes = written.contains(unit.plist.as_str());
    let read_change = unit.reads.iter().find(|path| written.contains(path.as_str()));
    if is_held(input.observed, &unit.name) {
        if plist_changes || read_change.is_some() || omlx_restart.is_some() {
            work.steps.push(step(unit, UnitAction::LeaveHeld));
        }
        return;
    }
    let disturbs = if unit.kind == UnitKind::Timed { Disturbs::Nothing } else { Disturbs::Restart };
    let Some(job) = job else {
        let reason = if input.observed.disabled.contains(&unit.label) {
            "is disabled in launchd's store; it is enabled and started"
        } else {
            "is not loaded; it is bootstrapped"
        };
        work.changes.push(service(&unit.label, Action::Create, Disturbs::Nothing, reason.to_owned()));
        work.steps.push(step(unit, UnitAction::Start));
        return;
    };
    let reason = if plist_changes {
        Some("its plist changes, and launchd reads it at bootstrap only".to_owned())
    } else if let Some(path) = read_change {
        Some(format!("it reads {path} at start only"))
    } else if let Some(why) = omlx_restart {
        Some(why.to_owned())
    } else {
        stale(&unit.loaded, job).map(|part| format!("launchd still runs an earlier definition ({part} differs)"))
    };
    if reason.is_none()
        && let Some(path) = unit.reloads.iter().find(|path| written.contains(path.as_str()))
    {
        let reason = format!("it reads {path} again while it runs; nothing that it has begun is cut");
        work.changes.push(service(&unit.label, Action::Update, Disturbs::Nothing, reason));
        work.steps.push(step(unit, UnitAction::Reload));
    }
    if let Some(reason) = reason {
        if unit.kind == UnitKind::Timed && is_running(input, &unit.label) {
            work.busy.push(unit.label.clone());
        }
        work.changes.push(service(&unit.label, Action::Update, disturbs, reason));
        work.steps.push(step(unit, UnitAction::Restart));
    }
}

fn is_running(input: &Input<'_>, label: &str) -> bool {
    input.observed.jobs.get(label).is_some_and(|job| job.pid.is_some())
}

fn step(unit: &Unit, action: UnitAction) -> UnitStep {
    UnitStep {
        name: unit.name.clone(),
        label: unit.label.clone(),
        kind: unit.kind,
        plist: unit.plist.clone(),
        log: Some(unit.log.clone()),
        action,
        ready: unit.ready.clone(),
    }
}

fn service(label: &str, action: Action, disturbs: Disturbs, reason: String) -> Change {
    Change {
        kind: ChangeKind::Service,
        path: label.to_owned(),
        key: None,
        action,
        disturbs,
        names: Vec::new(),
        reason,
        diff: None,
    }
}

/// The first part of a loaded definition that differs from the declared one. What `launchctl print` did not show is no difference.
fn stale(declared: &LoadedDefinition, job: &LaunchdJob) -> Option<&'static str> {
    fn differs<T: PartialEq>(declared: Option<&T>, loaded: Option<&T>) -> bool {
        matches!((declared, loaded), (Some(declared), Some(loaded)) if declared != loaded)
    }
    let environment_differs = !job.environment.is_empty()
        && declared.environment.iter().any(|(name, value)| job.environment.get(name) != Some(value));
    [
        ("arguments", !job.arguments.is_empty() && declared.arguments != job.arguments),
        ("environment", environment_differs),
        ("working directory", differs(declared.working_directory.as_ref(), job.working_directory.as_ref())),
        ("stdout path", differs(declared.stdout.as_ref(), job.stdout.as_ref())),
        ("user", differs(declared.username.as_ref(), job.username.as_ref())),
        ("exit timeout", differs(declared.exit_timeout.as_ref(), job.exit_timeout.as_ref())),
        ("throttle interval", differs(declared.minimum_runtime.as_ref(), job.minimum_runtime.as_ref())),
    ]
    .into_iter()
    .find_map(|(part, differs)| differs.then_some(part))
}
