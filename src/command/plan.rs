//! `fleetctl plan`

use super::Context;
use super::planning::{Planned, Terms};
use super::runtime::block_on;
use crate::cli::{OnUnreachable, PlanArgs};
use crate::error::{CommandError, Kind};
use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fs;
use crate::plan::{MachinePlan, PlanState, SavedPlan};
use crate::transport::quote;
use crate::ui::json::PlanDocument;
use crate::ui::{Palette, plan_text};

pub(crate) fn run(cx: &Context, args: &PlanArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    cx.show_warnings(&file);
    let machines = cx.select(&file.fleet)?;
    let planned = block_on(async {
        let connector = cx.connector(&file.fleet)?;
        let revision = cx.revision_of(&file).await;
        let terms = Terms { revision: revision.as_ref(), allow_older: args.allow_older };
        let planned = cx.plan_machines(&connector, &file, &machines, &terms).await;
        connector.close().await;
        planned
    })?;
    let exit = over_machines(planned.iter().map(|one| outcome(cx, args, one)));
    let plans: Vec<MachinePlan> = planned.into_iter().map(|one| one.plan).collect();
    if cx.global.json {
        cx.ui.answer_json(&PlanDocument::of(&plans))?;
    } else {
        cx.ui.answer(&plan_text(&plans, cx.ui.width(), Palette::new(cx.ui.colors_answer())))?;
        if args.out.is_none() && plans.iter().any(|plan| plan.state == PlanState::Changes) {
            let on =
                cx.global.on.iter().fold(String::new(), |text, selector| format!("{text} --on {}", quote(selector)));
            cx.ui.status(&format!("next: {}", cx.with_file(&format!("fleetctl apply{on}"))));
        }
    }
    if let Some(path) = &args.out {
        let saved = SavedPlan::of(&file.fleet, &plans, cx.clock.now());
        let text = serde_json::to_string_pretty(&saved)
            .map_err(|error| CommandError::new(Kind::Bug, "cannot write the plan").because(error))?;
        // For the owner only: it holds no secret, but it does say what the fleet is made of.
        fs::write_atomic(path, format!("{text}\n").as_bytes(), 0o600)?;
        cx.ui.status(&format!("saved; carry it out with: fleetctl apply {}", path.display()));
    }
    Ok(exit)
}

fn outcome(cx: &Context, args: &PlanArgs, planned: &Planned) -> MachineOutcome {
    match planned.plan.state {
        PlanState::Changes if args.exit_code => MachineOutcome::Differs,
        PlanState::Changes | PlanState::InSync => MachineOutcome::Succeeded,
        PlanState::Refused => MachineOutcome::Refused,
        PlanState::Unreachable if cx.global.unreachable == OnUnreachable::Skip => MachineOutcome::Absent,
        PlanState::Unreachable => MachineOutcome::Failed,
        PlanState::Error => {
            planned.silent.as_ref().map_or(MachineOutcome::Failed, |silent| silent.outcome(cx.global.unreachable))
        }
    }
}
