//! `[jobs.NAME]`: timed commands.

use super::engine::environment;
use super::names;
use super::schedules::days;
use super::selectors::Machines;
use super::values::{self, INVALID_PATH, INVALID_TEXT, Problems, quoted};
use crate::config::raw::{RawFile, RawJob};
use crate::config::read::Map;
use crate::diagnostic::Problem;
use crate::fleet::{Declared, Job, JobName, SlotName};

/// All sound jobs.
pub(crate) fn jobs(raw: &RawFile, machines: &Machines<'_>, problems: &mut Problems) -> Declared<Job> {
    let mut sound = Declared::default();
    for (key, span, job) in raw.jobs.iter().flat_map(Map::iter) {
        let name = names::name(key, span, "a job", JobName::new, problems);
        if let Some(job) = job.and_then(|job| one(name, key, job, raw, machines, problems)) {
            sound.insert(job);
        }
    }
    sound
}

fn one(
    name: Option<JobName>,
    key: &str,
    raw: &RawJob,
    file: &RawFile,
    machines: &Machines<'_>,
    problems: &mut Problems,
) -> Option<Job> {
    let what = |field: &str| format!("jobs.{key}.{field}");
    let on = machines.list(raw.on.as_ref(), &what("on"), problems);
    let at = values::time(raw.at.as_ref(), &what("at"), problems);
    let days = days(raw.days.as_ref(), &what("days"), problems);
    let run = command(raw, &what("run"), problems);
    let none = Map::default();
    let slot = names::reference(raw.slot.as_ref(), file.slots.as_ref().unwrap_or(&none), "slot", problems)
        .and_then(|slot| SlotName::new(slot).ok());
    let user = values::user(raw.user.as_ref(), &what("user"), problems);
    let environment = environment(raw.environment.as_ref(), &what("environment"), false, problems);
    let timeout = values::duration(raw.timeout.as_ref(), &what("timeout"), problems);
    Some(Job { name: name?, on, at: at?, days: days?, run: run?, slot, user, environment, timeout })
}

fn command(raw: &RawJob, what: &str, problems: &mut Problems) -> Option<Vec<String>> {
    let run = raw.run.as_ref()?;
    let Some(program) = run.value.first() else {
        problems.push(
            Problem::at(&INVALID_TEXT, run.span.clone(), format!("{what} is empty"))
                .help("write the program's absolute path and its arguments"),
        );
        return None;
    };
    if !program.value.starts_with('/') {
        problems.push(
            Problem::at(
                &INVALID_PATH,
                program.span.clone(),
                format!("{what}: {} is no absolute path", quoted(&program.value)),
            )
            .help("launchd searches no PATH: write the program's absolute path"),
        );
        return None;
    }
    for argument in &run.value {
        if argument.value.chars().any(char::is_control) {
            problems.push(Problem::at(
                &INVALID_TEXT,
                argument.span.clone(),
                format!("{what}: {} holds control characters", quoted(&argument.value)),
            ));
            return None;
        }
    }
    Some(run.value.iter().map(|argument| argument.value.clone()).collect())
}
