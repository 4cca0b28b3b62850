//! A decision about a calibration, as it is kept.

use jiff::Timestamp;

use crate::fleet::Rung;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecisionKind {
    /// One rung up, by a person.
    Promoted,
    /// Down, by a person.
    Demoted,
    /// Down, by the guard.
    Guarded,
    /// All the way down, by the guard: weights, prompt or another part of the experiment changed, and a new one begins.
    Restarted,
    /// A promotion was asked for and refused.
    Looked,
    /// Frozen.
    Halted,
    /// Thawed.
    Resumed,
    /// Re-armed after the guard demoted it twice.
    Rearmed,
}

impl DecisionKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Promoted,
        Self::Demoted,
        Self::Guarded,
        Self::Restarted,
        Self::Looked,
        Self::Halted,
        Self::Resumed,
        Self::Rearmed,
    ];

    /// As the store and the report write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Demoted => "demoted",
            Self::Guarded => "guarded",
            Self::Restarted => "restarted",
            Self::Looked => "looked",
            Self::Halted => "halted",
            Self::Resumed => "resumed",
            Self::Rearmed => "rearmed",
        }
    }

    /// The kind that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A decision with its evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: DecisionKind,
    /// The rung before.
    pub from: Rung,
    /// The rung after.
    pub to: Rung,
    /// Who or what decided.
    pub by: String,
    /// The experiment's fingerprint.
    pub fingerprint: String,
    /// Valid pairs at that time.
    pub pairs: usize,
    /// The evidence as JSON: estimates, bounds, the look and its spent error, what was missing, why.
    pub evidence: serde_json::Value,
}
