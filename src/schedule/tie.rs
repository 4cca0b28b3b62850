//! Windows that start together: nobody could say which wins, so the file is refused.

use crate::fleet::{Fleet, MachineName, Schedule, SlotName};

/// What two windows that start together both decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shared {
    /// A machine.
    Machine(MachineName),
    /// A slot that both rebind.
    Slot(SlotName),
}

/// Two windows that start together.
#[derive(Clone, Debug, PartialEq)]
pub struct Tie<'a> {
    /// The one declared first.
    pub first: &'a Schedule,
    /// The one declared later.
    pub second: &'a Schedule,
    /// What both decide: the first machine or, without one, the first slot.
    pub shared: Shared,
}

/// Every pair of windows that start at the same time of a common day, on one machine or rebinding one slot (fleet.md, errors).
pub fn ties(fleet: &Fleet) -> Vec<Tie<'_>> {
    let mut found = Vec::new();
    for (place, second) in fleet.schedules.iter().enumerate() {
        for first in fleet.schedules.iter().take(place) {
            let together =
                first.window.start == second.window.start && first.days.iter().any(|day| second.days.contains(day));
            if let Some(shared) = together.then(|| shared(first, second)).flatten() {
                found.push(Tie { first, second, shared });
            }
        }
    }
    found
}

fn shared(first: &Schedule, second: &Schedule) -> Option<Shared> {
    let machine = first.on.iter().find(|machine| second.on.contains(machine));
    let slot = || {
        let mut names = first.slots.iter().map(|rebinding| &rebinding.slot);
        names.find(|name| second.slots.iter().any(|rebinding| rebinding.slot == **name))
    };
    machine.cloned().map(Shared::Machine).or_else(|| slot().cloned().map(Shared::Slot))
}
