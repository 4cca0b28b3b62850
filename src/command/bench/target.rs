//! What is measured: names on machines.

use jiff::Timestamp;

use crate::config;
use crate::error::CommandError;
use crate::fleet::{Fleet, Machine, Served, Slot, WeightsKind};
use crate::schedule::bound_route;

/// A name on a machine, and the slot by which it was asked for.
pub(super) struct Target<'a> {
    pub(super) slot: Option<&'a Slot>,
    pub(super) served: &'a Served,
    pub(super) machine: &'a Machine,
    pub(super) kind: WeightsKind,
}

/// What the words mean at a time, each name on a machine once. A slot stands for the first rank of the route in force. Errors: a word that is neither a slot nor a
/// served name (usage), with the near ones.
pub(super) fn targets<'a>(
    fleet: &'a Fleet,
    names: &[String],
    machines: &[&'a Machine],
    at: Timestamp,
) -> Result<Vec<Target<'a>>, CommandError> {
    let mut targets: Vec<Target<'a>> = Vec::new();
    let mut add = |slot: Option<&'a Slot>, served: &'a Served, on: &[crate::fleet::MachineName]| {
        let Some(kind) = fleet.weights_of(&served.name).map(|weights| weights.kind) else { return };
        for machine in machines.iter().filter(|machine| on.contains(&machine.name)) {
            let is_known = |known: &Target<'_>| known.served.name == served.name && known.machine.name == machine.name;
            if !targets.iter().any(is_known) {
                targets.push(Target { slot, served, machine, kind });
            }
        }
    };
    let mut add_slot = |slot: &'a Slot| {
        let bound = bound_route(fleet, slot, at);
        let Some(rank) = bound.route.first() else { return };
        if let Some(served) = fleet.served.get(&rank.served) {
            add(Some(slot), served, &rank.machines);
        }
    };
    if names.is_empty() {
        fleet.slots.iter().for_each(&mut add_slot);
        return Ok(targets);
    }
    let mut wanted: Vec<(Option<&Slot>, Option<&Served>)> = Vec::new();
    for name in names {
        match (fleet.slots.get(name), fleet.served.get(name)) {
            (None, None) => {
                let error = CommandError::usage(format!("there is neither a slot nor a served name {name:?}"));
                let known = fleet.slots.keys().chain(fleet.served.keys());
                return Err(match config::suggestion(name, known, "there are") {
                    Some(hint) => error.hint(hint),
                    None => error,
                });
            }
            found => wanted.push(found),
        }
    }
    for slot in wanted.iter().filter_map(|(slot, _)| *slot) {
        add_slot(slot);
    }
    for served in wanted.iter().filter(|(slot, _)| slot.is_none()).filter_map(|(_, served)| *served) {
        add(None, served, &served.on);
    }
    Ok(targets)
}
