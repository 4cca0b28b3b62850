//! `fleetctl init [--probe]`

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Ask the machines too: chip, memory, oMLX, weights, what they serve
    #[arg(long)]
    pub(crate) probe: bool,
}
