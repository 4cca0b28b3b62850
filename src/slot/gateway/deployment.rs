//! What a router can send a slot's requests to.

use std::time::Duration;

use serde_json::{Map, Value};

use super::GatewayState;
use crate::fleet::{Address, Balance, Bind, Fleet, Machine, Served, Slot};
use crate::slot::{base_url, candidates, overlay};

/// An attempt of a slot without a timeout ends after this: LiteLLM's own default, a load of the largest model included.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_mins(10);

/// An attempt lasts at least this long (fleet.md, Slots).
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);

/// One candidate as a router is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment<'a> {
    /// The slot: the model name that clients send.
    pub slot: &'a Slot,
    /// The name that the machine is asked for.
    pub served: &'a Served,
    /// The machine.
    pub machine: &'a Machine,
    /// The rank, from 0: what `resolve` says.
    pub rank: usize,
    /// The router's own order, from 1. A rank that is taken in turn is one step; of a rank that is taken from the first on, each candidate is.
    pub order: usize,
    /// How many deployments share that step.
    pub shares: usize,
    /// Where it is asked, as the gateway's machine sees it.
    pub base_url: String,
    /// How long one attempt may take; `None` where the slot has no time limit.
    pub attempt: Option<Duration>,
    /// What each request carries.
    pub overlay: Map<String, Value>,
}

impl Deployment<'_> {
    /// `SLOT/RANK/MACHINE`: what the router's answers and logs name.
    pub fn id(&self) -> String {
        format!("{}/{}/{}", self.slot.name, self.rank, self.machine.name)
    }
}

/// The deployments of a slot in a state of the windows, seen from the gateway's machine, without the machines in `left_out`. Candidates that the
/// gateway cannot reach, because their oMLX listens on its own machine only, are none.
///
/// An attempt gets the slot's timeout divided by the candidates of its rank and the later ones (fleet.md: "divided by the candidates left"; a
/// static file cannot know how many of the earlier ones are gone, so it is told what holds for the first attempt in its rank).
pub fn deployments<'a>(
    fleet: &'a Fleet,
    slot: &'a Slot,
    state: &GatewayState<'a>,
    gateway: &Machine,
) -> Vec<Deployment<'a>> {
    let all: Vec<_> =
        candidates(fleet, state.route(slot)).filter(|candidate| is_reachable(candidate.machine, gateway)).collect();
    let mut found: Vec<Deployment<'a>> = Vec::with_capacity(all.len());
    let mut order = 0;
    for (place, candidate) in all.iter().enumerate() {
        let opens_rank = place == 0 || all[place - 1].rank != candidate.rank;
        if opens_rank || slot.balance == Balance::First {
            order += 1;
        }
        let shares = if slot.balance == Balance::First {
            1
        } else {
            all.iter().filter(|other| other.rank == candidate.rank).count()
        };
        let left = all.iter().filter(|other| other.rank >= candidate.rank).count();
        let attempt = slot.timeout.map(|timeout| {
            let share = timeout / u32::try_from(left).unwrap_or(u32::MAX).max(1);
            share.max(SHORTEST_ATTEMPT)
        });
        found.push(Deployment {
            slot,
            served: candidate.served,
            machine: candidate.machine,
            rank: candidate.rank,
            order,
            shares,
            base_url: seen_from(candidate.machine, gateway),
            attempt,
            overlay: overlay(fleet, candidate.served, slot.kind),
        });
    }
    found
}

/// Whether the gateway's machine can reach that machine's oMLX at all.
pub(super) fn is_reachable(machine: &Machine, gateway: &Machine) -> bool {
    machine.name == gateway.name || machine.omlx.bind != Bind::Loopback
}

/// The gateway asks its own machine over loopback where that is served: it then needs no tailnet.
fn seen_from(machine: &Machine, gateway: &Machine) -> String {
    let local = machine.name == gateway.name || machine.address == Address::Local;
    if local && machine.omlx.bind == Bind::All {
        return format!("http://127.0.0.1:{}/v1", machine.omlx.port);
    }
    base_url(machine)
}
