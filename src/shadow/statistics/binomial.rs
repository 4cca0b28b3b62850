//! Exact binomial tails, and Clopper and Pearson's bounds from them.

use statrs::function::beta::beta_reg;

use super::float;

/// P(X ≤ k) of X ~ Binomial(n, p), through the incomplete beta function.
pub fn at_most(k: usize, n: usize, p: f64) -> f64 {
    if k >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    beta_reg(float(n - k), float(k + 1), 1.0 - p)
}

/// P(X ≥ k) of X ~ Binomial(n, p).
pub fn at_least(k: usize, n: usize, p: f64) -> f64 {
    if k == 0 || p >= 1.0 {
        return 1.0;
    }
    if k > n || p <= 0.0 {
        return 0.0;
    }
    beta_reg(float(k), float(n - k + 1), p)
}

/// The one-sided upper bound of a rate at `k` events among `n` (Clopper, Pearson 1934): the largest rate at which so few events still happen with
/// probability `alpha`; at none it is 1 − α^(1/n). `None` without a trial.
pub fn failure_upper(k: usize, n: usize, alpha: f64) -> Option<f64> {
    if n == 0 || k > n {
        return None;
    }
    if k == n {
        return Some(1.0);
    }
    if k == 0 {
        return Some(1.0 - alpha.powf(1.0 / float(n)));
    }
    Some(bisect(|p| at_most(k, n, p) > alpha))
}

/// The one-sided lower bound of a rate at `k` events among `n`. `None` without a trial.
pub fn failure_lower(k: usize, n: usize, alpha: f64) -> Option<f64> {
    if n == 0 || k > n {
        return None;
    }
    if k == 0 {
        return Some(0.0);
    }
    Some(bisect(|p| at_least(k, n, p) < alpha))
}

/// How many trials with `k` events bound the rate by `limit`, one-sided at `alpha`. `None` above `most`.
pub fn pairs_for_failures(k: usize, limit: f64, alpha: f64, most: usize) -> Option<usize> {
    let enough = |n: usize| failure_upper(k, n, alpha).is_some_and(|bound| bound <= limit);
    first(k + 1, most, enough)
}

/// The smallest n of `from..=to` that is enough, when being enough is monotonous.
pub(super) fn first(from: usize, to: usize, enough: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut low, mut high) = (from, to);
    if low > high || !enough(high) {
        return None;
    }
    while low < high {
        let middle = usize::midpoint(low, high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

/// The place in [0, 1] where `below` ends to hold, to the last bit.
fn bisect(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_sums() {
        for (n, p) in [(7_usize, 0.3_f64), (20, 0.02), (50, 0.95)] {
            let mut sum = 0.0;
            let mut term = (1.0 - p).powi(i32::try_from(n).expect("small"));
            for k in 0..=n {
                assert!((at_least(k, n, p) - (1.0 - sum)).abs() < 1e-12, "{k} of {n}");
                sum += term;
                assert!((at_most(k, n, p) - sum).abs() < 1e-12, "{k} of {n}");
                term *= float(n - k) / float(k + 1) * p / (1.0 - p);
            }
        }
    }

    #[test]
    fn failures_fixtures() {
        // facts/shadow.md 4.2: pairs for a failure rate of at most 2 %
        for (k, n) in [(0, 149), (1, 236), (2, 313), (3, 386), (4, 456), (5, 523)] {
            assert_eq!(pairs_for_failures(k, 0.02, 0.05, 100_000), Some(n), "{k} failures");
        }
        for (k, bound) in [(0, 0.0295), (1, 0.047), (2, 0.062)] {
            let upper = failure_upper(k, 100, 0.05).expect("a bound");
            assert!((upper - bound).abs() < 6e-4, "{k}: {upper}");
        }
        // Zero misses of m Strongs.
        for (m, bound) in [(30, 0.095), (59, 0.05), (100, 0.03), (150, 0.02)] {
            let upper = failure_upper(0, m, 0.05).expect("a bound");
            assert!((upper - bound).abs() < 5e-4, "{m}: {upper}");
        }
        assert_eq!(failure_upper(0, 0, 0.05), None);
        assert_eq!(failure_upper(3, 3, 0.05), Some(1.0));
        assert_eq!(failure_lower(0, 3, 0.05), Some(0.0));
    }

    #[test]
    fn bounds_mirror_each_other() {
        for (k, n) in [(1, 10), (5, 60), (59, 60), (300, 100_000)] {
            let lower = failure_lower(k, n, 0.025).expect("a bound");
            let mirrored = 1.0 - failure_upper(n - k, n, 0.025).expect("a bound");
            assert!((lower - mirrored).abs() < 1e-10, "{k} of {n}: {lower} {mirrored}");
        }
    }
}
