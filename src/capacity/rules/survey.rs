//! A machine as the rules look at it: costs and resident sets, computed once.

use crate::capacity::footprint::Footprint;
use crate::capacity::window::{Costs, ResidentSet, resident_sets};
use crate::capacity::{Measured, estimated_sum};
use crate::fleet::{Bytes, Fleet, Machine, Profile, Served, ServedName};

/// A machine, its costs and its resident sets.
pub(crate) struct Survey<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) machine: &'a Machine,
    pub(crate) measured: Option<&'a Measured>,
    pub(crate) costs: Costs,
    pub(crate) sets: Vec<ResidentSet<'a>>,
}

impl<'a> Survey<'a> {
    pub(crate) fn of(fleet: &'a Fleet, machine: &'a Machine, measured: Option<&'a Measured>) -> Self {
        Self {
            fleet,
            machine,
            measured,
            costs: Costs::of(fleet, machine, measured),
            sets: resident_sets(fleet, machine),
        }
    }

    /// The sum of oMLX's estimates of the set and of more names.
    pub(crate) fn sum<'b>(&'b self, set: &ResidentSet<'_>, more: &[&'b Footprint]) -> Bytes {
        let extra = more.iter().copied().filter(|footprint| !holds(set, &footprint.served));
        estimated_sum(self.costs.of_set(set).into_iter().chain(extra))
    }

    /// Whether the set fits with more names beside it.
    pub(crate) fn fits<'b>(&'b self, set: &ResidentSet<'_>, more: &[&'b Footprint]) -> bool {
        self.sum(set, more) <= self.costs.budget.limit
    }

    pub(crate) fn served(&self, name: &ServedName) -> Option<&'a Served> {
        self.fleet.served.get(name)
    }

    pub(crate) fn profile(&self, name: &ServedName) -> Option<&'a Profile> {
        self.fleet.profile_of(name)
    }

    /// The limit in words: `79.2 GiB (oMLX's limit for models)`.
    pub(crate) fn limit(&self) -> String {
        use crate::capacity::{GpuLimitSource as G, LimitBy as L};
        let by = match (self.costs.budget.by, self.costs.budget.gpu.source) {
            (L::Omlx, _) => "oMLX's limit for models",
            (L::Process, _) => "oMLX's limit for its process",
            (L::Gpu, G::Declared) => "the declared GPU limit",
            (L::Gpu, G::Set) => "the GPU limit set on the machine",
            (L::Gpu, G::Estimated) => "macOS's own GPU limit, estimated",
        };
        format!("{} ({by})", self.costs.budget.limit)
    }
}

pub(crate) fn holds(set: &ResidentSet<'_>, name: &ServedName) -> bool {
    set.resident.iter().any(|served| served.name == *name)
}
