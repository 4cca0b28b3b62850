//! When a calibration must step down by itself.

use super::Pair;
use super::statistics::{Quantiles, Sprt, SprtState};
use crate::fleet::{Requirements, Rung};

/// Failures of the last so many that demote: (window, failures). False alarm below .001 at a rate of 2 %; power .38 and .79 at 10 % (facts/shadow.md 4.6).
pub(super) const FAILURE_WINDOWS: [(usize, usize); 2] = [(50, 6), (100, 8)];
/// Disagreements of the last so many audits that demote: (window, disagreements): 52 of 60 and 88 of 100 agree. False alarm at most .01 at .95.
pub(super) const AGREEMENT_WINDOWS: [(usize, usize); 2] = [(60, 8), (100, 12)];
/// Latencies of one interval; three intervals in a row over the limit demote.
pub(super) const INTERVAL: usize = 60;

/// Why the guard demotes.
#[derive(Clone, Debug, PartialEq)]
pub enum Alarm {
    /// Too many of the last so many failed.
    Failures {
        /// How many failed.
        failed: usize,
        /// Of how many at most.
        window: usize,
    },
    /// Too many of the last so many disagree.
    Disagreement {
        /// How many disagree.
        wrong: usize,
        /// Of how many at most.
        window: usize,
    },
    /// p95 over the limit in three intervals in a row.
    Latency {
        /// p95 of each, seconds, oldest first.
        p95: [f64; 3],
        /// The limit, seconds.
        limit: f64,
    },
    /// Wald's test since the last change of the rung accepts the bad rate.
    Sequential {
        /// What is tested.
        what: &'static str,
        /// After so many pairs.
        pairs: usize,
    },
    /// The fleet file asks for another experiment than the one that the rung was earned with.
    Fingerprint,
}

impl Alarm {
    /// In words.
    pub fn sentence(&self) -> String {
        match self {
            Self::Failures { failed, window } => format!("{failed} of the last {window} local answers failed"),
            Self::Disagreement { wrong, window } => format!("{wrong} of the last {window} audits disagree"),
            Self::Latency { p95, limit } => {
                format!("p95 was {:.1}, {:.1} and {:.1} s in three intervals, over {limit} s", p95[0], p95[1], p95[2])
            }
            Self::Sequential { what, pairs } => {
                format!("the sequential test of {what} gave up after {pairs} pairs since the last change of the rung")
            }
            Self::Fingerprint => {
                "the fingerprint changed: weights, profile, release, prompt, parser or reference".to_owned()
            }
        }
    }
}

/// Every reason to step down. `recent` are the valid pairs since the rung last changed, oldest first.
pub fn alarms(recent: &[Pair], require: &Requirements) -> Vec<Alarm> {
    let mut found = Vec::new();
    let valid: Vec<&Pair> = recent.iter().filter(|pair| pair.is_valid()).collect();
    let last = |window: usize| &valid[valid.len().saturating_sub(window)..];
    for (window, most) in FAILURE_WINDOWS {
        let seen = last(window);
        let failed = seen.iter().filter(|pair| pair.local.said.is_err()).count();
        if failed >= most {
            found.push(Alarm::Failures { failed, window: seen.len() });
            break;
        }
    }
    for (window, most) in AGREEMENT_WINDOWS {
        let seen = last(window);
        let wrong = seen.iter().filter(|pair| !pair.agrees()).count();
        if wrong >= most {
            found.push(Alarm::Disagreement { wrong, window: seen.len() });
            break;
        }
    }
    if let Some(limit) = require.latency {
        let limit = limit.as_secs_f64();
        let seconds: Vec<f64> = valid.iter().filter_map(|pair| pair.local.latency()).collect();
        let whole = seconds.len() / INTERVAL;
        if whole >= 3 {
            let p95: Vec<f64> = seconds[(whole - 3) * INTERVAL..whole * INTERVAL]
                .chunks(INTERVAL)
                .filter_map(|interval| Quantiles::of(interval).map(|found| found.p95))
                .collect();
            if let [a, b, c] = p95[..]
                && [a, b, c].into_iter().all(|p95| p95 > limit)
            {
                found.push(Alarm::Latency { p95: [a, b, c], limit });
            }
        }
    }
    let mut sequential = |what, test: Sprt, good: &dyn Fn(&Pair) -> bool| {
        if let (SprtState::Bad, pairs) = test.run(valid.iter().map(|pair| good(pair))) {
            found.push(Alarm::Sequential { what, pairs });
        }
    };
    if let Some(threshold) = require.tier_agreement {
        sequential("agreement", Sprt::of_agreement(threshold), &Pair::agrees);
    }
    if let Some(limit) = require.failure_rate {
        sequential("failures", Sprt::of_failures(limit), &|pair| pair.local.said.is_ok());
    }
    found
}

/// The rung after these alarms: one down, or all the way when the experiment is another.
pub fn demoted(rung: Rung, alarms: &[Alarm]) -> Rung {
    match alarms {
        [] => rung,
        all if all.contains(&Alarm::Fingerprint) => Rung::Shadow,
        _ => super::below(rung).unwrap_or(Rung::Shadow),
    }
}

#[cfg(test)]
mod tests {
    use super::super::statistics::{Generator, at_least, at_most};
    use super::*;
    use crate::testing::shadow::{Local, REQUIREMENTS};

    fn pair(local: Local, seconds: f64) -> Pair {
        crate::testing::shadow::pair(local, seconds, (1.0, 1.0))
    }

    fn agreeing(agrees: bool, seconds: f64) -> Pair {
        pair(if agrees { Local::Agrees } else { Local::Disagrees }, seconds)
    }

    #[test]
    fn the_rules_and_their_errors() {
        // facts/shadow.md 4.6
        let near = |a: f64, b: f64| assert!((a - b).abs() < 0.006, "{a} {b}");
        for (window, failures) in FAILURE_WINDOWS {
            assert!(at_least(failures, window, 0.02) < 0.001);
        }
        near(at_least(6, 50, 0.1), 0.38);
        near(at_least(8, 100, 0.1), 0.79);
        for ((window, wrong), power) in AGREEMENT_WINDOWS.into_iter().zip([0.70, 0.84]) {
            assert!(at_most(window - wrong, window, 0.95) < 0.0105);
            near(at_most(window - wrong, window, 0.85), power);
        }
    }

    #[test]
    fn each_rule_rings() {
        let good: Vec<Pair> = (0..200).map(|i| agreeing(i % 20 != 0, 8.0)).collect();
        assert_eq!(alarms(&good, &REQUIREMENTS), []);
        let mut failing = good.clone();
        failing.extend((0..6).map(|_| pair(Local::Fails, 30.0)));
        assert!(alarms(&failing, &REQUIREMENTS).contains(&Alarm::Failures { failed: 6, window: 50 }));
        let mut wrong = good.clone();
        wrong.extend((0..6).map(|_| agreeing(false, 8.0)));
        assert!(matches!(alarms(&wrong, &REQUIREMENTS)[..], [Alarm::Disagreement { window: 60, .. }]));
        let slow: Vec<Pair> = (0..180).map(|i| agreeing(i % 20 != 0, if i % 10 == 0 { 31.0 } else { 8.0 })).collect();
        assert!(matches!(alarms(&slow, &REQUIREMENTS)[..], [Alarm::Latency { .. }]));
        let few: Vec<Pair> = (0..5).map(|_| agreeing(false, 8.0)).collect();
        assert!(alarms(&few, &REQUIREMENTS).contains(&Alarm::Sequential { what: "agreement", pairs: 5 }));
        assert_eq!(demoted(Rung::Easy25, &alarms(&few, &REQUIREMENTS)), Rung::Easy5);
        assert_eq!(demoted(Rung::All, &[Alarm::Fingerprint]), Rung::Shadow);
    }

    #[test]
    fn one_that_turns_bad_is_caught_within_a_hundred() {
        let mut generator = Generator::new(11);
        let mut caught = 0;
        for _ in 0..200 {
            let mut pairs: Vec<Pair> = (0..200).map(|_| agreeing(generator.uniform() < 0.97, 8.0)).collect();
            let turned = (0..100).any(|_| {
                pairs.push(agreeing(generator.uniform() < 0.80, 8.0));
                !alarms(&pairs, &REQUIREMENTS).is_empty()
            });
            caught += usize::from(turned);
        }
        assert!(caught >= 196, "{caught} of 200");
    }
}
