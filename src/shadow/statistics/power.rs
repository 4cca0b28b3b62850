//! How many pairs an agreement takes.

use super::agreement::wilson;
use super::binomial::first;
use super::float;

/// How many of `n` must agree until Wilson's lower end reaches `target`. `None`: not even all.
pub fn agreement_needed(n: usize, target: f64, z: f64) -> Option<usize> {
    first(0, n, |k| wilson(k, n, z).is_some_and(|interval| interval.low >= target))
}

/// How many pairs it takes at this share of agreement until Wilson's lower end reaches `target`. `None` when it never does.
pub fn pairs_for_agreement(share: f64, target: f64, z: f64) -> Option<usize> {
    if share <= target {
        return None;
    }
    // Continuous in n: the count that the share would give.
    let low = |n: f64| {
        let square = z * z;
        let half = z * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
        (share + square / (2.0 * n) - half) / (1.0 + square / n)
    };
    first(1, 10_000_000, |n| low(float(n)) >= target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shadow::statistics::{TWO_SIDED, at_least};

    const ONE_SIDED: f64 = 1.644_853_626_951_472_7;

    #[test]
    fn fixtures() {
        // facts/shadow.md 4.3: agreement lower end ≥ .90
        for (n, two, one) in [(100, 96, 95), (200, 189, 187), (300, 281, 279), (500, 464, 462)] {
            assert_eq!(agreement_needed(n, 0.9, TWO_SIDED), Some(two), "{n}");
            assert_eq!(agreement_needed(n, 0.9, ONE_SIDED), Some(one), "{n} one-sided");
        }
        assert_eq!(agreement_needed(10, 0.9, TWO_SIDED), None);
        assert_eq!(pairs_for_agreement(0.9, 0.9, TWO_SIDED), None);
        assert!(pairs_for_agreement(0.95, 0.9, TWO_SIDED).is_some_and(|n| (135..=200).contains(&n)));
    }

    #[test]
    fn the_power_of_the_gate() {
        // facts/shadow.md 4.3, to the accuracy of its normal approximation; its counts are those of the two-sided gate.
        for (share, powers) in [(0.95, [0.42, 0.71, 0.97]), (0.96, [0.63, 0.91, 0.99]), (0.94, [0.25, 0.47, 0.84])] {
            for (n, power) in [100, 200, 400].into_iter().zip(powers) {
                let needed = agreement_needed(n, 0.9, TWO_SIDED).expect("a count");
                let exact = at_least(needed, n, share);
                assert!((exact - power).abs() < 0.03, "{share} at {n}: {exact}");
            }
        }
    }
}
