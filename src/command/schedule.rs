//! `fleetctl schedule`

use super::Context;
use crate::cli::ScheduleArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::schedule;
use crate::ui::json::ScheduleDocument;
use crate::ui::{SchedulePeriod, render_schedule};

pub(crate) fn run(cx: &Context, args: &ScheduleArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let from = cx.time(args.at.as_deref(), &fleet.timezone)?;
    let machines = cx.select(fleet)?;
    let to = schedule::period_end(fleet, from, args.days)
        .ok_or_else(|| CommandError::usage(format!("{} days from {from} is beyond the calendar", args.days)))?;
    let mut transitions = schedule::transitions(fleet, from, to);
    transitions.retain(|transition| machines.iter().any(|machine| machine.name == transition.machine.name));
    if cx.global.json {
        cx.ui.answer_json(&ScheduleDocument::new(&transitions))?;
    } else {
        let period = SchedulePeriod { fleet, machines: &machines, from, days: args.days, transitions: &transitions };
        cx.ui.answer(&render_schedule(&period, cx.ui.width(), cx.ui.colors_answer()))?;
    }
    Ok(Exit::Done)
}
