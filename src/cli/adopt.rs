//! `fleetctl adopt MACHINE`

use clap::Args;

use super::CarryOutArgs;

#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    /// The machine
    pub(crate) machine: String,
    #[command(flatten)]
    pub(crate) carry_out: CarryOutArgs,
}
