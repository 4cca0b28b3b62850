//! `fleetctl render --out DIR`

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct RenderArgs {
    /// The directory: DIR/MACHINE/ABSOLUTE-PATH, and DIR/MACHINE/manifest.json
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Compare with DIR and write nothing: exit 5 when anything differs, extra files included
    #[arg(long)]
    pub(crate) check: bool,
}
