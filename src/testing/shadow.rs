//! Requirements and pairs that the tests of several parts of `shadow` share.

use std::time::Duration;

use crate::fleet::Requirements;
use crate::shadow::{Arm, Failure, Judged, Pair};

/// The article's requirements on 100 pairs.
pub(crate) const REQUIREMENTS: Requirements = Requirements {
    pearson: Some(0.85),
    tier_agreement: Some(0.90),
    latency: Some(Duration::from_secs(30)),
    failure_rate: Some(0.02),
    pairs: 100,
};

/// How a local answer of [`pair`] comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Local {
    /// The reference's tier.
    Agrees,
    /// Another tier.
    Disagrees,
    /// No answer that can be used.
    Fails,
}

/// A pair of the best tier with these scores, reference and local, and the local side's seconds.
pub(crate) fn pair(local: Local, seconds: f64, (reference, score): (f64, f64)) -> Pair {
    let said = match local {
        Local::Fails => Err(Failure::NotJson),
        local => Ok(Judged { score, tier: u8::from(local == Local::Disagrees) }),
    };
    Pair {
        at: 0,
        reference: Arm { said: Ok(Judged { score: reference, tier: 0 }), seconds: None },
        local: Arm { said, seconds: Some(seconds) },
    }
}
