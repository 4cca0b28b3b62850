//! Pass, fail or inconclusive: per requirement and as a whole, by point estimates and by bounds.

use super::measures::ONE_SIDED;
use super::statistics::{TWO_SIDED, pairs_for_agreement, pairs_for_correlation, pairs_for_failures, upper_rank};
use super::{Estimate, Measures};
use crate::fleet::Requirements;

/// What a requirement comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Reached.
    Pass,
    /// Missed.
    Fail,
    /// Not known yet.
    Inconclusive,
}

impl Verdict {
    /// As JSON writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// Any fail fails; all must pass.
    fn all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::Pass;
        for verdict in verdicts {
            match verdict {
                Self::Fail => return Self::Fail,
                Self::Inconclusive => whole = Self::Inconclusive,
                Self::Pass => {}
            }
        }
        whole
    }
}

/// One requirement, held to what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Requirement {
    /// As [shadow.NAME].require writes it.
    pub name: &'static str,
    /// What was measured.
    pub estimate: Estimate,
    /// What is asked for.
    pub threshold: f64,
    /// Whether less is better.
    pub at_most: bool,
    /// By the point estimate, on at least the declared pairs: the article's literal rule.
    pub point: Verdict,
    /// By the interval: pass when all of it does, fail when none of it does.
    pub bound: Verdict,
    /// How many more pairs the bound takes at this rate; `None` when it passes, or never will at this rate.
    pub more: Option<usize>,
}

/// All requirements.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// One each, in the order of the fleet file.
    pub requirements: Vec<Requirement>,
    /// As a whole by point estimates.
    pub point: Verdict,
    /// As a whole by bounds: what promotion asks for.
    pub bound: Verdict,
    /// How many more pairs until the bounds decide, at this rate; `None` when decided, or never at this rate.
    pub more_pairs: Option<usize>,
}

/// Holds measures to requirements.
pub fn assess(measures: &Measures, require: &Requirements) -> Assessment {
    let floor = usize::try_from(require.pairs).unwrap_or(usize::MAX);
    let one =
        |name, estimate: Estimate, threshold: Option<f64>, at_most: bool, needed: &dyn Fn(f64) -> Option<usize>| {
            let threshold = threshold?;
            let better = |value: f64| if at_most { value <= threshold } else { value >= threshold };
            let verdict = |pass: Option<f64>, fail: Option<f64>| match (pass, fail) {
                _ if estimate.n < floor => Verdict::Inconclusive,
                (Some(pass), _) if better(pass) => Verdict::Pass,
                (_, Some(fail)) if !better(fail) => Verdict::Fail,
                _ => Verdict::Inconclusive,
            };
            let (worst, best) = if at_most { (estimate.high, estimate.low) } else { (estimate.low, estimate.high) };
            let bound = verdict(worst, best);
            let short = floor.saturating_sub(estimate.n);
            let more = (bound == Verdict::Inconclusive)
                .then(|| estimate.value.filter(|value| better(*value)).and_then(needed))
                .flatten()
                .map(|n| n.saturating_sub(estimate.n).max(short).max(1));
            let more = more.or((bound == Verdict::Inconclusive && estimate.n == 0).then_some(short));
            Some(Requirement {
                name,
                estimate,
                threshold,
                at_most,
                point: verdict(estimate.value, estimate.value),
                bound,
                more,
            })
        };
    let limit = require.latency.map(|latency| latency.as_secs_f64());
    let failed = measures.failed;
    let requirements: Vec<Requirement> = [
        one("pearson", measures.pearson, require.pearson, false, &|r| {
            pairs_for_correlation(r, require.pearson?, TWO_SIDED)
        }),
        one("tier_agreement", measures.agreement, require.tier_agreement, false, &|share| {
            pairs_for_agreement(share, require.tier_agreement?, TWO_SIDED)
        }),
        one("latency", measures.p95(), limit, true, &|_| pairs_for_latency(measures, limit?)),
        one("failure_rate", measures.failure_rate, require.failure_rate, true, &|rate| {
            // The same rate over more pairs: the count grows with them.
            let limit = require.failure_rate?;
            if failed == 0 {
                return pairs_for_failures(0, limit, ONE_SIDED, 10_000_000);
            }
            (1..=400_usize).map(|step| measures.pairs.max(1) * (step + 4) / 4).find(|n| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of failures")]
                let k = (rate * super::statistics::float(*n)).round() as usize;
                super::statistics::failure_upper(k, *n, ONE_SIDED).is_some_and(|bound| bound <= limit)
            })
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    let floored = |verdict: Verdict| if measures.pairs < floor { Verdict::Inconclusive } else { verdict };
    let point = floored(Verdict::all(requirements.iter().map(|one| one.point)));
    let bound = floored(Verdict::all(requirements.iter().map(|one| one.bound)));
    // One requirement that never passes at this rate makes a number for the others worthless.
    let open = || requirements.iter().filter(|one| one.bound == Verdict::Inconclusive);
    let more_pairs = (bound == Verdict::Inconclusive && open().all(|one| one.more.is_some()))
        .then(|| open().filter_map(|one| one.more).max().unwrap_or(0).max(floor.saturating_sub(measures.pairs)));
    Assessment { requirements, point, bound, more_pairs: more_pairs.filter(|more| *more > 0) }
}

/// Where the slow ones are as rare as now, how many pairs until the bound's rank is one of the others.
fn pairs_for_latency(measures: &Measures, limit: f64) -> Option<usize> {
    let found = measures.latency?;
    if found.n < 59 {
        return Some(59);
    }
    // p95 holds, so at most 5 % are slower; the bound passes once its rank falls below them.
    let slow = if found.p99 > limit { 0.03 } else { 0.01 };
    (found.n..=20_000).step_by(20).find(|n| {
        let allowed = super::statistics::float(*n) * (1.0 - slow);
        upper_rank(*n, 0.95).is_some_and(|rank| super::statistics::float(rank) <= allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Arm, Failure, Judged, Pair};
    use super::*;
    use crate::testing::shadow::REQUIREMENTS;

    /// n pairs of which so many disagree and so many fail; scores nearly equal.
    fn pairs(n: usize, wrong: usize, failed: usize) -> Vec<Pair> {
        (0..n)
            .map(|i| {
                let (tier, score) =
                    (u8::try_from(i % 4).expect("small"), crate::shadow::statistics::float(i % 4) * 25.0);
                let local = match i {
                    _ if i < failed => Err(Failure::NotJson),
                    _ if i < failed + wrong => Ok(Judged { score, tier: (tier + 1) % 4 }),
                    _ => Ok(Judged { score: score + crate::shadow::statistics::float(i % 3), tier }),
                };
                Pair {
                    at: 0,
                    reference: Arm { said: Ok(Judged { score, tier }), seconds: Some(2.0) },
                    local: Arm { said: local, seconds: Some(8.0) },
                }
            })
            .collect()
    }

    fn of(n: usize, wrong: usize, failed: usize) -> Assessment {
        assess(&Measures::of(&pairs(n, wrong, failed), 4, &[]), &REQUIREMENTS)
    }

    #[test]
    fn two_modes_and_three_verdicts() {
        // The article's rule is content with 92 of 100; the bound is not.
        let found = of(100, 8, 0);
        assert_eq!((found.point, found.bound), (Verdict::Pass, Verdict::Inconclusive));
        let agreement = found.requirements[1];
        assert_eq!((agreement.name, agreement.bound), ("tier_agreement", Verdict::Inconclusive));
        assert!(agreement.more.is_some_and(|more| (600..=900).contains(&more)), "{agreement:?}");
        assert_eq!(found.requirements[3].more, Some(49), "149 without a failure");
        assert_eq!((of(300, 6, 0).point, of(300, 6, 0).bound), (Verdict::Pass, Verdict::Pass));
        assert_eq!(of(300, 60, 0).bound, Verdict::Fail, "the opposite bound violates");
        assert_eq!(of(300, 0, 30).bound, Verdict::Fail);
        let never = of(300, 31, 0);
        assert_eq!((never.point, never.bound, never.more_pairs), (Verdict::Fail, Verdict::Inconclusive, None));
    }

    #[test]
    fn below_the_floor_nothing_is_said() {
        let few = of(99, 0, 0);
        assert_eq!((few.point, few.bound), (Verdict::Inconclusive, Verdict::Inconclusive));
        assert!(few.more_pairs.is_some_and(|more| more >= 1));
        let none = of(0, 0, 0);
        assert_eq!((none.point, none.more_pairs), (Verdict::Inconclusive, Some(100)));
    }
}
