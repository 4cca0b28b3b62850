//! `fleetctl resolve SLOT`

mod shell;

use super::runtime::block_on;
use super::{Context, slot_probe};
use crate::cli::ResolveArgs;
use crate::config;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::fleet::{Fleet, Shadow, Slot};
use crate::schedule;
use crate::shadow::{self, Answerer, Route};
use crate::slot::{self, Cursor, Resolution, Snapshot};
use crate::ui::json::{Memory, ResolveDocument};
use crate::ui::{render_candidates, render_resolution, sanitize};

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

/// The item is the reference's: model and base URL as declared. No curl: its API is not always the fleet's.
fn reference(cx: &Context, args: &ResolveArgs, shadow: &Shadow, route: &Route) -> Result<Exit, CommandError> {
    if args.env || args.curl {
        return Err(CommandError::failed(format!("{}: {}", shadow.slot, route.reason))
            .hint("--env and --curl speak of the fleet; --json names the reference"));
    }
    cx.ui.answer(&format!(
        "{} → reference {}\n  base URL  {}\n  why       {}\n",
        shadow.slot,
        sanitize(&shadow.reference.model),
        sanitize(&shadow.reference.base_url),
        sanitize(&route.reason)
    ))?;
    Ok(Exit::Done)
}

fn answer(cx: &Context, args: &ResolveArgs, fleet: &Fleet, resolution: &Resolution<'_>) -> Result<Exit, CommandError> {
    let exit = if resolution.choice.is_some() { Exit::Done } else { Exit::Failed };
    let routed = args
        .item
        .as_deref()
        .map(|item| shadow::route_of_slot(fleet, &resolution.slot.name, item, args.verdict.as_deref()));
    let by_reference = routed.as_ref().is_some_and(|(_, route)| route.answerer == Answerer::Reference);
    let exit = if by_reference { Exit::Done } else { exit };
    if cx.global.json {
        let document = ResolveDocument::new(resolution, Memory::Stateless);
        let document = match &routed {
            Some((shadow, route)) => document.for_item(*shadow, route),
            None => document,
        };
        cx.ui.answer_json(&document)?;
        return Ok(exit);
    }
    if let Some((Some(shadow), route)) = &routed
        && by_reference
    {
        return reference(cx, args, shadow, route);
    }
    if let Some((_, route)) = &routed {
        cx.ui.status(&route.reason);
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
