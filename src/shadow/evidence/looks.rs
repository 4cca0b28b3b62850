//! The looks: planned before the first pair, each at a fixed stretch of the pairs, so that its answer never changes afterwards.
//!
//! Nothing else decides an admission. Whoever reads the report daily, or asks for a promotion daily, sees the same three looks: there is nothing to gain
//! by asking until it passes, and no error to be spent on it.

use crate::fleet::{Requirements, Shadow};
use crate::shadow::statistics::{FRACTIONS, Look, SEED, bootstrap_correlation, looks, nearest_rank, pearson};
use crate::shadow::{Arm, Pair};

/// A look that was taken, and what it found.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenLook {
    /// Where, and its error.
    pub look: Look,
    /// Whether it is one of the three that share the error and admit to the first rung; later ones only confirm.
    pub admits: bool,
    /// Whether every requirement was reached.
    pub passed: bool,
    /// What was not, in words.
    pub missing: Vec<String>,
}

/// The next look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextLook {
    /// At so many pairs.
    pub pairs: usize,
    /// So many more than there are.
    pub more: usize,
}

/// The looks of a calibration.
#[derive(Clone, Debug, PartialEq)]
pub struct Looks {
    /// Those that were reached, in their order.
    pub taken: Vec<TakenLook>,
    /// The one after them.
    pub next: Option<NextLook>,
}

impl Looks {
    /// Whether all that could admit were taken.
    pub fn is_spent(&self) -> bool {
        self.taken.iter().filter(|look| look.admits).count() == FRACTIONS.len()
    }
}

/// The looks that these pairs have reached: the planned three at the first so many, with their spent error; and after them one every `pairs` more, at as
/// many of the latest as the third looked at and as strict as it. Those can withhold the rung "all", never admit to the first, so they spend nothing;
/// the latest two are given.
pub fn take_looks(pairs: &[Pair], shadow: &Shadow) -> Looks {
    let floor = usize::try_from(shadow.require.pairs).unwrap_or(usize::MAX).max(1);
    let valid: Vec<Pair> = pairs.iter().copied().filter(Pair::is_valid).collect();
    let planned = looks(floor);
    let third = planned[2];
    let take = |look: Look, from: usize, admits: bool| {
        let missing = missing_at(&look, &valid[from..look.pairs], &shadow.require);
        TakenLook { look, admits, passed: missing.is_empty(), missing }
    };
    let admitting = planned.iter().filter(|look| look.pairs <= valid.len()).map(|look| take(*look, 0, true));
    let later = valid.len().saturating_sub(third.pairs) / floor;
    let confirming = (1..=later).skip(later.saturating_sub(2)).map(|step| {
        let end = third.pairs + step * floor;
        take(Look { number: third.number + step, pairs: end, ..third }, end - third.pairs, false)
    });
    let next = planned
        .iter()
        .map(|look| look.pairs)
        .find(|at| *at > valid.len())
        .or(third.pairs.checked_add(floor.saturating_mul(later + 1)))
        .map(|pairs| NextLook { pairs, more: pairs - valid.len() });
    Looks { taken: admitting.chain(confirming).collect(), next }
}

fn missing_at(look: &Look, pairs: &[Pair], require: &Requirements) -> Vec<String> {
    let points: Vec<(f64, f64)> =
        pairs.iter().filter_map(Pair::both).map(|(reference, local)| (reference.score, local.score)).collect();
    let n = pairs.len();
    let mut missing = Vec::new();
    if let Some(target) = require.pearson {
        missing.extend(correlation_missing(look, &points, target));
    }
    if let Some(target) = require.tier_agreement {
        let agreeing = pairs.iter().filter(|pair| pair.agrees()).count();
        match look.agreement_needed(n, target) {
            Some(needed) if agreeing >= needed => {}
            Some(needed) => missing.push(format!("{agreeing} of {n} agree, needed are {needed}")),
            None => missing.push(format!("{n} pairs cannot prove an agreement of {target}")),
        }
    }
    if let Some(limit) = require.failure_rate {
        let failed = pairs.iter().filter(|pair| pair.local.said.is_err()).count();
        match look.failures_allowed(n, limit) {
            Some(allowed) if failed <= allowed => {}
            Some(allowed) => missing.push(format!("{failed} failed, allowed are {allowed}")),
            None => missing.push(format!("{n} pairs cannot prove a failure rate of {limit}, even without a failure")),
        }
    }
    if let Some(limit) = require.latency {
        let limit = limit.as_secs_f64();
        let seconds: Vec<f64> = pairs.iter().map(|pair| pair.local).filter_map(|arm: Arm| arm.latency()).collect();
        match look.latency_rank(seconds.len()).and_then(|rank| nearest_rank(&seconds, rank)) {
            Some(bound) if bound <= limit => {}
            Some(bound) => missing.push(format!("p95 is at most {bound:.1} s, needed is {limit} s")),
            None => missing.push(format!("{} latencies bound no p95", seconds.len())),
        }
    }
    missing
}

/// Fisher's lower end and the bootstrap's must both reach the target: scores are lumpy, and Fisher assumes that they are not.
fn correlation_missing(look: &Look, points: &[(f64, f64)], target: f64) -> Option<String> {
    let Some(r) = pearson(points) else { return Some("r is undefined".to_owned()) };
    let needed = look.correlation_needed(target, points.len());
    if needed.is_none_or(|needed| r < needed) {
        return Some(format!("r is {}, needed is {}", shown(Some(r)), shown(needed)));
    }
    let low = bootstrap_correlation(points, r, look.alpha, SEED).map(|interval| interval.low);
    (low.is_none_or(|low| low < target))
        .then(|| format!("r is {}, its bootstrap's lower end {}, needed is {target}", shown(Some(r)), shown(low)))
}

/// A number as the reasons write it.
pub(super) fn shown(value: Option<f64>) -> String {
    value.map_or("undefined".to_owned(), |value| format!("{value:.3}"))
}
