//! The easy items: what the local side is sure of, how much of the work that is, and how often the reference would have said otherwise.

use super::statistics::{Generator, SEED, float};
use super::{Estimate, Pair};

/// A point of the curve of coverage against risk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// The least distance from the nearest cut-off.
    pub distance: f64,
    /// The share of the answered items that are easy at this distance.
    pub coverage: f64,
    /// The share of those whose tier the reference does not confirm.
    pub risk: f64,
    /// How many those are.
    pub n: usize,
}

/// The easy items of a set of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Easy {
    /// P(reference's tier = local tier | the local tier is easy). What the rungs route, so what they are held to: the resolver knows the tier alone.
    pub precision: Estimate,
    /// The same further and further away from the cut-offs, on the half of the pairs that chose no distance.
    pub curve: Vec<Coverage>,
    /// The least distance at which the first half errs in at most 1 of 40; informative, for an application that keeps close calls to itself.
    pub chosen_distance: Option<f64>,
    /// The second half at that distance.
    pub chosen: Option<Coverage>,
}

/// An answered item: the local score and tier, and whether the reference says the same.
struct Item {
    score: f64,
    tier: u8,
    agrees: bool,
}

impl Easy {
    /// Of these pairs; `easy` are the places of the easy tiers, of `tiers` in all.
    pub fn of(pairs: &[Pair], easy: &[usize], tiers: usize) -> Self {
        let items: Vec<Item> = pairs
            .iter()
            .filter_map(Pair::both)
            .map(|(reference, local)| Item {
                score: local.score,
                tier: local.tier,
                agrees: reference.tier == local.tier,
            })
            .collect();
        let is_easy = |item: &&Item| easy.contains(&usize::from(item.tier));
        let hits = items.iter().filter(is_easy).filter(|item| item.agrees).count();
        let precision = Estimate::share(hits, items.iter().filter(is_easy).count());
        // By a coin, always the same one: with every other pair, inputs that go through the tiers in turn would give each half tiers of its own.
        let mut coin = Generator::new(SEED);
        let (first, second): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|_| coin.below(2) == 0);
        let cuts = cut_offs(&first, tiers);
        let steps = distances(&first, &cuts);
        let at = |half: &[&Item], distance: f64| at(half, easy, &cuts, distance);
        let chosen_distance = steps
            .iter()
            .copied()
            .find(|distance| at(&first, *distance).is_some_and(|found| found.n >= 20 && found.risk <= 0.025));
        let curve = steps.iter().filter_map(|distance| at(&second, *distance)).collect();
        Self { precision, curve, chosen: chosen_distance.and_then(|distance| at(&second, distance)), chosen_distance }
    }
}

/// The scores that part neighbouring tiers of the local side: midway between the medians of both. Where a tier was not seen there is none.
fn cut_offs(items: &[&Item], tiers: usize) -> Vec<f64> {
    let median = |tier: usize| {
        let mut scores: Vec<f64> =
            items.iter().filter(|item| usize::from(item.tier) == tier).map(|item| item.score).collect();
        scores.sort_by(f64::total_cmp);
        scores.get(scores.len() / 2).copied()
    };
    let medians: Vec<f64> = (0..tiers).filter_map(median).collect();
    medians.windows(2).map(|two| f64::midpoint(two[0], two[1])).collect()
}

fn distance(score: f64, cuts: &[f64]) -> f64 {
    cuts.iter().map(|cut| (score - cut).abs()).fold(f64::INFINITY, f64::min)
}

/// Twenty steps from 0 to where 19 of 20 items are closer.
fn distances(items: &[&Item], cuts: &[f64]) -> Vec<f64> {
    let mut all: Vec<f64> = items.iter().map(|item| distance(item.score, cuts)).filter(|d| d.is_finite()).collect();
    all.sort_by(f64::total_cmp);
    let most = all.get(all.len() * 19 / 20).copied().unwrap_or_default();
    if most <= 0.0 { vec![0.0] } else { (0..=20).map(|step| most * f64::from(step) / 20.0).collect() }
}

fn at(items: &[&Item], easy: &[usize], cuts: &[f64], least: f64) -> Option<Coverage> {
    let chosen: Vec<&&Item> = items
        .iter()
        .filter(|item| easy.contains(&usize::from(item.tier)) && distance(item.score, cuts) >= least)
        .collect();
    if chosen.is_empty() {
        return None;
    }
    let wrong = chosen.iter().filter(|item| !item.agrees).count();
    let n = chosen.len();
    Some(Coverage { distance: least, coverage: float(n) / float(items.len()), risk: float(wrong) / float(n), n })
}

#[cfg(test)]
mod tests {
    use super::super::{Arm, Judged};
    use super::*;

    #[test]
    fn far_from_the_cut_offs_the_risk_falls() {
        // Scores 0..100 in four tiers; the reference differs only within 4 of a cut-off.
        let arm = |score: f64, tier| Arm { said: Ok(Judged { score, tier }), seconds: None };
        let pairs: Vec<Pair> = (0..400_u32)
            .map(|i| {
                let score = f64::from(i % 100);
                let tier = u8::try_from(3 - (i % 100) / 25).expect("small");
                let near = (score % 25.0) < 4.0 && score >= 25.0;
                let other = if near { (tier + 1).min(3) } else { tier };
                Pair { at: 0, reference: arm(score, other), local: arm(score, tier) }
            })
            .collect();
        let easy = Easy::of(&pairs, &[0, 3], 4);
        assert_eq!((easy.precision.n, easy.precision.value), (200, Some(0.92)));
        assert!(easy.curve[0].risk > 0.05 && easy.curve.last().expect("points").risk < 1e-9, "{easy:?}");
        assert!(easy.curve.windows(2).all(|two| two[0].coverage >= two[1].coverage));
        assert!(easy.chosen_distance.is_some_and(|distance| distance > 0.0));
        // The tiers in turn: each half sees all of them.
        let turns: Vec<Pair> = (0..25).flat_map(|i| [0, 25, 50, 75].map(|step| pairs[step + i])).collect();
        let turns = Easy::of(&turns, &[0, 3], 4);
        let widest = turns.curve[0].coverage;
        assert!(
            (0.3..0.7).contains(&widest) && turns.curve.last().expect("points").coverage < widest / 2.0,
            "{turns:?}"
        );
        let none = Easy::of(&[], &[0], 4);
        assert_eq!((none.precision.value, none.curve.len(), none.chosen), (None, 0, None));
    }
}
