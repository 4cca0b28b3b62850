//! `fleetctl jobs`

use std::sync::Arc;

use jiff::Timestamp;

use crate::command::machines::{Answered, Silent};
use crate::command::runtime::block_on;
use crate::command::{Context, status};
use crate::error::CommandError;
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Fleet, Job, Machine, Weekday};
use crate::plan::job_standing;
use crate::render::Values;
use crate::schedule;
use crate::ui::json::{JobEntry, JobRunEntry, JobsDocument, SilentEntry};
use crate::ui::{Waiting, render_jobs};

pub(super) fn run(cx: &Context) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let mut machines: Vec<Machine> = cx.select(&file.fleet)?.into_iter().cloned().collect();
    machines.retain(|machine| file.fleet.jobs.iter().any(|job| job.on.contains(&machine.name)));
    let fleet = Arc::new(file.fleet);
    block_on(async {
        let chosen: Vec<&Machine> = machines.iter().collect();
        let names = chosen.iter().map(|machine| machine.name.to_string()).collect();
        let mut waiting = Waiting::new(names, cx.ui.animates());
        let connector = cx.connector(&fleet)?;
        let answers = cx
            .probe(&connector, &fleet, &chosen, |event, answer| {
                waiting.tell(
                    &event,
                    answer.map(|answer| match answer {
                        Ok(_) => Ok("answered".to_owned()),
                        Err(silent) => Err(silent.to_string()),
                    }),
                );
            })
            .await;
        waiting.finish();
        connector.close().await;
        let pairs: Vec<(&Machine, &Result<Answered, Silent>)> = chosen.iter().copied().zip(&answers).collect();
        let document = document(&fleet, &pairs, cx.clock.now());
        if cx.global.json {
            cx.ui.answer_json(&document)?;
        } else {
            cx.ui.answer(&cx.with_file(&render_jobs(&document, &fleet, cx.ui.width(), cx.ui.colors_answer())))?;
        }
        if document.jobs.is_empty() {
            return Ok(Exit::Done);
        }
        Ok(over_machines(answers.iter().map(|answer| match answer {
            Ok(_) => MachineOutcome::Succeeded,
            Err(silent) => silent.outcome(cx.global.unreachable),
        })))
    })
}

fn document(fleet: &Fleet, answers: &[(&Machine, &Result<Answered, Silent>)], now: Timestamp) -> JobsDocument {
    let mut jobs = Vec::new();
    for job in fleet.jobs.iter() {
        for (machine, answer) in answers.iter().filter(|(machine, _)| job.on.contains(&machine.name)) {
            jobs.push(entry(fleet, job, machine, answer, now));
        }
    }
    let silent = answers.iter().filter(|(_, answer)| answer.is_err()).map(|(machine, answer)| SilentEntry {
        name: machine.name.to_string(),
        alerts: status::alerts_of(fleet, machine, answer, now, &Values::default()),
    });
    JobsDocument { schema: "fleetctl.jobs/1", taken_at: now.to_string(), jobs, silent: silent.collect() }
}

fn entry(fleet: &Fleet, job: &Job, machine: &Machine, answer: &Result<Answered, Silent>, now: Timestamp) -> JobEntry {
    let standing = answer.as_ref().ok().map(|answered| job_standing(fleet, job, &answered.observed, now));
    let next = match &standing {
        Some(standing) => standing.next,
        None => schedule::next_run(fleet, job, now),
    };
    let alerts = standing.as_ref().and_then(|standing| status::job_alert(fleet, job, machine, standing));
    let runs: Vec<JobRunEntry> = standing.iter().flat_map(|standing| &standing.runs).map(JobRunEntry::new).collect();
    JobEntry {
        name: job.name.to_string(),
        machine: machine.name.to_string(),
        slot: job.slot.as_ref().map(ToString::to_string),
        at: job.at.to_string(),
        days: job.days.iter().map(Weekday::short).collect(),
        state: standing.as_ref().map(|standing| standing.state.as_str()),
        last: runs.first().cloned(),
        runs,
        next_at: next.map(|at| at.to_string()),
        alerts: alerts.into_iter().collect(),
    }
}
