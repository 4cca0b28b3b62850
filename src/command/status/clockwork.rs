//! What runs by the machine's own clock, in status: the reconciler and the jobs.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::alert::{self, alert};
use super::declared::Declared;
use crate::fleet::{Fleet, Job, Machine, layout};
use crate::observe::{EngineState, JobRun, Observed, is_held};
use crate::plan::{JobStanding, JobState, job_standing};
use crate::ui::json::Alert;
use crate::ui::{short_face, took};

/// The reconciler looks every 15 minutes, and a tick may drain for 10.
const SILENT_AFTER: SignedDuration = SignedDuration::from_mins(35);

/// What the reconciler's state file says is wrong (templates/schedule.sh).
pub(super) fn schedule_alert(declared: &Declared<'_>, observed: &Observed, engine: EngineState) -> Option<Alert> {
    let state = observed.schedule.as_ref()?;
    // A machine without windows has no reconciler; the file of an earlier one may still be there.
    observed.jobs.get(&layout::label("schedule"))?;
    if is_held(observed, "schedule") {
        return None;
    }
    let text = |key: &str| state.get(key).and_then(Value::as_str);
    let detail = text("detail").unwrap_or("it does not say why");
    let face = |at: Timestamp| short_face(at, declared.fleet.timezone.rules());
    match text("state") {
        Some("failed") => {
            let again = state.get("retry_at").and_then(Value::as_i64).and_then(|at| Timestamp::from_second(at).ok());
            let again = again.map_or(String::new(), |at| format!("; next try {}", face(at)));
            let tries = state.get("failures").and_then(Value::as_u64).filter(|tries| *tries > 1);
            let tries = tries.map_or(String::new(), |tries| format!(" ({tries} tries)"));
            return Some(alert(&alert::SCHEDULE_FAILED, format!("{detail}{tries}{again}")));
        }
        Some("postponed") => return Some(alert(&alert::SCHEDULE_POSTPONED, format!("{}: {detail}", wants(state)))),
        Some("broken") => return Some(alert(&alert::SCHEDULE_BROKEN, detail)),
        // oMLX away or refusing is said of oMLX itself; here only where it looks well.
        Some("unreachable") if engine == EngineState::Running => {
            return Some(alert(&alert::SCHEDULE_FAILED, detail));
        }
        _ => {}
    }
    let now = Timestamp::from_second(observed.identity.now).ok()?;
    let looked: Timestamp = text("at")?.parse().ok()?;
    let silent = now.duration_since(looked);
    // After a boot it is given as long.
    let up = observed.identity.boot_time.map_or(silent, |boot| SignedDuration::from_secs(observed.identity.now - boot));
    (silent.min(up) > SILENT_AFTER)
        .then(|| alert(&alert::SCHEDULE_SILENT, format!("the reconciler last looked at {}", face(looked))))
}

/// `night wants moe-batched, dense-thinking`
fn wants(state: &Value) -> String {
    let window = state.get("window").and_then(Value::as_str).unwrap_or("the baseline");
    let names: Vec<&str> =
        state.get("wanted").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if names.is_empty() {
        format!("{window} wants nothing loaded")
    } else {
        format!("{window} wants {}", names.join(", "))
    }
}

/// Those of the machine's jobs.
pub(super) fn job_alerts(declared: &Declared<'_>, observed: &Observed) -> Vec<Alert> {
    let (fleet, machine) = (declared.fleet, declared.machine);
    let jobs = fleet.jobs.iter().filter(|job| job.on.contains(&machine.name));
    jobs.filter_map(|job| job_alert(fleet, job, machine, &job_standing(fleet, job, observed, declared.now))).collect()
}

/// What is to be said of a job. One that launchd does not have is drift, which status says anyway.
pub(in crate::command) fn job_alert(
    fleet: &Fleet,
    job: &Job,
    machine: &Machine,
    standing: &JobStanding,
) -> Option<Alert> {
    let name = &job.name;
    let face = |at: Timestamp| short_face(at, fleet.timezone.rules());
    let last = standing.runs.first();
    let (code, message, next) = match (standing.state, last) {
        (JobState::Failed, Some(run)) => (&alert::JOB_FAILED, failed(job, run, &face(run.started_at)), "log"),
        (JobState::Cut, Some(run)) => {
            let message = format!("{name} began {} and nothing says how it ended", face(run.started_at));
            (&alert::JOB_CUT, message, "log")
        }
        (JobState::Missed(due), _) => {
            (&alert::JOB_MISSED, format!("{name} was due {} and did not start", face(due)), "run")
        }
        _ => return None,
    };
    let on = if job.on.len() == 1 { String::new() } else { format!(" --on {}", machine.name) };
    Some(Alert { hints: vec![format!("fleetctl jobs {next} {name}{on}")], ..alert(code, message) })
}

fn failed(job: &Job, run: &JobRun, when: &str) -> String {
    let name = &job.name;
    let after = run.seconds.map_or(String::new(), |seconds| format!(" after {}", took(seconds)));
    let code = run.exit.unwrap_or_default();
    // The wrapper's own codes (templates/job.sh); a command may use them for something else.
    let why = match code {
        _ if run.timed_out => return format!("{name}, {when}: its timeout ended it{after}"),
        69 if job.slot.is_some() => " (no candidate of its slot answered)",
        78 => " (its environment cannot be read)",
        126 => " (the command is not executable)",
        127 => " (the command is not there)",
        _ => "",
    };
    format!("{name}, {when}: it ended with exit {code}{why}{after}")
}
