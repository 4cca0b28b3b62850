//! Names that cannot all be loaded at once: what alternates, and what each alternation costs.

use super::footprint::Footprint;
use super::window::{Costs, estimated_sum};
use crate::fleet::ServedName;

/// Names of which at least one is always out. Smallest such set: without any one of them the others fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapSet {
    /// The names, in the order of declaration.
    pub names: Vec<ServedName>,
}

/// Sets of more names than this are not looked for: they would say nothing to a person.
const LARGEST_SET: usize = 4;
/// With more names than this only pairs and triples are looked for.
const MANY_NAMES: usize = 24;

/// The swap sets beside a resident set.
///
/// Names that are not resident alternate when they do not all fit beside the residents. A name that does not fit beside the residents at all, but would without
/// them, stands in a set with the residents that keep it out.
pub fn swap_sets(costs: &Costs, resident: &[&Footprint]) -> Vec<SwapSet> {
    let is_resident = |footprint: &Footprint| resident.iter().any(|other| other.served == footprint.served);
    let (able, unable): (Vec<&Footprint>, Vec<&Footprint>) = costs
        .footprints
        .iter()
        .filter(|footprint| !is_resident(footprint) && costs.fit([*footprint]))
        .partition(|footprint| costs.fit(resident.iter().copied().chain([*footprint])));
    let mut sets = minimal_sets(costs, resident, &able);
    for footprint in unable {
        // Only residents can stand in its way: those without which it would fit.
        for mut set in minimal_sets(costs, &[footprint], resident) {
            set.names.push(footprint.served.clone());
            sets.push(set);
        }
        // A single resident that leaves no room for it.
        for other in resident {
            if !costs.fit([*other, footprint]) {
                sets.push(SwapSet { names: vec![other.served.clone(), footprint.served.clone()] });
            }
        }
    }
    for set in &mut sets {
        set.names.sort_by_key(|name| costs.footprints.iter().position(|footprint| footprint.served == *name));
    }
    sets
}

/// The minimal sets among `candidates`, of at least two names, that do not fit beside `fixed`.
fn minimal_sets(costs: &Costs, fixed: &[&Footprint], candidates: &[&Footprint]) -> Vec<SwapSet> {
    let room = costs.budget.limit.get().saturating_sub(estimated_sum(fixed.iter().copied()).get());
    let sizes: Vec<u64> = candidates.iter().map(|footprint| footprint.estimated.get()).collect();
    let largest = if candidates.len() > MANY_NAMES { 3 } else { LARGEST_SET };
    let mut found: Vec<Vec<usize>> = Vec::new();
    let mut chosen = Vec::new();
    extend(&sizes, room, largest, 0, &mut chosen, &mut found);
    found
        .into_iter()
        .map(|set| SwapSet { names: set.into_iter().map(|at| candidates[at].served.clone()).collect() })
        .collect()
}

/// Adds every minimal set that begins with `chosen` and goes on from `from`. Minimal: the sum is above `room`, and without its smallest member it is not.
fn extend(sizes: &[u64], room: u64, largest: usize, from: usize, chosen: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    for at in from..sizes.len() {
        chosen.push(at);
        let sum = chosen.iter().map(|at| sizes[*at]).fold(0, u64::saturating_add);
        let smallest = chosen.iter().map(|at| sizes[*at]).min().unwrap_or(0);
        if sum > room {
            if chosen.len() >= 2 && sum - smallest <= room {
                found.push(chosen.clone());
            }
        } else if chosen.len() < largest {
            extend(sizes, room, largest, at + 1, chosen, found);
        }
        chosen.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(sizes: &[u64], room: u64) -> Vec<Vec<usize>> {
        let mut found = Vec::new();
        extend(sizes, room, LARGEST_SET, 0, &mut Vec::new(), &mut found);
        found
    }

    #[test]
    fn minimal() {
        assert_eq!(sets(&[36, 36, 27], 77), [vec![0, 1, 2]]);
        assert_eq!(sets(&[36, 36, 27, 1], 71), [vec![0, 1]], "36 + 27 + 1 fit");
        assert_eq!(sets(&[1, 2, 3], 6), Vec::<Vec<usize>>::new());
        assert_eq!(sets(&[5, 5, 5], 9), [vec![0, 1], vec![0, 2], vec![1, 2]]);
    }
}
