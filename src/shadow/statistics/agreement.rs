//! A share and its interval.

use super::{Interval, float};

/// Wilson's score interval of `successes` among `n` (Wilson 1927; Brown, Cai, DasGupta 2001). `None` without a trial.
pub fn wilson(successes: usize, n: usize, z: f64) -> Option<Interval> {
    if n == 0 || successes > n {
        return None;
    }
    let (p, n) = (float(successes) / float(n), float(n));
    let square = z * z;
    let scale = 1.0 + square / n;
    let centre = (p + square / (2.0 * n)) / scale;
    let half = z * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt() / scale;
    // Rounding must not leave an end a hair outside of what is possible.
    let low = if p <= 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if p >= 1.0 { 1.0 } else { (centre + half).min(1.0) };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shadow::statistics::TWO_SIDED;

    #[test]
    fn fixtures() {
        // facts/shadow.md 4.2
        for (successes, low, high) in [(90, 0.826, 0.945), (95, 0.888, 0.978), (97, 0.915, 0.990)] {
            let interval = wilson(successes, 100, TWO_SIDED).expect("an interval");
            assert!(
                (interval.low - low).abs() < 5e-4 && (interval.high - high).abs() < 5e-4,
                "{successes}: {interval:?}"
            );
        }
        assert_eq!(wilson(0, 0, TWO_SIDED), None);
        assert_eq!(wilson(10, 10, TWO_SIDED).expect("an interval").high.to_bits(), 1.0_f64.to_bits());
        assert_eq!(wilson(0, 10, TWO_SIDED).expect("an interval").low.to_bits(), 0.0_f64.to_bits());
    }
}
