//! What is to be said of a machine, out of what is shown of it.

use super::alert::{self, alert};
use super::clockwork;
use super::declared::Declared;
use super::services::service_alerts;
use crate::capacity::{self, GpuLimitSource};
use crate::diagnostic::Severity;
use crate::fleet::{Bytes, Machine, layout};
use crate::observe::{Answer, AnswerError, EngineState, Observed, Sudo, WeightsState};
use crate::plan::{MachinePlan, PlanState};
use crate::ui::json::{Alert, MachineStatus, Step};
use crate::ui::plural;

/// Every alert of a machine that answers, the gravest first.
pub(super) fn alerts(
    declared: &Declared<'_>,
    observed: &Observed,
    state: EngineState,
    shown: &MachineStatus,
    plan: &MachinePlan,
) -> Vec<Alert> {
    let mut all = Vec::new();
    engine_alerts(declared, observed, state, shown, &mut all);
    name_alerts(observed, state, shown, &mut all);
    all.extend(service_alerts(&shown.services));
    system_alerts(declared, observed, shown, &mut all);
    state_alerts(declared.machine, observed, shown, plan, &mut all);
    all.extend(clockwork::schedule_alert(declared, observed, state));
    all.extend(clockwork::job_alerts(declared, observed));
    // The gravest first; within one severity as found.
    let rank = |alert: &Alert| match alert.severity {
        severity if severity == Severity::Error.as_str() => 0,
        severity if severity == Severity::Warning.as_str() => 1,
        _ => 2,
    };
    all.sort_by_key(rank);
    all
}

fn engine_alerts(
    declared: &Declared<'_>,
    observed: &Observed,
    state: EngineState,
    shown: &MachineStatus,
    all: &mut Vec<Alert>,
) {
    let job = observed.jobs.get(&layout::label("omlx"));
    let engine = &observed.engine;
    let error = [&engine.health, &engine.status, &engine.models].into_iter().find_map(|answer| match answer {
        Answer::Failed(error) => Some(error.to_string()),
        Answer::Got(_) | Answer::NotAsked => None,
    });
    match state {
        EngineState::Running | EngineState::Unknown => {}
        EngineState::Starting => {
            let since = observed.engine_uptime.map_or(String::new(), |seconds| format!(" for {seconds} s"));
            all.push(alert(&alert::OMLX_STARTING, format!("oMLX has been starting{since}")));
        }
        EngineState::Stopped if is_untouched(observed) => {
            all.push(alert(&alert::NEVER_APPLIED, "fleetctl has not set it up yet"));
        }
        EngineState::Stopped => {
            all.push(alert(&alert::OMLX_STOPPED, "oMLX does not run, and nobody stopped it by hand"));
        }
        EngineState::Held => all.push(alert(&alert::OMLX_HELD, "oMLX was stopped by hand")),
        EngineState::Crashing => {
            let last = match job.map(|job| (job.last_signal, job.last_exit)) {
                Some((Some(signal), _)) => format!("; it last died of signal {signal}"),
                Some((None, Some(code))) => format!("; it last ended with exit {code}"),
                _ => String::new(),
            };
            let runs = job.and_then(|job| job.runs).map_or(String::new(), |runs| format!(" ({runs} starts)"));
            all.push(alert(&alert::OMLX_CRASHING, format!("oMLX crashes again and again{runs}{last}")));
        }
        EngineState::Unresponsive => {
            let said = error.unwrap_or_else(|| "no answer".to_owned());
            all.push(alert(&alert::OMLX_UNRESPONSIVE, format!("oMLX does not answer soundly: {said}")));
        }
        EngineState::Foreign => {
            let what =
                observed.foreign.first().map_or("something that is not ours answers on its port".to_owned(), |other| {
                    let name = other.label.clone().unwrap_or_else(|| other.command.clone());
                    let of_no_job = if other.label.is_none() { ", of no job" } else { "" };
                    other.pid.map_or(name.clone(), |pid| format!("{name} (pid {pid}{of_no_job})"))
                });
            let mut found = alert(&alert::OMLX_FOREIGN, format!("another oMLX has the machine: {what}"));
            // adopt takes launchd's jobs over; how a process without one is ended, doctor says.
            if observed.foreign.first().is_none_or(|other| other.target().is_none()) {
                found.next = Some(Step::Doctor);
            }
            all.push(found);
        }
        EngineState::NotInstalled => {
            let program = &declared.machine.omlx.program;
            all.push(alert(&alert::OMLX_NOT_INSTALLED, format!("{program} is not there or not executable")));
        }
    }
    let release = declared.machine.omlx.release.as_str();
    if let Some(version) = shown.omlx.version.as_deref().filter(|version| *version != release) {
        all.push(alert(&alert::OMLX_OTHER_RELEASE, format!("runs oMLX {version}, declared is {release}")));
    }
    let malformed = observed.notes.iter().find(|note| is_of_settings(declared.machine, note));
    all.extend(malformed.map(|note| alert(&alert::SETTINGS_MALFORMED, note.clone())));
    for (name, answer) in [("/api/status", &engine.status), ("/v1/models/status", &engine.models)] {
        match answer {
            // Asked without a key, because there is none to be had.
            Answer::Failed(AnswerError::Unauthorised(_)) if malformed.is_some() => break,
            Answer::Failed(error @ AnswerError::Unauthorised(_)) => {
                all.push(alert(&alert::OMLX_KEY_REFUSED, format!("{name}: {error}")));
                break;
            }
            Answer::Failed(error) if state == EngineState::Running => {
                all.push(alert(&alert::OMLX_UNRESPONSIVE, format!("{name}: {error}")));
                break;
            }
            _ => {}
        }
    }
}

/// Whether no apply ever ended or began there.
fn is_untouched(observed: &Observed) -> bool {
    observed.record.is_none() && observed.manifest.is_none() && observed.result.is_none()
}

fn name_alerts(observed: &Observed, state: EngineState, shown: &MachineStatus, all: &mut Vec<Alert>) {
    for served in &shown.served {
        let name = &served.name;
        if served.is_held && served.is_resident {
            all.push(alert(&alert::NAME_HELD, format!("{name} is resident and was unloaded by hand")));
        } else if state == EngineState::Running && served.listed == Some(false) {
            all.push(alert(&alert::NAME_NOT_LISTED, format!("{name} is declared, and oMLX does not list it")));
        } else if state == EngineState::Running
            && served.is_resident
            && served.loaded == Some(false)
            && !served.is_loading
        {
            all.push(alert(&alert::RESIDENT_NOT_LOADED, format!("{name} is resident and is not loaded")));
        }
    }
    if !shown.undeclared.is_empty() {
        let names = shown.undeclared.join(", ");
        all.push(alert(&alert::UNDECLARED_NAME, format!("serves what the file does not declare: {names}")));
    }
    for fact in observed.weights.values() {
        match fact.state {
            WeightsState::Complete => {}
            WeightsState::Missing => all.push(alert(&alert::WEIGHTS_MISSING, format!("{} is not there", fact.path))),
            WeightsState::Incomplete => {
                all.push(alert(
                    &alert::WEIGHTS_INCOMPLETE,
                    format!("{}: its index names files that are missing", fact.path),
                ));
            }
            WeightsState::Broken => {
                let what = "no readable config.json or no safetensors";
                all.push(alert(&alert::WEIGHTS_INCOMPLETE, format!("{}: {what}", fact.path)));
            }
        }
    }
}

fn system_alerts(declared: &Declared<'_>, observed: &Observed, shown: &MachineStatus, all: &mut Vec<Alert>) {
    const SWAP: u64 = 1 << 30;
    const DISK: u64 = 10 << 30;
    let machine = declared.machine;
    let memory = &shown.memory;
    match memory.pressure {
        Some("critical") => all.push(alert(&alert::MEMORY_CRITICAL, "macOS is under critical memory pressure")),
        Some("warn") => all.push(alert(&alert::MEMORY_WARN, "macOS is under memory pressure")),
        _ => {}
    }
    if let Some(swap) = memory.swap_used_bytes.filter(|swap| *swap > SWAP) {
        all.push(alert(&alert::SWAP_USED, format!("{} of swap are in use", Bytes(swap))));
    }
    if let Some(context) = memory.headroom.context_bytes.filter(|context| *context < 0) {
        let short = Bytes(context.unsigned_abs());
        all.push(alert(
            &alert::NO_HEADROOM,
            format!("{short} are missing for the contexts that the residents declare"),
        ));
    }
    let limit = capacity::gpu_limit(machine, None);
    if limit.source == GpuLimitSource::Declared && observed.hardware.memory.is_some() {
        // The daemon sets whole MiB, rounded down.
        let declared = Bytes(limit.bytes.get() >> 20 << 20);
        if observed.hardware.gpu_limit != Some(declared) {
            let set = observed.hardware.gpu_limit.map_or("not set".to_owned(), |set| format!("{set}"));
            all.push(alert(&alert::GPU_LIMIT_DIFFERS, format!("the GPU limit is {set}, declared is {declared}")));
        }
    }
    if let Some((path, free)) = observed.disk_free.iter().find(|(_, free)| **free < DISK) {
        all.push(alert(&alert::DISK_LOW, format!("{} are free at {path}", Bytes(*free))));
    }
    if let Some(zone) = observed.identity.zone.as_deref().filter(|zone| *zone != machine.timezone.name()) {
        let wanted = machine.timezone.name();
        all.push(alert(&alert::CLOCK_ZONE, format!("its zone is {zone}, declared is {wanted}")));
    }
    let off = observed.identity.now.saturating_sub(observed.taken_at.as_second());
    if observed.identity.now != 0 && off.abs() > 60 {
        let way = if off > 0 { "ahead of" } else { "behind" };
        all.push(alert(&alert::CLOCK_OFF, format!("its clock is {} s {way} this computer's", off.abs())));
    }
}

/// Whether the probe says that oMLX's settings.json is malformed.
fn is_of_settings(machine: &Machine, note: &str) -> bool {
    note.starts_with(&format!("{} is not JSON", layout::settings_path(machine)))
}

fn state_alerts(
    machine: &Machine,
    observed: &Observed,
    shown: &MachineStatus,
    plan: &MachinePlan,
    all: &mut Vec<Alert>,
) {
    let is_new = all.iter().any(|alert| alert.code == alert::NEVER_APPLIED.id);
    if !plan.obstacles.is_empty() {
        all.push(alert(&alert::PATH_BLOCKED, plan.obstacles.join("; ")));
    } else if let Some(changes) = shown.drift.changes.filter(|changes| *changes > 0 && !is_new) {
        let changes = plural(changes, "change");
        all.push(alert(&alert::DRIFTED, format!("{changes} to what the file says: fleetctl plan --on {}", shown.name)));
    } else if plan.state == PlanState::Error {
        all.extend(plan.detail.as_ref().map(|detail| alert(&alert::DRIFTED, detail.clone())));
    }
    if let Some(Sudo::Refused(said)) = &observed.sudo {
        all.push(alert(&alert::SUDO_REFUSED, said.clone()));
    }
    let reason = || {
        let text = |key: &str| observed.result.as_ref()?.get(key)?.as_str().map(str::to_owned);
        text("reason").map_or(String::new(), |reason| format!(": {reason}"))
    };
    match shown.transaction.state {
        Some("running") => {
            let who = observed.lock.as_ref().map_or(String::new(), |lock| format!(" of {}", lock.holder));
            all.push(alert(&alert::APPLY_RUNNING, format!("an apply{who} is at work")));
        }
        Some("reverted") => all.push(alert(&alert::APPLY_REVERTED, format!("the last apply was reverted{}", reason()))),
        Some("revert-failed") => {
            all.push(alert(&alert::APPLY_REVERT_FAILED, format!("the last apply and its revert failed{}", reason())));
        }
        Some(_) => {}
        None => all.push(alert(&alert::STATE_UNREADABLE, "result.json is not what a runner writes")),
    }
    for note in observed.notes.iter().filter(|note| !is_of_settings(machine, note)) {
        let code = if note.contains(layout::STATE) { &alert::STATE_UNREADABLE } else { &alert::PROBE_INCOMPLETE };
        all.push(alert(code, without_name(note, machine)));
    }
}

/// The text without the machine's name in front: it stands in the row already.
pub(super) fn without_name(text: &str, machine: &Machine) -> String {
    text.strip_prefix(&format!("{}: ", machine.name)).unwrap_or(text).to_owned()
}
