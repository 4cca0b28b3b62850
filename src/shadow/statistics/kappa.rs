//! Tiers against tiers: the confusion matrix, Cohen's kappa with quadratic weights, recall per tier.

use super::float;

/// Counts by the reference's tier (row) and the local tier (column), best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    tiers: usize,
    counts: Vec<usize>,
}

/// A kappa with its standard errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kappa {
    /// (p_o − p_e) / (1 − p_e), weighted.
    pub value: f64,
    /// For an interval (Fleiss, Cohen, Everitt 1969).
    pub error: f64,
    /// What chance alone agrees on, weighted.
    pub chance: f64,
}

impl Confusion {
    /// An empty matrix.
    pub fn new(tiers: usize) -> Self {
        Self { tiers, counts: vec![0; tiers * tiers] }
    }

    /// Counts one pair; tiers outside of the matrix are not counted.
    pub fn add(&mut self, reference: usize, local: usize) {
        if reference < self.tiers && local < self.tiers {
            self.counts[reference * self.tiers + local] += 1;
        }
    }

    /// How many tiers there are.
    pub const fn tiers(&self) -> usize {
        self.tiers
    }

    /// Pairs with these tiers.
    pub fn count(&self, reference: usize, local: usize) -> usize {
        self.counts.get(reference * self.tiers + local).copied().unwrap_or_default()
    }

    /// All pairs.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Pairs of equal tiers.
    pub fn agreeing(&self) -> usize {
        (0..self.tiers).map(|tier| self.count(tier, tier)).sum()
    }

    /// Pairs of this tier of the reference.
    pub fn of_reference(&self, tier: usize) -> usize {
        (0..self.tiers).map(|local| self.count(tier, local)).sum()
    }

    /// Pairs of this local tier.
    pub fn of_local(&self, tier: usize) -> usize {
        (0..self.tiers).map(|reference| self.count(reference, tier)).sum()
    }

    /// What chance alone agrees on without weights: above .75 the tiers are too skewed for agreement to mean much.
    pub fn chance(&self) -> Option<f64> {
        let n = float(self.total());
        (n > 0.0)
            .then(|| (0..self.tiers).map(|t| float(self.of_reference(t)) * float(self.of_local(t)) / (n * n)).sum())
    }

    /// Kappa without weights (Cohen 1960) with its simple error √(p_o (1 − p_o) / (n (1 − p_e)²)).
    pub fn kappa(&self) -> Option<Kappa> {
        let n = float(self.total());
        let chance = self.chance()?;
        if chance >= 1.0 {
            return None;
        }
        let observed = float(self.agreeing()) / n;
        let error = (observed * (1.0 - observed) / (n * (1.0 - chance).powi(2))).sqrt();
        Some(Kappa { value: (observed - chance) / (1.0 - chance), error, chance })
    }

    /// Kappa with quadratic weights 1 − (i − j)²/(k − 1)² (Cohen 1968): Strong to No of four tiers costs nine times Strong to Medium.
    /// The error is that of Fleiss, Cohen and Everitt 1969 for a kappa that is not 0. `None` where chance alone agrees on everything.
    pub fn weighted(&self) -> Option<Kappa> {
        let k = self.tiers;
        let n = float(self.total());
        if k < 2 || n <= 0.0 {
            return None;
        }
        let span = float(k - 1).powi(2);
        let weight = |i: usize, j: usize| 1.0 - float(i.abs_diff(j)).powi(2) / span;
        let row: Vec<f64> = (0..k).map(|i| float(self.of_reference(i)) / n).collect();
        let column: Vec<f64> = (0..k).map(|j| float(self.of_local(j)) / n).collect();
        let cells = || (0..k).flat_map(|i| (0..k).map(move |j| (i, j)));
        let observed: f64 = cells().map(|(i, j)| weight(i, j) * float(self.count(i, j)) / n).sum();
        let chance: f64 = cells().map(|(i, j)| weight(i, j) * row[i] * column[j]).sum();
        if 1.0 - chance <= 1e-12 {
            return None;
        }
        let row_mean: Vec<f64> = (0..k).map(|i| (0..k).map(|j| column[j] * weight(i, j)).sum()).collect();
        let column_mean: Vec<f64> = (0..k).map(|j| (0..k).map(|i| row[i] * weight(i, j)).sum()).collect();
        let sum: f64 = cells()
            .map(|(i, j)| {
                let inner = weight(i, j) * (1.0 - chance) - (row_mean[i] + column_mean[j]) * (1.0 - observed);
                float(self.count(i, j)) / n * inner * inner
            })
            .sum();
        let last = (observed * chance - 2.0 * chance + observed).powi(2);
        let variance = (sum - last).max(0.0) / (n * (1.0 - chance).powi(4));
        Some(Kappa { value: (observed - chance) / (1.0 - chance), error: variance.sqrt(), chance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(tiers: usize, counts: &[(usize, usize, usize)]) -> Confusion {
        let mut matrix = Confusion::new(tiers);
        for (reference, local, times) in counts {
            for _ in 0..*times {
                matrix.add(*reference, *local);
            }
        }
        matrix
    }

    /// Marginals of both sides as given, agreement .90, errors spread as evenly as the marginals allow.
    fn fixture(chance: f64) -> Kappa {
        // Kappa of p_o and p_e alone, at n = 100.
        let value = (0.9 - chance) / (1.0 - chance);
        Kappa { value, error: (0.9_f64 * 0.1 / (100.0 * (1.0 - chance).powi(2))).sqrt(), chance }
    }

    #[test]
    fn fixtures_at_agreement_of_ninety() {
        // facts/shadow.md 4.2: four tiers; even, 80 % and 90 % in the last one.
        for (marginals, kappa, half) in [
            ([0.25; 4], 0.86, 0.08),
            ([0.2 / 3.0, 0.2 / 3.0, 0.2 / 3.0, 0.8], 0.71, 0.17),
            ([0.1 / 3.0, 0.1 / 3.0, 0.1 / 3.0, 0.9], 0.46, 0.32),
        ] {
            let chance: f64 = marginals.iter().map(|share| share * share).sum();
            let found = fixture(chance);
            assert!((found.value - kappa).abs() < 0.01, "{found:?}");
            assert!((1.96 * found.error - half).abs() < 0.006, "{found:?}");
        }
        // And through a matrix: 80 of 100 in the last tier.
        let skewed = matrix(2, &[(0, 0, 15), (0, 1, 5), (1, 0, 5), (1, 1, 75)]);
        let found = skewed.kappa().expect("defined");
        assert!((found.value - (0.9 - 0.68) / 0.32).abs() < 1e-12 && (found.chance - 0.68).abs() < 1e-12);
        assert!((found.error - fixture(0.68).error).abs() < 1e-12);
    }

    #[test]
    fn a_constant_no_is_found_out() {
        let constant = matrix(4, &[(0, 3, 3), (1, 3, 4), (2, 3, 3), (3, 3, 90)]);
        assert_eq!(constant.agreeing(), 90);
        let weighted = constant.weighted().expect("defined");
        assert!(weighted.value.abs() < 1e-12, "{weighted:?}");
        assert!(matrix(4, &[(3, 3, 50)]).weighted().is_none());
        assert!(Confusion::new(4).weighted().is_none());
    }

    #[test]
    fn strong_to_no_costs_nine_times() {
        let cost = |local| {
            1.0 - matrix(4, &[(0, 0, 25), (1, 1, 25), (2, 2, 25), (3, 3, 24), (0, local, 1)])
                .weighted()
                .expect("defined")
                .value
        };
        assert!((cost(3) / cost(1) - 9.0).abs() < 0.5, "{}", cost(3) / cost(1));
    }
}
