//! A shadow calibration: a local slot earns a cloud model's work.

use std::time::Duration;

use super::{Keyed, SecretSource, ShadowName, SlotName};

/// The API that the reference speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceApi {
    /// OpenAI-compatible chat completions.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
}

/// The reference model.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The API that it speaks.
    pub api: ReferenceApi,
    /// As declared.
    pub base_url: String,
    /// As declared.
    pub model: String,
    /// The key.
    pub api_key: Option<SecretSource>,
}

/// What the local slot must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Requirements {
    /// Pearson's r, at least; -1 to 1.
    pub pearson: Option<f64>,
    /// Share of equal tiers, at least; 0 to 1.
    pub tier_agreement: Option<f64>,
    /// Time per evaluation, at most.
    pub latency: Option<Duration>,
    /// Share of failed answers, at most; 0 to 1.
    pub failure_rate: Option<f64>,
    /// Pairs before any verdict.
    pub pairs: u32,
}

/// A rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// Nobody gets the local answer.
    Shadow,
    /// 5 % of the easy items.
    Easy5,
    /// 25 % of the easy items.
    Easy25,
    /// All easy items.
    Easy,
    /// And the second tier.
    Medium,
    /// Everything that parses.
    All,
    /// Everything, audited lightly.
    Steady,
}

impl Rung {
    /// Lowest first.
    pub const ALL: [Self; 7] =
        [Self::Shadow, Self::Easy5, Self::Easy25, Self::Easy, Self::Medium, Self::All, Self::Steady];

    /// As the fleet file writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Easy5 => "easy-5",
            Self::Easy25 => "easy-25",
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::All => "all",
            Self::Steady => "steady",
        }
    }
}

/// The price of the reference, currency units per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Per million prompt tokens.
    pub input: f64,
    /// Per million completion tokens.
    pub output: f64,
}

/// An entry of [shadow].
#[derive(Clone, Debug, PartialEq)]
pub struct Shadow {
    /// Its key in [shadow].
    pub name: ShadowName,
    /// The slot that is calibrated.
    pub slot: SlotName,
    /// The model that it is held against.
    pub reference: Reference,
    /// JSON pointer of the score in an answer.
    pub score: String,
    /// JSON pointer of the tier in an answer.
    pub tier: String,
    /// The tiers, best first.
    pub tiers: Vec<String>,
    /// The tiers of the first rungs.
    pub easy: Vec<String>,
    /// What must be reached.
    pub require: Requirements,
    /// How far it has come; written by `shadow promote` and `demote`.
    pub rung: Rung,
    /// Whether inputs and answers themselves are stored.
    pub keep_text: bool,
    /// For the running cost.
    pub price: Option<Price>,
    /// Whether the gateway copies live requests to the other side.
    pub mirror: bool,
}

impl Keyed for Shadow {
    fn key(&self) -> &str {
        self.name.as_str()
    }
}
