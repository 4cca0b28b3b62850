//! `fleetctl status`

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Look again every SECS seconds (5 without a number) until Ctrl-C
    #[arg(long, value_name = "SECS", num_args = 0..=1, default_missing_value = "5")]
    pub(crate) watch: Option<String>,
    /// Exit 5 on drift, on an alert of severity error, or when a slot is not ok
    #[arg(long)]
    pub(crate) exit_code: bool,
}
