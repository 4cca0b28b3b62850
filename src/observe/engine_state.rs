//! What oMLX on a machine is doing, told from launchd, the port and its answers.

use super::{Answer, AnswerError, LaunchdJob, Observed};
use crate::fleet::layout;

/// json.md, `status`: `omlx.state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineState {
    /// Our daemon runs and answers (an answer that refuses our key is an answer).
    Running,
    /// Our daemon's process runs, and its port is closed or it says that it loads: 0.3.8 opens the port only after the pinned models are loaded, minutes later.
    Starting,
    /// Our daemon is not loaded, or ended and stays so; nobody asked for it.
    Stopped,
    /// As `Stopped`, by `fleetctl stop`. What was stopped and is replaced by another oMLX is `Foreign`.
    Held,
    /// It ended badly and launchd starts it again and again.
    Crashing,
    /// Its process runs, and what comes back is no answer: a time-out, an error, garbage.
    Unresponsive,
    /// Another oMLX has the machine, and ours does not run.
    Foreign,
    /// The declared program is not there.
    NotInstalled,
    /// The machine does not say.
    Unknown,
}

impl EngineState {
    /// As JSON documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Stopped => "stopped",
            Self::Held => "held",
            Self::Crashing => "crashing",
            Self::Unresponsive => "unresponsive",
            Self::Foreign => "foreign",
            Self::NotInstalled => "not-installed",
            Self::Unknown => "unknown",
        }
    }
}

/// The rules, first match wins:
/// 1. our job has a process: it answers → running; it refused connections → starting, or crashing when launchd counts at least two crashes in a row; anything else
///    → unresponsive (503 is the later releases' way of saying that they load → starting);
/// 2. another oMLX runs or is loaded, or something that is not ours answers as oMLX → foreign;
/// 3. held by hand → held;
/// 4. our job is loaded without a process: it ended badly or waits to be started again → crashing; else stopped;
/// 5. the program is not there → not installed;
/// 6. launchd was asked and does not have our job → stopped; it could not be asked → unknown.
pub fn engine_state(observed: &Observed) -> EngineState {
    let job = observed.jobs.get(&layout::label("omlx"));
    if let Some(job) = job.filter(|job| job.pid.is_some()) {
        return of_process(observed, job);
    }
    if !observed.foreign.is_empty() || answers(observed) {
        return EngineState::Foreign;
    }
    if is_held(observed, "omlx") {
        return EngineState::Held;
    }
    if let Some(job) = job {
        return if ended_badly(job) { EngineState::Crashing } else { EngineState::Stopped };
    }
    match observed.program_present {
        Some(false) => EngineState::NotInstalled,
        _ if observed.is_mac() => EngineState::Stopped,
        _ => EngineState::Unknown,
    }
}

fn of_process(observed: &Observed, job: &LaunchdJob) -> EngineState {
    if answers(observed) {
        return EngineState::Running;
    }
    match (&observed.engine.health, &observed.engine.status) {
        (Answer::Failed(AnswerError::Refused), _) => {
            if job.successive_crashes.unwrap_or(0) >= 2 {
                EngineState::Crashing
            } else {
                EngineState::Starting
            }
        }
        (Answer::Failed(AnswerError::Status(503)), _) => EngineState::Starting,
        (Answer::NotAsked, Answer::NotAsked) => EngineState::Unknown,
        _ => EngineState::Unresponsive,
    }
}

/// Whether oMLX itself answered, be it that it refused our key.
fn answers(observed: &Observed) -> bool {
    let engine = &observed.engine;
    let refused_key = matches!(engine.status, Answer::Failed(AnswerError::Unauthorised(_)));
    engine.status.got().is_some() || (engine.health.got().is_some() && refused_key)
}

fn ended_badly(job: &LaunchdJob) -> bool {
    let failed = job.last_exit.is_some_and(|code| code != 0) || job.last_signal.is_some();
    failed || matches!(job.state.as_str(), "spawn scheduled" | "spawning" | "languishing")
}

/// Whether `STATE/held.json` says that a unit was stopped by hand: `{"units": {NAME: …}, "names": {NAME: …}}`, or lists of names.
pub fn is_held(observed: &Observed, unit: &str) -> bool {
    held(observed, "units").iter().any(|held| held == unit)
}

/// Whether a served name was unloaded by hand.
pub fn is_name_held(observed: &Observed, name: &str) -> bool {
    held(observed, "names").iter().any(|held| held == name)
}

/// The served names that were unloaded by hand.
pub fn held_names(observed: &Observed) -> Vec<String> {
    held(observed, "names")
}

fn held(observed: &Observed, key: &str) -> Vec<String> {
    match observed.held.as_ref().and_then(|held| held.get(key)) {
        Some(serde_json::Value::Object(held)) => held.keys().cloned().collect(),
        Some(serde_json::Value::Array(held)) => {
            held.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

impl Observed {
    /// Whether the machine says that it is a Mac at all.
    pub fn is_mac(&self) -> bool {
        self.identity.macos.is_some()
    }
}
