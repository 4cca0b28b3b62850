//! What earlier decisions leave behind: halts, demotions, and since when a rung stands.

use jiff::{SignedDuration, Timestamp};

use crate::fleet::Rung;
use crate::shadow::{Decision, DecisionKind, Pair};

/// The cool-down after the first demotion by the guard, hours; it doubles with each.
const COOL_DOWN_HOURS: i64 = 24;

/// When this rung was come to. `None`: nothing is recorded of it; a hand wrote it into the fleet file.
pub fn arrived(decisions: &[Decision], rung: Rung) -> Option<Timestamp> {
    decisions.iter().rev().find(|one| one.from != one.to).filter(|one| one.to == rung).map(|one| one.at)
}

/// When the guard last demoted this experiment. What was seen before it admits to no rung any more.
pub fn last_demotion(decisions: &[Decision], fingerprint: &str) -> Option<Timestamp> {
    decisions
        .iter()
        .rev()
        .find(|one| one.kind == DecisionKind::Guarded && one.fingerprint == fingerprint)
        .map(|one| one.at)
}

/// The pairs that were complete after a time, in their order; all of them without one. Pairs are dated to the second: those of that very second are
/// left out, so that none counts on both sides.
pub fn pairs_since(mut pairs: Vec<Pair>, since: Option<Timestamp>) -> Vec<Pair> {
    let since = since.map_or(i64::MIN, Timestamp::as_second);
    pairs.retain(|pair| pair.at > since);
    pairs
}

/// What earlier decisions leave behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Frozen: nobody promotes or demotes.
    pub halted: bool,
    /// The guard demoted twice since a person last re-armed it.
    pub needs_rearm: bool,
    /// Until then nobody promotes.
    pub cools_until: Option<Timestamp>,
}

impl Standing {
    /// After these decisions, oldest first. A cool-down begins with each demotion by the guard.
    pub fn of(decisions: &[Decision]) -> Self {
        let mut standing = Self::default();
        let mut demotions = 0_u32;
        for one in decisions {
            match one.kind {
                DecisionKind::Halted => standing.halted = true,
                DecisionKind::Resumed => standing.halted = false,
                DecisionKind::Rearmed => {
                    standing.needs_rearm = false;
                    standing.cools_until = None;
                    demotions = 0;
                }
                DecisionKind::Guarded => {
                    demotions += 1;
                    let hours = COOL_DOWN_HOURS.saturating_mul(1 << demotions.saturating_sub(1).min(10));
                    standing.cools_until = one.at.checked_add(SignedDuration::from_hours(hours)).ok();
                    standing.needs_rearm = demotions >= 2;
                }
                DecisionKind::Promoted | DecisionKind::Demoted | DecisionKind::Looked | DecisionKind::Restarted => {}
            }
        }
        standing
    }
}
