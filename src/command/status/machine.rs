//! One machine of status: facts put beside what is declared.

use jiff::Timestamp;

use super::alert::{self, alert};
use super::declared::Declared;
use super::machine_alerts::{alerts, without_name};
use super::services::services;
use crate::capacity;
use crate::command::machines::{Answered, Silent};
use crate::fleet::{Machine, layout};
use crate::observe::{EngineState, Observed, Path, engine_state, held_names};
use crate::omlx::{self, api::ModelsStatus};
use crate::plan::{self, MachinePlan, PlanState};
use crate::render::{self, Values};
use crate::transport::{ConnectError, Trouble};
use crate::ui::json::{
    Alert, Drift, HeadroomStatus, MachineStatus, MemoryStatus, OmlxStatus, Reach, ServedStatus, TransactionStatus,
    WorkStatus,
};

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
    let message = without_name(&silent.to_string(), declared.machine);
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
