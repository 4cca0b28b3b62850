//! Latency by nearest rank, and the bound of its 95th percentile that assumes no distribution.

use super::binomial::{at_most, first};

/// The confidence of each bound of a report.
const CONFIDENCE: f64 = 0.95;

/// The rank, from 1, of the order statistic that is an upper bound of the 95th percentile with this confidence: the smallest k with
/// P(Binomial(n, .95) ≤ k − 1) ≥ confidence. `None` where not even the slowest is one: below 59 for a confidence of .95.
pub fn upper_rank(n: usize, confidence: f64) -> Option<usize> {
    first(1, n, |k| at_most(k - 1, n, 0.95) >= confidence)
}

/// The value of this rank, from 1. `None`: there are not so many.
pub fn nearest_rank(values: &[f64], rank: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    rank.checked_sub(1).and_then(|place| sorted.get(place).copied())
}

/// The largest rank that is a lower bound of the 95th percentile with 95 % confidence: P(Binomial(n, .95) ≥ k) ≥ .95.
fn lower_rank(n: usize) -> Option<usize> {
    (1..=n).rev().find(|k| super::binomial::at_least(*k, n, 0.95) >= CONFIDENCE)
}

/// The bounds of the 95th percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyBound {
    /// Lower, one-sided.
    pub low: Option<f64>,
    /// Upper, one-sided; `None` below 59.
    pub high: Option<f64>,
}

/// Seconds by nearest rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// How many.
    pub n: usize,
    /// The median.
    pub p50: f64,
    /// Of 100, 95 are at most this.
    pub p95: f64,
    /// Of 100, 99 are at most this.
    pub p99: f64,
    /// The bounds of p95.
    pub bound: LatencyBound,
}

impl Quantiles {
    /// Of these values, which need no order. `None` of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        // The nearest rank of q percent is ⌈n·q/100⌉, in whole numbers.
        let rank = |percent: usize| sorted.get((n * percent).div_ceil(100).max(1) - 1).copied();
        let at = |rank: Option<usize>| rank.and_then(|rank| sorted.get(rank - 1).copied());
        Some(Self {
            n,
            p50: rank(50)?,
            p95: rank(95)?,
            p99: rank(99)?,
            bound: LatencyBound { low: at(lower_rank(n)), high: at(upper_rank(n, CONFIDENCE)) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures() {
        // facts/shadow.md 4.2
        for (n, rank) in [(58, None), (59, Some(59)), (100, Some(99)), (200, Some(196)), (300, Some(292))] {
            assert_eq!(upper_rank(n, CONFIDENCE), rank, "{n}");
        }
        assert_eq!((lower_rank(0), lower_rank(1), lower_rank(100)), (None, Some(1), Some(91)));
    }

    #[test]
    fn nearest_rank() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let found = Quantiles::of(&values).expect("some");
        assert_eq!((found.p50, found.p95, found.p99, found.bound.high), (50.0, 95.0, 99.0, Some(99.0)));
        assert_eq!(Quantiles::of(&[2.0]).expect("one").p99.to_bits(), 2.0_f64.to_bits());
        assert!(Quantiles::of(&[]).is_none());
    }
}
