//! How the candidates of one rank share the work.

use super::{Candidate, MachineHealth, Snapshot};
use crate::fleet::Balance;

/// Whose turn it is in each rank of a slot: the place that comes next, from 0. A rank without an entry starts at its first.
///
/// The resolver service keeps one a slot; one-shot answers start at the first every time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor(Vec<usize>);

impl Cursor {
    /// The place that comes next in a rank.
    pub fn next(&self, rank: usize) -> usize {
        self.0.get(rank).copied().unwrap_or(0)
    }

    /// Notes that a place of a rank has had its turn.
    pub fn advance(&mut self, rank: usize, place: usize) {
        if self.0.len() <= rank {
            self.0.resize(rank + 1, 0);
        }
        self.0[rank] = place + 1;
    }
}

/// The one of a rank's survivors that takes the request; `None` when there are none.
pub(super) fn pick<'c, 'a>(
    balance: Balance,
    survivors: &'c [Candidate<'a>],
    snapshot: &Snapshot,
    cursor: &Cursor,
) -> Option<&'c Candidate<'a>> {
    let turn = cursor.next(survivors.first()?.rank);
    // By the place in the rank, not in the list of survivors: a machine that comes or goes moves nobody else's turn.
    let in_turn = || {
        let behind = survivors.iter().find(|candidate| candidate.place >= turn);
        behind.or(survivors.first())
    };
    match balance {
        Balance::First => survivors.first(),
        Balance::RoundRobin => in_turn(),
        Balance::LeastBusy => {
            let busy =
                |candidate: &Candidate<'_>| snapshot.of(&candidate.machine.name).map_or(0, MachineHealth::in_flight);
            let least = survivors.iter().map(busy).min()?;
            let ties = || survivors.iter().filter(|candidate| busy(candidate) == least);
            ties().find(|candidate| candidate.place >= turn).or_else(|| ties().next())
        }
    }
}
