//! Three planned looks with a spent error: who looks daily and stops at the first pass errs far more often than he thinks.

use super::binomial::{at_least, at_most};
use super::float;
use super::latency::upper_rank;
use super::normal::quantile;

/// The one-sided error that all looks share.
pub const ALPHA: f64 = 0.05;
/// Where the looks lie, as multiples of the declared pairs: 100, 200, 400 for 100.
pub const FRACTIONS: [usize; 3] = [1, 2, 4];

/// What one planned look asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// From 1.
    pub number: usize,
    /// The pairs that it looks at: the first so many.
    pub pairs: usize,
    /// The error spent on it.
    pub alpha: f64,
}

/// The looks for so many declared pairs. The error is spent as Lan and DeMets 1983 do for Pocock: α ln(1 + (e − 1) t) in all up to the share t.
pub fn looks(pairs: usize) -> [Look; 3] {
    let spent = |multiple: usize| ALPHA * (1.0 + (std::f64::consts::E - 1.0) * float(multiple) / 4.0).ln();
    let mut before = 0.0;
    let mut number = 0;
    FRACTIONS.map(|multiple| {
        let until = spent(multiple);
        let alpha = until - before;
        before = until;
        number += 1;
        Look { number, pairs: pairs.saturating_mul(multiple), alpha }
    })
}

impl Look {
    /// How many of `n` must agree, so that a share of only `target` would do as well with at most the spent probability. `None`: not even all would do.
    pub fn agreement_needed(&self, n: usize, target: f64) -> Option<usize> {
        super::binomial::first(0, n, |k| at_least(k, n, target) <= self.alpha)
    }

    /// How many of `n` may fail. `None`: not even none would do.
    pub fn failures_allowed(&self, n: usize, limit: f64) -> Option<usize> {
        (0..n).take_while(|k| at_most(*k, n, limit) <= self.alpha).last()
    }

    /// The rank, from 1, of the latency that bounds p95 with the spent error. `None`: not even the slowest of `n` does.
    pub fn latency_rank(&self, n: usize) -> Option<usize> {
        upper_rank(n, 1.0 - self.alpha)
    }

    /// The r that must be seen among `n` scored pairs, by Fisher's z. `None` below 4.
    pub fn correlation_needed(&self, target: f64, n: usize) -> Option<f64> {
        (n >= 4).then(|| (target.atanh() + quantile(1.0 - self.alpha) / (float(n) - 3.0).sqrt()).tanh())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures() {
        // facts/shadow.md 4.5
        let found = looks(100);
        for (look, (pairs, alpha)) in found.iter().zip([(100, 0.0179), (200, 0.0131), (400, 0.0190)]) {
            assert_eq!(look.pairs, pairs);
            assert!((look.alpha - alpha).abs() < 5e-5, "{look:?}");
        }
        assert!((found.iter().map(|look| look.alpha).sum::<f64>() - ALPHA).abs() < 1e-12);
        assert_eq!(found.map(|look| look.agreement_needed(look.pairs, 0.9)), [Some(97), Some(190), Some(373)]);
        assert_eq!(found.map(|look| look.failures_allowed(look.pairs, 0.02)), [None, None, Some(2)]);
        for (look, r) in found.iter().zip([0.900, 0.889, 0.877]) {
            let needed = look.correlation_needed(0.85, look.pairs).expect("defined");
            // The table rounds up: what is seen must reach it.
            assert!(needed <= r && needed > r - 1.5e-3, "{look:?}: {needed}");
        }
        let wide = looks(150);
        assert_eq!(wide.map(|look| look.pairs), [150, 300, 600]);
        assert_eq!(wide.map(|look| look.agreement_needed(look.pairs, 0.9)), [Some(143), Some(282), Some(556)]);
        assert_eq!(wide.map(|look| look.failures_allowed(look.pairs, 0.02)), [None, Some(0), Some(4)]);
    }
}
