//! `fleetctl jobs [run NAME | log NAME]`

use clap::{Args, Subcommand};

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
    /// Go on with what comes, until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// The fleet file; `-f` behind `log` means --follow
    // Under the global option's own id, as with `logs`.
    #[arg(id = "file", long = "file", value_name = "FILE", help_heading = "Global options")]
    pub(crate) fleet_file: Option<std::path::PathBuf>,
    /// So many of its last lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub(crate) lines: u32,
}
