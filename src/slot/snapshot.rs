//! The health of all machines at one time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::MachineHealth;
use crate::fleet::{Fleet, MachineName};
use crate::schedule::Moment;

/// How long an answer that rests on a probe may be kept: three probe intervals, after which the resolver service itself would have noticed
/// that a machine is gone (facts: 3 consecutive failures at one probe every 5 s).
pub const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// The health of all machines at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was taken.
    pub taken_at: Timestamp,
    /// How long an answer from it may be kept; `None` where it rests on the fleet file alone.
    pub lease: Option<SignedDuration>,
    /// By machine; one that is missing was not asked.
    pub machines: BTreeMap<MachineName, MachineHealth>,
}

impl Snapshot {
    /// Every machine up, every declared name listed, the residents of that time loaded (json.md, `--offline`).
    pub fn offline(fleet: &Fleet, at: Timestamp) -> Self {
        let moment = Moment::new(fleet, at);
        let machines = fleet.machines.iter().map(|machine| {
            let listed: BTreeSet<String> =
                fleet.served_on(&machine.name).map(|served| served.name.as_str().to_owned()).collect();
            let loaded = fleet
                .served_on(&machine.name)
                .filter(|served| moment.is_resident(machine, served))
                .map(|served| served.name.as_str().to_owned())
                .collect();
            let health = MachineHealth {
                listed: Some(listed),
                loaded: Some(loaded),
                running: Some(0),
                waiting: Some(0),
                ..MachineHealth::up()
            };
            (machine.name.clone(), health)
        });
        Self { taken_at: at, lease: None, machines: machines.collect() }
    }

    /// The same with these machines gone.
    #[must_use]
    pub fn without(mut self, down: &[MachineName]) -> Self {
        for name in down {
            self.machines.insert(name.clone(), MachineHealth::unreachable("taken as down"));
        }
        self
    }

    /// The health of a machine; `None` if it was not asked.
    pub fn of(&self, machine: &MachineName) -> Option<&MachineHealth> {
        self.machines.get(machine)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cursor, resolve};
    use super::*;
    use crate::testing;

    /// oMLX lists an exposed profile with the state of its engine (0.4.5.dev1 `server.py`, `_with_exposed_profile_status`).
    #[test]
    fn an_exposed_profile_is_loaded_with_its_engine() {
        let fleet = testing::fleet(include_str!("../../tests/fixtures/fleets/exposed.toml"));
        let at = "2026-11-23T17:00:00Z".parse().expect("a time");
        let mut snapshot = Snapshot::offline(&fleet, at);
        let studio = fleet.machines.iter().next().expect("a machine").name.clone();
        let slot = fleet.slots.get("answer").expect("declared");
        let chosen = |snapshot: &Snapshot| {
            resolve(&fleet, slot, snapshot, at, &Cursor::default()).choice.map(|choice| choice.served.name.to_string())
        };
        let loaded = snapshot.machines[&studio].loaded.clone().expect("known");
        assert_eq!(loaded.into_iter().collect::<Vec<_>>(), ["dense", "dense:direct"]);
        assert_eq!(chosen(&snapshot).as_deref(), Some("dense:direct"));
        // Unloaded by hand is what its engine is.
        snapshot.machines.get_mut(&studio).expect("asked").held_names.insert("dense".to_owned());
        assert_eq!(chosen(&snapshot), None);
    }
}
