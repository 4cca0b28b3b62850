//! Everything that is measured of a set of pairs; n for each.

use std::collections::BTreeMap;

use super::statistics::{
    Confusion, Generator, Interval, Kappa, Quantiles, SEED, TWO_SIDED, bias, bootstrap_correlation, concordance,
    disattenuated, failure_lower, failure_upper, fisher, mean_absolute_error, pearson, spearman, wilson,
};
use super::{Failure, Judged, Pair};

/// The one-sided error of the failure rate's bounds.
pub(super) const ONE_SIDED: f64 = 0.05;
/// Below so many pairs of a tier its share says little (facts/shadow.md 4.3).
pub const PER_TIER: usize = 20;

/// A number with its interval; `None` is undefined or unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// The point estimate.
    pub value: Option<f64>,
    /// The lower end.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// What it rests on.
    pub n: usize,
}

impl Estimate {
    fn new(value: Option<f64>, interval: Option<Interval>, n: usize) -> Self {
        Self { value, low: interval.map(|i| i.low), high: interval.map(|i| i.high), n }
    }

    /// A share of successes with Wilson's interval at 95 %.
    pub fn share(successes: usize, n: usize) -> Self {
        let value = (n > 0).then(|| ratio(successes, n));
        Self::new(value, wilson(successes, n, TWO_SIDED), n)
    }
}

/// Of one tier of the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TierMeasures {
    /// The share of it that the local side finds; a failure finds nothing.
    pub recall: Estimate,
    /// The share of the local answers of this tier that the reference confirms.
    pub precision: Estimate,
}

/// The reference against itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseFloor {
    /// The share of inputs with the same tier twice.
    pub agreement: Estimate,
    /// r of both scores.
    pub pearson: Option<f64>,
    /// The local r without the reference's noise; informative, never a gate.
    pub disattenuated: Option<f64>,
}

/// All measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Measures {
    /// Pairs whose reference answered.
    pub pairs: usize,
    /// Pairs whose reference did not.
    pub void: usize,
    /// Valid pairs with a score on both sides.
    pub scored: usize,
    /// Valid pairs without a local answer.
    pub failed: usize,
    /// Why, and how often.
    pub failures: BTreeMap<Failure, usize>,
    /// Pairs of equal tiers.
    pub agreeing: usize,
    /// Pearson's r; the wider of Fisher's and the bootstrap's interval.
    pub pearson: Estimate,
    /// Fisher's interval.
    pub fisher: Option<Interval>,
    /// The bootstrap's interval.
    pub bootstrap: Option<Interval>,
    /// Spearman's rank correlation.
    pub spearman: Estimate,
    /// Lin's concordance.
    pub concordance: Estimate,
    /// Local minus reference, the mean.
    pub bias: Estimate,
    /// The mean absolute difference.
    pub mean_absolute_error: Estimate,
    /// The share of equal tiers.
    pub agreement: Estimate,
    /// Kappa with quadratic weights.
    pub weighted_kappa: Estimate,
    /// Kappa without weights.
    pub kappa: Option<Kappa>,
    /// What chance alone agrees on.
    pub chance: Option<f64>,
    /// The share of failed local answers; one-sided bounds of Clopper and Pearson.
    pub failure_rate: Estimate,
    /// Local seconds, of answers.
    pub latency: Option<Quantiles>,
    /// The reference's seconds.
    pub reference_latency: Option<Quantiles>,
    /// The share of the reference's better half of tiers that the local side calls the last tier.
    pub false_last: Estimate,
    /// How often that happened to the best tier.
    pub best_called_last: usize,
    /// Tier against tier.
    pub confusion: Confusion,
    /// Failures by the reference's tier.
    pub failed_by_tier: Vec<usize>,
    /// Of each tier.
    pub tiers: Vec<TierMeasures>,
    /// The reference against itself; `None` below 10 repeated inputs.
    pub noise: Option<NoiseFloor>,
}

impl Measures {
    /// Of these pairs, with so many tiers declared, and inputs that the reference judged twice.
    pub fn of(pairs: &[Pair], tiers: usize, repeats: &[(Judged, Judged)]) -> Self {
        let valid = || pairs.iter().filter(|pair| pair.is_valid());
        let n = valid().count();
        let mut confusion = Confusion::new(tiers);
        let mut failures = BTreeMap::new();
        let mut failed_by_tier = vec![0; tiers];
        let mut points = Vec::with_capacity(n);
        for pair in valid() {
            let Ok(reference) = pair.reference.said else { continue };
            match pair.local.said {
                Ok(local) => {
                    confusion.add(usize::from(reference.tier), usize::from(local.tier));
                    points.push((reference.score, local.score));
                }
                Err(why) => {
                    *failures.entry(why).or_insert(0) += 1;
                    if let Some(count) = failed_by_tier.get_mut(usize::from(reference.tier)) {
                        *count += 1;
                    }
                }
            }
        }
        let scored = points.len();
        let failed: usize = failures.values().sum();
        let agreeing = confusion.agreeing();
        let r = pearson(&points);
        let fisher = r.and_then(|r| fisher(r, scored, TWO_SIDED));
        let bootstrap = r.and_then(|r| bootstrap_correlation(&points, r, 0.025, SEED));
        let wider = match (fisher, bootstrap) {
            (Some(one), Some(other)) => Some(one.wider(other)),
            (one, other) => one.or(other),
        };
        let weighted = confusion.weighted();
        let half = |kappa: Kappa| Interval {
            low: kappa.value - TWO_SIDED * kappa.error,
            high: (kappa.value + TWO_SIDED * kappa.error).min(1.0),
        };
        let (mean, mean_interval) = bias(&points, TWO_SIDED).unzip();
        let better = tiers / 2;
        let last = tiers.saturating_sub(1);
        let in_better: usize = (0..better).map(|tier| confusion.of_reference(tier) + failed_by_tier[tier]).sum();
        let missed: usize = (0..better).map(|tier| confusion.count(tier, last)).sum();
        let tier_measures = (0..tiers).map(|tier| TierMeasures {
            recall: Estimate::share(confusion.count(tier, tier), confusion.of_reference(tier) + failed_by_tier[tier]),
            precision: Estimate::share(confusion.count(tier, tier), confusion.of_local(tier)),
        });
        Self {
            pairs: n,
            void: pairs.len() - n,
            scored,
            failed,
            agreeing,
            pearson: Estimate::new(r, wider, scored),
            fisher,
            bootstrap,
            spearman: Estimate::new(spearman(&points), None, scored),
            concordance: Estimate::new(concordance(&points), None, scored),
            bias: Estimate::new(mean, mean_interval, scored),
            mean_absolute_error: Estimate::new(mean_absolute_error(&points), None, scored),
            agreement: Estimate::share(agreeing, n),
            weighted_kappa: Estimate::new(weighted.map(|kappa| kappa.value), weighted.map(half), scored),
            kappa: confusion.kappa(),
            chance: confusion.chance(),
            failure_rate: Estimate {
                value: (n > 0).then(|| ratio(failed, n)),
                low: failure_lower(failed, n, ONE_SIDED),
                high: failure_upper(failed, n, ONE_SIDED),
                n,
            },
            latency: Quantiles::of(&valid().filter_map(|pair| pair.local.latency()).collect::<Vec<_>>()),
            reference_latency: Quantiles::of(&valid().filter_map(|pair| pair.reference.seconds).collect::<Vec<_>>()),
            false_last: Estimate::share(missed, in_better),
            best_called_last: confusion.count(0, last),
            tiers: tier_measures.collect(),
            noise: noise(repeats, r),
            confusion,
            failures,
            failed_by_tier,
        }
    }

    /// p95 with its bounds.
    pub fn p95(&self) -> Estimate {
        self.latency.map_or_else(Estimate::default, |found| Estimate {
            value: Some(found.p95),
            low: found.bound.low,
            high: found.bound.high,
            n: found.n,
        })
    }

    /// Pairs of a tier of the reference, failures included.
    pub fn of_tier(&self, tier: usize) -> usize {
        self.confusion.of_reference(tier) + self.failed_by_tier.get(tier).copied().unwrap_or_default()
    }
}

fn noise(repeats: &[(Judged, Judged)], r: Option<f64>) -> Option<NoiseFloor> {
    if repeats.len() < super::statistics::MINIMUM_PAIRS {
        return None;
    }
    let same = repeats.iter().filter(|(first, second)| first.tier == second.tier).count();
    let own = pearson(&repeats.iter().map(|(first, second)| (first.score, second.score)).collect::<Vec<_>>());
    Some(NoiseFloor {
        agreement: Estimate::share(same, repeats.len()),
        pearson: own,
        // The local side's own noise is not measured: it is taken as none, which keeps the correction small.
        disattenuated: r.zip(own).and_then(|(r, own)| disattenuated(r, own, 1.0)),
    })
}

/// A share of counts.
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    super::statistics::float(part) / super::statistics::float(whole)
}

/// A few hundred places of a long list, evenly spread by chance but always the same: what a drawing shows of 100,000 pairs.
pub fn thinned(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    let mut generator = Generator::new(SEED);
    let mut chosen = Vec::with_capacity(most);
    for place in 0..count {
        // Selection sampling (Knuth, volume 2, algorithm S).
        if generator.below(count - place) < most - chosen.len() {
            chosen.push(place);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::super::Arm;
    use super::*;

    pub(crate) fn pair(reference: Result<(f64, u8), Failure>, local: Result<(f64, u8), Failure>) -> Pair {
        let arm = |said: Result<(f64, u8), Failure>| Arm {
            said: said.map(|(score, tier)| Judged { score, tier }),
            seconds: Some(1.0),
        };
        Pair { at: 0, reference: arm(reference), local: arm(local) }
    }

    #[test]
    fn failures_count_where_they_must() {
        let mut pairs: Vec<Pair> =
            (0..18_u8).map(|i| pair(Ok((f64::from(i), i % 4)), Ok((f64::from(i) + 1.0, i % 4)))).collect();
        pairs.push(pair(Ok((1.0, 0)), Err(Failure::Timeout)));
        pairs.push(pair(Ok((1.0, 0)), Ok((0.0, 3))));
        pairs.push(pair(Err(Failure::Refused), Ok((0.0, 3))));
        let found = Measures::of(&pairs, 4, &[]);
        assert_eq!((found.pairs, found.void, found.scored, found.failed, found.agreeing), (20, 1, 19, 1, 18));
        assert_eq!((found.agreement.n, found.pearson.n, found.failure_rate.n), (20, 19, 20));
        assert_eq!(found.agreement.value, Some(0.9));
        assert_eq!((found.best_called_last, found.of_tier(0)), (1, 7));
        assert!(found.tiers[0].recall.value.is_some_and(|recall| (recall - 5.0 / 7.0).abs() < 1e-12));
        assert!(found.noise.is_none());
    }

    #[test]
    fn nothing_is_made_up_of_nothing() {
        let none = Measures::of(&[], 4, &[]);
        assert_eq!(
            (none.pearson.value, none.agreement.value, none.failure_rate.high, none.latency),
            (None, None, None, None)
        );
        let flat: Vec<Pair> = (0..50).map(|_| pair(Ok((5.0, 1)), Ok((5.0, 1)))).collect();
        let flat = Measures::of(&flat, 4, &[]);
        assert_eq!((flat.pearson.value, flat.weighted_kappa.value), (None, None));
        assert_eq!(flat.agreement.value, Some(1.0));
    }

    #[test]
    fn a_drawing_is_thinned_evenly() {
        assert_eq!(thinned(3, 5), [0, 1, 2]);
        let some = thinned(100_000, 500);
        assert_eq!(some.len(), 500);
        assert!(some.is_sorted() && some[250].abs_diff(50_000) < 8_000);
    }
}
