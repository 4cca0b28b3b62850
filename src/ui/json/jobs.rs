//! `fleetctl jobs --json`: `fleetctl.jobs/1`, and `jobs run`: `fleetctl.jobs-run/1`. Text and JSON are made of the same value.

use serde::Serialize;

use super::Alert;
use crate::observe::JobRun;

/// The document of `jobs`.
#[derive(Debug, Serialize)]
pub struct JobsDocument {
    /// `fleetctl.jobs/1`
    pub schema: &'static str,
    /// RFC 3339, UTC.
    pub taken_at: String,
    /// In the order of declaration, a job once for each of its machines.
    pub jobs: Vec<JobEntry>,
    /// Machines that could not be asked, with why.
    pub silent: Vec<SilentEntry>,
}

/// A job on a machine.
#[derive(Debug, Serialize)]
pub struct JobEntry {
    /// Its name.
    pub name: String,
    /// Where.
    pub machine: String,
    /// The slot whose address and model it is given.
    pub slot: Option<String>,
    /// `02:15`, in the fleet's zone.
    pub at: String,
    /// `mon` to `sun`.
    pub days: Vec<&'static str>,
    /// `ok`, `running`, `waiting`, `not-installed`, `failed`, `cut` or `missed`; null: the machine could not be asked.
    pub state: Option<&'static str>,
    /// Its last run.
    pub last: Option<JobRunEntry>,
    /// The runs that the machine remembers, the newest first.
    pub runs: Vec<JobRunEntry>,
    /// Its next start.
    pub next_at: Option<String>,
    /// What deserves a look.
    pub alerts: Vec<Alert>,
}

/// A run.
#[derive(Clone, Debug, Serialize)]
pub struct JobRunEntry {
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; null while it runs.
    pub ended_at: Option<String>,
    /// Its exit code.
    pub exit: Option<i64>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// Whether its timeout ended it.
    pub timed_out: bool,
    /// Whether `fleetctl jobs run` started it.
    pub by_hand: bool,
}

impl JobRunEntry {
    /// Of a run.
    pub fn new(run: &JobRun) -> Self {
        Self {
            started_at: run.started_at.to_string(),
            ended_at: run.ended_at.map(|at| at.to_string()),
            exit: run.exit,
            seconds: run.seconds,
            timed_out: run.timed_out,
            by_hand: run.by_hand,
        }
    }
}

/// A machine that could not be asked.
#[derive(Debug, Serialize)]
pub struct SilentEntry {
    /// Its name.
    pub name: String,
    /// What came back.
    pub alerts: Vec<Alert>,
}

/// The document of `jobs run`.
#[derive(Debug, Serialize)]
pub struct JobsRunDocument {
    /// `fleetctl.jobs-run/1`
    pub schema: &'static str,
    /// The job.
    pub job: String,
    /// In the order of declaration.
    pub machines: Vec<JobsRunEntry>,
    /// The exit code.
    pub exit: u8,
}

/// What became of it on one machine.
#[derive(Debug, Serialize)]
pub struct JobsRunEntry {
    /// The machine.
    pub name: String,
    /// `started`, `ended` (with `--follow`), `refused` (it runs already), `unreachable` or `failed`.
    pub result: &'static str,
    /// Why, where there is something to say.
    pub detail: Option<String>,
    /// RFC 3339, UTC, by the machine's clock.
    pub started_at: Option<String>,
    /// Its exit code, where it was followed to its end.
    pub exit: Option<i64>,
    /// How long it took.
    pub seconds: Option<f64>,
}
