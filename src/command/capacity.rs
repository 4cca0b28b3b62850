//! `fleetctl capacity`

use super::Context;
use crate::capacity::{self, MachineCapacity};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::json::CapacityDocument;
use crate::ui::{CapacityAnswer, render_capacity, render_problems, summarize_problems};

/// Answers also for a file with errors, as far as it is sound: what does not fit is an error of the file, and this verb is there to explain it. The errors are shown
/// first, and the exit code is theirs.
pub(crate) fn run(cx: &Context) -> Result<Exit, CommandError> {
    let loaded = cx.check_fleet();
    let Some(fleet) = loaded.sound.as_ref().filter(|fleet| !fleet.machines.is_empty()) else {
        return cx.load_fleet().map(|_| Exit::Done);
    };
    let exit = if loaded.fleet.is_some() {
        Exit::Done
    } else {
        let (width, color) = (cx.ui.width(), cx.ui.colors_commentary());
        let errors: Vec<_> = loaded.problems.iter().filter(|problem| is_error(problem)).cloned().collect();
        cx.ui.commentary(&render_problems(&loaded.source, &errors, width, color));
        if let Some(summary) = summarize_problems(loaded.source.path(), &errors) {
            cx.ui.warn(&format!("{summary}; the answer is for what is sound of it"));
        }
        Exit::InvalidFleet
    };
    let machines = cx.select(fleet)?;
    let assessed: Vec<MachineCapacity> =
        machines.iter().map(|machine| capacity::assess(fleet, machine, None)).collect();
    if cx.global.json {
        cx.ui.answer_json(&CapacityDocument::new(&assessed))?;
    } else {
        let findings = capacity::findings(fleet);
        let answer = CapacityAnswer { fleet, machines: &assessed, findings: &findings };
        cx.ui.answer(&render_capacity(&answer, cx.ui.width(), cx.ui.colors_answer()))?;
    }
    Ok(exit)
}

fn is_error(problem: &crate::diagnostic::Problem) -> bool {
    problem.severity() == crate::diagnostic::Severity::Error
}
