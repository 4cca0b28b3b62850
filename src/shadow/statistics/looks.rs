//! Three planned looks with a spent error: who looks daily and stops at the first pass errs far more often than he thinks.

use super::binomial::{at_least, at_most};
use super::float;
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

/// The last look that so many pairs have reached.
pub fn look(pairs: usize, n: usize) -> Option<Look> {
    looks(pairs).into_iter().rfind(|look| look.pairs <= n)
}

impl Look {
    /// How many must agree, so that a share of only `target` would do as well with at most the spent probability. `None`: not even all would do.
    pub fn agreement_needed(&self, target: f64) -> Option<usize> {
        super::binomial::first(0, self.pairs, |k| at_least(k, self.pairs, target) <= self.alpha)
    }

    /// How many may fail. `None`: not even none would do.
    pub fn failures_allowed(&self, limit: f64) -> Option<usize> {
        let allowed = |k: usize| at_most(k, self.pairs, limit) <= self.alpha;
        if !allowed(0) {
            return None;
        }
        (0..self.pairs).take_while(|k| allowed(*k)).last()
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
        assert_eq!(found.map(|look| look.agreement_needed(0.9)), [Some(97), Some(190), Some(373)]);
        assert_eq!(found.map(|look| look.failures_allowed(0.02)), [None, None, Some(2)]);
        for (look, r) in found.iter().zip([0.900, 0.889, 0.877]) {
            let needed = look.correlation_needed(0.85, look.pairs).expect("defined");
            // The table rounds up: what is seen must reach it.
            assert!(needed <= r && needed > r - 1.5e-3, "{look:?}: {needed}");
        }
        let wide = looks(150);
        assert_eq!(wide.map(|look| look.pairs), [150, 300, 600]);
        assert_eq!(wide.map(|look| look.agreement_needed(0.9)), [Some(143), Some(282), Some(556)]);
        assert_eq!(wide.map(|look| look.failures_allowed(0.02)), [None, Some(0), Some(4)]);
        assert_eq!(look(100, 99), None);
        assert_eq!(look(100, 399).map(|look| look.number), Some(2));
    }
}
