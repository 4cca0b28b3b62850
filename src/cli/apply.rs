//! `fleetctl apply`, `history`, `rollback`, `remove`

use std::path::PathBuf;

use clap::Args;

/// How a change is carried out, the same for every verb that makes one.
#[derive(Debug, Args)]
pub(crate) struct CarryOutArgs {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// How long to wait until a machine is idle; then it is postponed
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub(crate) drain: String,
    /// Go on when a machine is not idle by then: requests are cut
    #[arg(long)]
    pub(crate) force: bool,
    /// Do not wait for health, and do not revert for lack of it
    #[arg(long)]
    pub(crate) no_gate: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// A plan that `plan --out` saved: it is carried out only if it still holds
    #[arg(value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// Change so many machines before the next ones, as 1,25%,100%
    #[arg(long, value_name = "SIZES")]
    pub(crate) wave: Option<String>,
    /// When a machine fails, take back what the others did
    #[arg(long)]
    pub(crate) all_or_nothing: bool,
    /// Apply although what runs is newer than this fleet file
    #[arg(long)]
    pub(crate) allow_older: bool,
    #[command(flatten)]
    pub(crate) carry_out: CarryOutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The machine
    pub(crate) machine: String,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The machine
    pub(crate) machine: String,
    /// The generation to go back to; default: the one before the present
    pub(crate) generation: Option<u32>,
    #[command(flatten)]
    pub(crate) carry_out: CarryOutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The machine; one that the fleet file does not name any more needs --user, and --address where its name alone does not lead to it
    pub(crate) machine: String,
    /// For a machine that the file does not name: who logs in there
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// For a machine that the file does not name: its address
    #[arg(long)]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) carry_out: CarryOutArgs,
}
