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
#[cfg(test)]
mod scrutiny;
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
