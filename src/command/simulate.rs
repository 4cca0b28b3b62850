//! `fleetctl simulate --down SELECTOR… | --each`

use super::{Context, select};
use crate::cli::SimulateArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::MachineName;
use crate::slot;
use crate::ui::json::{SimulateDocument, SimulateEachDocument};
use crate::ui::{render_scenario, render_scenarios};

/// Answers also for a file with errors, as far as it is sound: a route that leads nowhere is seen best in what becomes of its slot.
pub(crate) fn run(cx: &Context, args: &SimulateArgs) -> Result<Exit, CommandError> {
    let (fleet, exit) = cx.load_sound_part()?;
    let fleet = &fleet;
    let at = cx.time(args.at.as_deref(), &fleet.timezone)?;
    let (width, color) = (cx.ui.width(), cx.ui.colors_answer());
    if args.each {
        let selected = cx.select(fleet)?;
        let mut scenarios = slot::each_down(fleet, at);
        let is_selected = |name: &MachineName| selected.iter().any(|machine| machine.name == *name);
        scenarios.retain(|scenario| scenario.down.iter().all(|machine| is_selected(&machine.name)));
        if cx.global.json {
            cx.ui.answer_json(&SimulateEachDocument::new(&scenarios, at))?;
        } else {
            cx.ui.answer(&render_scenarios(&scenarios, fleet, at, width, color))?;
        }
    } else {
        let down: Vec<MachineName> =
            select::select(&args.down, fleet)?.into_iter().map(|machine| machine.name.clone()).collect();
        let scenario = slot::simulate(fleet, &down, at);
        if cx.global.json {
            cx.ui.answer_json(&SimulateDocument::new(&scenario, at))?;
        } else {
            cx.ui.answer(&render_scenario(&scenario, fleet, at, width, color))?;
        }
    }
    Ok(exit)
}
