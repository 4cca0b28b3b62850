//! `fleetctl schedule`

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    /// From this time on: HH:MM today in the fleet's zone, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// So many calendar days of the fleet's zone, to the same time of day, which is excluded
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=366))]
    pub(crate) days: u16,
}
