//! `fleetctl init [--probe] [--user NAME]`

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Ask the machines too: chip, memory, oMLX, weights, what they serve
    #[arg(long)]
    pub(crate) probe: bool,
    /// Who logs in to the machines [default: your own name here]
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
}
