//! `[slots.NAME]`: routes and what they may hold.

use super::names;
use super::selectors::Machines;
use super::values::{self, Problems, quoted};
use crate::config::node::Spanned;
use crate::config::raw::{RawExpect, RawFile, RawSlot};
use crate::config::read::{Map, Texts};
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{
    Balance, Declared, Expectation, MachineName, Rank, Served, ServedName, Slot, SlotKind, SlotName, Spill, Weights,
    WeightsKind,
};

/// A rank without a machine.
pub(crate) static EMPTY_RANK: Code = Code {
    id: "rank-without-machine",
    severity: Severity::Error,
    title: "a rank that no machine serves",
    explanation: "A rank of a route is a served name on a set of machines: all that serve it, or with NAME@SELECTOR those of them that \
                  the selector names. This one selects machines, but none of them serves the name.",
};

/// Ranks of two kinds, or of two embedding models.
pub(crate) static MIXED_ROUTE: Code = Code {
    id: "mixed-route",
    severity: Severity::Error,
    title: "a slot whose ranks are of two kinds, or of two embedding models",
    explanation: "All ranks of a slot do the same kind of work: chat (llm, vlm), embedding or reranking. Vectors of another embedding \
                  model live in another space and compare with nothing that was stored, so an embedding slot has one model.",
};

/// A route without a rank.
pub(crate) static EMPTY_ROUTE: Code = Code {
    id: "empty-route",
    severity: Severity::Error,
    title: "a route without a rank",
    explanation: "A slot with an empty route can never answer.",
};

/// A rank that stands twice.
pub(crate) static REPEATED_RANK: Code = Code {
    id: "repeated-rank",
    severity: Severity::Warning,
    title: "a rank that an earlier rank already covers",
    explanation: "Every machine of this rank is already a candidate of an earlier rank with the same name, so it can never be chosen.",
};

pub(crate) static CODES: [&Code; 4] = [&EMPTY_RANK, &MIXED_ROUTE, &EMPTY_ROUTE, &REPEATED_RANK];

/// What routes are read against.
pub(crate) struct Routes<'a> {
    pub(crate) file: &'a RawFile,
    pub(crate) machines: &'a Machines<'a>,
    pub(crate) served: &'a Declared<Served>,
    pub(crate) weights: &'a Declared<Weights>,
}

impl Routes<'_> {
    /// The ranks of a route, as far as they are sound.
    pub(crate) fn route(&self, route: Option<&Texts>, what: &str, problems: &mut Problems) -> Vec<Rank> {
        let Some(route) = route else { return Vec::new() };
        if route.value.is_empty() {
            problems.push(
                Problem::at(&EMPTY_ROUTE, route.span.clone(), format!("{what} is empty"))
                    .help("name at least one served name"),
            );
        }
        let mut ranks: Vec<Rank> = Vec::new();
        for entry in &route.value {
            if let Some(rank) = self.rank(entry, problems) {
                let covered = |machine| {
                    ranks.iter().any(|earlier| earlier.served == rank.served && earlier.machines.contains(machine))
                };
                if !rank.machines.is_empty() && rank.machines.iter().all(covered) {
                    problems.push(
                        Problem::at(
                            &REPEATED_RANK,
                            entry.span.clone(),
                            format!("{what}: {} is already covered by an earlier rank", quoted(&entry.value)),
                        )
                        .help("remove it"),
                    );
                }
                ranks.push(rank);
            }
        }
        ranks
    }

    fn rank(&self, entry: &Spanned<String>, problems: &mut Problems) -> Option<Rank> {
        let (name, selector) = match entry.value.split_once('@') {
            Some((name, selector)) => (name, Some(selector)),
            None => (entry.value.as_str(), None),
        };
        let none = Map::default();
        let declared = self.file.serve.as_ref().unwrap_or(&none);
        let is_declared = declared.contains(name);
        if !is_declared {
            problems.push(names::unknown(name, &entry.span, declared.names(), "served name"));
        }
        let narrowed = match selector {
            None => None,
            Some(selector) => Some(self.machines.text(selector, &entry.span, problems)?),
        };
        let served = self.served.get(name)?;
        let machines = match narrowed {
            None => served.on.clone(),
            Some(narrowed) => {
                let both: Vec<_> = narrowed.into_iter().filter(|machine| served.is_on(machine)).collect();
                let unsound = selector.is_some_and(|selector| self.machines.may_mean_an_unsound_one(selector));
                if both.is_empty() && !served.on.is_empty() && !unsound {
                    let on: Vec<&str> = served.on.iter().map(MachineName::as_str).collect();
                    problems.push(
                        Problem::at(
                            &EMPTY_RANK,
                            entry.span.clone(),
                            format!("no machine of {} serves {name}", quoted(selector.unwrap_or_default())),
                        )
                        .help(format!("{name} is served on {}", on.join(", "))),
                    );
                }
                both
            }
        };
        Some(Rank { served: ServedName::new(name).ok()?, machines })
    }

    /// What a route's work is, by its first rank; says when another rank's is different.
    pub(crate) fn kind(
        &self,
        route: &[Rank],
        at: Option<&Texts>,
        what: &str,
        problems: &mut Problems,
    ) -> Option<SlotKind> {
        let weights = |rank: &Rank| self.served.get(&rank.served).and_then(|served| self.weights.get(&served.model));
        let first = route.iter().find_map(|rank| weights(rank).map(|weights| (rank, weights)))?;
        let kind = work(first.1.kind)?;
        for rank in route {
            let Some(other) = weights(rank) else { continue };
            let differs = match work(other.kind) {
                Some(SlotKind::Embedding) if kind == SlotKind::Embedding => other.name != first.1.name,
                Some(other) => other != kind,
                None => false,
            };
            if differs && let Some(at) = at {
                let span = at.span.clone();
                let message = if work(other.kind) == Some(kind) {
                    format!(
                        "{what} spans two embedding models: {} is {}, {} is {}",
                        first.0.served, first.1.name, rank.served, other.name
                    )
                } else {
                    format!(
                        "{what} spans two kinds: {} is {}, {} is {}",
                        first.0.served,
                        first.1.kind.as_str(),
                        rank.served,
                        other.kind.as_str()
                    )
                };
                problems.push(Problem::at(&MIXED_ROUTE, span, message).help("make two slots of it"));
                break;
            }
        }
        Some(kind)
    }
}

/// The work that a kind of weights does; a draft does none.
pub(crate) const fn work(kind: WeightsKind) -> Option<SlotKind> {
    match kind {
        WeightsKind::Llm | WeightsKind::Vlm => Some(SlotKind::Chat),
        WeightsKind::Embedding => Some(SlotKind::Embedding),
        WeightsKind::Reranker => Some(SlotKind::Reranking),
        WeightsKind::Draft => None,
    }
}

/// All sound slots.
pub(crate) fn slots(routes: &Routes<'_>, problems: &mut Problems) -> Declared<Slot> {
    let mut sound = Declared::default();
    for (key, span, slot) in routes.file.slots.iter().flat_map(Map::iter) {
        let name = names::name(key, span, "a slot", SlotName::new, problems);
        if let Some(slot) = slot.and_then(|slot| one(name, key, slot, routes, problems)) {
            sound.insert(slot);
        }
    }
    sound
}

fn one(name: Option<SlotName>, key: &str, raw: &RawSlot, routes: &Routes<'_>, problems: &mut Problems) -> Option<Slot> {
    let what = |field: &str| format!("slots.{key}.{field}");
    let route = routes.route(raw.route.as_ref(), &what("route"), problems);
    let kind = routes.kind(&route, raw.route.as_ref(), &what("route"), problems);
    let balance = Balance::ALL.map(|balance| (balance.as_str(), balance));
    let spill = Spill::ALL.map(|spill| (spill.as_str(), spill));
    let slot = Slot {
        balance: values::choice(raw.balance.as_ref(), &balance, &what("balance"), problems).unwrap_or_default(),
        spill: values::choice(raw.spill.as_ref(), &spill, &what("spill"), problems).unwrap_or_default(),
        timeout: values::duration(raw.timeout.as_ref(), &what("timeout"), problems),
        allow_cloud: raw.allow_cloud.as_ref().is_some_and(|allow| allow.value),
        expect: raw.expect.as_ref().map(|expect| expectation(expect, &what("expect"), problems)).unwrap_or_default(),
        kind: kind?,
        name: name?,
        route,
    };
    Some(slot)
}

fn expectation(raw: &RawExpect, what: &str, problems: &mut Problems) -> Expectation {
    let mut speed = |leaf: Option<&Spanned<f64>>, field: &str| {
        values::number(leaf, f64::MIN_POSITIVE..=f64::MAX, &format!("{what}.{field}"), problems)
    };
    let (decode_tps, prefill_tps) =
        (speed(raw.decode_tps.as_ref(), "decode_tps"), speed(raw.prefill_tps.as_ref(), "prefill_tps"));
    Expectation {
        decode_tps,
        prefill_tps,
        ttft: values::duration(raw.ttft.as_ref(), &format!("{what}.ttft"), problems),
    }
}
