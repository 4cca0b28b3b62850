//! Wald's sequential test (1945): after each answer either decides or asks for more, at a known error of both kinds.

/// A test of a rate of good answers: `bad` (H0) against `good` (H1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sprt {
    bad: f64,
    good: f64,
    alpha: f64,
    beta: f64,
}

/// How far a test is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SprtState {
    /// More answers are needed.
    Open,
    /// The good rate is accepted.
    Good,
    /// The bad rate is accepted.
    Bad,
}

impl Sprt {
    /// A test with errors α (bad taken for good) .05 and β (good taken for bad) .10.
    pub const fn new(bad: f64, good: f64) -> Self {
        Self { bad, good, alpha: 0.05, beta: 0.10 }
    }

    /// The article's agreement: .88 against .93 about a threshold of .90; for another threshold as far below and above it.
    pub fn of_agreement(threshold: f64) -> Self {
        Self::new((threshold - 0.02).max(0.01), (threshold + 0.03).min(0.995))
    }

    /// Answers that do not fail: a failure rate of twice the limit against half of it (.04 against .01 at .02).
    pub fn of_failures(limit: f64) -> Self {
        let limit = limit.clamp(0.001, 0.4);
        Self::new(1.0 - 2.0 * limit, 1.0 - limit / 2.0)
    }

    /// What a good answer adds to the log of the likelihood ratio.
    pub fn step_good(&self) -> f64 {
        (self.good / self.bad).ln()
    }

    /// What a bad answer adds.
    pub fn step_bad(&self) -> f64 {
        ((1.0 - self.good) / (1.0 - self.bad)).ln()
    }

    /// At or above: good; at or below: bad.
    pub fn bounds(&self) -> (f64, f64) {
        ((self.beta / (1.0 - self.alpha)).ln(), ((1.0 - self.beta) / self.alpha).ln())
    }

    /// Answers until a decision, on average, when the rate of good ones is really `rate`, which is one of the two.
    pub fn expected(&self, is_good: bool) -> f64 {
        let (low, high) = self.bounds();
        let (reach_high, rate) = if is_good { (1.0 - self.beta, self.good) } else { (self.alpha, self.bad) };
        let step = rate * self.step_good() + (1.0 - rate) * self.step_bad();
        (reach_high * high + (1.0 - reach_high) * low) / step
    }

    /// The first decision over these answers, and after how many.
    pub fn run(&self, answers: impl IntoIterator<Item = bool>) -> (SprtState, usize) {
        let (low, high) = self.bounds();
        let mut sum = 0.0;
        let mut n = 0;
        for is_good in answers {
            n += 1;
            sum += if is_good { self.step_good() } else { self.step_bad() };
            if sum >= high {
                return (SprtState::Good, n);
            }
            if sum <= low {
                return (SprtState::Bad, n);
            }
        }
        (SprtState::Open, n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures() {
        // facts/shadow.md 4.5
        let near = |a: f64, b: f64, by: f64| assert!((a - b).abs() < by, "{a} {b}");
        let agreement = Sprt::of_agreement(0.90);
        let (low, high) = agreement.bounds();
        near(high, 2.890, 6e-4);
        near(low, -2.251, 6e-4);
        near(agreement.step_good(), 0.0553, 6e-5);
        near(agreement.step_bad(), -0.5390, 6e-5);
        near(agreement.expected(true), 174.0, 0.6);
        near(agreement.expected(false), 124.0, 0.6);
        let failures = Sprt::of_failures(0.02);
        near(failures.step_bad(), -1.386, 5e-4);
        near(failures.step_good(), 0.0308, 6e-5);
        near(failures.expected(true), 143.0, 0.6);
        near(failures.expected(false), 77.0, 0.6);
        assert_eq!(agreement.run([true; 60]), (SprtState::Good, 53));
        assert_eq!(agreement.run([false; 60]), (SprtState::Bad, 5));
        assert_eq!(agreement.run([true; 10]), (SprtState::Open, 10));
    }
}
