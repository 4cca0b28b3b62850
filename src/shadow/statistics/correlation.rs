//! How two scores go together: Pearson, Lin, Spearman; and how far apart they lie.

use super::{Interval, float};

/// Below this many pairs a correlation is not spoken of (facts/shadow.md 4.2).
pub const MINIMUM_PAIRS: usize = 10;

struct Moments {
    n: f64,
    mean: (f64, f64),
    variance: (f64, f64),
    covariance: f64,
}

/// Population moments, in two passes: sums of squares of large numbers would cancel.
fn moments(pairs: &[(f64, f64)]) -> Option<Moments> {
    if pairs.len() < 2 {
        return None;
    }
    let n = float(pairs.len());
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let mean = (x / n, y / n);
    let mut variance = (0.0, 0.0);
    let mut covariance = 0.0;
    for (x, y) in pairs {
        let (a, b) = (x - mean.0, y - mean.1);
        variance.0 += a * a;
        variance.1 += b * b;
        covariance += a * b;
    }
    Some(Moments { n, mean, variance: (variance.0 / n, variance.1 / n), covariance: covariance / n })
}

fn is_constant(values: impl Iterator<Item = f64>) -> bool {
    let mut low = f64::INFINITY;
    let mut high = f64::NEG_INFINITY;
    for value in values {
        low = low.min(value);
        high = high.max(value);
    }
    low >= high
}

fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    if is_constant(pairs.iter().map(|pair| pair.0)) || is_constant(pairs.iter().map(|pair| pair.1)) {
        return None;
    }
    let moments = moments(pairs)?;
    let r = moments.covariance / (moments.variance.0.sqrt() * moments.variance.1.sqrt());
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// Pearson's r. `None` below [`MINIMUM_PAIRS`] and where a side never varies: undefined is neither 0 nor 1.
pub fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < MINIMUM_PAIRS { None } else { correlation(pairs) }
}

/// Fisher's interval of r: tanh(atanh r ± z/√(n−3)) (Fisher 1921). `None` below 4 pairs; a perfect r has no width.
pub fn fisher(r: f64, n: usize, z: f64) -> Option<Interval> {
    if n < 4 || !(-1.0..=1.0).contains(&r) {
        return None;
    }
    let half = z / (float(n) - 3.0).sqrt();
    let centre = r.atanh();
    Some(Interval { low: (centre - half).tanh(), high: (centre + half).tanh() })
}

/// How many pairs it takes until Fisher's lower end reaches `target` at this r (Bonett, Wright 2000). `None` when it never does.
pub fn pairs_for_correlation(r: f64, target: f64, z: f64) -> Option<usize> {
    if r <= target || !(-1.0..1.0).contains(&r) || target <= -1.0 {
        return None;
    }
    let distance = r.atanh() - target.atanh();
    let n = 3.0 + (z / distance).powi(2);
    if n > 1e9 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 3 and 10^9")]
    Some(n.ceil() as usize)
}

/// Spearman's rank correlation: Pearson's of the ranks, ties at their mean.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < MINIMUM_PAIRS {
        return None;
    }
    let x = ranks(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let y = ranks(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    correlation(&x.into_iter().zip(y).collect::<Vec<_>>())
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let tied = order[start..].iter().take_while(|index| values[**index] <= value).count();
        // Ranks start+1 ..= start+tied, at their mean.
        let mean = float(2 * start + tied + 1) / 2.0;
        for index in &order[start..start + tied] {
            ranks[*index] = mean;
        }
        start += tied;
    }
    ranks
}

/// Lin's concordance 2·s_xy / (s_x² + s_y² + (x̄ − ȳ)²) with population moments (Lin 1989): agreement with the identity line, offset and scale included.
pub fn concordance(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < MINIMUM_PAIRS {
        return None;
    }
    let moments = moments(pairs)?;
    let scale = moments.variance.0 + moments.variance.1 + (moments.mean.0 - moments.mean.1).powi(2);
    (scale > 0.0).then(|| 2.0 * moments.covariance / scale)
}

/// The mean of second minus first with its normal interval. `None` below two pairs.
pub fn bias(pairs: &[(f64, f64)], z: f64) -> Option<(f64, Interval)> {
    let differences: Vec<(f64, f64)> = pairs.iter().map(|(x, y)| (y - x, y - x)).collect();
    let moments = moments(&differences)?;
    let error = (moments.variance.0 / (moments.n - 1.0)).sqrt();
    let mean = moments.mean.0;
    Some((mean, Interval { low: mean - z * error, high: mean + z * error }))
}

/// The mean of the absolute differences.
pub fn mean_absolute_error(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.is_empty() {
        return None;
    }
    Some(pairs.iter().map(|(x, y)| (x - y).abs()).sum::<f64>() / float(pairs.len()))
}

/// r as it would be without the noise of either side, r / √(r_xx · r_yy) (Spearman 1904). Informative, never a gate.
pub fn disattenuated(r: f64, first_self: f64, second_self: f64) -> Option<f64> {
    let product = first_self * second_self;
    (product > 0.0).then(|| r / product.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shadow::statistics::TWO_SIDED;

    #[test]
    fn fisher_fixtures() {
        // facts/shadow.md 4.2
        for (r, n, low, high) in
            [(0.85, 100, 0.785, 0.897), (0.90, 100, 0.855, 0.932), (0.90, 200, 0.870, 0.923), (0.95, 50, 0.913, 0.971)]
        {
            let interval = fisher(r, n, TWO_SIDED).expect("an interval");
            assert!((interval.low - low).abs() < 6e-4 && (interval.high - high).abs() < 6e-4, "{r} {n}: {interval:?}");
        }
    }

    #[test]
    fn pairs_fixtures() {
        // facts/shadow.md 4.3
        for (r, two, one) in [(0.87, 653, 461), (0.88, 272, 193), (0.90, 86, 61), (0.92, 38, 28), (0.95, 15, 12)] {
            assert_eq!(pairs_for_correlation(r, 0.85, TWO_SIDED), Some(two), "{r}");
            assert_eq!(pairs_for_correlation(r, 0.85, 1.644_853_626_951_472_7), Some(one), "{r} one-sided");
        }
        assert_eq!(pairs_for_correlation(0.85, 0.85, TWO_SIDED), None);
    }

    #[test]
    fn what_is_undefined_is_none() {
        let few: Vec<(f64, f64)> = (0..9).map(|i| (f64::from(i), f64::from(i))).collect();
        assert_eq!((pearson(&few), spearman(&few), concordance(&few)), (None, None, None));
        let flat: Vec<(f64, f64)> = (0..20).map(|i| (7.0, f64::from(i))).collect();
        assert_eq!((pearson(&flat), spearman(&flat)), (None, None));
        let line: Vec<(f64, f64)> = (0..20).map(|i| (f64::from(i), 2.0 * f64::from(i) + 1.0)).collect();
        assert!((pearson(&line).expect("defined") - 1.0).abs() < 1e-12);
        assert!(concordance(&line).expect("defined") < 0.7, "offset and scale cost");
        assert!((bias(&line, TWO_SIDED).expect("defined").0 - 10.5).abs() < 1e-12);
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }
}
