//! One machine of status: facts put beside what is declared.

use jiff::Timestamp;

use super::alert::{self, alert};
use super::clockwork;
use super::services::{service_alerts, services};
use crate::capacity::{self, GpuLimitSource};
use crate::command::machines::{Answered, Silent};
use crate::diagnostic::Severity;
use crate::fleet::{Fleet, Machine, layout};
use crate::observe::{Answer, AnswerError, EngineState, Observed, Path, Sudo, WeightsState, engine_state, held_names};
use crate::omlx::{self, api::ModelsStatus};
use crate::plan::{self, MachinePlan, PlanState};
use crate::render::{self, Values};
use crate::schedule::Moment;
use crate::transport::{ConnectError, Trouble};
use crate::ui::json::{
    Alert, Drift, HeadroomStatus, MachineStatus, MemoryStatus, OmlxStatus, Reach, ServedStatus, TransactionStatus,
    WorkStatus,
};

/// What a machine is held against.
pub(super) struct Declared<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) machine: &'a Machine,
    pub(super) moment: &'a Moment<'a>,
    pub(super) now: Timestamp,
    /// The secrets at hand.
    pub(super) values: &'a Values,
}

/// The machine as it is shown.
pub(super) fn status(declared: &Declared<'_>, answer: &Result<Answered, Silent>) -> MachineStatus {
    match answer {
        Ok(answered) => answering(declared, &answered.observed),
        Err(silent) => not_answering(declared, silent),
    }
}

fn not_answering(declared: &Declared<'_>, silent: &Silent) -> MachineStatus {
    let (state, code) = match silent {
        Silent::Unreachable(error) => reach_of(error),
        Silent::TimedOut { .. } => ("unreachable", &alert::UNREACHABLE),
        Silent::Probe(_) | Silent::Bug { .. } => ("up", &alert::PROBE_FAILED),
    };
    let message = without_name(declared.machine, &silent.to_string());
    let reached = Alert { hints: silent.hints(), ..alert(code, message.clone()) };
    MachineStatus {
        name: declared.machine.name.to_string(),
        tier: declared.machine.tier.as_ref().map(ToString::to_string),
        reach: Reach { state, path: None, detail: Some(message) },
        macos: None,
        omlx: OmlxStatus { state: "unknown", version: None, pid: None, uptime_seconds: None, restarts: None },
        served: served(declared, None, &[]),
        undeclared: Vec::new(),
        memory: MemoryStatus::default(),
        drift: Drift { state: "unknown", changes: None },
        transaction: TransactionStatus { state: None, generation: None, at: None },
        alerts: vec![reached],
        work: WorkStatus::default(),
        services: services(declared.fleet, declared.machine, None),
    }
}

fn reach_of(error: &ConnectError) -> (&'static str, &'static crate::diagnostic::Code) {
    match error.trouble() {
        Trouble::Auth => ("auth-failed", &alert::AUTH_FAILED),
        Trouble::HostKeyChanged | Trouble::HostKeyUnknown => ("host-key-changed", &alert::HOST_KEY),
        _ => ("unreachable", &alert::UNREACHABLE),
    }
}

/// The error without the machine's name in front: it stands in the row already.
fn without_name(machine: &Machine, text: &str) -> String {
    text.strip_prefix(&format!("{}: ", machine.name)).unwrap_or(text).to_owned()
}

fn answering(declared: &Declared<'_>, observed: &Observed) -> MachineStatus {
    let machine = declared.machine;
    let models: Option<ModelsStatus> =
        observed.engine.models.got().and_then(|value| serde_json::from_value(value.clone()).ok());
    let held = held_names(observed);
    let state = engine_state(observed);
    // A server that does not run lists nothing and has nothing loaded: that is known.
    let is_down = matches!(state, EngineState::Stopped | EngineState::Held | EngineState::NotInstalled);
    let served = served(declared, models.as_ref().or(is_down.then_some(&ModelsStatus::default())), &held);
    let undeclared = undeclared(&served, models.as_ref());
    let plan = plan_of(declared, observed);
    let job = observed.jobs.get(&layout::label("omlx"));
    let version = observed.engine.status.got().and_then(|status| status.get("version")?.as_str().map(str::to_owned));
    let memory = memory(declared, observed, models.as_ref());
    let transaction = transaction(observed);
    let mut shown = MachineStatus {
        name: machine.name.to_string(),
        tier: machine.tier.as_ref().map(ToString::to_string),
        reach: Reach { state: "up", path: Some(path(observed.path)), detail: None },
        macos: observed.identity.macos.clone(),
        omlx: OmlxStatus {
            state: state.as_str(),
            version: version.as_deref().map(|reported| release_name(machine, reported)),
            pid: job.and_then(|job| job.pid),
            uptime_seconds: job.and_then(|job| job.pid).and(observed.engine_uptime),
            restarts: job.and_then(|job| job.runs).map(|runs| runs.saturating_sub(1)),
        },
        served,
        undeclared,
        memory,
        drift: match plan.state {
            PlanState::Error | PlanState::Unreachable if plan.changes.is_empty() => {
                Drift { state: "unknown", changes: None }
            }
            _ => Drift {
                state: if plan.changes.is_empty() { "in-sync" } else { "drifted" },
                changes: Some(plan.changes.len()),
            },
        },
        transaction,
        alerts: Vec::new(),
        work: work(observed),
        services: services(declared.fleet, machine, Some(observed)),
    };
    shown.alerts = alerts(declared, observed, state, &shown, &plan);
    shown
}

const fn path(path: Path) -> &'static str {
    match path {
        Path::Lan => "lan",
        Path::Tailnet => "tailnet",
        Path::Address => "address",
        Path::Local => "local",
    }
}

/// The declared release where the server reports the version that the release reports, else what it reports.
fn release_name(machine: &Machine, reported: &str) -> String {
    let release = machine.omlx.release;
    if omlx::reported_version(release) == reported { release.as_str().to_owned() } else { reported.to_owned() }
}

fn served(declared: &Declared<'_>, models: Option<&ModelsStatus>, held: &[String]) -> Vec<ServedStatus> {
    let resident = declared.moment.state(declared.machine).resident;
    declared
        .fleet
        .served_on(&declared.machine.name)
        .map(|served| {
            let found = models.and_then(|models| models.get(served.name.as_str()));
            ServedStatus {
                name: served.name.to_string(),
                model: served.model.to_string(),
                profile: served.profile.to_string(),
                listed: models.map(|_| found.is_some()),
                loaded: match (models, found) {
                    (Some(_), None) => Some(false),
                    (_, found) => found.and_then(|model| model.loaded),
                },
                pinned: found.and_then(|model| model.pinned),
                size_bytes: found.and_then(|model| model.actual_size.or(model.estimated_size)),
                is_loading: found.and_then(|model| model.is_loading) == Some(true),
                is_resident: resident.iter().any(|other| other.name == served.name),
                is_held: held.iter().any(|name| served.name.engine() == name),
                last_use: found.and_then(|model| model.last_access).and_then(whole_seconds),
            }
        })
        .collect()
}

/// What oMLX counts of its requests.
fn work(observed: &Observed) -> WorkStatus {
    let status = observed.engine.status.got().and_then(|value| serde_json::from_value(value.clone()).ok());
    let status: omlx::api::Status = status.unwrap_or_default();
    WorkStatus {
        running: status.active_requests,
        waiting: status.waiting_requests,
        prompt_tokens: status.total_prompt_tokens,
        completion_tokens: status.total_completion_tokens,
        average_tps: status.avg_generation_tps,
    }
}

/// A moment as oMLX writes it, with a fraction. `None` for one that no clock shows.
fn whole_seconds(since: f64) -> Option<i64> {
    Timestamp::from_duration(jiff::SignedDuration::try_from_secs_f64(since).ok()?).ok().map(Timestamp::as_second)
}

fn undeclared(served: &[ServedStatus], models: Option<&ModelsStatus>) -> Vec<String> {
    let known = |id: &str| served.iter().any(|served| served.name == id);
    let all = models.into_iter().flat_map(|models| &models.models);
    all.map(|model| model.id.clone()).filter(|id| !known(id)).collect()
}

fn plan_of(declared: &Declared<'_>, observed: &Observed) -> MachinePlan {
    let bundle = render::bundle(declared.fleet, declared.machine);
    let values =
        Values { tailnet_ip: declared.machine.tailnet_ip.or(observed.identity.tailnet_ip), ..declared.values.clone() };
    plan::plan_machine(&plan::Input {
        fleet: declared.fleet,
        machine: declared.machine,
        bundle: &bundle,
        observed,
        values: &values,
        now: declared.now,
        lineage: &plan::Lineage::Unknown,
        allow_older: true,
    })
}

fn memory(declared: &Declared<'_>, observed: &Observed, models: Option<&ModelsStatus>) -> MemoryStatus {
    let machine = declared.machine;
    let measured = plan::measured(declared.fleet, machine, observed);
    let capacity = capacity::assess(declared.fleet, machine, Some(&measured));
    let window = declared.moment.state(machine).window.map(|window| &window.name);
    let now = capacity.windows.iter().find(|candidate| candidate.window.as_ref() == window);
    let headroom = now.or(capacity.windows.first()).map(|window| window.headroom);
    // What the GPU may wire now: what is set on the machine, else the system's own rule.
    let set = observed.hardware.gpu_limit;
    let gpu = set.unwrap_or_else(|| capacity::default_gpu_limit(capacity::ram(machine, Some(&measured))));
    let bytes = |value: Option<crate::fleet::Bytes>| value.map(crate::fleet::Bytes::get);
    MemoryStatus {
        total_bytes: bytes(observed.hardware.memory),
        available_bytes: bytes(observed.memory.available),
        swap_used_bytes: bytes(observed.memory.swap_used),
        pressure: match observed.memory.pressure {
            Some(1) => Some("normal"),
            Some(2) => Some("warn"),
            Some(4) => Some("critical"),
            _ => None,
        },
        gpu_limit_bytes: Some(gpu.get()),
        gpu_limit_source: Some(if set.is_some() { "set" } else { "estimated" }),
        omlx_limit_bytes: models.and_then(ModelsStatus::limit),
        omlx_used_bytes: models.and_then(|models| models.current_model_memory),
        headroom: HeadroomStatus {
            load_bytes: headroom.map(|headroom| headroom.load),
            context_bytes: headroom.and_then(|headroom| headroom.context),
            system_bytes: headroom.and_then(|headroom| headroom.system),
        },
        budget_bytes: Some(capacity.budget.limit.get()),
    }
}

/// From STATE/result.json: where the last transaction ended, or that it runs. One that was refused, postponed or failed touched nothing: then the generation that
/// the machine is in counts as committed.
fn transaction(observed: &Observed) -> TransactionStatus {
    let Some(result) = &observed.result else {
        return TransactionStatus { state: Some("none"), generation: None, at: None };
    };
    let generation =
        result.get("generation").and_then(serde_json::Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let at = result.get("started").and_then(serde_json::Value::as_str);
    let state = match result.get("state").and_then(serde_json::Value::as_str) {
        Some("running") => Some("running"),
        Some("committed") => Some("committed"),
        Some("reverted") => Some("reverted"),
        Some("revert-failed") => Some("revert-failed"),
        Some("refused" | "postponed" | "failed") if generation.is_some() => Some("committed"),
        Some("refused" | "postponed" | "failed") => Some("none"),
        _ => None,
    };
    let at = at.and_then(|at| at.parse::<Timestamp>().ok()).map(|at| at.to_string());
    TransactionStatus { state, generation, at }
}

fn alerts(
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
                    other.pid.map_or(name.clone(), |pid| format!("{name} (pid {pid})"))
                });
            all.push(alert(&alert::OMLX_FOREIGN, format!("another oMLX has the machine: {what}")));
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
        all.push(alert(&alert::SWAP_USED, format!("{} of swap are in use", crate::fleet::Bytes(swap))));
    }
    if let Some(context) = memory.headroom.context_bytes.filter(|context| *context < 0) {
        let short = crate::fleet::Bytes(context.unsigned_abs());
        all.push(alert(
            &alert::NO_HEADROOM,
            format!("{short} are missing for the contexts that the residents declare"),
        ));
    }
    let limit = capacity::gpu_limit(machine, None);
    if limit.source == GpuLimitSource::Declared && observed.hardware.memory.is_some() {
        // The daemon sets whole MiB, rounded down.
        let declared = crate::fleet::Bytes(limit.bytes.get() >> 20 << 20);
        if observed.hardware.gpu_limit != Some(declared) {
            let set = observed.hardware.gpu_limit.map_or("not set".to_owned(), |set| format!("{set}"));
            all.push(alert(&alert::GPU_LIMIT_DIFFERS, format!("the GPU limit is {set}, declared is {declared}")));
        }
    }
    if let Some((path, free)) = observed.disk_free.iter().find(|(_, free)| **free < DISK) {
        all.push(alert(&alert::DISK_LOW, format!("{} are free at {path}", crate::fleet::Bytes(*free))));
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
    if let Some(changes) = shown.drift.changes.filter(|changes| *changes > 0 && !is_new) {
        let noun = if changes == 1 { "change" } else { "changes" };
        all.push(alert(
            &alert::DRIFTED,
            format!("{changes} {noun} to what the file says: fleetctl plan --on {}", shown.name),
        ));
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
        all.push(alert(code, without_prefix(note, &shown.name)));
    }
}

fn without_prefix(text: &str, name: &str) -> String {
    text.strip_prefix(&format!("{name}: ")).unwrap_or(text).to_owned()
}
