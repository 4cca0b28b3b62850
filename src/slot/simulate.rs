//! Where every slot goes when machines are gone.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Cursor, Resolution, SlotState, Snapshot, resolve_in};
use crate::fleet::{Fleet, Machine, MachineName, Slot};
use crate::schedule::Moment;

/// One slot before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook<'a> {
    /// The slot.
    pub slot: &'a Slot,
    /// With every machine up.
    pub before: Arc<Resolution<'a>>,
    /// Without those that are down.
    pub after: Arc<Resolution<'a>>,
}

impl Outlook<'_> {
    /// How the slot is afterwards.
    pub fn state(&self) -> SlotState {
        self.after.state()
    }

    /// Whether the slot goes elsewhere, or nowhere.
    pub fn is_moved(&self) -> bool {
        fn target<'r>(resolution: &'r Resolution<'_>) -> Option<(&'r str, &'r str)> {
            resolution.choice.as_ref().map(|choice| (choice.served.name.as_str(), choice.machine.name.as_str()))
        }
        !Arc::ptr_eq(&self.before, &self.after) && target(&self.before) != target(&self.after)
    }
}

/// What happens to all slots when some machines are gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario<'a> {
    /// The machines that are gone, in the order given.
    pub down: Vec<&'a Machine>,
    /// Every slot, in the order of declaration.
    pub slots: Vec<Outlook<'a>>,
}

impl Scenario<'_> {
    /// How bad it is: slots lost, slots degraded, slots moved, bytes that must be loaded.
    pub fn damage(&self) -> (usize, usize, usize, u64) {
        let count = |state: SlotState| self.slots.iter().filter(|outlook| outlook.state() == state).count();
        let moved = self.slots.iter().filter(|outlook| outlook.is_moved()).count();
        let loads = self.slots.iter().filter(|outlook| outlook.is_moved());
        let loads = loads.filter_map(|outlook| outlook.after.choice.as_ref()).flat_map(|choice| &choice.loads);
        (count(SlotState::Down), count(SlotState::Degraded), moved, loads.map(|load| load.bytes.get()).sum())
    }
}

/// Every slot before and after these machines are gone, at that time, from the fleet file alone.
pub fn simulate<'a>(fleet: &'a Fleet, down: &[MachineName], at: Timestamp) -> Scenario<'a> {
    let moment = Moment::new(fleet, at);
    let up = Snapshot::offline(fleet, at);
    let before = resolve_all(&moment, &up);
    let gone = up.without(down);
    Asked { before: &before, moment: &moment }.scenario(down, &gone)
}

/// Every single machine down in turn, the worst first; equally bad ones in the order of declaration.
pub fn each_down(fleet: &Fleet, at: Timestamp) -> Vec<Scenario<'_>> {
    let moment = Moment::new(fleet, at);
    let mut snapshot = Snapshot::offline(fleet, at);
    let before = resolve_all(&moment, &snapshot);
    let mut scenarios = Vec::with_capacity(fleet.machines.len());
    for machine in fleet.machines.iter() {
        let down = [machine.name.clone()];
        let health = snapshot.of(&machine.name).cloned();
        snapshot = snapshot.without(&down);
        scenarios.push(Asked { before: &before, moment: &moment }.scenario(&down, &snapshot));
        if let Some(health) = health {
            snapshot.machines.insert(machine.name.clone(), health);
        }
    }
    scenarios.sort_by_cached_key(|scenario| std::cmp::Reverse(scenario.damage()));
    scenarios
}

fn resolve_all<'a>(moment: &Moment<'a>, snapshot: &Snapshot) -> Vec<Arc<Resolution<'a>>> {
    let fleet = moment.fleet();
    fleet.slots.iter().map(|slot| Arc::new(resolve_in(moment, slot, snapshot, &Cursor::default()))).collect()
}

struct Asked<'s, 'a> {
    before: &'s [Arc<Resolution<'a>>],
    moment: &'s Moment<'a>,
}

impl<'a> Asked<'_, 'a> {
    fn scenario(&self, down: &[MachineName], gone: &Snapshot) -> Scenario<'a> {
        let fleet = self.moment.fleet();
        let outlook = |(slot, before): (&'a Slot, &Arc<Resolution<'a>>)| {
            let route = self.moment.route(slot).route;
            let is_touched = route.iter().flat_map(|rank| &rank.machines).any(|machine| down.contains(machine));
            let after = if is_touched {
                Arc::new(resolve_in(self.moment, slot, gone, &Cursor::default()))
            } else {
                Arc::clone(before)
            };
            Outlook { slot, before: Arc::clone(before), after }
        };
        Scenario {
            down: down.iter().filter_map(|name| fleet.machines.get(name)).collect(),
            slots: fleet.slots.iter().zip(self.before).map(outlook).collect(),
        }
    }
}
