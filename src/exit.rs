//! The exit codes of cli.md, and how the results of several machines become one.

/// A documented exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// No machine succeeded, a local error, or the operator declined.
    Failed = 1,
    /// Usage error; also a prompt needed without a terminal and without `--yes`.
    Usage = 2,
    /// The fleet file is invalid or cannot be read.
    InvalidFleet = 3,
    /// Some machines succeeded, others failed, were refused or were postponed.
    Partial = 4,
    /// Differences found.
    Differences = 5,
    /// Refused, nothing touched.
    Refused = 6,
    /// A health gate failed and the machine was reverted, or could not be.
    GateFailed = 7,
    /// A bug in fleetctl.
    Bug = 70,
    /// Interrupted, after a clean stop.
    Interrupted = 130,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// What became of one machine, as far as the exit code cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MachineOutcome {
    /// Applied, unchanged, answered.
    Succeeded,
    /// Answered, and differs (only where differences count).
    Differs,
    /// Unreachable or failed.
    Failed,
    /// Put off until it is idle.
    Postponed,
    /// Refused, nothing touched.
    Refused,
    /// Its gate failed.
    GateFailed,
    /// Cut short by the operator.
    Interrupted,
    /// A bug showed on this machine.
    Bug,
    /// Unreachable and skipped by `--unreachable skip`: as if absent.
    Absent,
}

/// The exit code over several machines (cli.md, Exit codes, last paragraph).
pub fn over_machines(outcomes: impl IntoIterator<Item = MachineOutcome>) -> Exit {
    use MachineOutcome as O;
    let outcomes: Vec<O> = outcomes.into_iter().filter(|outcome| *outcome != O::Absent).collect();
    let any = |wanted: &[O]| outcomes.iter().any(|outcome| wanted.contains(outcome));
    let succeeded = any(&[O::Succeeded, O::Differs]);
    match () {
        () if any(&[O::Bug]) => Exit::Bug,
        () if any(&[O::Interrupted]) => Exit::Interrupted,
        () if any(&[O::GateFailed]) => Exit::GateFailed,
        () if outcomes.is_empty() => Exit::Failed,
        () if succeeded && any(&[O::Failed, O::Postponed, O::Refused]) => Exit::Partial,
        () if any(&[O::Failed, O::Postponed]) => Exit::Failed,
        () if any(&[O::Refused]) => Exit::Refused,
        () if any(&[O::Differs]) => Exit::Differences,
        () => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::MachineOutcome as O;
    use super::*;

    #[test]
    fn the_table_of_cli_md() {
        for (outcomes, exit) in [
            (vec![], Exit::Failed),
            (vec![O::Absent], Exit::Failed),
            (vec![O::Succeeded, O::Absent], Exit::Done),
            (vec![O::Succeeded, O::Differs], Exit::Differences),
            (vec![O::Succeeded, O::Failed], Exit::Partial),
            (vec![O::Differs, O::Refused], Exit::Partial),
            (vec![O::Postponed, O::Refused], Exit::Failed),
            (vec![O::Refused, O::Refused], Exit::Refused),
            (vec![O::Succeeded, O::Failed, O::GateFailed], Exit::GateFailed),
            (vec![O::GateFailed, O::Interrupted], Exit::Interrupted),
            (vec![O::Bug, O::Interrupted], Exit::Bug),
        ] {
            assert_eq!(over_machines(outcomes.clone()), exit, "{outcomes:?}");
        }
    }
}
