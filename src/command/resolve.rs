//! `fleetctl resolve SLOT`

mod shell;

use super::dispatch::block_on;
use super::{Context, slot_probe};
use crate::cli::ResolveArgs;
use crate::config;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Fleet, Slot};
use crate::schedule;
use crate::slot::{self, Cursor, Resolution, Snapshot};
use crate::ui::json::{Memory, ResolveDocument};
use crate::ui::{render_candidates, render_resolution};

pub(crate) fn run(cx: &Context, args: &ResolveArgs) -> Result<Exit, CommandError> {
    let file = cx.load_fleet()?;
    let fleet = &file.fleet;
    let slot = find(fleet, &args.slot)?;
    let at = cx.time(args.at.as_deref(), &fleet.timezone)?;
    let mut asked = cx.select(fleet)?;
    let snapshot = if args.offline {
        let mut snapshot = Snapshot::offline(fleet, at);
        snapshot.machines.retain(|name, _| asked.iter().any(|machine| machine.name == *name));
        snapshot
    } else {
        let bound = schedule::bound_route(fleet, slot, at);
        asked.retain(|machine| bound.route.iter().any(|rank| rank.machines.contains(&machine.name)));
        block_on(slot_probe::snapshot(cx, &asked, cx.clock.now()))?
    };
    let resolution = slot::resolve(fleet, slot, &snapshot, at, &Cursor::default());
    answer(cx, args, fleet, &resolution)
}

/// The slot that was asked for. Errors: usage, with the near names.
fn find<'a>(fleet: &'a Fleet, name: &str) -> Result<&'a Slot, CommandError> {
    fleet.slots.get(name).ok_or_else(|| {
        let error = CommandError::usage(format!("there is no slot {name:?}"));
        match config::suggestion(name, fleet.slots.keys(), "there are") {
            Some(hint) => error.hint(hint),
            None => error.hint("the fleet file declares no [slots]"),
        }
    })
}

fn answer(cx: &Context, args: &ResolveArgs, fleet: &Fleet, resolution: &Resolution<'_>) -> Result<Exit, CommandError> {
    let exit = if resolution.choice.is_some() { Exit::Done } else { Exit::Failed };
    if cx.global.json {
        cx.ui.answer_json(&ResolveDocument::new(resolution, Memory::Stateless))?;
        return Ok(exit);
    }
    if args.env || args.curl {
        let Some(choice) = &resolution.choice else {
            let error = CommandError::failed(format!("{}: {}", resolution.slot.name, resolution.reason));
            return Err(error.hint(format!("fleetctl resolve {} --explain", resolution.slot.name)));
        };
        let text = if args.env { shell::exports(choice) } else { shell::curl(resolution.slot, choice) };
        cx.ui.answer(&text)?;
        return Ok(exit);
    }
    let color = cx.ui.colors_answer();
    let mut text = render_resolution(resolution, fleet, color);
    if args.explain || resolution.choice.is_none() {
        text.push('\n');
        text.push_str(&render_candidates(resolution, cx.ui.width(), color));
    }
    cx.ui.answer(&text)?;
    Ok(exit)
}
