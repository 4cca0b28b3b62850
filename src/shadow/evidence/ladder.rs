//! What each rung asks for.

use jiff::Timestamp;

use super::looks::{Looks, shown};
use super::standing::{Standing, arrived, pairs_since};
use crate::fleet::{Rung, Shadow};
use crate::shadow::{Assessment, Decision, Easy, Measures, Pair, Verdict};

/// Pairs that a rung must have seen before the next: the shorter window of the guard.
const DWELL_PAIRS: usize = 60;
/// Hours that a rung must have stood before the next.
const DWELL_HOURS: i64 = 24;
/// Days on rung "all" before "steady".
const STEADY_DAYS: i64 = 14;
/// Pairs of the last week that "steady" asks for.
const WEEKLY_AUDITS: usize = 60;
/// Pairs of the best tier without one that was called the last: bounds that error by 5 %.
const BEST_TIER_PAIRS: usize = 59;
/// The lower end of the easy items' precision.
const EASY_PRECISION: f64 = 0.95;
/// The lower end of each tier's recall before rung "medium".
const TIER_RECALL: f64 = 0.85;
/// Weighted kappa and its lower end before rung "medium".
const KAPPA: (f64, f64) = (0.70, 0.60);

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
    /// The pairs of the experiment since the guard last demoted, oldest first.
    pub pairs: &'a [Pair],
    /// What they measure.
    pub measures: &'a Measures,
    /// That held to the requirements.
    pub assessment: &'a Assessment,
    /// The easy items.
    pub easy: &'a Easy,
    /// The looks taken.
    pub looks: &'a Looks,
    /// Every decision so far, oldest first, of all experiments.
    pub decisions: &'a [Decision],
    /// The time.
    pub now: Timestamp,
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
    let looks = evidence.looks;
    if looks.taken.iter().any(|look| look.passed && look.admits) {
        return;
    }
    let Some(last) = looks.taken.iter().rfind(|look| look.admits) else {
        let first = looks.next.map_or(0, |next| next.pairs);
        missing.push(format!("{} pairs, the first look is at {first}", evidence.measures.pairs));
        return;
    };
    let said = format!("look {} at {} pairs (error {:.4})", last.look.number, last.look.pairs, last.look.alpha);
    missing.extend(last.missing.iter().map(|one| format!("{said}: {one}")));
    match looks.next.filter(|_| !looks.is_spent()) {
        Some(next) => missing.push(format!("the next look is at {} pairs, {} more", next.pairs, next.more)),
        None => missing.push("all planned looks are spent: change the candidate".to_owned()),
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
    // A failure is no miss, and no hit either.
    let best = evidence.measures.confusion.of_reference(0);
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
    let taken = &evidence.looks.taken;
    if taken.len() < 2 {
        missing.push(format!("two looks in a row must pass; {} was taken", taken.len()));
    }
    for one in taken.iter().skip(taken.len().saturating_sub(2)).filter(|one| !one.passed) {
        missing.extend(
            one.missing
                .iter()
                .map(|what| format!("two looks in a row must pass; look {} did not: {what}", one.look.number)),
        );
    }
}

fn dwell(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    let rung = evidence.shadow.rung.as_str();
    let Some(since) = arrived(evidence.decisions, evidence.shadow.rung) else {
        missing.push(format!(
            "nothing is recorded of how it came to rung {rung}: `shadow demote NAME --to shadow`, and climb"
        ));
        return;
    };
    let hours = evidence.now.duration_since(since).as_hours();
    if hours < DWELL_HOURS {
        missing.push(format!("{hours} h on rung {rung}, needed are {DWELL_HOURS}"));
    }
    let pairs = pairs_since(evidence.pairs.to_vec(), Some(since)).iter().filter(|pair| pair.is_valid()).count();
    if pairs < DWELL_PAIRS {
        missing.push(format!("{pairs} pairs since then, needed are {DWELL_PAIRS}"));
    }
}

fn steady(evidence: &Evidence<'_>, missing: &mut Vec<String>) {
    let days = arrived(evidence.decisions, evidence.shadow.rung)
        .map_or(0, |since| evidence.now.duration_since(since).as_hours() / 24);
    if days < STEADY_DAYS {
        missing.push(format!("{days} days on rung all, needed are {STEADY_DAYS}"));
    }
    let week = evidence.now.as_second() - 7 * 86_400;
    let audits = evidence.pairs.iter().filter(|pair| pair.is_valid() && pair.at >= week).count();
    if audits < WEEKLY_AUDITS {
        missing.push(format!("{audits} pairs in the last 7 days, needed are {WEEKLY_AUDITS}"));
    }
}
