//! The fleet as a whole in status: slots, jobs, transitions.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::command::machines::{Answered, Silent};
use crate::fleet::{Fleet, Machine};
use crate::observe::{self, AnswerError, Observed, held_names, is_held};
use crate::plan::job_standing;
use crate::schedule;
use crate::slot::{self, Cursor, LEASE, MachineHealth, Resolution, Snapshot};
use crate::ui::json::{JobRun, JobStatus, SlotStatus, TargetEntry, TransitionStatus};

/// Where every slot goes now, by what the machines just said. A slot whose route leads to a machine that was not asked (`--on`) is left out: where it goes is not
/// known.
pub(super) fn slots(
    fleet: &Fleet,
    answers: &[(&Machine, &Result<Answered, Silent>)],
    now: Timestamp,
) -> Vec<SlotStatus> {
    let machines = answers.iter().map(|(machine, answer)| {
        let health = match answer {
            Ok(answered) => health(&answered.observed),
            Err(silent) => MachineHealth::unreachable(silent.to_string()),
        };
        (machine.name.clone(), health)
    });
    let snapshot = Snapshot { taken_at: now, lease: Some(LEASE), machines: machines.collect() };
    let moment = schedule::Moment::new(fleet, now);
    fleet
        .slots
        .iter()
        .filter(|slot| {
            let mut machines = moment.route(slot).route.iter().flat_map(|rank| &rank.machines);
            machines.all(|machine| snapshot.of(machine).is_some())
        })
        .map(|slot| slot_status(&slot::resolve_in(&moment, slot, &snapshot, &Cursor::default())))
        .collect()
}

/// A slot as it is shown.
pub(in crate::command) fn slot_status(resolution: &Resolution<'_>) -> SlotStatus {
    let choice = resolution.choice.as_ref();
    SlotStatus {
        name: resolution.slot.name.to_string(),
        state: resolution.state().as_str(),
        target: TargetEntry::of(resolution),
        reason: resolution.reason.clone(),
        goes_to: choice.map(|choice| format!("{} on {}", choice.served.name, choice.machine.name)),
        rank: choice.map(|choice| choice.rank),
    }
}

/// A machine's health as slots see it, from its own answers.
fn health(observed: &Observed) -> MachineHealth {
    let engine = &observed.engine;
    // What was not asked for lack of an earlier answer failed as that one did.
    let models = match (&engine.models, &engine.health, &engine.status) {
        (observe::Answer::NotAsked, failed @ observe::Answer::Failed(_), _)
        | (observe::Answer::NotAsked, _, failed @ observe::Answer::Failed(_)) => failed,
        (models, ..) => models,
    };
    let (mut health, _) = slot::observed(answer(models), answer(&engine.status));
    health.held = is_held(observed, "omlx");
    health.held_names = held_names(observed).into_iter().collect::<BTreeSet<String>>();
    health
}

fn answer(answer: &observe::Answer<serde_json::Value>) -> slot::Answer {
    let no_connection = |text: &str| slot::Answer::NoConnection(text.to_owned());
    match answer {
        observe::Answer::Got(value) => slot::Answer::Got { status: 200, body: value.to_string().into_bytes() },
        observe::Answer::NotAsked => no_connection("oMLX does not answer there"),
        observe::Answer::Failed(AnswerError::Refused) => no_connection("connection refused"),
        observe::Answer::Failed(AnswerError::Unauthorised(status) | AnswerError::Status(status)) => {
            slot::Answer::Got { status: *status, body: Vec::new() }
        }
        observe::Answer::Failed(error) => slot::Answer::NoAnswer(error.to_string()),
    }
}

/// Every job on every machine that was asked.
pub(super) fn jobs(fleet: &Fleet, answers: &[(&Machine, &Result<Answered, Silent>)], now: Timestamp) -> Vec<JobStatus> {
    let mut all = Vec::new();
    for job in fleet.jobs.iter() {
        for (machine, answer) in answers.iter().filter(|(machine, _)| job.on.contains(&machine.name)) {
            let standing = answer.as_ref().ok().map(|answered| job_standing(fleet, job, &answered.observed, now));
            let next = standing.as_ref().map_or_else(|| schedule::next_run(fleet, job, now), |standing| standing.next);
            all.push(JobStatus {
                name: job.name.to_string(),
                machine: machine.name.to_string(),
                last: standing.as_ref().and_then(|standing| standing.runs.first()).map(|run| JobRun {
                    started_at: Some(run.started_at.to_string()),
                    exit: run.exit,
                    seconds: run.seconds,
                }),
                next_at: next.map(|at| at.to_string()),
                state: standing.as_ref().map(|standing| standing.state),
            });
        }
    }
    all
}

/// What changes in the next day on the machines that were asked.
pub(super) fn transitions(fleet: &Fleet, machines: &[&Machine], now: Timestamp) -> Vec<TransitionStatus> {
    let Some(to) = schedule::period_end(fleet, now, 1) else { return Vec::new() };
    let names = |served: &[&crate::fleet::Served]| served.iter().map(|served| served.name.to_string()).collect();
    schedule::transitions(fleet, now, to)
        .iter()
        .filter(|transition| machines.iter().any(|machine| machine.name == transition.machine.name))
        .map(|transition| TransitionStatus {
            at: transition.at.to_string(),
            machine: transition.machine.name.to_string(),
            load: names(&transition.load),
            unload: names(&transition.unload),
        })
        .collect()
}
