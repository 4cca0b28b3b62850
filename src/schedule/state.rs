//! What holds at a time: residents of a machine, the route of a slot.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{Opening, open_windows};
use crate::fleet::{Fleet, Machine, MachineName, Rank, Schedule, Served, ServedName, Slot};

/// What a machine keeps loaded at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineState<'a> {
    /// The open window that decides the resident set; `None` is the baseline of [serve].
    pub window: Option<&'a Schedule>,
    /// The resident names, in the order of declaration.
    pub resident: Vec<&'a Served>,
}

/// Where a slot goes at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundRoute<'a> {
    /// The open window that rebinds the slot; `None` is the baseline of [slots].
    pub window: Option<&'a Schedule>,
    /// The ranks in force.
    pub route: &'a [Rank],
}

/// What the machine keeps loaded at `at`.
///
/// Of several open windows the latest started wins. A window without `resident` says nothing about residents and is passed over.
pub fn state_at<'a>(fleet: &'a Fleet, machine: &'a Machine, at: Timestamp) -> MachineState<'a> {
    state_among(fleet, machine, &open_windows(fleet, at))
}

/// The route of the slot at `at`: that of the latest started open window that rebinds it, else its own.
pub fn bound_route<'a>(fleet: &'a Fleet, slot: &'a Slot, at: Timestamp) -> BoundRoute<'a> {
    route_among(slot, &open_windows(fleet, at))
}

/// The window that decides a machine's resident set, with that set.
pub(super) fn deciding<'a>(machine: &Machine, open: &[Opening<'a>]) -> Option<(&'a Schedule, &'a [ServedName])> {
    open.iter().rev().map(|opening| opening.schedule).find_map(|schedule| {
        let resident = schedule.resident.as_ref().filter(|_| schedule.on.contains(&machine.name))?;
        Some((schedule, resident.as_slice()))
    })
}

/// [`state_at`] with the open windows known.
pub(super) fn state_among<'a>(fleet: &'a Fleet, machine: &'a Machine, open: &[Opening<'a>]) -> MachineState<'a> {
    let (window, resident) = match deciding(machine, open) {
        None => (None, fleet.baseline_residents(&machine.name).collect()),
        Some((schedule, resident)) => {
            (Some(schedule), fleet.served_on(&machine.name).filter(|served| resident.contains(&served.name)).collect())
        }
    };
    MachineState { window, resident }
}

/// [`state_among`] for every machine, by name: once through [serve] instead of once a machine.
pub(super) fn states_among<'a>(fleet: &'a Fleet, open: &[Opening<'a>]) -> HashMap<&'a str, MachineState<'a>> {
    let mut states: HashMap<&str, (Option<&[ServedName]>, MachineState<'a>)> = HashMap::new();
    for machine in fleet.machines.iter() {
        let (window, names) = deciding(machine, open).unzip();
        states.insert(machine.name.as_str(), (names, MachineState { window, resident: Vec::new() }));
    }
    for served in fleet.served.iter() {
        let baseline: HashSet<&MachineName> = served.resident_on.iter().collect();
        for machine in &served.on {
            let Some((names, state)) = states.get_mut(machine.as_str()) else { continue };
            if names.map_or_else(|| baseline.contains(machine), |names| names.contains(&served.name)) {
                state.resident.push(served);
            }
        }
    }
    states.into_iter().map(|(name, (_, state))| (name, state)).collect()
}

/// [`bound_route`] with the open windows known.
pub(super) fn route_among<'a>(slot: &'a Slot, open: &[Opening<'a>]) -> BoundRoute<'a> {
    open.iter()
        .rev()
        .find_map(|opening| {
            let rebinding = opening.schedule.slots.iter().find(|rebinding| rebinding.slot == slot.name)?;
            Some(BoundRoute { window: Some(opening.schedule), route: rebinding.route.as_slice() })
        })
        .unwrap_or(BoundRoute { window: None, route: &slot.route })
}
