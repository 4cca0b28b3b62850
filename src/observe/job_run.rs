//! A job's runs, as its wrapper recorded them in `STATE/jobs/JOB.json` (`fleetctl.job/1`, templates/job.sh).

use jiff::Timestamp;
use serde_json::Value;

use super::Observed;

/// One run. Times are the machine's clock's.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRun {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs, and for ever where the machine went down under it.
    pub ended_at: Option<Timestamp>,
    /// Its exit code; the wrapper's own are those of sysexits.h, and 124 for a timeout.
    pub exit: Option<i64>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// Whether its timeout ended it.
    pub timed_out: bool,
    /// Whether `fleetctl jobs run` started it.
    pub by_hand: bool,
}

/// The runs of a job that the machine remembers, the newest first. What is not a run is passed over: the file may have been edited.
pub fn job_runs(observed: &Observed, job: &str) -> Vec<JobRun> {
    let document = observed.job_runs.get(job);
    let entries = document.and_then(|document| document.get("runs")).and_then(Value::as_array);
    let mut runs: Vec<JobRun> = entries.into_iter().flatten().filter_map(run).collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.started_at));
    runs
}

fn run(entry: &Value) -> Option<JobRun> {
    let time = |key: &str| entry.get(key)?.as_str()?.parse::<Timestamp>().ok();
    let flag = |key: &str| entry.get(key).and_then(Value::as_bool).unwrap_or(false);
    Some(JobRun {
        started_at: time("started_at")?,
        ended_at: time("ended_at"),
        exit: entry.get("exit").and_then(Value::as_i64),
        seconds: entry.get("seconds").and_then(Value::as_f64),
        timed_out: flag("timed_out"),
        by_hand: flag("by_hand"),
    })
}
