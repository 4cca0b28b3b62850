//! `fleetctl explain CODE | --list`

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A code, as printed with each problem
    #[arg(required_unless_present = "list", conflicts_with = "list")]
    pub(crate) code: Option<String>,
    /// List every code
    #[arg(long)]
    pub(crate) list: bool,
}
