//! What measured times say: rates of one request, the middle and spread of several, whether a speed dropped.

/// What a client saw of one streamed answer. Times are seconds since the request was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// To the first token.
    pub first: f64,
    /// To the last token.
    pub last: f64,
    /// Tokens of the prompt, by the server's own count.
    pub prompt_tokens: u64,
    /// Of these, what a cache knew already.
    pub cached_tokens: u64,
    /// Tokens of the answer, by the server's own count: a chunk may hold several.
    pub tokens: u64,
}

#[expect(clippy::cast_precision_loss, reason = "counts of tokens are far below 2^53")]
impl Timing {
    /// Tokens per second between the first and the last token: `(n − 1) / (t_last − t_first)` (facts/capacity.md 3.7b). `None` below two tokens, and where they
    /// came all at once.
    pub fn decode_tps(&self) -> Option<f64> {
        let seconds = self.last - self.first;
        (self.tokens > 1 && seconds > 1e-6).then(|| (self.tokens - 1) as f64 / seconds)
    }

    /// Tokens of the prompt that no cache knew, per second to the first token.
    pub fn prefill_tps(&self) -> Option<f64> {
        let fresh = self.prompt_tokens.saturating_sub(self.cached_tokens);
        (fresh > 0 && self.first > 1e-6).then(|| fresh as f64 / self.first)
    }
}

/// Tokens per second of several answers that ran at once: all their tokens but the first ones, between the first token of any and the last of all.
#[expect(clippy::cast_precision_loss, reason = "counts of tokens are far below 2^53")]
pub fn together_tps(timings: &[Timing]) -> Option<f64> {
    let first = timings.iter().map(|timing| timing.first).reduce(f64::min)?;
    let last = timings.iter().map(|timing| timing.last).reduce(f64::max)?;
    let tokens: u64 = timings.iter().map(|timing| timing.tokens.saturating_sub(1)).sum();
    (tokens > 0 && last - first > 1e-6).then(|| tokens as f64 / (last - first))
}

/// The middle of several values and how far they lie around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The median of the distances from it.
    pub mad: f64,
}

/// Median and median absolute deviation; `None` of nothing. What is no number is left out.
pub fn spread(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    let median = median(&values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    Some(Spread { median, mad: self::median(&distances)? })
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => sorted.get(middle).copied(),
        _ => Some(f64::midpoint(*sorted.get(middle - 1)?, *sorted.get(middle)?)),
    }
}

/// Earlier results that a new one is held to need at least so many: fewer have no spread.
const FEWEST_EARLIER: usize = 3;

/// How far `now` lies below what was measured before, where that is a drop: more than max(10 %, 3 MAD) of the median (facts/capacity.md 3.7b).
pub fn drop_below(earlier: &[f64], now: f64) -> Option<(Spread, f64)> {
    if earlier.len() < FEWEST_EARLIER {
        return None;
    }
    let before = spread(earlier.iter().copied())?;
    let allowed = (0.1 * before.median).max(3.0 * before.mad);
    let fallen = before.median - now;
    (before.median > 0.0 && fallen > allowed).then(|| (before, fallen / before.median))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_of_one_answer() {
        let timing = Timing { first: 0.5, last: 1.5, prompt_tokens: 300, cached_tokens: 100, tokens: 101 };
        assert_eq!((timing.decode_tps(), timing.prefill_tps()), (Some(100.0), Some(400.0)));
        let at_once = Timing { last: 0.5, ..timing };
        assert_eq!(at_once.decode_tps(), None);
        assert_eq!(Timing { tokens: 1, ..timing }.decode_tps(), None);
        let other = Timing { first: 1.0, last: 2.5, ..timing };
        assert_eq!(together_tps(&[timing, other]), Some(100.0));
        assert_eq!(together_tps(&[]), None);
    }

    #[test]
    fn the_middle_and_the_spread() {
        assert_eq!(spread([3.0, 1.0, 2.0, 100.0, f64::NAN]), Some(Spread { median: 2.5, mad: 1.0 }));
        assert_eq!(spread([]), None);
    }

    #[test]
    fn a_drop_is_more_than_a_tenth_and_more_than_the_noise() {
        let calm = [100.0, 101.0, 99.0, 100.0];
        assert!(drop_below(&calm, 91.0).is_none() && drop_below(&calm, 120.0).is_none());
        let (before, share) = drop_below(&calm, 80.0).expect("a fifth");
        assert!((before.median - 100.0).abs() < 1e-9 && (share - 0.2).abs() < 1e-9);
        let noisy = [100.0, 60.0, 140.0, 80.0, 120.0];
        assert!(drop_below(&noisy, 50.0).is_none(), "3 MAD are 60");
        assert!(drop_below(&noisy, 39.0).is_some());
        assert!(drop_below(&[100.0, 100.0], 1.0).is_none(), "two results have no spread");
    }

    proptest! {
        #[test]
        fn a_median_stands_in_the_middle(values in prop::collection::vec(-1e6_f64..1e6, 1..40)) {
            let middle = spread(values.iter().copied()).expect("values").median;
            let below = values.iter().filter(|value| **value < middle).count();
            let above = values.iter().filter(|value| **value > middle).count();
            prop_assert!(below * 2 <= values.len() && above * 2 <= values.len());
        }
    }
}
