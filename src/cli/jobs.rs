//! `fleetctl jobs [run NAME | log NAME]`

use clap::{Args, Subcommand};

use super::TailArgs;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    pub(crate) action: Option<JobsAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsAction {
    /// Start a job now, on its machines or on those of --on
    Run(JobsRunArgs),
    /// Show a job's log
    Log(JobsLogArgs),
}

#[derive(Debug, Args)]
pub(crate) struct JobsRunArgs {
    /// The job
    pub(crate) name: String,
    /// Show what it prints until it has ended; Ctrl-C leaves it running
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct JobsLogArgs {
    /// The job
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) tail: TailArgs,
}
