//! A machine's capacity, window by window.

use super::context::largest_context;
use super::footprint::Footprint;
use super::swap::{SwapSet, swap_sets};
use super::window::{Costs, resident_sets};
use super::{Budget, Measured};
use crate::fleet::{Fleet, Machine, MachineName, ScheduleName, ServedName};

/// What fits on a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineCapacity {
    /// The machine.
    pub machine: MachineName,
    /// What models may take.
    pub budget: Budget,
    /// The cost of every name that it serves, in the order of declaration.
    pub footprints: Vec<Footprint>,
    /// The baseline, then each window with a resident set.
    pub windows: Vec<WindowCapacity>,
}

impl MachineCapacity {
    /// The cost of a name.
    pub fn footprint(&self, name: &ServedName) -> Option<&Footprint> {
        self.footprints.iter().find(|footprint| footprint.served == *name)
    }
}

/// What fits while one resident set holds.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowCapacity {
    /// The window; `None` is the baseline.
    pub window: Option<ScheduleName>,
    /// The resident names.
    pub resident: Vec<Resident>,
    /// Bytes of prefill scratch: the largest of the residents'; `None` when one is not known.
    pub scratch_bytes: Option<u64>,
    /// What is left.
    pub headroom: Headroom,
    /// Whether 1.05 times the residents' sizes fit in the limit.
    pub fits: bool,
    /// The names that are loaded on demand.
    pub loadable: Vec<Loadable>,
    /// Names that alternate.
    pub swap_sets: Vec<SwapSet>,
}

/// A resident name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resident {
    /// The name.
    pub served: ServedName,
    /// Tokens that one request can have while all else is at rest; `None` where the shape is not known, or for a model without a cache.
    pub largest_context: Option<u64>,
}

/// A name that is loaded on demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loadable {
    /// The name.
    pub served: ServedName,
    /// Whether it fits beside the residents.
    pub fits: bool,
    /// As for a resident, once it is loaded; `None` also when it does not fit.
    pub largest_context: Option<u64>,
    /// The other names on demand that cannot stay loaded beside it.
    pub evicts: Vec<ServedName>,
}

/// The three headrooms, in bytes; below 0 is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// For loading: the limit without the residents' weights and drafts.
    pub load: i64,
    /// For context: that, without the residents' caches and states at their reserved contexts and the scratch; `None` when one of these is not known.
    pub context: Option<i64>,
    /// Of the system: what could be had now; `None` without a machine that says so.
    pub system: Option<i64>,
}

/// What fits on a machine, in every window. With `measured`, the machine's own sizes, shapes and limits are used where it has them.
pub fn assess(fleet: &Fleet, machine: &Machine, measured: Option<&Measured>) -> MachineCapacity {
    let costs = Costs::of(fleet, machine, measured);
    let windows = resident_sets(fleet, machine)
        .iter()
        .map(|set| window(&costs, set.window.map(|schedule| schedule.name.clone()), &costs.of_set(set), measured))
        .collect();
    MachineCapacity { machine: machine.name.clone(), budget: costs.budget, windows, footprints: costs.footprints }
}

fn window(
    costs: &Costs,
    name: Option<ScheduleName>,
    resident: &[&Footprint],
    measured: Option<&Measured>,
) -> WindowCapacity {
    let scratch = largest_scratch(resident);
    let on_demand: Vec<&Footprint> = costs
        .footprints
        .iter()
        .filter(|footprint| !resident.iter().any(|other| other.served == footprint.served))
        .collect();
    WindowCapacity {
        window: name,
        resident: resident
            .iter()
            .map(|footprint| Resident {
                served: footprint.served.clone(),
                largest_context: context_left(costs, footprint, resident),
            })
            .collect(),
        scratch_bytes: scratch,
        headroom: headroom(costs, resident, scratch, measured),
        fits: costs.fit(resident.iter().copied()),
        loadable: on_demand.iter().map(|footprint| loadable(costs, footprint, resident, &on_demand)).collect(),
        swap_sets: swap_sets(costs, resident),
    }
}

/// The largest scratch of several models in one process; `None` when one is not known.
pub(super) fn largest_scratch(loaded: &[&Footprint]) -> Option<u64> {
    loaded.iter().map(|footprint| footprint.scratch_bytes).try_fold(0, |most, bytes| Some(most.max(bytes?)))
}

fn headroom(costs: &Costs, resident: &[&Footprint], scratch: Option<u64>, measured: Option<&Measured>) -> Headroom {
    let loaded = resident.iter().map(|footprint| footprint.loaded_bytes()).fold(0, u64::saturating_add);
    let load = difference(costs.budget.limit.get(), loaded);
    let caches = resident.iter().map(|footprint| footprint.kv_bytes?.checked_add(footprint.state_bytes?));
    let caches = caches.into_iter().try_fold(0_u64, |sum, bytes| Some(sum.saturating_add(bytes?)));
    let context = caches.zip(scratch).map(|(caches, scratch)| {
        load.saturating_sub_unsigned(caches.min(i64::MAX as u64)).saturating_sub_unsigned(scratch.min(i64::MAX as u64))
    });
    let system = measured.and_then(|measured| measured.available).map(|bytes| difference(bytes.get(), 0));
    Headroom { load, context, system }
}

fn difference(from: u64, what: u64) -> i64 {
    let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    signed(from).saturating_sub(signed(what))
}

/// Tokens of context that one request to `footprint` can have while `loaded` (which holds it) is loaded and all else is at rest.
fn context_left(costs: &Costs, footprint: &Footprint, loaded: &[&Footprint]) -> Option<u64> {
    footprint.kv_bytes.filter(|bytes| *bytes > 0)?;
    let geometry = footprint.geometry.as_ref()?;
    let occupied = loaded.iter().map(|other| {
        // One request each: the state of a name that waits for its next one stays.
        let state = other.geometry.as_ref().map_or(0, super::state_bytes);
        other.loaded_bytes().saturating_add(state)
    });
    let occupied = occupied.fold(0, u64::saturating_add);
    let drafts = &footprint.draft_geometries;
    Some(largest_context(geometry, drafts, footprint.kv_format, costs.budget.limit, occupied))
}

fn loadable(costs: &Costs, footprint: &Footprint, resident: &[&Footprint], on_demand: &[&Footprint]) -> Loadable {
    let loaded: Vec<&Footprint> = resident.iter().copied().chain([footprint]).collect();
    let fits = costs.fit(loaded.iter().copied());
    // A name that could not load here anyway is evicted by nobody.
    let could_load = |other: &Footprint| costs.fit(resident.iter().copied().chain([other]));
    let cannot_stay = |other: &&&Footprint| {
        let both = costs.fit(loaded.iter().copied().chain([**other]));
        other.served != footprint.served && could_load(other) && !both
    };
    Loadable {
        served: footprint.served.clone(),
        fits,
        largest_context: if fits { context_left(costs, footprint, &loaded) } else { None },
        evicts: if fits {
            on_demand.iter().filter(cannot_stay).map(|other| other.served.clone()).collect()
        } else {
            Vec::new()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::{MeasuredWeights, WeightsState};
    use crate::fleet::{Bytes, WeightsName};
    use crate::testing;

    fn of(fleet: &Fleet, machine: &str) -> MachineCapacity {
        assess(fleet, fleet.machines.get(machine).expect("a machine"), None)
    }

    #[test]
    fn the_studio_by_day() {
        let capacity = of(&testing::example(), "mac-studio1");
        let day = &capacity.windows[0];
        assert!(day.fits && day.window.is_none());
        assert_eq!(day.headroom.load, 85_040_352_460 - (36 << 30) - 998_579_896);
        let kv_state_scratch = 20_480 * 16_384 + 64_389_120 + (2 << 30);
        assert_eq!(day.headroom.context, Some(day.headroom.load - kv_state_scratch));
        let names = |set: &SwapSet| set.names.iter().map(ServedName::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(day.swap_sets.iter().map(names).collect::<Vec<_>>(), ["moe-batched dense-thinking"]);
        let loadable: Vec<(&str, bool, usize)> =
            day.loadable.iter().map(|name| (name.served.as_str(), name.fits, name.evicts.len())).collect();
        assert_eq!(loadable, [("moe-batched", true, 1), ("dense-thinking", true, 1), ("embed-arctic", true, 0)]);
    }

    #[test]
    fn the_studio_by_night_has_no_room_for_the_day() {
        let capacity = of(&testing::example(), "mac-studio1");
        let night = &capacity.windows[1];
        assert!(night.fits);
        let dflash = night.loadable.iter().find(|name| name.served == "moe-dflash").expect("on demand at night");
        assert_eq!((dflash.fits, dflash.largest_context), (false, None));
    }

    /// The studio of facts/capacity.md 3.4 and 7 (L2, L6) under the older GPU rule and with the sizes computed there: 61.8 GiB resident leave 10.2, for 45 or 26
    /// thousand tokens; three copies are 95.2 GiB, 100.0 by oMLX's count; two copies of the 35B pass oMLX's own check and leave 2.5 GiB.
    #[test]
    fn the_studio_of_the_facts() {
        let fleet = testing::sound(include_str!("../../tests/fixtures/fleets/article.toml"));
        let gib =
            |bytes: i64| format!("{:.1}", f64::from(i32::try_from(bytes >> 10).expect("below 2 TiB")) / 1_048_576.0);
        let sizes = [("moe-35b", 36_830_000_000), ("dense-27b", 28_580_000_000)].map(|(name, bytes)| {
            let found = MeasuredWeights { bytes: Some(Bytes(bytes)), state: WeightsState::Present, config: None };
            (WeightsName::new(name).expect("a slug"), found)
        });
        let measured = Measured { gpu_wired_limit: Some(Bytes::gib(72)), weights: sizes.into(), ..Measured::default() };
        let studio = fleet.machines.get("mac-studio1").expect("a machine");
        let capacity = assess(&fleet, studio, Some(&measured));
        let baseline = &capacity.windows[0];
        assert_eq!(gib(baseline.headroom.load), "10.2");
        let thousands = |resident: &Resident| resident.largest_context.map(|tokens| (tokens + 500) / 1000);
        assert_eq!(baseline.resident.iter().map(thousands).collect::<Vec<_>>(), [Some(45), Some(26)]);

        let of = |name: &str| capacity.footprint(&ServedName::new(name).expect("a name")).expect("served");
        let three = [of("moe-dflash"), of("moe-plain"), of("dense-thinking")];
        let bytes = |of: &dyn Fn(&Footprint) -> u64| three.iter().map(|one| of(one)).sum::<u64>().cast_signed();
        assert_eq!(gib(bytes(&|one| one.weights_bytes.get())), "95.2");
        assert_eq!(gib(bytes(&|one| one.estimated.get())), "100.0");
        assert!(bytes(&|one| one.estimated.get()) > 85_040_352_460, "79.2 GiB");
        let two = &three[..2];
        let estimated: u64 = two.iter().map(|one| one.estimated.get()).sum();
        let loaded: u64 =
            two.iter().map(|one| one.weights_bytes.get()).sum::<u64>() + of("moe-dflash").draft_bytes.get();
        assert_eq!((gib(estimated.cast_signed()), gib(difference(72 << 30, loaded))), ("72.0".into(), "2.5".into()));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let text = include_str!("../../fleet.toml").replace("Qwen3.6-27B-MLX-8bit", "Mystery-9B");
        let capacity = of(&testing::fleet(&text), "mac-mini3");
        let window = &capacity.windows[0];
        assert_eq!((window.scratch_bytes, window.headroom.context), (None, None));
        assert_eq!(window.resident[0].largest_context, None);
        assert_eq!(window.headroom.load, 54_116_587_929 - (27 << 30));
    }
}
