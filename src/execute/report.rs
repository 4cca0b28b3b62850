//! What became of each machine, and what that means for the exit code.

use std::time::Duration;

use crate::exit::{Exit, MachineOutcome, over_machines};
use crate::fleet::MachineName;

/// A machine's result (json.md, `apply`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "json.md's own words")]
pub enum MachineResult {
    Unchanged,
    Applied,
    Reverted,
    RevertFailed,
    Refused,
    Postponed,
    Unreachable,
    Failed,
}

impl MachineResult {
    /// json.md's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Applied => "applied",
            Self::Reverted => "reverted",
            Self::RevertFailed => "revert-failed",
            Self::Refused => "refused",
            Self::Postponed => "postponed",
            Self::Unreachable => "unreachable",
            Self::Failed => "failed",
        }
    }

    /// Whether the machine is as the fleet file says.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Unchanged | Self::Applied)
    }
}

/// One machine of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineReport {
    /// The machine.
    pub machine: MachineName,
    /// How it ended.
    pub result: MachineResult,
    /// The generation that it is in, where known.
    pub generation: Option<u32>,
    /// The generation that it was in before.
    pub previous: Option<u32>,
    /// Why, and what to do.
    pub detail: Option<String>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
    /// The last lines of the daemon's log, when it was reverted.
    pub log: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// How many changes its plan had.
    pub changes: usize,
    /// Whether the operator cut the connection before it ended.
    pub is_interrupted: bool,
    /// Whether it counts as absent (`--unreachable skip`).
    pub is_skipped: bool,
    /// Whether a bug of fleetctl's ended it.
    pub is_bug: bool,
}

impl MachineReport {
    /// A result without more to say.
    pub fn new(machine: &MachineName, result: MachineResult) -> Self {
        Self {
            machine: machine.clone(),
            result,
            generation: None,
            previous: None,
            detail: None,
            notes: Vec::new(),
            log: Vec::new(),
            took: Duration::ZERO,
            changes: 0,
            is_interrupted: false,
            is_skipped: false,
            is_bug: false,
        }
    }

    /// A bug of ours showed on this machine.
    pub fn bug(machine: &MachineName, what: &str) -> Self {
        let detail = format!("a bug in fleetctl: {what}; the machine finishes or reverts by itself");
        Self { is_bug: true, ..Self::new(machine, MachineResult::Failed).because(detail) }
    }

    /// With why.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    fn outcome(&self) -> MachineOutcome {
        use MachineResult as R;
        if self.is_skipped {
            return MachineOutcome::Absent;
        }
        if self.is_bug {
            return MachineOutcome::Bug;
        }
        if self.is_interrupted {
            return MachineOutcome::Interrupted;
        }
        match self.result {
            R::Unchanged | R::Applied => MachineOutcome::Succeeded,
            R::Reverted | R::RevertFailed => MachineOutcome::GateFailed,
            R::Refused => MachineOutcome::Refused,
            R::Postponed => MachineOutcome::Postponed,
            R::Unreachable | R::Failed => MachineOutcome::Failed,
        }
    }
}

/// All machines, in the order of declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One a machine.
    pub machines: Vec<MachineReport>,
    /// Whether the operator stopped it.
    pub is_interrupted: bool,
}

impl Report {
    /// The exit code (cli.md, Exit codes).
    pub fn exit(&self) -> Exit {
        let interrupted = self.is_interrupted.then_some(MachineOutcome::Interrupted);
        over_machines(self.machines.iter().map(MachineReport::outcome).chain(interrupted))
    }
}
