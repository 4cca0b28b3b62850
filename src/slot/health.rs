//! What is known of one machine, as far as slots care.

use std::collections::BTreeSet;

/// Whether a machine's oMLX can be talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It answers.
    Up,
    /// Nothing answers at its address: refused, no route, no such name. With what came back.
    Unreachable(String),
    /// It takes connections and gives no sound answer: a time-out, a 500, garbage. With what came back.
    Unresponsive(String),
}

/// One machine's health. What was not observed is `None` and rejects nobody: an unknown is no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineHealth {
    /// Whether it can be talked to.
    pub reach: Reach,
    /// Whether it accepts our key: 401 and 403 are a fault of configuration, never of the machine.
    pub authorized: bool,
    /// Whether its breaker is open (the resolver service's only).
    pub breaker_open: bool,
    /// The names that it knows.
    pub listed: Option<BTreeSet<String>>,
    /// The names that are loaded or loading.
    pub loaded: Option<BTreeSet<String>>,
    /// Names that run under another profile than declared.
    pub stale: BTreeSet<String>,
    /// Requests in work.
    pub running: Option<u32>,
    /// Requests in its queue.
    pub waiting: Option<u32>,
    /// Whether its oMLX was stopped by hand.
    pub held: bool,
    /// Names that were unloaded by hand.
    pub held_names: BTreeSet<String>,
}

impl MachineHealth {
    /// A machine that answers, and of which nothing else is known.
    pub fn up() -> Self {
        Self {
            reach: Reach::Up,
            authorized: true,
            breaker_open: false,
            listed: None,
            loaded: None,
            stale: BTreeSet::new(),
            running: None,
            waiting: None,
            held: false,
            held_names: BTreeSet::new(),
        }
    }

    /// A machine at whose address nothing answers.
    pub fn unreachable(detail: impl Into<String>) -> Self {
        Self { reach: Reach::Unreachable(detail.into()), ..Self::up() }
    }

    /// A machine that gives no sound answer.
    pub fn unresponsive(detail: impl Into<String>) -> Self {
        Self { reach: Reach::Unresponsive(detail.into()), ..Self::up() }
    }

    /// Requests in work and in the queue; unknown counts as none.
    pub fn in_flight(&self) -> u32 {
        self.running.unwrap_or(0).saturating_add(self.waiting.unwrap_or(0))
    }
}
