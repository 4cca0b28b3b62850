//! The core: which candidate answers for a slot.

use jiff::Timestamp;

use super::balance::pick;
use super::room::fits;
use super::{Candidate, Choice, Cursor, Load, MachineHealth, Reach, Reason, Rejected, Resolution, Snapshot};
use super::{base_url, candidates, overlay};
use crate::fleet::{Balance, Fleet, Slot, SlotKind, Spill, format_duration};
use crate::schedule::{BoundRoute, LoadCost, Moment};

/// oMLX 0.3.8, settings.py: `scheduler.max_concurrent_requests` where the file does not set it.
const DEFAULT_CONCURRENT_REQUESTS: u64 = 8;

/// Where the slot goes at that time, given that health.
///
/// The filters, in this order: window, embedding space, held, health, breaker, key, listed, profile in effect, loaded, room. The first rank with a
/// survivor answers; among its survivors those that are not full come first, then `balance` decides. A rank whose survivors are all full is
/// passed over only where the slot's `spill` says "saturated", and taken after all when every rank is full: full is not broken.
/// If nobody survives, a candidate whose only fault is an open breaker is tried all the same.
pub fn resolve<'a>(
    fleet: &'a Fleet,
    slot: &'a Slot,
    snapshot: &Snapshot,
    at: Timestamp,
    cursor: &Cursor,
) -> Resolution<'a> {
    resolve_in(&Moment::new(fleet, at), slot, snapshot, cursor)
}

/// [`resolve`] for many slots of one time.
pub fn resolve_in<'a>(moment: &Moment<'a>, slot: &'a Slot, snapshot: &Snapshot, cursor: &Cursor) -> Resolution<'a> {
    let fleet = moment.fleet();
    let bound = moment.route(slot);
    let judged: Vec<(Candidate<'a>, Verdict)> = candidates(fleet, bound.route)
        .map(|candidate| (candidate, judge(moment, slot, &candidate, snapshot)))
        .collect();
    let chosen = choose(slot, &judged, snapshot, cursor);

    let mut rejected: Vec<Rejected<'a>> = Vec::new();
    for (candidate, verdict) in &judged {
        let is_chosen = chosen.as_ref().is_some_and(|(chosen, _)| chosen == candidate);
        if !is_chosen {
            let taken_rank = chosen.as_ref().map(|(chosen, _)| chosen.rank);
            rejected.push(verdict.clone().rejection(candidate, taken_rank));
        }
    }
    rejected.extend(passed_over_by_the_window(fleet, slot, &bound));

    let choice = chosen.map(|(candidate, manner)| (describe(fleet, slot, &bound, &candidate, snapshot), manner));
    let reason = reason(slot, &bound, choice.as_ref(), &rejected);
    Resolution {
        slot,
        at: moment.at(),
        window: bound.window,
        reason,
        rejected,
        valid_until: valid_until(moment, snapshot),
        choice: choice.map(|(choice, _)| choice),
    }
}

/// What the filters say of one candidate.
#[derive(Clone, Debug)]
enum Verdict {
    Survives,
    Full,
    Rejected(Reason, Option<String>),
}

impl Verdict {
    /// Why a candidate that was not chosen was not; `taken_rank` is the chosen one's.
    fn rejection<'a>(self, candidate: &Candidate<'a>, taken_rank: Option<usize>) -> Rejected<'a> {
        let (reason, detail) = match self {
            Self::Rejected(reason, detail) => (reason, detail),
            _ if taken_rank.is_some_and(|taken| taken < candidate.rank) => (Reason::LowerRank, None),
            Self::Full => (Reason::Full, None),
            Self::Survives => (Reason::NotItsTurn, None),
        };
        Rejected { served: candidate.served, machine: candidate.machine, rank: candidate.rank, reason, detail }
    }
}

/// How the chosen one came to be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// It can answer now.
    Free,
    /// Everybody who may answer is full; it has to wait.
    Full,
    /// Only its breaker speaks against it, and nobody else is left.
    LastResort,
}

fn judge<'a>(moment: &Moment<'a>, slot: &Slot, candidate: &Candidate<'a>, snapshot: &Snapshot) -> Verdict {
    let rejected = |reason| Verdict::Rejected(reason, None);
    let name = candidate.served.name.as_str();
    if slot.kind == SlotKind::Embedding && !same_space(moment.fleet(), slot, candidate) {
        return rejected(Reason::OtherEmbedding);
    }
    let Some(health) = snapshot.of(&candidate.machine.name) else {
        return Verdict::Rejected(Reason::Unreachable, Some("not among the machines that were asked".to_owned()));
    };
    if health.held || health.held_names.contains(candidate.served.name.engine()) {
        return rejected(Reason::Held);
    }
    match &health.reach {
        Reach::Up => {}
        Reach::Unreachable(detail) => return Verdict::Rejected(Reason::Unreachable, Some(detail.clone())),
        Reach::Unresponsive(detail) => return Verdict::Rejected(Reason::Unresponsive, Some(detail.clone())),
    }
    if health.breaker_open {
        return rejected(Reason::OpenBreaker);
    }
    if !health.authorized {
        return rejected(Reason::Auth);
    }
    if health.listed.as_ref().is_some_and(|listed| !listed.contains(name)) {
        return rejected(Reason::NotListed);
    }
    if health.stale.contains(name) {
        return rejected(Reason::StaleProfile);
    }
    let is_resident = moment.is_resident(candidate.machine, candidate.served);
    if is_resident && !is_loaded(health, name) {
        return rejected(Reason::NotLoaded);
    }
    if !is_resident && !fits(moment, candidate.machine, candidate.served) {
        return rejected(Reason::NoRoom);
    }
    if u64::from(health.in_flight()) >= concurrent_requests(candidate) { Verdict::Full } else { Verdict::Survives }
}

/// Whether the name is loaded or loading; unknown counts as loaded.
fn is_loaded(health: &MachineHealth, name: &str) -> bool {
    health.loaded.as_ref().is_none_or(|loaded| loaded.contains(name))
}

/// The embedding space is that of the slot's own first rank, whatever a window says.
fn same_space(fleet: &Fleet, slot: &Slot, candidate: &Candidate<'_>) -> bool {
    let first = slot.route.first().and_then(|rank| fleet.served.get(&rank.served));
    first.is_some_and(|first| first.model == candidate.served.model)
}

/// How many requests the machine's oMLX takes at once.
fn concurrent_requests(candidate: &Candidate<'_>) -> u64 {
    let declared = candidate.machine.omlx.settings.iter().find_map(|(path, value)| {
        let is_it = path.0.iter().map(String::as_str).eq(["scheduler", "max_concurrent_requests"]);
        value.as_u64().filter(|_| is_it)
    });
    declared.unwrap_or(DEFAULT_CONCURRENT_REQUESTS)
}

fn choose<'a>(
    slot: &Slot,
    judged: &[(Candidate<'a>, Verdict)],
    snapshot: &Snapshot,
    cursor: &Cursor,
) -> Option<(Candidate<'a>, Manner)> {
    let of_rank = |rank: usize, wanted: &dyn Fn(&Verdict) -> bool| -> Vec<Candidate<'a>> {
        let mine = judged.iter().filter(|(candidate, verdict)| candidate.rank == rank && wanted(verdict));
        mine.map(|(candidate, _)| *candidate).collect()
    };
    let ranks = judged.last().map_or(0, |(candidate, _)| candidate.rank + 1);
    let mut first_full = None;
    for rank in 0..ranks {
        let free = of_rank(rank, &|verdict| matches!(verdict, Verdict::Survives));
        if let Some(candidate) = pick(slot.balance, &free, snapshot, cursor) {
            return Some((*candidate, Manner::Free));
        }
        let full = of_rank(rank, &|verdict| matches!(verdict, Verdict::Full));
        if let Some(candidate) = pick(slot.balance, &full, snapshot, cursor) {
            if slot.spill == Spill::Unreachable {
                return Some((*candidate, Manner::Full));
            }
            first_full.get_or_insert(*candidate);
        }
    }
    let last_resort = || {
        let only_its_breaker = |verdict: &Verdict| matches!(verdict, Verdict::Rejected(Reason::OpenBreaker, _));
        judged.iter().find(|(_, verdict)| only_its_breaker(verdict)).map(|(candidate, _)| *candidate)
    };
    first_full
        .map(|candidate| (candidate, Manner::Full))
        .or_else(|| last_resort().map(|candidate| (candidate, Manner::LastResort)))
}

/// The candidates of the slot's own route that the open window leaves out.
fn passed_over_by_the_window<'a>(fleet: &'a Fleet, slot: &'a Slot, bound: &BoundRoute<'a>) -> Vec<Rejected<'a>> {
    if bound.window.is_none() {
        return Vec::new();
    }
    let in_force = |own: &Candidate<'_>| {
        candidates(fleet, bound.route)
            .any(|other| other.served.name == own.served.name && other.machine.name == own.machine.name)
    };
    let left_out = candidates(fleet, &slot.route).filter(|own| !in_force(own));
    let rejected = left_out.map(|own| Rejected {
        served: own.served,
        machine: own.machine,
        rank: own.rank,
        reason: Reason::Window,
        detail: None,
    });
    rejected.collect()
}

fn describe<'a>(
    fleet: &'a Fleet,
    slot: &'a Slot,
    bound: &BoundRoute<'a>,
    candidate: &Candidate<'a>,
    snapshot: &Snapshot,
) -> Choice<'a> {
    let first = bound.route.first().and_then(|rank| fleet.served.get(&rank.served));
    let degraded = first
        .filter(|first| first.model != candidate.served.model)
        .map(|first| format!("model-changed: {} instead of {}", candidate.served.model, first.model));
    let name = &candidate.served.name;
    let health = snapshot.of(&candidate.machine.name);
    let mut loads = Vec::new();
    if health.is_some_and(|health| !is_loaded(health, name.as_str())) {
        let cost = LoadCost::of(fleet, [name]);
        loads.push(Load { served: name, machine: candidate.machine, bytes: cost.bytes, seconds: cost.seconds });
    }
    Choice {
        served: candidate.served,
        machine: candidate.machine,
        rank: candidate.rank,
        place: candidate.place,
        base_url: base_url(candidate.machine),
        degraded,
        overlay: overlay(fleet, candidate.served, slot.kind),
        loads,
    }
}

/// The whole story in one line.
fn reason(
    slot: &Slot,
    bound: &BoundRoute<'_>,
    choice: Option<&(Choice<'_>, Manner)>,
    rejected: &[Rejected<'_>],
) -> String {
    let mut parts: Vec<String> = Vec::new();
    let ahead = choice.map_or(usize::MAX, |(choice, _)| choice.rank);
    let broken = rejected.iter().filter(|other| other.rank < ahead && other.reason != Reason::Window);
    let told: Vec<String> =
        broken.map(|other| format!("{} on {} {}", other.served.name, other.machine.name, other.reason)).collect();
    match choice {
        None if bound.route.is_empty() => parts.push("no candidate: the route is empty".to_owned()),
        None => parts.push(format!("no candidate: {}", told.join(", "))),
        Some((choice, _)) if choice.rank == 0 => {
            let shared = rejected.iter().any(|other| other.rank == 0 && other.reason == Reason::NotItsTurn);
            let manner = match slot.balance {
                Balance::RoundRobin if shared => ", its turn",
                Balance::LeastBusy if shared => ", least busy",
                _ => "",
            };
            parts.push(format!("first rank{manner}"));
        }
        Some((choice, _)) => parts.push(format!("rank {}, because {}", choice.rank, told.join(", "))),
    }
    if let Some(window) = bound.window {
        parts.push(format!("route of window {}", window.name));
    }
    if let Some((choice, manner)) = choice {
        match manner {
            Manner::Free => {}
            Manner::Full => parts.push("full: the request will wait there".to_owned()),
            Manner::LastResort => parts.push("its breaker is open, and nobody else is left".to_owned()),
        }
        for load in &choice.loads {
            let mut text = format!("must load {} first, about {:.0} s", load.bytes, load.seconds.max(1.0));
            if let Some(timeout) = slot.timeout.filter(|timeout| timeout.as_secs_f64() < load.seconds) {
                text.push_str(", longer than the slot's timeout of ");
                text.push_str(&format_duration(timeout));
            }
            parts.push(text);
        }
    }
    parts.join("; ")
}

/// The next boundary of a window, or the end of what a probe is good for, whichever comes first.
fn valid_until(moment: &Moment<'_>, snapshot: &Snapshot) -> Option<Timestamp> {
    let boundary = moment.next_boundary();
    let lease = snapshot.lease.and_then(|lease| snapshot.taken_at.max(moment.at()).checked_add(lease).ok());
    match (boundary, lease) {
        (Some(boundary), Some(lease)) => Some(boundary.min(lease)),
        (one, other) => one.or(other),
    }
}
