//! Starts a job now, and follows it: `fleetctl jobs run`. The request is left as root by the one command; following needs no more than a login.

use std::time::Duration;

use jiff::Timestamp;

use crate::transport::{As, Remote, RunError, quote};

const BASE: &str = include_str!("../../templates/apply/base.sh");
const LAUNCHD: &str = include_str!("../../templates/apply/launchd.sh");
const START: &str = include_str!("../../templates/job-start.sh");

/// Longer than the script waits for launchd.
const PATIENCE: Duration = Duration::from_mins(1);

/// A job on a machine, by what launchd and the disk call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPlace {
    /// Its name.
    pub name: String,
    /// launchd's label.
    pub label: String,
    /// Its log.
    pub log: String,
    /// Its wrapper's record.
    pub record: String,
}

/// What came of the wish to start it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobStart {
    /// It runs since then, by the machine's clock; its log was so long before, bytes.
    Started {
        /// Since when.
        at: Timestamp,
        /// Where in the log its own output begins.
        log_bytes: u64,
    },
    /// It runs already.
    Running,
    /// launchd does not have it.
    Missing,
    /// It did not start.
    Failed(String),
}

/// How a followed run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobEnd {
    /// Its exit code.
    pub exit: i64,
    /// How long it took.
    pub seconds: f64,
}

/// Starts it. Errors: the script gave no answer.
pub async fn start_job(remote: &Remote, job: &JobPlace) -> Result<JobStart, RunError> {
    let output = remote.run(As::Root, &start_script(job), PATIENCE).await?;
    let text = output.text();
    let answer = text.lines().rev().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    Ok(match word {
        "started" => started(rest)
            .unwrap_or_else(|| JobStart::Failed(format!("its record is not what its wrapper writes: {rest}"))),
        "running" => JobStart::Running,
        "missing" => JobStart::Missing,
        "failed" => JobStart::Failed(rest.to_owned()),
        _ => {
            let said = output.stderr.lines().last().unwrap_or("it said nothing");
            JobStart::Failed(format!("the script ended with {}: {said}", output.code))
        }
    })
}

fn started(words: &str) -> Option<JobStart> {
    let (at, bytes) = words.split_once(' ')?;
    Some(JobStart::Started { at: at.parse().ok()?, log_bytes: bytes.parse().ok()? })
}

fn start_script(job: &JobPlace) -> String {
    let values = [("RUN_JOB", &job.name), ("RUN_LABEL", &job.label), ("RUN_LOG", &job.log)];
    let set: String =
        values.iter().flat_map(|(name, value)| [*name, "=", &quote(value), "\n"].map(str::to_owned)).collect();
    [BASE, LAUNCHD, &set, START].concat()
}

/// Hands over what the run prints, until it has ended. `None`: its record no longer knows the run. Errors: the connection was cut; the job goes on.
pub async fn follow_job(
    remote: &Remote,
    job: &JobPlace,
    at: Timestamp,
    log_bytes: u64,
    line: impl FnMut(&str) + Send,
) -> Result<Option<JobEnd>, RunError> {
    let output = remote.follow(As::Login, &follow_script(job, at, log_bytes), line).await?;
    let words = output.stderr.lines().rev().find_map(|line| line.strip_prefix("# ended "));
    Ok(words.and_then(|words| {
        let (exit, seconds) = words.split_once(' ')?;
        Some(JobEnd { exit: exit.parse().ok()?, seconds: seconds.parse().ok()? })
    }))
}

/// The end is said on standard error: standard output is the log's. Ends with the connection, because `tail` would notice a gone reader only when it writes.
fn follow_script(job: &JobPlace, at: Timestamp, log_bytes: u64) -> String {
    let (log, record) = (quote(&job.log), quote(&job.record));
    // The wrapper writes whole seconds.
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let first = log_bytes + 1;
    format!(
        "PATH=/usr/bin:/bin\n/usr/bin/tail -c +{first} -F {log} 2>/dev/null &\ntail=$!\ntrap 'kill $tail 2>/dev/null' EXIT\n\
         while kill -0 $PPID 2>/dev/null; do\n\
         \tline=$(grep '\"started_at\": \"{at}\"' {record} 2>/dev/null) || break\n\
         \tend=$(printf '%s\\n' \"$line\" | sed -n 's/.*\"exit\": \\([0-9][0-9]*\\), \"seconds\": \\([0-9][0-9]*\\),.*/\\1 \\2/p')\n\
         \tsleep 1\n\
         \t[ -z \"$end\" ] || {{ printf '# ended %s\\n' \"$end\" >&2; break; }}\n\
         done\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_says_is_read_or_said() {
        let at: Timestamp = "2026-11-24T07:15:00Z".parse().expect("a time");
        assert_eq!(started("2026-11-24T07:15:00Z 42"), Some(JobStart::Started { at, log_bytes: 42 }));
        for odd in ["", "x", "2026-11-24T07:15:00Z", "2026-11-24T07:15:00Z -1", "soon 3"] {
            assert_eq!(started(odd), None, "{odd}");
        }
    }
}
