//! A pair: one input, judged by the reference and by the local slot.

use super::{Failure, Judged};

/// One side's answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arm {
    /// What it says, or why it counts as none.
    pub said: Result<Judged, Failure>,
    /// How long it took, seconds; unknown where a recording does not tell.
    pub seconds: Option<f64>,
}

impl Arm {
    /// Its seconds, where it answered or let one wait: a refusal and a lost connection are no answer, however fast they came.
    pub fn latency(&self) -> Option<f64> {
        self.seconds.filter(|_| !matches!(self.said, Err(Failure::Refused | Failure::Unreachable)))
    }
}

/// Both answers to one input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// When it was complete, seconds since 1970.
    pub at: i64,
    /// The reference's answer.
    pub reference: Arm,
    /// The local answer.
    pub local: Arm,
}

impl Pair {
    /// Whether it counts: a failed reference voids a pair, a failed local answer does not.
    pub const fn is_valid(&self) -> bool {
        self.reference.said.is_ok()
    }

    /// Whether both say the same tier; a failed local answer disagrees.
    pub fn agrees(&self) -> bool {
        matches!((self.reference.said, self.local.said), (Ok(reference), Ok(local)) if reference.tier == local.tier)
    }

    /// Both judgements, where both are.
    pub const fn both(&self) -> Option<(Judged, Judged)> {
        match (self.reference.said, self.local.said) {
            (Ok(reference), Ok(local)) => Some((reference, local)),
            _ => None,
        }
    }
}
