//! `fleetctl models [sync [NAME] | prune [DIRECTORY…]]`

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) action: Option<ModelsAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsAction {
    /// Copy what a machine needs and lacks: from the hub's mount, or from the hub by rsync over SSH
    Sync(ModelsSyncArgs),
    /// List the weights that nothing on the machine needs; remove those that are named
    Prune(ModelsPruneArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ModelsSyncArgs {
    /// Only these weights: a key of [models]; without it all that the machines need
    pub(crate) name: Option<String>,
    /// Compare SHA-256 of every file with the source, beside the sizes; also of weights that are there already
    #[arg(long)]
    pub(crate) checksum: bool,
    /// Copies at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) transfers: u8,
    /// What must stay free on the machine's disk
    #[arg(long, value_name = "SIZE", default_value = "10GB")]
    pub(crate) keep_free: String,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsPruneArgs {
    /// Directories below [omlx].weights, as the list shows them; without one nothing is removed
    #[arg(value_name = "DIRECTORY")]
    pub(crate) directories: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}
