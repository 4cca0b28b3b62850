//! The evidence for the next rung: the looks, and what each rung asks for on top of them.

use jiff::Timestamp;

use super::measures::Measures;
use super::statistics::{ALPHA, Look, float, looks};
use super::{Assessment, Decision, DecisionKind, Easy, Pair, Verdict};
use crate::fleet::{Requirements, Rung, Shadow};

/// Pairs that a rung must have seen before the next: the shorter window of the guard.
pub(super) const DWELL_PAIRS: usize = 60;
/// Hours that a rung must have stood before the next.
pub(super) const DWELL_HOURS: i64 = 24;
/// Days on rung "all" before "steady".
pub(super) const STEADY_DAYS: i64 = 14;
/// Pairs of the last week that "steady" asks for.
pub(super) const WEEKLY_AUDITS: usize = 60;
/// Pairs of the best tier without one that was called the last: bounds that error by 5 %.
pub(super) const BEST_TIER_PAIRS: usize = 59;
/// The lower end of the easy items' precision.
pub(super) const EASY_PRECISION: f64 = 0.95;
/// The lower end of each tier's recall before rung "medium".
pub(super) const TIER_RECALL: f64 = 0.85;
/// Weighted kappa and its lower end before rung "medium".
pub(super) const KAPPA: (f64, f64) = (0.70, 0.60);

/// A look that was taken, and what it found.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenLook {
    /// Where, and the error spent on it.
    pub look: Look,
    /// Whether every requirement was reached.
    pub passed: bool,
    /// What was not, in words.
    pub missing: Vec<String>,
}

/// The looks at a sequence of pairs: the planned ones that it has reached, those at which somebody asked for a promotion, and one now.
/// Each is taken at the first so many pairs, so its answer never changes afterwards. The error is spent by Lan and DeMets' function at whatever
/// share of the last planned look it comes (1983); beyond that look nothing is left to spend.
pub fn take_looks(pairs: &[Pair], shadow: &Shadow, asked: &[usize]) -> Vec<TakenLook> {
    let floor = usize::try_from(shadow.require.pairs).unwrap_or(usize::MAX);
    let valid: Vec<Pair> = pairs.iter().copied().filter(Pair::is_valid).collect();
    let planned = looks(floor);
    let last = planned[2].pairs;
    let mut at: Vec<usize> =
        planned.iter().map(|look| look.pairs).chain(asked.iter().copied()).chain([valid.len()]).collect();
    at.retain(|n| (floor..=last.min(valid.len())).contains(n));
    at.sort_unstable();
    at.dedup();
    let spent = |n: usize| ALPHA * (1.0 + (std::f64::consts::E - 1.0) * float(n) / float(last)).ln();
    let mut before = 0.0;
    at.into_iter()
        .enumerate()
        .map(|(place, n)| {
            let look = Look { number: place + 1, pairs: n, alpha: spent(n) - before };
            before = spent(n);
            let missing = missing_at(&look, &valid[..n], shadow.tiers.len(), &shadow.require);
            TakenLook { look, passed: missing.is_empty(), missing }
        })
        .collect()
}

fn missing_at(look: &Look, pairs: &[Pair], tiers: usize, require: &Requirements) -> Vec<String> {
    let found = Measures::of(pairs, tiers, &[]);
    let mut missing = Vec::new();
    if let Some(target) = require.pearson {
        let needed = look.correlation_needed(target, found.scored);
        match (found.pearson.value, needed) {
            (Some(r), Some(needed)) if r >= needed => {}
            (r, needed) => missing.push(format!("r is {}, needed is {}", shown(r), shown(needed))),
        }
    }
    if let Some(target) = require.tier_agreement {
        match look.agreement_needed(target) {
            Some(needed) if found.agreeing >= needed => {}
            Some(needed) => missing.push(format!("{} of {} agree, needed are {needed}", found.agreeing, found.pairs)),
            None => missing.push(format!("{} pairs cannot prove an agreement of {target}", look.pairs)),
        }
    }
    if let Some(limit) = require.failure_rate {
        match look.failures_allowed(limit) {
            Some(allowed) if found.failed <= allowed => {}
            Some(allowed) => missing.push(format!("{} failed, allowed are {allowed}", found.failed)),
            None => missing
                .push(format!("{} pairs cannot prove a failure rate of {limit}, even without a failure", look.pairs)),
        }
    }
    if let Some(limit) = require.latency {
        let limit = limit.as_secs_f64();
        match found.p95().high {
            Some(bound) if bound <= limit => {}
            Some(bound) => missing.push(format!("p95 is at most {bound:.1} s, needed is {limit} s")),
            None => missing.push("fewer than 59 latencies bound no p95".to_owned()),
        }
    }
    missing
}

fn shown(value: Option<f64>) -> String {
    value.map_or("undefined".to_owned(), |value| format!("{value:.3}"))
}

/// What stands between a calibration and the next rung.
#[derive(Clone, Debug, PartialEq)]
pub struct NextRung {
    /// The rung.
    pub rung: Rung,
    /// What is missing, in words; nothing: it can be promoted.
    pub missing: Vec<String>,
}

/// What a promotion is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The calibration as the fleet file has it.
    pub shadow: &'a Shadow,
    /// All pairs of the experiment, oldest first.
    pub pairs: &'a [Pair],
    /// What they measure.
    pub measures: &'a Measures,
    /// That held to the requirements.
    pub assessment: &'a Assessment,
    /// The easy items.
    pub easy: &'a Easy,
    /// The looks taken.
    pub looks: &'a [TakenLook],
    /// Every decision so far, oldest first, of all experiments.
    pub decisions: &'a [Decision],
    /// The time.
    pub now: Timestamp,
    /// The experiment's fingerprint.
    pub fingerprint: &'a str,
}

/// The rung above.
pub fn above(rung: Rung) -> Option<Rung> {
    Rung::ALL.into_iter().find(|other| *other > rung)
}

/// The rung below.
pub fn below(rung: Rung) -> Option<Rung> {
    Rung::ALL.into_iter().rfind(|other| *other < rung)
}

/// The next rung and what is missing for it; `None` at the top.
pub fn next_rung(evidence: &Evidence<'_>) -> Option<NextRung> {
    let rung = above(evidence.shadow.rung)?;
    let mut missing = Vec::new();
    standing(evidence, &mut missing);
    match rung {
        Rung::Shadow => {}
        Rung::Easy5 => {
            first_look(evidence, &mut missing);
            easy(evidence, &mut missing);
        }
        Rung::Easy25 | Rung::Easy => {
            still_good(evidence, &mut missing);
            easy(evidence, &mut missing);
            dwell(evidence, &mut missing);
        }
        Rung::Medium => {
            still_good(evidence, &mut missing);
            easy(evidence, &mut missing);
            tiers(evidence, &mut missing);
            dwell(evidence, &mut missing);
        }
        Rung::All => {
            still_good(evidence, &mut missing);
            tiers(evidence, &mut missing);
            two_looks(evidence, &mut missing);
            dwell(evidence, &mut missing);
        }
        Rung::Steady => {
            still_good(evidence, &mut missing);
            steady(evidence, &mut missing);
        }
    }
    Some(NextRung { rung, missing })
}

/// Halted, cooling down, or waiting for a person.
fn standing(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    let standing = Standing::of(evidence.decisions);
    if standing.halted {
        missing.push("it is halted: `fleetctl shadow halt NAME --resume` ends that".to_owned());
    }
    if standing.needs_rearm {
        missing.push("it was demoted twice: a person re-arms it with `promote --rearm`".to_owned());
    }
    if let Some(until) = standing.cools_until.filter(|until| *until > evidence.now) {
        missing.push(format!("it cools down after a demotion until {until}"));
    }
}

fn first_look(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    let floor = usize::try_from(evidence.shadow.require.pairs).unwrap_or(usize::MAX);
    if evidence.measures.pairs < floor {
        missing.push(format!("{} pairs, the first look is at {floor}", evidence.measures.pairs));
        return;
    }
    if evidence.looks.iter().any(|look| look.passed) {
        return;
    }
    if let Some(last) = evidence.looks.last() {
        let said = format!("look {} at {} pairs (error {:.4})", last.look.number, last.look.pairs, last.look.alpha);
        missing.extend(last.missing.iter().map(|one| format!("{said}: {one}")));
    }
    let end = floor.saturating_mul(4);
    if evidence.measures.pairs >= end {
        missing.push(format!("all looks are spent at {end} pairs: change the candidate, or raise require.pairs"));
    }
}

/// Above the first rung the interval of no requirement may speak against it, and its point must reach it.
fn still_good(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    for one in &evidence.assessment.requirements {
        if one.bound == Verdict::Fail || one.point != Verdict::Pass {
            missing.push(format!("{} is {}, needed is {}", one.name, shown(one.estimate.value), one.threshold));
        }
    }
}

fn easy(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    let precision = evidence.easy.precision;
    if !precision.low.is_some_and(|low| low >= EASY_PRECISION) {
        missing.push(format!(
            "of {} easy items {} are confirmed, lower end {}; needed is a lower end of {EASY_PRECISION}",
            precision.n,
            precision.value.map_or("none".to_owned(), |value| format!("{:.1} %", value * 100.0)),
            shown(precision.low),
        ));
    }
    let best = evidence.measures.of_tier(0);
    let name = evidence.shadow.tiers.first().map_or("the best tier", String::as_str);
    let last = evidence.shadow.tiers.last().map_or("the last", String::as_str);
    if evidence.measures.best_called_last > 0 {
        missing
            .push(format!("{} of {best} {name} were called {last}; none may be", evidence.measures.best_called_last));
    } else if best < BEST_TIER_PAIRS {
        missing.push(format!("{best} {name} seen, needed are {BEST_TIER_PAIRS} without one called {last}"));
    }
}

fn tiers(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    for (name, tier) in evidence.shadow.tiers.iter().zip(&evidence.measures.tiers).take(2) {
        if !tier.recall.low.is_some_and(|low| low >= TIER_RECALL) {
            missing.push(format!(
                "{name} is found in {} of {}, lower end {}; needed is {TIER_RECALL}",
                shown(tier.recall.value),
                tier.recall.n,
                shown(tier.recall.low)
            ));
        }
    }
    let kappa = evidence.measures.weighted_kappa;
    let good = kappa.value.is_some_and(|value| value >= KAPPA.0) && kappa.low.is_some_and(|low| low >= KAPPA.1);
    if !good {
        missing.push(format!(
            "weighted kappa is {}, lower end {}; needed are {} and {}",
            shown(kappa.value),
            shown(kappa.low),
            KAPPA.0,
            KAPPA.1
        ));
    }
}

fn two_looks(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    if !evidence.looks.windows(2).any(|two| two.iter().all(|look| look.passed)) {
        let passed = evidence.looks.iter().filter(|look| look.passed).count();
        missing.push(format!("two looks in a row must pass; {passed} of {} did", evidence.looks.len()));
    }
}

fn dwell(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    let Some(since) = last_change(evidence.decisions) else { return };
    let hours = evidence.now.duration_since(since).as_hours();
    if hours < DWELL_HOURS {
        missing.push(format!("{hours} h on rung {}, needed are {DWELL_HOURS}", evidence.shadow.rung.as_str()));
    }
    let pairs = evidence.pairs.iter().filter(|pair| pair.is_valid() && pair.at >= since.as_second()).count();
    if pairs < DWELL_PAIRS {
        missing.push(format!("{pairs} pairs since then, needed are {DWELL_PAIRS}"));
    }
}

fn steady(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    let days = last_change(evidence.decisions).map_or(0, |since| evidence.now.duration_since(since).as_hours() / 24);
    if days < STEADY_DAYS {
        missing.push(format!("{days} days on rung all, needed are {STEADY_DAYS}"));
    }
    let week = evidence.now.as_second() - 7 * 86_400;
    let audits = evidence.pairs.iter().filter(|pair| pair.is_valid() && pair.at >= week).count();
    if audits < WEEKLY_AUDITS {
        missing.push(format!("{audits} pairs in the last 7 days, needed are {WEEKLY_AUDITS}"));
    }
}

/// When the rung last changed.
pub fn last_change(decisions: &[Decision]) -> Option<Timestamp> {
    decisions.iter().rev().find(|one| one.from != one.to).map(|one| one.at)
}

/// What earlier decisions leave behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Frozen: nobody promotes or demotes.
    pub halted: bool,
    /// The guard demoted twice since a person last re-armed it.
    pub needs_rearm: bool,
    /// Until then nobody promotes.
    pub cools_until: Option<Timestamp>,
}

impl Standing {
    /// After these decisions, oldest first. A cool-down is a day after the first demotion by the guard and doubles with each.
    pub fn of(decisions: &[Decision]) -> Self {
        let mut standing = Self::default();
        let mut demotions = 0_u32;
        for one in decisions {
            match one.kind {
                DecisionKind::Halted => standing.halted = true,
                DecisionKind::Resumed => standing.halted = false,
                DecisionKind::Rearmed => {
                    standing.needs_rearm = false;
                    standing.cools_until = None;
                    demotions = 0;
                }
                DecisionKind::Guarded => {
                    demotions += 1;
                    let hours = 24_i64.saturating_mul(1 << demotions.saturating_sub(1).min(10));
                    standing.cools_until = one.at.checked_add(jiff::SignedDuration::from_hours(hours)).ok();
                    standing.needs_rearm = demotions >= 2;
                }
                DecisionKind::Promoted | DecisionKind::Demoted | DecisionKind::Looked => {}
            }
        }
        standing
    }
}
