//! The bootstrap: an interval of r that does not assume a bivariate normal.

use super::{Generator, Interval, float};

/// The seed of every bootstrap and drawing: a report is the same whenever it is made.
pub const SEED: u64 = 0x5348_4144_4f57;
/// Resamples of a bootstrap (facts/shadow.md 4.2).
pub const RESAMPLES: usize = 2_000;
/// Pairs in one resample at most. Above it resamples are smaller and the deviations are scaled by √(m/n) (m out of n bootstrap; Bickel, Götze, van Zwet 1997),
/// which keeps a report of 100,000 pairs below a second.
const LARGEST: usize = 2_000;

/// The percentile interval of Pearson's r that leaves `tail` out on each side, for this seed. `None` where r is undefined in more than half of the resamples.
pub fn bootstrap_correlation(pairs: &[(f64, f64)], r: f64, tail: f64, seed: u64) -> Option<Interval> {
    if pairs.len() < super::MINIMUM_PAIRS {
        return None;
    }
    let size = pairs.len().min(LARGEST);
    let scale = (float(size) / float(pairs.len())).sqrt();
    let mut generator = Generator::new(seed);
    let centre = pairs[0];
    let mut found: Vec<f64> = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let (mut x, mut y, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for _ in 0..size {
            // Shifted by one of the pairs, so that one pass does not cancel.
            let (a, b) = pairs[generator.below(pairs.len())];
            let (a, b) = (a - centre.0, b - centre.1);
            x += a;
            y += b;
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }
        let n = float(size);
        let (vx, vy) = (n * xx - x * x, n * yy - y * y);
        let one = (n * xy - x * y) / (vx.sqrt() * vy.sqrt());
        if vx > 0.0 && vy > 0.0 && one.is_finite() {
            found.push(one.clamp(-1.0, 1.0));
        }
    }
    if found.len() * 2 < RESAMPLES {
        return None;
    }
    found.sort_by(f64::total_cmp);
    let rank = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list of 2,000")]
        let place = (share * float(found.len() - 1)).round() as usize;
        (r + (found[place] - r) * scale).clamp(-1.0, 1.0)
    };
    Some(Interval { low: rank(tail), high: rank(1.0 - tail) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shadow::statistics::{TWO_SIDED, fisher, pearson};

    fn sample(n: usize, rho: f64, seed: u64) -> Vec<(f64, f64)> {
        let mut generator = Generator::new(seed);
        let noise = (1.0 - rho * rho).sqrt();
        (0..n)
            .map(|_| {
                let x = generator.normal();
                (x, rho * x + noise * generator.normal())
            })
            .collect()
    }

    #[test]
    fn near_fisher_where_fisher_holds_and_always_the_same() {
        for n in [100, 3_000] {
            let pairs = sample(n, 0.9, 3);
            let r = pearson(&pairs).expect("defined");
            let one = bootstrap_correlation(&pairs, r, 0.025, 1).expect("an interval");
            assert_eq!(Some(one), bootstrap_correlation(&pairs, r, 0.025, 1));
            let other = fisher(r, n, TWO_SIDED).expect("an interval");
            let tolerance = 0.4 * (other.high - other.low);
            assert!(
                (one.low - other.low).abs() < tolerance && (one.high - other.high).abs() < tolerance,
                "{one:?} {other:?}"
            );
        }
    }
}
