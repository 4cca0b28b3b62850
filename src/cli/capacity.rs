//! `fleetctl capacity`

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct CapacityArgs {
    /// Ask the machines: by the sizes and config.json of their own files, their memory and their limits
    #[arg(long)]
    pub(crate) measured: bool,
}
