//! When a machine counts as up or down: probes with memory, so that one lost packet moves no traffic.

use jiff::SignedDuration;

use super::Reach;

/// How often a machine that is up is probed; with ± 20 % jitter, so that probers do not fall into step.
pub const PROBE_INTERVAL: SignedDuration = SignedDuration::from_secs(5);

/// Failures in a row that make a machine down (Envoy takes 5, olla 3).
const FAILURES_TO_DOWN: u32 = 3;
/// Successes in a row that make it up again (olla takes 1).
const SUCCESSES_TO_UP: u32 = 2;
/// The longest pause between two probes of a machine that is down, seconds.
const LONGEST_PAUSE: u32 = 60;

/// What one probe said of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// It answered soundly; a 401 or 403 counts as such: the machine is well, its configuration is not.
    Answered,
    /// Nothing answered, or nothing sound.
    Failed(Reach),
}

/// Counts a machine's probes. Starts without an opinion: the first probe decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hysteresis {
    /// How it counts now; `None` before the first probe.
    reach: Option<Reach>,
    failures: u32,
    successes: u32,
}

impl Hysteresis {
    /// Takes one probe's outcome into account.
    pub fn observe(&mut self, outcome: ProbeOutcome) {
        match outcome {
            ProbeOutcome::Answered => {
                self.successes = self.successes.saturating_add(1);
                self.failures = 0;
                if self.reach.is_none() || self.successes >= SUCCESSES_TO_UP {
                    self.reach = Some(Reach::Up);
                }
            }
            ProbeOutcome::Failed(reach) => {
                self.failures = self.failures.saturating_add(1);
                self.successes = 0;
                if self.reach != Some(Reach::Up) || self.failures >= FAILURES_TO_DOWN {
                    self.reach = Some(reach);
                }
            }
        }
    }

    /// How the machine counts now; `None` before the first probe.
    pub fn reach(&self) -> Option<&Reach> {
        self.reach.as_ref()
    }

    /// Failures in a row up to now.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether it counts as down.
    pub fn is_down(&self) -> bool {
        self.reach.as_ref().is_some_and(|reach| *reach != Reach::Up)
    }
}

/// How long to wait before the next probe: 5 s while up; 1, 2, 4, 8, … up to 60 s while down. `chance` from 0 to 1 decides the jitter of ± 20 %.
pub fn probe_delay(health: &Hysteresis, chance: f64) -> SignedDuration {
    let seconds = if health.is_down() {
        let doublings = health.failures().saturating_sub(FAILURES_TO_DOWN).min(6);
        f64::from((1_u32 << doublings).min(LONGEST_PAUSE))
    } else {
        PROBE_INTERVAL.as_secs_f64()
    };
    let factor = 0.8 + 0.4 * chance.clamp(0.0, 1.0);
    SignedDuration::try_from_secs_f64(seconds * factor).unwrap_or(PROBE_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> ProbeOutcome {
        ProbeOutcome::Failed(Reach::Unreachable("refused".to_owned()))
    }

    fn states(outcomes: &str) -> String {
        let mut health = Hysteresis::default();
        let mut seen = String::new();
        for outcome in outcomes.chars() {
            health.observe(if outcome == '+' { ProbeOutcome::Answered } else { failed() });
            seen.push(if health.is_down() { 'd' } else { 'u' });
        }
        seen
    }

    #[test]
    fn three_failures_down_two_successes_up() {
        assert_eq!(states("+--+--+---+-++-"), "uuuuuuuuudddduu");
    }

    #[test]
    fn the_first_probe_decides() {
        assert_eq!(Hysteresis::default().reach(), None);
        assert_eq!(states("-++"), "ddu");
        assert_eq!(states("+"), "u");
    }

    #[test]
    fn pauses_double_while_down_and_are_bounded() {
        let mut health = Hysteresis::default();
        let seconds = |health: &Hysteresis| probe_delay(health, 0.5).as_secs_f64().round();
        assert!((seconds(&health) - 5.0).abs() < 0.01);
        let mut pauses = Vec::new();
        for _ in 0..12 {
            health.observe(failed());
            pauses.push(seconds(&health));
        }
        assert_eq!(pauses, [1.0, 1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0]);
        assert!((probe_delay(&Hysteresis::default(), 0.0).as_secs_f64() - 4.0).abs() < 1e-6);
        assert!((probe_delay(&Hysteresis::default(), 1.0).as_secs_f64() - 6.0).abs() < 1e-6);
    }
}
