//! `fleetctl jobs [run NAME | log NAME]`

mod log;
mod run;
mod show;

use super::Context;
use crate::cli::{JobsAction, JobsArgs};
use crate::config;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Fleet, Job, Machine};

pub(crate) fn run(cx: &Context, args: &JobsArgs) -> Result<Exit, CommandError> {
    match &args.action {
        None => show::run(cx),
        Some(JobsAction::Run(args)) => run::run(cx, args),
        Some(JobsAction::Log(args)) => log::run(cx, args),
    }
}

/// A job by its name. Errors: usage, with the near names.
fn job<'a>(fleet: &'a Fleet, name: &str) -> Result<&'a Job, CommandError> {
    fleet.jobs.get(name).ok_or_else(|| {
        let error = CommandError::usage(format!("there is no job {name:?}"));
        match config::suggestion(name, fleet.jobs.keys(), "there are") {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })
}

/// The machines of `--on` that run the job. Errors: none does (usage).
fn machines_of<'a>(cx: &Context, fleet: &'a Fleet, job: &Job) -> Result<Vec<&'a Machine>, CommandError> {
    let mut machines = cx.select(fleet)?;
    machines.retain(|machine| job.on.contains(&machine.name));
    if machines.is_empty() {
        let on: Vec<&str> = job.on.iter().map(crate::fleet::MachineName::as_str).collect();
        return Err(CommandError::usage(format!("no machine of --on runs {}", job.name))
            .hint(format!("it runs on {}", on.join(", "))));
    }
    Ok(machines)
}
