//! One machine's probes over time: what the resolver service believes of it.

use jiff::{SignedDuration, Timestamp};

use super::{Admission, Breaker, Hysteresis, MachineHealth, ProbeOutcome, Reach, probe_delay};

/// What is believed of one machine.
///
/// Hysteresis decides whether it can be talked to. The breaker counts servers that take connections and answer with failures or not in time; a
/// refused connection needs none, because a machine that is back says so by taking the next one. No request passes through the service, so the
/// half-open breaker's one trial is always a probe.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    hysteresis: Hysteresis,
    breaker: Breaker,
    last_sound: Option<MachineHealth>,
}

impl Tracker {
    /// Takes one probe into account. Returns whether the belief about reaching the machine changed.
    pub fn observe(&mut self, health: MachineHealth, outcome: ProbeOutcome, now: Timestamp) -> bool {
        let before = self.standing();
        let may_count = self.breaker.admit(now) != Admission::No;
        match &outcome {
            ProbeOutcome::Answered => {
                self.last_sound = Some(health);
                if may_count {
                    self.breaker.succeeded();
                }
            }
            ProbeOutcome::Failed(Reach::Unresponsive(_)) if may_count => self.breaker.failed(now),
            ProbeOutcome::Failed(_) => {}
        }
        self.hysteresis.observe(outcome);
        before != self.standing()
    }

    /// What is believed now; `None` before the first probe.
    pub fn health(&self) -> Option<MachineHealth> {
        let reach = self.hysteresis.reach()?.clone();
        let last = self.last_sound.clone().unwrap_or_else(MachineHealth::up);
        Some(MachineHealth { reach, breaker_open: self.breaker.is_open(), ..last })
    }

    /// How long to wait before the next probe; `chance` from 0 to 1 decides the jitter.
    pub fn delay(&self, chance: f64) -> SignedDuration {
        probe_delay(&self.hysteresis, chance)
    }

    /// The kind of the belief, without the words that change from probe to probe.
    fn standing(&self) -> (Option<std::mem::Discriminant<Reach>>, bool, bool) {
        let authorized = self.last_sound.as_ref().is_none_or(|health| health.authorized);
        (self.hysteresis.reach().map(std::mem::discriminant), self.breaker.is_open(), authorized)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
    }

    fn fail(tracker: &mut Tracker, reach: Reach, seconds: i64) -> bool {
        tracker.observe(MachineHealth::up(), ProbeOutcome::Failed(reach), at(seconds))
    }

    fn unreachable() -> Reach {
        Reach::Unreachable("connection refused".to_owned())
    }

    fn hanging() -> Reach {
        Reach::Unresponsive("no answer within 1.5 s".to_owned())
    }

    fn succeed(tracker: &mut Tracker, seconds: i64) -> bool {
        let health = MachineHealth { running: Some(3), ..MachineHealth::up() };
        tracker.observe(health, ProbeOutcome::Answered, at(seconds))
    }

    #[test]
    fn one_lost_probe_keeps_what_was_known() {
        let mut tracker = Tracker::default();
        assert_eq!(tracker.health(), None);
        assert!(succeed(&mut tracker, 0));
        assert!(!fail(&mut tracker, unreachable(), 5));
        assert!(!fail(&mut tracker, hanging(), 10));
        let health = tracker.health().expect("known");
        assert_eq!((health.reach, health.running, health.breaker_open), (Reach::Up, Some(3), false));
    }

    #[test]
    fn a_refused_connection_is_forgiven_at_the_second_answer() {
        let mut tracker = Tracker::default();
        succeed(&mut tracker, 0);
        assert_eq!([5, 10, 15].map(|now| fail(&mut tracker, unreachable(), now)), [false, false, true]);
        assert_eq!(tracker.health().expect("known").reach, unreachable());
        assert!(!succeed(&mut tracker, 16));
        assert!(succeed(&mut tracker, 17));
        let health = tracker.health().expect("known");
        assert_eq!((health.reach, health.breaker_open), (Reach::Up, false));
    }

    #[test]
    fn a_hanging_server_waits_for_its_breaker() {
        let mut tracker = Tracker::default();
        succeed(&mut tracker, 0);
        for now in [5, 10, 15] {
            fail(&mut tracker, hanging(), now);
        }
        succeed(&mut tracker, 16);
        succeed(&mut tracker, 17);
        let health = tracker.health().expect("known");
        assert_eq!(
            (health.reach, health.breaker_open),
            (Reach::Up, true),
            "it answers, and the breaker is open until 45"
        );
        assert!(!succeed(&mut tracker, 44));
        assert!(succeed(&mut tracker, 45), "the trial");
        assert!(!tracker.health().expect("known").breaker_open);
    }
}
