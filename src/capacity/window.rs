//! The resident sets that a machine has: outside every window, and in each.

use super::footprint::{Footprint, footprint};
use super::{Budget, Measured, budget};
use crate::fleet::{Bytes, Fleet, Machine, Schedule, Served, ServedName};

/// A resident set of a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct ResidentSet<'a> {
    /// The window; `None` is the baseline.
    pub window: Option<&'a Schedule>,
    /// What is resident, in the order of declaration.
    pub resident: Vec<&'a Served>,
}

/// Every resident set of a machine: the baseline first, then each window that declares one, in the order of declaration.
pub fn resident_sets<'a>(fleet: &'a Fleet, machine: &'a Machine) -> Vec<ResidentSet<'a>> {
    let baseline = ResidentSet { window: None, resident: fleet.baseline_residents(&machine.name).collect() };
    let windows = fleet.schedules_on(&machine.name).filter_map(|schedule| {
        let names = schedule.resident.as_ref()?;
        let resident = fleet.served_on(&machine.name).filter(|served| names.contains(&served.name)).collect();
        Some(ResidentSet { window: Some(schedule), resident })
    });
    std::iter::once(baseline).chain(windows).collect()
}

/// The sum of oMLX's estimates: what decides `fits` (json.md, capacity). Drafts, caches and scratch are no part of it.
pub fn estimated_sum<'a>(footprints: impl IntoIterator<Item = &'a Footprint>) -> Bytes {
    Bytes(footprints.into_iter().map(|footprint| footprint.estimated.get()).fold(0, u64::saturating_add))
}

/// Whether `candidate` fits on the machine beside `residents`, after whatever is not resident has been evicted: the sum of 1.05 times each size is at most the
/// machine's limit (json.md, `fits`; `no-room`). Names that the fleet does not know cost nothing. With `measured`, by the machine's own sizes and limits.
pub fn fits<'a>(
    fleet: &Fleet,
    machine: &Machine,
    measured: Option<&Measured>,
    residents: impl IntoIterator<Item = &'a ServedName>,
    candidate: &'a ServedName,
) -> bool {
    // An exposed profile needs what its engine needs.
    let mut names: Vec<&str> = residents.into_iter().map(ServedName::as_str).collect();
    if !names.contains(&candidate.engine()) {
        names.push(candidate.engine());
    }
    let footprints: Vec<Footprint> =
        names.into_iter().filter_map(|name| footprint(fleet, machine, fleet.served.get(name)?, measured)).collect();
    estimated_sum(&footprints) <= budget(machine, measured).limit
}

/// A machine's budget and the cost of every engine that it can load, computed once.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// The budget.
    pub budget: Budget,
    /// One an engine, in the order of declaration.
    pub footprints: Vec<Footprint>,
}

impl Costs {
    /// The costs of a machine.
    pub fn of(fleet: &Fleet, machine: &Machine, measured: Option<&Measured>) -> Self {
        let footprints =
            fleet.engines_on(&machine.name).filter_map(|served| footprint(fleet, machine, served, measured)).collect();
        Self { budget: budget(machine, measured), footprints }
    }

    /// The cost of the engine that answers for a name; `None` when the machine does not serve it.
    pub fn get(&self, name: &ServedName) -> Option<&Footprint> {
        self.footprints.iter().find(|footprint| footprint.served == name.engine())
    }

    /// The costs of a resident set, in the order of declaration.
    pub fn of_set(&self, set: &ResidentSet<'_>) -> Vec<&Footprint> {
        set.resident.iter().filter_map(|served| self.get(&served.name)).collect()
    }

    /// Whether the names fit together.
    pub fn fit<'a>(&'a self, footprints: impl IntoIterator<Item = &'a Footprint>) -> bool {
        estimated_sum(footprints) <= self.budget.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn room_beside_the_residents() {
        let fleet = testing::example();
        let studio = fleet.machines.get("mac-studio1").expect("a machine");
        let name = |text: &str| ServedName::new(text).expect("a name");
        let beside = |residents: &[&str], candidate: &str| {
            let residents: Vec<ServedName> = residents.iter().map(|text| name(text)).collect();
            fits(&fleet, studio, None, &residents, &name(candidate))
        };
        assert!(beside(&["moe-dflash"], "moe-batched"), "75.6 of 79.2");
        assert!(beside(&["moe-dflash"], "dense-thinking"), "66.15 of 79.2");
        assert!(!beside(&["moe-batched", "dense-thinking"], "moe-dflash"), "103.95 of 79.2");
        assert!(beside(&["moe-batched", "dense-thinking"], "moe-batched"), "it is there");
    }

    #[test]
    fn an_exposed_profile_is_counted_with_its_engine() {
        let text = include_str!("../../tests/fixtures/fleets/exposed.toml");
        let fleet = testing::fleet(text);
        let costs = |fleet: &Fleet| Costs::of(fleet, fleet.machines.get("studio").expect("a machine"), None);
        let names: Vec<String> = costs(&fleet).footprints.iter().map(|cost| cost.served.to_string()).collect();
        assert_eq!(names, ["dense"]);
        let direct = ServedName::new("dense:direct").expect("a name");
        assert_eq!(costs(&fleet).get(&direct).map(|cost| cost.context), Some(32_768), "the longer of the two");
        let longer = testing::fleet(&text.replace("max_context_window = 16384", "max_context_window = 65536"));
        assert_eq!(costs(&longer).get(&direct).map(|cost| cost.context), Some(65_536));
    }

    #[test]
    fn sets() {
        let fleet = testing::example();
        let studio = fleet.machines.get("mac-studio1").expect("a machine");
        let sets: Vec<(Option<&str>, Vec<&str>)> = resident_sets(&fleet, studio)
            .into_iter()
            .map(|set| {
                let name = set.window.map(|schedule| schedule.name.as_str());
                (name, set.resident.iter().map(|served| served.name.as_str()).collect())
            })
            .collect();
        assert_eq!(sets, [(None, vec!["moe-dflash"]), (Some("night"), vec!["moe-batched", "dense-thinking"])]);
    }
}
