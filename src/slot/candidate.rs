//! Who could answer for a slot: one served name on one machine.

use crate::fleet::{Fleet, Machine, Rank, Served};

/// A served name on a machine, in a rank of a route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate<'a> {
    /// The name.
    pub served: &'a Served,
    /// The machine.
    pub machine: &'a Machine,
    /// The rank, from 0.
    pub rank: usize,
    /// The place within the rank, from 0.
    pub place: usize,
}

/// The candidates of a route, rank by rank, in the order of each rank's machines.
pub fn candidates<'a>(fleet: &'a Fleet, route: &'a [Rank]) -> impl Iterator<Item = Candidate<'a>> {
    route.iter().enumerate().flat_map(move |(number, rank)| {
        let served = fleet.served.get(&rank.served);
        let machines = rank.machines.iter().filter_map(|name| fleet.machines.get(name));
        served.into_iter().flat_map(move |served| {
            machines.clone().enumerate().map(move |(place, machine)| Candidate { served, machine, rank: number, place })
        })
    })
}
