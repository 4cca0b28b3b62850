//! How a job stands on a machine: what it last did, when it is due next, whether it failed or was missed.

use jiff::{SignedDuration, Timestamp};

use crate::fleet::{Fleet, Job, layout};
use crate::observe::{JobRun, Observed, job_runs};
use crate::schedule::{next_run, previous_run};

/// How late a start may still come: launchd starts what a sleeping Mac slept over when it wakes, and the wrapper starts the command up to two minutes late
/// (`LATE` of templates/job.sh); the rest is for its record.
const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// A start this long before the due time counts for it: clocks are set.
const EARLY: SignedDuration = SignedDuration::from_mins(1);

/// A run without an end whose process is not seen has been cut short once it is this old: the probe looks at processes before it reads records.
const YOUNG: SignedDuration = SignedDuration::from_secs(30);

/// A job on a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct JobStanding {
    /// The runs that the machine remembers, the newest first.
    pub runs: Vec<JobRun>,
    /// When it is due next, by the machine's clock.
    pub next: Option<Timestamp>,
    /// What is to be said of it.
    pub state: JobState,
}

/// What is to be said of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its last run ended with 0.
    Good,
    /// It runs now.
    Running,
    /// It has not been due since it was installed.
    Waiting,
    /// launchd does not have it.
    NotInstalled,
    /// Its last run ended with another code than 0.
    Failed,
    /// Its last run has no end, and it does not run: the machine went down, or the wrapper was killed.
    Cut,
    /// It was due then, and did not start.
    Missed(Timestamp),
}

impl JobState {
    /// The word of `jobs --json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::NotInstalled => "not-installed",
            Self::Failed => "failed",
            Self::Cut => "cut",
            Self::Missed(_) => "missed",
        }
    }
}

/// How the job stands on the machine that was observed. Jobs follow the machine's clock, so its time is what counts; `now` where it did not say.
pub fn job_standing(fleet: &Fleet, job: &Job, observed: &Observed, now: Timestamp) -> JobStanding {
    let clock = observed.identity.now;
    let now = if clock == 0 { now } else { Timestamp::from_second(clock).unwrap_or(now) };
    let runs = job_runs(observed, job.name.as_str());
    let state = state(fleet, job, observed, &runs, now);
    JobStanding { runs, next: next_run(fleet, job, now), state }
}

fn state(fleet: &Fleet, job: &Job, observed: &Observed, runs: &[JobRun], now: Timestamp) -> JobState {
    let Some(daemon) = observed.jobs.get(&layout::label(&format!("job.{}", job.name))) else {
        return JobState::NotInstalled;
    };
    let last = runs.first();
    if daemon.pid.is_some() && last.is_some_and(|run| run.ended_at.is_none()) {
        return JobState::Running;
    }
    if let Some(due) = missed(fleet, job, observed, runs, now) {
        return JobState::Missed(due);
    }
    match last {
        None => JobState::Waiting,
        Some(run) if run.exit == Some(0) => JobState::Good,
        Some(run) if run.exit.is_some() => JobState::Failed,
        Some(run) if now.duration_since(run.started_at) < YOUNG => JobState::Running,
        Some(_) => JobState::Cut,
    }
}

/// The last time at which it was due, if it did not start then although it was there: it has run before, or the last apply is older.
fn missed(fleet: &Fleet, job: &Job, observed: &Observed, runs: &[JobRun], now: Timestamp) -> Option<Timestamp> {
    let due = previous_run(fleet, job, now - GRACE)?;
    if runs.first().is_some_and(|run| run.started_at >= due - EARLY) {
        return None;
    }
    let applied = observed.record.as_ref().and_then(|record| record.get("at")?.as_str()?.parse::<Timestamp>().ok());
    let was_there = runs.last().is_some_and(|run| run.started_at < due) || applied.is_some_and(|at| at < due);
    was_there.then_some(due)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observe::LaunchdJob;
    use crate::plan::tests::machine;
    use crate::testing::machine::{after_apply, values};
    use crate::{render, testing};

    /// wiki-lint on mini3, due daily at 02:15 in New York: 07:15 UTC in November.
    fn stands(now: &str, pid: Option<u32>, applied: &str, runs: &serde_json::Value) -> JobState {
        let fleet = testing::example();
        let machine = machine(&fleet, "mac-mini3");
        let mut observed = after_apply(&fleet, machine, &render::bundle(&fleet, machine), &values());
        let now: Timestamp = now.parse().expect("a time");
        observed.identity.now = now.as_second();
        observed.jobs.insert("dev.fleetctl.job.wiki-lint".to_owned(), LaunchdJob { pid, ..LaunchdJob::default() });
        observed.record = Some(json!({"at": applied}));
        observed.job_runs.insert("wiki-lint".to_owned(), json!({"runs": runs}));
        // The laptop's own clock does not matter.
        job_standing(&fleet, fleet.jobs.get("wiki-lint").expect("declared"), &observed, Timestamp::UNIX_EPOCH).state
    }

    #[test]
    fn its_last_run_decides() {
        let run = |exit: serde_json::Value, ended: serde_json::Value| json!([{"started_at": "2026-11-24T07:15:01Z", "ended_at": ended, "exit": exit, "seconds": 60}]);
        let at = "2026-11-24T07:16:02Z";
        let stands = |pid, runs: &serde_json::Value| stands("2026-11-24T12:00:00Z", pid, "2026-11-01T00:00:00Z", runs);
        assert_eq!(stands(None, &run(json!(0), json!(at))), JobState::Good);
        assert_eq!(stands(None, &run(json!(7), json!(at))), JobState::Failed);
        assert_eq!(stands(Some(9), &run(json!(null), json!(null))), JobState::Running);
        assert_eq!(stands(None, &run(json!(null), json!(null))), JobState::Cut);
    }

    #[test]
    fn a_run_that_did_not_come_was_missed_if_the_job_was_there() {
        let due: Timestamp = "2026-11-24T07:15:00Z".parse().expect("a time");
        let earlier = json!([{"started_at": "2026-11-23T07:15:00Z", "ended_at": "2026-11-23T07:15:09Z", "exit": 0}]);
        for (now, applied, runs, expected) in [
            ("2026-11-24T07:17:00Z", "2026-11-01T00:00:00Z", &earlier, JobState::Good),
            ("2026-11-24T07:20:00Z", "2026-11-01T00:00:00Z", &earlier, JobState::Missed(due)),
            // An apply since does not make it forgotten.
            ("2026-11-24T09:00:00Z", "2026-11-24T08:00:00Z", &earlier, JobState::Missed(due)),
            ("2026-11-24T09:00:00Z", "2026-11-01T00:00:00Z", &json!([]), JobState::Missed(due)),
            ("2026-11-24T09:00:00Z", "2026-11-24T08:00:00Z", &json!([]), JobState::Waiting),
            ("2026-11-24T09:00:00Z", "2026-11-24T08:00:00Z", &json!("edited"), JobState::Waiting),
            // By hand afterwards: made up for.
            (
                "2026-11-24T10:00:00Z",
                "2026-11-01T00:00:00Z",
                &json!([{"started_at": "2026-11-24T09:30:00Z", "ended_at": "2026-11-24T09:31:00Z", "exit": 0, "by_hand": true}]),
                JobState::Good,
            ),
        ] {
            assert_eq!(stands(now, None, applied, runs), expected, "{now} {applied} {runs}");
        }
    }
}
