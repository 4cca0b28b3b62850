//! What a router's static configuration cannot express, told slot by slot.

use super::deployment::{REQUEST_TIMEOUT, is_reachable};
use super::{Deployment, GatewayState, mirrors};
use crate::fleet::{Balance, Fleet, Machine, Rung, Slot, SlotKind, SlotName, Spill, format_duration};
use crate::schedule::{LoadCost, Moment};
use crate::slot::candidates;

/// A semantic of the slots that the router's configuration loses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostSemantic {
    /// Which, by a stable word: `least-busy`, `spill`, `deadline`…
    pub id: &'static str,
    /// The slot; `None` where it holds for all.
    pub slot: Option<SlotName>,
    /// What happens instead.
    pub message: String,
}

/// All that is lost for the slots in a state of the windows.
pub(super) fn lost(
    fleet: &Fleet,
    state: &GatewayState<'_>,
    gateway: &Machine,
    deployments: &[Deployment<'_>],
) -> Vec<LostSemantic> {
    let mut found = vec![
        all(
            "residency",
            "whether a name is loaded, fits or runs under its profile is not looked at: a request waits for a load, and answers that are errors move it on",
        ),
        all(
            "breaker",
            "a machine that failed is left alone for 30 s each time, instead of doubling up to 5 min and one trial",
        ),
        all(
            "degraded",
            "no answer says that another model gave it; the header x-litellm-model-id names SLOT/RANK/MACHINE",
        ),
        all(
            "auth",
            "a machine that refuses the key is passed over like one that is gone; fleetctl status says so, the gateway does not",
        ),
    ];
    if fleet.schedules.iter().any(|schedule| !schedule.slots.is_empty()) {
        found.push(all(
            "schedule",
            "the routes are those of one state of the windows; at a boundary another configuration takes over",
        ));
    }
    for slot in fleet.slots.iter() {
        let mine: Vec<&Deployment<'_>> = deployments.iter().filter(|one| one.slot.name == slot.name).collect();
        of_slot(slot, &mine, &mut found);
        for candidate in candidates(fleet, state.route(slot)) {
            if !is_reachable(candidate.machine, gateway) {
                let message = format!(
                    "{} on {} is left out: its oMLX listens on its own machine only",
                    candidate.served.name, candidate.machine.name
                );
                found.push(one("unreachable", slot, message));
            }
        }
    }
    for mirror in mirrors(fleet) {
        if mirror.shadow.rung == Rung::Steady {
            let slot = fleet.slots.get(&mirror.shadow.slot);
            let message = "every request is copied to the reference, although on rung \"steady\" a share would do";
            found.extend(slot.map(|slot| one("mirror", slot, message.to_owned())));
        }
    }
    found
}

fn of_slot(slot: &Slot, mine: &[&Deployment<'_>], found: &mut Vec<LostSemantic>) {
    let shared = mine.iter().any(|one| one.shares > 1);
    let ranks = mine.last().map_or(0, |last| last.rank + 1);
    match slot.balance {
        Balance::LeastBusy if shared => found.push(one(
            "least-busy",
            slot,
            "the machines of a rank are taken by chance, not by what they have to do".to_owned(),
        )),
        Balance::RoundRobin if shared => found.push(one(
            "round-robin",
            slot,
            "the machines of a rank are taken by chance with equal odds: even over many requests, not in turn"
                .to_owned(),
        )),
        _ => {}
    }
    if ranks > 1 {
        let message = match slot.spill {
            Spill::Unreachable => {
                "a request that a rank answers with 4xx or 429 is asked of the next rank as well, although the rank can be reached"
            }
            Spill::Saturated => {
                "a rank is passed over only when its machines refuse requests; a long queue is not seen"
            }
        };
        found.push(one("spill", slot, message.to_owned()));
    }
    match slot.timeout {
        None if mine.len() > 1 => found.push(one(
            "no-timeout",
            slot,
            format!(
                "it has no timeout: a machine that swallows packets is noticed after {} only",
                format_duration(REQUEST_TIMEOUT)
            ),
        )),
        Some(timeout) if mine.len() > 1 => {
            let longest: std::time::Duration = mine.iter().filter_map(|one| one.attempt).sum();
            if longest > timeout {
                found.push(one(
                    "deadline",
                    slot,
                    format!(
                        "while machines have just gone and none refuses, a request can take {} instead of {}",
                        format_duration(longest),
                        format_duration(timeout)
                    ),
                ));
            }
        }
        _ => {}
    }
    if let Some(timeout) = slot.timeout.filter(|_| slot.kind == SlotKind::Chat) {
        let message = format!("a stream that pauses longer than {} is cut", format_duration(timeout));
        found.push(one("stall", slot, message));
    }
    if slot.kind == SlotKind::Reranking {
        found.push(one("rerank", slot, "answers have the router's own shape of /rerank".to_owned()));
    }
    if mine.is_empty() {
        found.push(one(
            "empty",
            slot,
            "no machine is left for it: the gateway answers that it does not know the model".to_owned(),
        ));
    }
}

/// Loads that no timeout of a slot leaves room for: told of where a deployment's name is on demand at that time.
pub(super) fn late_loads(moment: &Moment<'_>, deployments: &[Deployment<'_>]) -> Vec<LostSemantic> {
    let late = deployments.iter().filter_map(|deployment| {
        let machine = moment.fleet().machines.get(&deployment.machine.name)?;
        let is_resident = moment.state(machine).resident.iter().any(|served| served.name == deployment.served.name);
        let cost = LoadCost::of(moment.fleet(), [&deployment.served.name]);
        let attempt = deployment.attempt.filter(|attempt| !is_resident && attempt.as_secs_f64() < cost.seconds)?;
        Some(one(
            "load",
            deployment.slot,
            format!(
                "{} on {} must load first, about {:.0} s, and an attempt ends after {}",
                deployment.served.name,
                deployment.machine.name,
                cost.seconds,
                format_duration(attempt)
            ),
        ))
    });
    late.collect()
}

fn all(id: &'static str, message: &str) -> LostSemantic {
    LostSemantic { id, slot: None, message: message.to_owned() }
}

fn one(id: &'static str, slot: &Slot, message: String) -> LostSemantic {
    LostSemantic { id, slot: Some(slot.name.clone()), message }
}
