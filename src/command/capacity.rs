//! `fleetctl capacity`

use std::sync::Arc;

use super::Context;
use super::machines::{Answered, Silent};
use super::runtime::block_on;
use crate::capacity::{self, MachineCapacity, Measured};
use crate::cli::CapacityArgs;
use crate::error::CommandError;
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::{Fleet, Machine, MachineName};
use crate::plan;
use crate::ui::json::CapacityDocument;
use crate::ui::{CapacityAnswer, Waiting, render_capacity};

/// Answers also for a file with errors, as far as it is sound: what does not fit is an error of the file, and this verb is there to explain it. The errors are shown
/// first, and the exit code is theirs.
pub(crate) fn run(cx: &Context, args: &CapacityArgs) -> Result<Exit, CommandError> {
    let (fleet, soundness) = cx.load_sound_part()?;
    let fleet = &fleet;
    let machines = cx.select(fleet)?;
    let (facts, exit) = if args.measured { ask(cx, fleet, &machines)? } else { (Facts::default(), Exit::Done) };
    let assessed: Vec<MachineCapacity> =
        machines.iter().map(|machine| capacity::assess(fleet, machine, facts.of(&machine.name))).collect();
    if cx.global.json {
        cx.ui.answer_json(&CapacityDocument::new(&assessed))?;
    } else {
        let findings = capacity::findings_measured(fleet, |machine| facts.of(machine));
        let answer = CapacityAnswer { fleet, machines: &assessed, findings: &findings };
        cx.ui.answer(&render_capacity(&answer, cx.ui.width(), cx.ui.colors_answer()))?;
    }
    Ok(if soundness == Exit::Done { exit } else { soundness })
}

/// What machines say of themselves.
#[derive(Default)]
struct Facts(Vec<(MachineName, Measured)>);

impl Facts {
    fn of(&self, machine: &MachineName) -> Option<&Measured> {
        self.0.iter().find(|(name, _)| name == machine).map(|(_, measured)| measured)
    }
}

/// Asks the machines. One that does not answer is shown by its declared numbers, which say so, and decides the exit code.
fn ask(cx: &Context, fleet: &Fleet, machines: &[&Machine]) -> Result<(Facts, Exit), CommandError> {
    let shared = Arc::new(fleet.clone());
    let answers: Vec<Result<Answered, Silent>> = block_on(async {
        let connector = cx.connector(fleet)?;
        let names = machines.iter().map(|machine| machine.name.to_string()).collect();
        let mut waiting = Waiting::new(names, cx.ui.animates());
        let answers = cx
            .probe(&connector, &shared, machines, |event, answer| {
                waiting.tell(&event, answer.map(Waiting::said));
            })
            .await;
        waiting.finish();
        connector.close().await;
        Ok(answers)
    })?;
    let mut facts = Facts::default();
    for (machine, answer) in machines.iter().zip(&answers) {
        match answer {
            Ok(answered) => {
                facts.0.push((machine.name.clone(), plan::measured(fleet, machine, &answered.observed)));
            }
            Err(silent) => {
                cx.ui.warn(&format!("{silent}; its declared numbers are shown"));
                for hint in silent.hints() {
                    cx.ui.status(&format!("  {hint}"));
                }
            }
        }
    }
    let outcome = |answer: &Result<Answered, Silent>| match answer {
        Ok(_) => MachineOutcome::Succeeded,
        Err(silent) => silent.outcome(cx.global.unreachable),
    };
    Ok((facts, over_machines(answers.iter().map(outcome))))
}
