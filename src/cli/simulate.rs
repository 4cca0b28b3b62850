//! `fleetctl simulate --down SELECTOR… | --each`

use clap::{ArgGroup, Args};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub(crate) struct SimulateArgs {
    /// These machines are gone: names, globs or tier:LABEL; repeatable, or comma-separated
    #[arg(long, value_name = "SELECTOR", value_delimiter = ',', num_args = 1.., group = "what")]
    pub(crate) down: Vec<String>,
    /// Every single machine is gone in turn, the worst first
    #[arg(long, group = "what")]
    pub(crate) each: bool,
    /// At this time: HH:MM today in the fleet's zone, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}
