//! Estimators and their intervals, pure: numbers in, numbers out. Knows nothing of fleets, answers or stores.
//!
//! Sources are named beside each formula. Nothing here assumes more than it says, and what is undefined is `None`, never 0 or 1.

mod agreement;
mod binomial;
mod bootstrap;
mod correlation;
mod generator;
mod kappa;
mod latency;
mod looks;
mod normal;
mod power;
mod sequential;

pub use agreement::wilson;
pub use binomial::{at_least, at_most, failure_lower, failure_upper, pairs_for_failures};
pub use bootstrap::{RESAMPLES, SEED, bootstrap_correlation};
pub use correlation::{
    MINIMUM_PAIRS, bias, concordance, disattenuated, fisher, mean_absolute_error, pairs_for_correlation, pearson,
    spearman,
};
pub use generator::Generator;
pub use kappa::{Confusion, Kappa};
pub use latency::{LatencyBound, Quantiles, nearest_rank, upper_rank};
pub use looks::{ALPHA, FRACTIONS, Look, looks};
pub use normal::{TWO_SIDED, quantile};
pub use power::{agreement_needed, pairs_for_agreement};
pub use sequential::{Sprt, SprtState};

/// An interval, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// The smallest interval that holds both.
    #[must_use]
    pub fn wider(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

/// Counts as numbers: exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^53")]
pub(super) fn float(count: usize) -> f64 {
    count as f64
}

/// For `scripts/check-estimators`, which holds the estimators to scipy and scikit-learn, and the intervals to simulation.
#[cfg(test)]
mod scrutiny {
    use serde_json::{Value, json};

    use super::*;
    use crate::env::Env;

    #[test]
    #[ignore = "scripts/check-estimators runs it"]
    fn of_a_file() {
        let env = Env::of_process();
        let (from, to) = (env.get("ESTIMATORS_IN").expect("a file"), env.get("ESTIMATORS_OUT").expect("a file"));
        let text = crate::fs::read_text(std::path::Path::new(from), 1 << 30).expect("read");
        let sets: Vec<Value> = serde_json::from_str(&text).expect("data sets");
        let found: Vec<Value> = sets
            .iter()
            .map(|set| {
                let points: Vec<(f64, f64)> = serde_json::from_value(set["scores"].clone()).expect("scores");
                let tiers: Vec<(usize, usize)> = serde_json::from_value(set["tiers"].clone()).expect("tiers");
                let mut confusion = Confusion::new(4);
                for (one, other) in &tiers {
                    confusion.add(*one, *other);
                }
                let (n, k) = (tiers.len(), confusion.agreeing());
                let interval = wilson(k, n, TWO_SIDED).expect("an interval");
                let r = pearson(&points).expect("defined");
                let z = fisher(r, points.len(), TWO_SIDED).expect("an interval");
                json!({"pearson": r, "fisher": [z.low, z.high], "spearman": spearman(&points), "concordance": concordance(&points),
                    "mae": mean_absolute_error(&points), "bias": bias(&points, TWO_SIDED).map(|found| found.0),
                    "kappa": confusion.kappa().map(|kappa| kappa.value), "weighted": confusion.weighted().map(|kappa| kappa.value),
                    "wilson": [interval.low, interval.high], "upper": failure_upper(n - k, n, 0.05), "lower": failure_lower(n - k, n, 0.05)})
            })
            .collect();
        crate::fs::write_atomic(std::path::Path::new(to), Value::from(found).to_string().as_bytes(), 0o600)
            .expect("written");
    }

    /// 10,000 runs each, always the same ones. The bounds leave four standard errors of the simulation itself.
    #[test]
    #[ignore = "scripts/check-estimators runs it"]
    fn coverage() {
        const RUNS: usize = 10_000;
        let mut generator = Generator::new(20);
        let draw = |generator: &mut Generator, n: usize, p: f64| (0..n).filter(|_| generator.uniform() < p).count();
        let mut share = |n: usize, of: &dyn Fn(&mut Generator, usize) -> bool| {
            float((0..RUNS).filter(|_| of(&mut generator, n)).count()) / float(RUNS)
        };
        for n in [100, 300] {
            let wilson = share(n, &|g, n| {
                wilson(draw(g, n, 0.93), n, TWO_SIDED).is_some_and(|i| i.low <= 0.93 && 0.93 <= i.high)
            });
            let upper = share(n, &|g, n| failure_upper(draw(g, n, 0.02), n, 0.05).is_some_and(|bound| bound >= 0.02));
            let latency = share(n, &|g, n| {
                let values: Vec<f64> = (0..n).map(|_| g.normal().exp()).collect();
                Quantiles::of(&values)
                    .and_then(|found| found.bound.high)
                    .is_some_and(|bound| bound >= 1.644_853_626_951_472_7_f64.exp())
            });
            let r = share(n, &|g, n| {
                let points: Vec<(f64, f64)> = (0..n)
                    .map(|_| {
                        let x = g.normal();
                        (x, 0.9 * x + 0.19_f64.sqrt() * g.normal())
                    })
                    .collect();
                pearson(&points).and_then(|r| fisher(r, n, TWO_SIDED)).is_some_and(|i| i.low <= 0.9 && 0.9 <= i.high)
            });
            println!(
                "n={n}: Wilson at .93 covers {wilson:.4}, Fisher at r=.9 {r:.4}, Clopper-Pearson at 2 % {upper:.4}, p95's bound {latency:.4}"
            );
            assert!(wilson > 0.93 && r > 0.94 && upper > 0.945 && latency > 0.945);
        }
        let planned = looks(100);
        let passes = share(400, &|g, n| {
            let good: Vec<bool> = (0..n).map(|_| g.uniform() < 0.90).collect();
            planned.iter().any(|look| {
                let agreeing = good.iter().take(look.pairs).filter(|is| **is).count();
                look.agreement_needed(look.pairs, 0.9).is_some_and(|needed| agreeing >= needed)
            })
        });
        println!("three looks at an agreement of exactly .90 pass {passes:.4}");
        assert!(passes <= ALPHA);
    }
}
