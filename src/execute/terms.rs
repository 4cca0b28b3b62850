//! What the operator decided about a transaction, and who he is.

use std::time::Duration;

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Brings the machine to what the fleet file says.
    Apply,
    /// Goes back to a kept generation.
    Rollback(u32),
    /// Takes everything of ours away.
    Remove,
}

impl Purpose {
    /// As `result.json` and the record say it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Rollback(_) => "rollback",
            Self::Remove => "remove",
        }
    }
}

/// What the operator decided, and who he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The transaction's own word; no two are alike.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// `[fleet].name`
    pub fleet: String,
    /// `user@host` of the laptop.
    pub who: String,
    /// How long to wait until the machine is idle.
    pub drain: Duration,
    /// Whether to go on when it is not idle by then.
    pub force: bool,
    /// Whether health is not asked for.
    pub no_gate: bool,
    /// How many changes the plan shows for this machine.
    pub changes: usize,
    /// What `STATE/record.json` says of this apply; the keys written are added here, the generation's number on the machine.
    pub record: serde_json::Map<String, serde_json::Value>,
}
