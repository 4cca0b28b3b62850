//! A slot: what an application asks for.

use std::time::Duration;

use super::{Keyed, MachineName, ServedName, SlotName};

/// One entry of a route: a served name on a set of machines, in the order in which they are candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// The served name.
    pub served: ServedName,
    /// Its candidates' machines.
    pub machines: Vec<MachineName>,
}

/// How the candidates of one rank share the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// The first that can.
    #[default]
    First,
    /// Each in turn.
    RoundRobin,
    /// The one with the fewest running and waiting requests.
    LeastBusy,
}

impl Balance {
    /// All values.
    pub const ALL: [Self; 3] = [Self::First, Self::RoundRobin, Self::LeastBusy];

    /// As the fleet file writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::RoundRobin => "round-robin",
            Self::LeastBusy => "least-busy",
        }
    }
}

/// When the next rank is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spill {
    /// Only when no machine of this rank can be reached.
    #[default]
    Unreachable,
    /// Already when all of this rank are full.
    Saturated,
}

impl Spill {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Unreachable, Self::Saturated];

    /// As the fleet file writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Saturated => "saturated",
        }
    }
}

/// What a slot's work is, by the kind of its models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// Chat and text completion (llm and vlm).
    Chat,
    /// Embeddings.
    Embedding,
    /// Reranking.
    Reranking,
}

/// What a slot must reach: `bench --check` and an alert of status hold it to this.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expectation {
    /// Decode speed of one request, tokens per second, at least.
    pub decode_tps: Option<f64>,
    /// Prefill speed, tokens per second, at least.
    pub prefill_tps: Option<f64>,
    /// Time to the first token, at most.
    pub ttft: Option<Duration>,
}

/// An entry of [slots].
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Its key in [slots].
    pub name: SlotName,
    /// What its work is.
    pub kind: SlotKind,
    /// The order of preference outside every window that rebinds it.
    pub route: Vec<Rank>,
    /// How one rank shares the work.
    pub balance: Balance,
    /// When the next rank is asked.
    pub spill: Spill,
    /// For the whole request.
    pub timeout: Option<Duration>,
    /// Whether its inputs may leave the fleet.
    pub allow_cloud: bool,
    /// What it must reach while its own route is in force.
    pub expect: Expectation,
}

impl Keyed for Slot {
    fn key(&self) -> &str {
        self.name.as_str()
    }
}
