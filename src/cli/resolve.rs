//! `fleetctl resolve SLOT`

use clap::{ArgGroup, Args};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("form"))]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a command line")]
pub(crate) struct ResolveArgs {
    /// The slot
    pub(crate) slot: String,
    /// Tell of every candidate
    #[arg(long, group = "form")]
    pub(crate) explain: bool,
    /// Print exports for a shell: eval "$(fleetctl resolve SLOT --env)"
    #[arg(long, group = "form", conflicts_with = "json")]
    pub(crate) env: bool,
    /// Print a curl command that asks it
    #[arg(long, group = "form", conflicts_with = "json")]
    pub(crate) curl: bool,
    /// By the windows of this time: HH:MM today in the fleet's zone, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// An item of the slot's work: who answers it, the fleet or the reference of the slot's calibration
    #[arg(long, value_name = "ID")]
    pub(crate) item: Option<String>,
    /// The tier that the local model gave the item
    #[arg(long, value_name = "TIER", requires = "item")]
    pub(crate) verdict: Option<String>,
    /// Ask no machine: every one is taken as up, with the residents of that time loaded
    #[arg(long)]
    pub(crate) offline: bool,
}
