//! The transitions of a period.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::opening::openings_between;
use super::state::{route_among, state_among};
use super::{LoadCost, Opening};
use crate::fleet::{Fleet, Machine, Schedule, Served, ServedName, SlotName};

/// What changes on one machine at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition<'a> {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub machine: &'a Machine,
    /// The window that decides the resident set from then on; `None` is the baseline.
    pub window: Option<&'a Schedule>,
    /// The resident set from then on.
    pub resident: Vec<&'a Served>,
    /// Resident from then on, and not before.
    pub load: Vec<&'a Served>,
    /// Resident before, and no longer.
    pub unload: Vec<&'a Served>,
    /// What the loads cost.
    pub cost: LoadCost,
    /// Slots whose route changes with a window of this machine, with the served names of their new ranks.
    pub rebinds: IndexMap<&'a SlotName, Vec<&'a ServedName>>,
}

/// Every change of window, resident set or route in `[from, to)`, by time, at one time in the order of the machines.
///
/// A boundary at which nothing changes on a machine (the edge of a window that another one covers) is none.
pub fn transitions(fleet: &Fleet, from: Timestamp, to: Timestamp) -> Vec<Transition<'_>> {
    let mut found = Vec::new();
    if from >= to {
        return found;
    }
    let openings = openings_between(fleet, from, to);
    let boundaries: BTreeSet<Timestamp> = openings
        .iter()
        .flat_map(|opening| [opening.start, opening.end])
        .filter(|boundary| (from..to).contains(boundary))
        .collect();
    for at in boundaries {
        // Edges fall on whole minutes, so a second earlier nothing of this boundary has happened.
        let before = at.checked_sub(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MIN);
        let open_before = still_open(&openings, before);
        let open_after = still_open(&openings, at);
        let edges: Vec<&Schedule> = openings
            .iter()
            .filter(|opening| opening.start == at || opening.end == at)
            .map(|opening| opening.schedule)
            .collect();
        for machine in fleet.machines.iter() {
            let rebinds = rebinds(fleet, machine, &edges, &open_before, &open_after);
            let old = state_among(fleet, machine, &open_before);
            let new = state_among(fleet, machine, &open_after);
            let same_window = old.window.map(|window| &window.name) == new.window.map(|window| &window.name);
            if same_window && rebinds.is_empty() && old.resident == new.resident {
                continue;
            }
            let gone = |set: &[&Served], served: &Served| !set.iter().any(|other| other.name == served.name);
            let load: Vec<&Served> =
                new.resident.iter().copied().filter(|served| gone(&old.resident, served)).collect();
            let unload = old.resident.iter().copied().filter(|served| gone(&new.resident, served)).collect();
            let cost = LoadCost::of(fleet, load.iter().map(|served| &served.name));
            found.push(Transition {
                at,
                machine,
                window: new.window,
                resident: new.resident,
                load,
                unload,
                cost,
                rebinds,
            });
        }
    }
    found
}

/// The same wall-clock time `days` calendar days after `from`, in the fleet's zone (cli.md, `schedule --days`).
/// `None` beyond jiff's calendar.
pub fn period_end(fleet: &Fleet, from: Timestamp, days: u16) -> Option<Timestamp> {
    let from = from.to_zoned(fleet.timezone.rules().clone());
    from.checked_add(i64::from(days).days()).ok().map(|end| end.timestamp())
}

fn still_open<'a>(openings: &[Opening<'a>], at: Timestamp) -> Vec<Opening<'a>> {
    openings.iter().copied().filter(|opening| opening.contains(at)).collect()
}

/// The slots whose route changes here by an edge of one of the machine's windows.
fn rebinds<'a>(
    fleet: &'a Fleet,
    machine: &Machine,
    edges: &[&'a Schedule],
    before: &[Opening<'a>],
    after: &[Opening<'a>],
) -> IndexMap<&'a SlotName, Vec<&'a ServedName>> {
    let touched = |slot: &SlotName| {
        let mine = edges.iter().filter(|schedule| schedule.on.contains(&machine.name));
        mine.flat_map(|schedule| &schedule.slots).any(|rebinding| rebinding.slot == *slot)
    };
    let changed = fleet.slots.iter().filter(|slot| touched(&slot.name)).filter_map(|slot| {
        let (old, new) = (route_among(slot, before), route_among(slot, after));
        (old.route != new.route).then(|| (&slot.name, new.route.iter().map(|rank| &rank.served).collect()))
    });
    changed.collect()
}
