//! `fleetctl plan`

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Save the plan: `apply FILE` carries out just this one, or refuses
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// End with 5 when there is something to do
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Plan although what runs is newer than this fleet file
    #[arg(long)]
    pub(crate) allow_older: bool,
}
