//! The breaker of one machine: keeps requests from a server that answers with failures, and lets one through to see whether it has recovered.

use jiff::{SignedDuration, Timestamp};

/// Failures in a row that open it.
const FAILURES_TO_OPEN: u32 = 3;
/// How long it is open the first time.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// How long it is open at most: the pause doubles with each trial that fails.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(300);

/// Whether a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes.
    Yes,
    /// As the one trial of a half-open breaker.
    Trial,
    /// No.
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Timestamp,
        pause: SignedDuration,
    },
    /// One trial is under way.
    Trying {
        since: Timestamp,
        pause: SignedDuration,
    },
}

/// A breaker: closed, open for 30 s (doubling to 5 min), or half-open, when exactly one trial is admitted.
///
/// What counts as a failure is its owner's to say: connect errors, 502, 504, time-outs before the first byte and empty streams do; 400, 404, 409,
/// 413, 422, 429, 503 with Retry-After, 507 and a client's own cancellation do not, and neither do 401 and 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker(State);

impl Default for Breaker {
    fn default() -> Self {
        Self(State::Closed { failures: 0 })
    }
}

impl Breaker {
    /// Asks for admission; a trial that is admitted must be followed by [`Breaker::succeeded`] or [`Breaker::failed`], and is given up for lost
    /// after as long as the breaker was open.
    pub fn admit(&mut self, now: Timestamp) -> Admission {
        match self.0 {
            State::Closed { .. } => Admission::Yes,
            State::Open { until, pause } if until <= now => {
                self.0 = State::Trying { since: now, pause };
                Admission::Trial
            }
            State::Trying { since, pause } if now.duration_since(since) >= pause => {
                self.0 = State::Trying { since: now, pause };
                Admission::Trial
            }
            State::Open { .. } | State::Trying { .. } => Admission::No,
        }
    }

    /// Whether requests are kept away; asks for no trial.
    pub fn is_open(&self) -> bool {
        !matches!(self.0, State::Closed { .. })
    }

    /// An answer came, or a failure that speaks for a living server.
    pub fn succeeded(&mut self) {
        // While it is open no success is expected: it is the late answer of a request from before, and proves nothing about now.
        if !matches!(self.0, State::Open { .. }) {
            self.0 = State::Closed { failures: 0 };
        }
    }

    /// A failure that counts.
    pub fn failed(&mut self, now: Timestamp) {
        self.0 = match self.0 {
            State::Closed { failures } if failures + 1 < FAILURES_TO_OPEN => State::Closed { failures: failures + 1 },
            State::Closed { .. } => open(now, FIRST_PAUSE),
            State::Trying { pause, .. } => open(now, (pause * 2).min(LONGEST_PAUSE)),
            still @ State::Open { .. } => still,
        };
    }
}

fn open(now: Timestamp, pause: SignedDuration) -> State {
    State::Open { until: now.checked_add(pause).unwrap_or(Timestamp::MAX), pause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
    }

    #[test]
    fn opens_tries_once_and_doubles() {
        let mut breaker = Breaker::default();
        breaker.failed(at(0));
        breaker.failed(at(0));
        breaker.succeeded();
        breaker.failed(at(0));
        breaker.failed(at(0));
        assert_eq!(breaker.admit(at(0)), Admission::Yes, "a success between forgets");
        breaker.failed(at(0));
        let mut pause = 30;
        let mut now = 0;
        for _ in 0..6 {
            assert_eq!(breaker.admit(at(now + pause - 1)), Admission::No);
            breaker.succeeded();
            breaker.failed(at(now + pause - 1));
            now += pause;
            assert_eq!(breaker.admit(at(now)), Admission::Trial);
            assert_eq!(breaker.admit(at(now)), Admission::No, "exactly one");
            breaker.failed(at(now));
            pause = (pause * 2).min(300);
        }
        assert_eq!(breaker.admit(at(now + 300)), Admission::Trial);
        breaker.succeeded();
        assert_eq!(breaker.admit(at(now + 300)), Admission::Yes);
        assert!(!breaker.is_open());
    }

    #[test]
    fn a_lost_trial_does_not_close_the_door_for_ever() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            breaker.failed(at(0));
        }
        assert_eq!(breaker.admit(at(30)), Admission::Trial);
        assert_eq!(breaker.admit(at(59)), Admission::No);
        assert_eq!(breaker.admit(at(60)), Admission::Trial);
    }
}
