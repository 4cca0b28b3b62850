//! What intervals, looks and the guard really do, by simulation: 10,000 runs each, always the same ones. `scripts/check-shadow` runs it; docs/shadow.md
//! states what it printed. The bounds leave four standard errors of the simulation itself.

use super::statistics::{
    ALPHA, Confusion, Generator, Quantiles, SEED, TWO_SIDED, bias, bootstrap_correlation, failure_upper, fisher, float,
    pearson, wilson,
};
use super::{Pair, alarms, take_looks};
use crate::fleet::{Requirements, Shadow};
use crate::testing::{self, shadow::Local};

const RUNS: usize = 10_000;
const NOTHING: Requirements =
    Requirements { pearson: None, tier_agreement: None, latency: None, failure_rate: None, pairs: 100 };

/// The share of runs in which something holds.
fn share(generator: &mut Generator, holds: impl Fn(&mut Generator) -> bool) -> f64 {
    float((0..RUNS).filter(|_| holds(generator)).count()) / float(RUNS)
}

fn draw(generator: &mut Generator, n: usize, p: f64) -> usize {
    (0..n).filter(|_| generator.uniform() < p).count()
}

/// Scores of a bivariate normal; lumpy ones stand on multiples of half a standard deviation, as models' scores do.
fn scores(generator: &mut Generator, n: usize, rho: f64, lumpy: bool) -> Vec<(f64, f64)> {
    let step = |value: f64| if lumpy { (value * 2.0).round() / 2.0 } else { value };
    (0..n)
        .map(|_| {
            let x = generator.normal();
            (step(x), step(rho * x + (1.0 - rho * rho).sqrt() * generator.normal()))
        })
        .collect()
}

#[test]
#[ignore = "scripts/check-shadow runs it"]
fn intervals_cover() {
    let mut g = Generator::new(20);
    let lumpy_r = pearson(&scores(&mut g, 2_000_000, 0.9, true)).expect("defined");
    for n in [100, 300] {
        let agreement =
            share(&mut g, |g| wilson(draw(g, n, 0.93), n, TWO_SIDED).is_some_and(|i| i.low <= 0.93 && 0.93 <= i.high));
        let failures = share(&mut g, |g| failure_upper(draw(g, n, 0.02), n, 0.05).is_some_and(|bound| bound >= 0.02));
        let latency = share(&mut g, |g| {
            let values: Vec<f64> = (0..n).map(|_| g.normal().exp()).collect();
            let bound = Quantiles::of(&values).and_then(|found| found.bound.high);
            bound.is_some_and(|bound| bound >= 1.644_853_626_951_472_7_f64.exp())
        });
        let mean = share(&mut g, |g| {
            let points: Vec<(f64, f64)> = (0..n).map(|_| (g.normal(), 2.0 + g.normal())).collect();
            bias(&points, TWO_SIDED).is_some_and(|(_, i)| i.low <= 2.0 && 2.0 <= i.high)
        });
        let kappa = share(&mut g, |g| kappa_covers(g, n));
        println!(
            "n={n}: Wilson {agreement:.4}, Clopper-Pearson {failures:.4}, p95 {latency:.4}, bias {mean:.4}, weighted kappa {kappa:.4}"
        );
        assert!(agreement > 0.93 && failures > 0.945 && latency > 0.945 && mean > 0.93 && kappa > 0.88);
        for (lumpy, r) in [(false, 0.9), (true, lumpy_r)] {
            let (mut by_fisher, mut by_bootstrap, mut by_wider) = (0, 0, 0);
            for _ in 0..RUNS {
                let points = scores(&mut g, n, 0.9, lumpy);
                let seen = pearson(&points).expect("defined");
                let one = fisher(seen, n, TWO_SIDED).expect("an interval");
                let other = bootstrap_correlation(&points, seen, 0.025, SEED).expect("an interval");
                let covers = |low: f64, high: f64| usize::from(low <= r && r <= high);
                by_fisher += covers(one.low, one.high);
                by_bootstrap += covers(other.low, other.high);
                let wider = one.wider(other);
                by_wider += covers(wider.low, wider.high);
            }
            let [fisher, bootstrap, wider] =
                [by_fisher, by_bootstrap, by_wider].map(|count| float(count) / float(RUNS));
            println!("n={n}, lumpy {lumpy}: Fisher {fisher:.4}, bootstrap {bootstrap:.4}, the wider {wider:.4}");
            assert!(wider > 0.945);
        }
    }
}

/// One sample of tiers that mostly agree or are one off, three levels of prevalence; and whether kappa's interval holds the true one.
fn kappa_covers(g: &mut Generator, n: usize) -> bool {
    const SHARES: [f64; 4] = [0.2, 0.2, 0.2, 0.4];
    // Nine of ten agree; the others are one tier off, either way where there are two.
    let cell = |i: usize, j: usize| match i.abs_diff(j) {
        0 => 0.9,
        1 if i == 0 || i == 3 => 0.1,
        1 => 0.05,
        _ => 0.0,
    };
    let (mut observed, mut column) = (0.0, [0.0; 4]);
    let weight = |i: usize, j: usize| 1.0 - float(i.abs_diff(j)).powi(2) / 9.0;
    for (i, share) in SHARES.into_iter().enumerate() {
        for (j, sum) in column.iter_mut().enumerate() {
            observed += share * cell(i, j) * weight(i, j);
            *sum += share * cell(i, j);
        }
    }
    let chance: f64 = (0..16).map(|at| SHARES[at / 4] * column[at % 4] * weight(at / 4, at % 4)).sum();
    let truth = (observed - chance) / (1.0 - chance);
    let mut confusion = Confusion::new(4);
    let mut pick = |shares: [f64; 4]| {
        let mut left = g.uniform();
        shares
            .iter()
            .position(|share| {
                left -= share;
                left < 0.0
            })
            .unwrap_or(3)
    };
    for _ in 0..n {
        let i = pick(SHARES);
        let j = pick([0, 1, 2, 3].map(|j| cell(i, j)));
        confusion.add(i, j);
    }
    confusion.weighted().is_some_and(|found| (found.value - truth).abs() <= TWO_SIDED * found.error)
}

fn calibration(require: Requirements) -> Shadow {
    Shadow { require, ..testing::example().shadows.get("job-score").expect("declared").clone() }
}

fn pair(agrees: bool, fails: bool, seconds: f64, scores: (f64, f64)) -> Pair {
    let local = match (fails, agrees) {
        (true, _) => Local::Fails,
        (false, true) => Local::Agrees,
        (false, false) => Local::Disagrees,
    };
    testing::shadow::pair(local, seconds, scores)
}

#[test]
#[ignore = "scripts/check-shadow runs it"]
fn looks_err_as_planned() {
    let mut g = Generator::new(21);
    let limit = std::time::Duration::from_secs(30);
    let passes = |g: &mut Generator, require: Requirements, next: &dyn Fn(&mut Generator) -> Pair| {
        let shadow = calibration(require);
        share(g, |g| {
            let pairs: Vec<Pair> = (0..400).map(|_| next(g)).collect();
            take_looks(&pairs, &shadow).taken.iter().any(|look| look.passed)
        })
    };
    let agreement = passes(&mut g, Requirements { tier_agreement: Some(0.90), ..NOTHING }, &|g| {
        pair(g.uniform() < 0.90, false, 1.0, (0.0, 0.0))
    });
    let failures = passes(&mut g, Requirements { failure_rate: Some(0.02), ..NOTHING }, &|g| {
        pair(true, g.uniform() < 0.02, 1.0, (0.0, 0.0))
    });
    let latency = passes(&mut g, Requirements { latency: Some(limit), ..NOTHING }, &|g| {
        pair(true, false, if g.uniform() < 0.05 { 31.0 } else { 5.0 }, (0.0, 0.0))
    });
    let r = passes(&mut g, Requirements { pearson: Some(0.85), ..NOTHING }, &|g| {
        let one = scores(g, 1, 0.85, false);
        pair(true, false, 1.0, one[0])
    });
    println!(
        "three looks at a candidate exactly at the threshold pass: agreement {agreement:.4}, failures {failures:.4}, p95 {latency:.4}, r {r:.4}"
    );
    // What a look whenever somebody likes would do, at the error of a single one.
    let peeking = share(&mut g, |g| {
        let mut agreeing = 0;
        (1..=400_usize).any(|n| {
            agreeing += usize::from(g.uniform() < 0.90);
            n >= 100 && n.is_multiple_of(10) && super::statistics::at_least(agreeing, n, 0.90) <= ALPHA
        })
    });
    println!("a look every ten pairs at an error of .05 each would pass {peeking:.4}");
    let power = |share| {
        let mut g = Generator::new(22);
        passes(&mut g, Requirements { tier_agreement: Some(0.90), ..NOTHING }, &|g| {
            pair(g.uniform() < share, false, 1.0, (0.0, 0.0))
        })
    };
    println!("an agreement of .94 passes {:.4}, of .96 {:.4}", power(0.94), power(0.96));
    assert!([agreement, failures, latency, r].into_iter().all(|error| error <= ALPHA + 0.009));
}

#[test]
#[ignore = "scripts/check-shadow runs it"]
fn the_guard_rings_in_time_and_seldom_for_nothing() {
    let mut g = Generator::new(23);
    let require = Requirements { tier_agreement: Some(0.90), failure_rate: Some(0.02), ..NOTHING };
    let run = |g: &mut Generator, good: usize, bad: usize, agreement: f64, failures: f64| -> Option<usize> {
        let mut pairs: Vec<Pair> =
            (0..good).map(|_| pair(g.uniform() < 0.97, g.uniform() < 0.005, 1.0, (0.0, 0.0))).collect();
        // Asked after every fifth audit; what rings before it turned is a false alarm of another count.
        (1..=bad).find(|n| {
            pairs.push(pair(g.uniform() < agreement, g.uniform() < failures, 1.0, (0.0, 0.0)));
            n.is_multiple_of(5) && !alarms(&pairs, &require).is_empty()
        })
    };
    for (agreement, failures) in [(0.97, 0.005), (0.95, 0.005)] {
        let rung = share(&mut g, |g| run(g, 0, 500, agreement, failures).is_some());
        println!("a candidate of agreement {agreement} and {failures} failures is demoted within 500 audits {rung:.4}");
    }
    for (what, agreement, failures) in
        [("agreement .80", 0.80, 0.005), ("agreement .85", 0.85, 0.005), ("failures .10", 0.97, 0.10)]
    {
        let mut after: Vec<usize> =
            (0..RUNS).map(|_| run(&mut g, 100, 400, agreement, failures).unwrap_or(400)).collect();
        after.sort_unstable();
        println!(
            "turned to {what}: half are demoted after {} audits, 95 % after {}",
            after[RUNS / 2],
            after[RUNS * 95 / 100]
        );
        assert!(after[RUNS / 2] <= 100);
    }
}
