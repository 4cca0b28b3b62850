//! The plan of one machine, put together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::engine;
use super::engine_view::{EngineView, OMLX_LABEL};
use super::files::{self, FileWork};
use super::keys::{self, FileKeys};
use super::live::{LinkChange, residents_now};
use super::measured::{self, measured};
use super::units::{self, UnitWork};
use super::{
    Action, Ask, Change, ChangeKind, Disturbs, Drain, Gate, Input, Kept, Live, MachinePlan, Merge, PlanState,
    Transaction, obstacle, refusal, release, rights,
};
use crate::capacity;
use crate::fleet::{ServedName, WeightsKind, layout, sha256};
use crate::observe::{FileFact, Observed, is_name_held};
use crate::render::{Bundle, RUNNER, own_url};

/// Plans one machine.
pub fn plan_machine(input: &Input<'_>) -> MachinePlan {
    let (bundle, left_out) = without_absent_programs(input);
    let mut plan = plan_bundle(&Input { bundle: &bundle, ..*input });
    plan.notes.extend(left_out);
    plan.notes.extend(measured::surprises(input.fleet, input.machine, input.observed));
    plan
}

/// The bundle without the daemons whose program the machine does not have, and a note for each.
fn without_absent_programs(input: &Input<'_>) -> (Bundle, Vec<String>) {
    let mut bundle = input.bundle.clone();
    let mut notes = Vec::new();
    let Some(programs) = &input.observed.programs else { return (bundle, notes) };
    for unit in &input.bundle.units {
        let Some(program) = unit.program.as_ref().filter(|program| !programs.contains(*program)) else { continue };
        notes.push(format!("{program} is not there, so the {} is left out; install it, then apply again", unit.name));
        bundle.units.retain(|other| other.name != unit.name);
        bundle.entries.retain(|entry| {
            entry.path != unit.plist && !unit.reads.contains(&entry.path) && !unit.reloads.contains(&entry.path)
        });
    }
    (bundle, notes)
}

fn plan_bundle(input: &Input<'_>) -> MachinePlan {
    let view = EngineView::of(input);
    let work = files::compare(input);
    let files: Vec<FileKeys> =
        keys::documents(input).map(|(entry, document)| keys::compare(input, entry, document)).collect();
    let links = link_changes(input, &work);
    let engine = engine::plan(input, &view, &files, &links);

    let written: BTreeSet<&str> = work.puts.iter().map(|put| put.path.as_str()).collect();
    let lost_file = files.iter().any(|file| file.is_fresh && !file.changes.is_empty()) && view.may_run();
    let restart = engine
        .needs_restart
        .clone()
        .or_else(|| lost_file.then(|| "one of oMLX's files is missing or malformed".to_owned()));
    let units = units::compare(input, &written, restart.as_deref());
    let is_live = view.is_live() && !units.touches_omlx();

    let mut changes: Vec<Change> = Vec::new();
    changes.extend(work.changes.iter().cloned().map(|change| of_link(change, &engine.live, is_live)));
    changes.extend(work.blocked.iter().cloned());
    changes.extend(engine.changes);
    changes.extend(units.changes.iter().cloned());
    changes.extend(files.iter().filter_map(rights_change));
    let (wrong_directories, rights) = rights::compare(input);
    changes.extend(wrong_directories);
    changes.extend(manifest_change(input, changes.is_empty()));
    changes.sort_by(|a, b| (a.path.as_str(), &a.key).cmp(&(b.path.as_str(), &b.key)));
    let mut kept: Vec<Kept> = work.kept.clone();
    kept.extend(files.iter().flat_map(|file| file.kept.iter().cloned()));
    kept.sort_by(|a, b| a.path.cmp(&b.path));

    let mut plan = MachinePlan {
        machine: input.machine.name.clone(),
        state: if changes.is_empty() { PlanState::InSync } else { PlanState::Changes },
        detail: None,
        changes,
        kept,
        obstacles: obstacle::obstacles(input.machine, input.bundle, input.observed, &str::to_owned)
            .into_iter()
            .map(|obstacle| obstacle.what)
            .collect(),
        notes: refusal::unfinished(input).into_iter().chain(release::notes(input, &view)).collect(),
        transaction: None,
    };
    if let Some(refusal) = refusal::check(input, &view, &plan, units.touches_omlx()) {
        plan.state = refusal.state;
        plan.detail = Some(refusal.detail);
        return plan;
    }
    if plan.state == PlanState::Changes {
        let touched = engine.touched;
        let live = if is_live { engine.live } else { Vec::new() };
        let transaction = transaction(input, &view, work, files, units, live, is_live, &touched);
        plan.transaction = Some(Transaction { rights, ..transaction });
    }
    plan
}

fn link_changes(input: &Input<'_>, work: &FileWork) -> Vec<LinkChange> {
    let serve = format!("{}/serve/", input.machine.omlx.base);
    work.changes
        .iter()
        .filter(|change| change.kind == ChangeKind::Link && change.path.starts_with(&serve))
        .filter_map(|change| {
            let name = change.path.rsplit('/').next()?.to_owned();
            Some(LinkChange { name, action: change.action })
        })
        .collect()
}

/// A link below `BASE/serve` says what it disturbs: a re-scan, unless the name behind it is loaded.
fn of_link(mut change: Change, live: &[Live], is_live: bool) -> Change {
    if change.kind != ChangeKind::Link || !is_live {
        return change;
    }
    let name = change.path.rsplit('/').next().and_then(|name| ServedName::new(name).ok());
    let unloads =
        |name: &ServedName| live.iter().any(|step| matches!(step, Live::Unload { name: unloaded } if unloaded == name));
    if let Some(name) = name.filter(unloads) {
        change.disturbs = Disturbs::Reload;
        change.reason.push_str("; the model behind it is loaded, so it is unloaded once idle");
        change.names = vec![name];
    } else {
        change.reason.push_str("; found by a re-scan that unloads nothing");
    }
    change
}

fn rights_change(file: &FileKeys) -> Option<Change> {
    let reason = file.wrong_rights.clone()?;
    let path = file.merge.as_ref()?.path.clone();
    Some(Change {
        kind: ChangeKind::File,
        path,
        key: None,
        action: Action::Update,
        disturbs: Disturbs::Nothing,
        names: Vec::new(),
        reason,
        diff: None,
    })
}

/// The manifest on the machine must say what is there, or pruning forgets; a wrong one alone is a change.
fn manifest_change(input: &Input<'_>, alone: bool) -> Option<Change> {
    let wanted: serde_json::Value = serde_json::from_str(&input.bundle.manifest()).unwrap_or_default();
    let differs = input.observed.manifest.as_ref() != Some(&wanted);
    (alone && differs).then(|| Change {
        kind: ChangeKind::File,
        path: MANIFEST.to_owned(),
        key: None,
        action: if input.observed.manifest.is_some() { Action::Update } else { Action::Create },
        disturbs: Disturbs::Nothing,
        names: Vec::new(),
        reason: "must list what fleetctl owns here".to_owned(),
        diff: None,
    })
}

/// Where the manifest lies on a machine (machine.md).
const MANIFEST: &str = "/usr/local/var/fleetctl/manifest.json";

#[expect(clippy::too_many_arguments, reason = "the parts of one value, used once")]
fn transaction(
    input: &Input<'_>,
    view: &EngineView,
    work: FileWork,
    files: Vec<FileKeys>,
    units: UnitWork,
    live: Vec<Live>,
    is_live: bool,
    touched: &BTreeSet<ServedName>,
) -> Transaction {
    let keys_written: BTreeMap<String, Vec<String>> = keys::documents(input)
        .zip(&files)
        .map(|((entry, _), file)| (entry.path.clone(), file.written.clone()))
        .collect();
    let mut found = work.found;
    let mut merges = Vec::new();
    for file in files {
        found.extend(file.found);
        let Some(merge) = file.merge else { continue };
        if is_live {
            // oMLX writes the keys itself; only owner and mode are ours to mend.
            if file.wrong_rights.is_some() {
                merges.push(Merge { set: Vec::new(), remove: Vec::new(), ..merge });
            }
        } else {
            merges.push(merge);
        }
    }
    let stops_omlx = units.touches_omlx() && view.may_run();
    let unloads = live.iter().any(|step| matches!(step, Live::Reload { .. } | Live::Unload { .. }));
    Transaction {
        machine: input.machine.name.clone(),
        user: input.machine.user.clone(),
        base: input.machine.omlx.base.clone(),
        port: input.machine.omlx.port,
        found,
        directories: input.bundle.directories.clone(),
        rights: Vec::new(),
        puts: work.puts,
        merges,
        links: work.links,
        removes: work.removes,
        gate: gate(input, view, touched, stops_omlx),
        drain: if stops_omlx || unloads { Drain::Engine } else { Drain::None },
        idle_units: units.busy,
        units: units.steps,
        live,
        manifest: input.bundle.manifest(),
        keys_written,
        has_runner: has_runner(input.observed),
    }
}

/// Whether `LIB/runner` is this build's, to the byte.
fn has_runner(observed: &Observed) -> bool {
    static DIGEST: LazyLock<String> = LazyLock::new(|| sha256(RUNNER.as_bytes()));
    matches!(observed.files.get(&layout::runner_path()), Some(FileFact::File { sha256: Some(found), .. }) if *found == *DIGEST)
}

fn gate(input: &Input<'_>, view: &EngineView, touched: &BTreeSet<ServedName>, restarts: bool) -> Gate {
    let declared = input.bundle.units.iter().any(|unit| unit.label == OMLX_LABEL);
    let measured = measured(input.fleet, input.machine, input.observed);
    let residents: Vec<ServedName> = residents_now(input)
        .into_iter()
        .filter(|served| !is_name_held(input.observed, served.name.as_str()))
        .map(|served| served.name.clone())
        .collect();
    let ask = touched
        .iter()
        .filter_map(|name| input.fleet.served.get(name).filter(|served| served.is_on(&input.machine.name)))
        .filter_map(|served| {
            let optional = !residents.contains(&served.name) && !view.loaded.contains(served.name.as_str());
            let has_room = || capacity::fits(input.fleet, input.machine, Some(&measured), &residents, &served.name);
            if optional && !(restarts && has_room()) {
                return None;
            }
            let kind = input.fleet.weights.get(&served.model).map(|weights| weights.kind);
            let embedding = kind == Some(WeightsKind::Embedding);
            // A reranker answers neither a token nor an embedding; being listed and loaded is all that can be asked of it.
            (kind != Some(WeightsKind::Reranker)).then(|| Ask { name: served.name.clone(), embedding, optional })
        })
        .collect();
    Gate {
        engine: declared && !view.is_held,
        release: input.machine.omlx.release,
        url: own_url(input.machine.omlx.bind, input.machine.omlx.port),
        within: input.fleet.gate,
        listed: input.fleet.served_on(&input.machine.name).map(|served| served.name.clone()).collect(),
        resident: residents,
        by_clock: input.fleet.has_windows(&input.machine.name),
        ask,
    }
}

/// Counts for the summary line and json.md's `summary`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Changes that create.
    pub create: usize,
    /// Changes that update.
    pub update: usize,
    /// Changes that remove.
    pub remove: usize,
    /// Served names that are loaded again, over all machines.
    pub reloads: usize,
    /// Daemons that are restarted under their clients, over all machines.
    pub restarts: usize,
    /// Machines that could not be reached.
    pub unreachable: usize,
}

impl Summary {
    /// Counts a plan.
    pub fn of<'a>(machines: impl IntoIterator<Item = &'a MachinePlan>) -> Self {
        let mut summary = Self::default();
        for machine in machines {
            summary.unreachable += usize::from(machine.state == PlanState::Unreachable);
            let mut reloads = BTreeSet::new();
            for change in &machine.changes {
                match change.action {
                    Action::Create => summary.create += 1,
                    Action::Update => summary.update += 1,
                    Action::Remove => summary.remove += 1,
                }
                reloads.extend(change.names.iter().filter(|_| change.disturbs == Disturbs::Reload));
            }
            let restarts =
                |change: &&Change| change.kind == ChangeKind::Service && change.disturbs == Disturbs::Restart;
            let omlx = machine.changes.iter().any(|change| restarts(&change) && change.path == OMLX_LABEL);
            summary.restarts += machine.changes.iter().filter(restarts).count();
            // A restart loads everything anew; its reloads are not counted twice.
            summary.reloads += if omlx { 0 } else { reloads.len() };
        }
        summary
    }
}
