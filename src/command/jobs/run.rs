//! `fleetctl jobs run NAME`

use tokio::sync::mpsc;

use super::{job, machines_of};
use crate::cli::{JobsRunArgs, OnUnreachable};
use crate::command::Context;
use crate::command::runtime::block_on;
use crate::error::CommandError;
use crate::execute::{JobEnd, JobPlace, JobStart, follow_job, start_job};
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Job, Machine, layout};
use crate::transport::{Connector, Fanned, RunError, fan_out};
use crate::ui::json::{JobsRunDocument, JobsRunEntry};
use crate::ui::{Palette, jobs_run_text, sanitize};

pub(super) fn run(cx: &Context, args: &JobsRunArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let job = job(&file.fleet, &args.name)?;
    let machines: Vec<Machine> = machines_of(cx, &file.fleet, job)?.into_iter().cloned().collect();
    block_on(async {
        let connector = cx.connector(&file.fleet)?;
        let done = tokio::select! {
            done = on_all(cx, &connector, machines.clone(), place(job), args.follow) => Some(done),
            _ = tokio::signal::ctrl_c(), if args.follow => None,
        };
        connector.close().await;
        let Some(results) = done else {
            cx.ui.status(&format!("{} goes on; fleetctl jobs shows how it ends", job.name));
            return Ok(Exit::Interrupted);
        };
        answer(cx, job, &machines, results)
    })
}

fn place(job: &Job) -> JobPlace {
    let unit = format!("job.{}", job.name);
    JobPlace {
        name: job.name.to_string(),
        label: layout::label(&unit),
        log: layout::log_path(&unit),
        record: format!("{}/jobs/{}.json", layout::STATE, job.name),
    }
}

/// A start and, where it was followed to its end, that.
type Ran = (JobStart, Option<JobEnd>);

async fn on_all(
    cx: &Context,
    connector: &Connector,
    machines: Vec<Machine>,
    place: JobPlace,
    follows: bool,
) -> Vec<Fanned<Result<Ran, RunError>>> {
    let is_alone = machines.len() == 1;
    let (lines, mut printed) = mpsc::unbounded_channel::<String>();
    let work = |machine: Machine| {
        let (connector, place, lines) = (connector.clone(), place.clone(), lines.clone());
        async move {
            let remote = connector.connect(&machine).await?;
            let start = start_job(&remote, &place).await?;
            let mut end = None;
            if let JobStart::Started { at, log_bytes } = start
                && follows
            {
                let told = |line: &str| {
                    let line = if is_alone { line.to_owned() } else { format!("{}  {line}", machine.name) };
                    // Nobody watches any more: then nobody needs to know.
                    drop(lines.send(line));
                };
                end = follow_job(&remote, &place, at, log_bytes, told).await?;
            }
            Ok((start, end))
        }
    };
    let fanned = fan_out(machines, cx.width(None), work, |_, _| {});
    tokio::pin!(fanned);
    let show = |line: String| {
        // Standard output is the document's.
        if cx.global.json {
            cx.ui.status(&sanitize(&line));
        } else {
            drop(cx.ui.answer(&format!("{}\n", sanitize(&line))));
        }
    };
    let results = loop {
        tokio::select! {
            results = &mut fanned => break results,
            Some(line) = printed.recv() => show(line),
        }
    };
    while let Ok(line) = printed.try_recv() {
        show(line);
    }
    results
}

fn answer(
    cx: &Context,
    job: &Job,
    machines: &[Machine],
    results: Vec<Fanned<Result<Ran, RunError>>>,
) -> Result<Exit, CommandError> {
    let mut entries = Vec::new();
    let mut outcomes = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    let log = |name: &str| {
        let on = if job.on.len() == 1 { String::new() } else { format!(" --on {name}") };
        format!("fleetctl jobs log {}{on}", job.name)
    };
    for (machine, result) in machines.iter().zip(results) {
        let name = machine.name.as_str();
        let entry = |result, detail| JobsRunEntry {
            name: name.to_owned(),
            result,
            detail,
            started_at: None,
            exit: None,
            seconds: None,
        };
        let (entry, outcome) = match result {
            Fanned::Done(Ok((JobStart::Started { at, .. }, end))) => {
                let started_at = Some(at.to_string());
                match end {
                    None => {
                        hints.push(format!("{} -f follows it", log(name)));
                        (JobsRunEntry { started_at, ..entry("started", None) }, MachineOutcome::Succeeded)
                    }
                    Some(JobEnd { exit, seconds }) => {
                        let outcome = if exit == 0 { MachineOutcome::Succeeded } else { MachineOutcome::Failed };
                        let (exit, seconds) = (Some(exit), Some(seconds));
                        (JobsRunEntry { started_at, exit, seconds, ..entry("ended", None) }, outcome)
                    }
                }
            }
            Fanned::Done(Ok((JobStart::Running, _))) => {
                hints.push(format!("{} -f follows it", log(name)));
                (entry("refused", Some("it runs already".to_owned())), MachineOutcome::Refused)
            }
            Fanned::Done(Ok((JobStart::Missing, _))) => {
                hints.push(format!("fleetctl apply --on {name} installs it"));
                (entry("failed", Some("launchd does not have it".to_owned())), MachineOutcome::Failed)
            }
            Fanned::Done(Ok((JobStart::Failed(why), _))) => {
                hints.push(format!("{} shows what it said", log(name)));
                (entry("failed", Some(why)), MachineOutcome::Failed)
            }
            Fanned::Done(Err(error)) => {
                hints.extend(error.hints());
                let said = error.to_string();
                let detail = Some(said.strip_prefix(&format!("{name}: ")).unwrap_or(&said).to_owned());
                match (error, cx.global.unreachable) {
                    (RunError::Connect(_), OnUnreachable::Skip) => {
                        (entry("unreachable", detail), MachineOutcome::Absent)
                    }
                    (RunError::Connect(_), OnUnreachable::Fail) => {
                        (entry("unreachable", detail), MachineOutcome::Failed)
                    }
                    _ => (entry("failed", detail), MachineOutcome::Failed),
                }
            }
            Fanned::TimedOut(limit) => {
                (entry("failed", Some(format!("no end within {} s", limit.as_secs()))), MachineOutcome::Failed)
            }
            Fanned::Panicked(said) => {
                (entry("failed", Some(format!("a bug in fleetctl: {said}"))), MachineOutcome::Bug)
            }
        };
        entries.push(entry);
        outcomes.push(outcome);
    }
    let exit = over_machines(outcomes);
    let document = JobsRunDocument {
        schema: "fleetctl.jobs-run/1",
        job: job.name.to_string(),
        machines: entries,
        exit: exit.code(),
    };
    if cx.global.json {
        cx.ui.answer_json(&document)?;
    } else {
        cx.ui.answer(&jobs_run_text(&document, Palette::new(cx.ui.colors_answer())))?;
    }
    hints.dedup();
    for hint in hints {
        cx.ui.status(&format!("help: {}", sanitize(&hint)));
    }
    Ok(exit)
}
