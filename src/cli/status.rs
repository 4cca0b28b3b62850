//! `fleetctl status`

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Look again every SECS seconds (5 without a number) until Ctrl-C
    #[arg(long, value_name = "SECS", num_args = 0..=1, default_missing_value = "5")]
    pub(crate) watch: Option<String>,
    /// Write a self-contained page there; with --watch again and again
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(crate) html: Option<PathBuf>,
    /// Print metrics in Prometheus' text format
    #[arg(long, conflicts_with_all = ["json", "html", "watch"])]
    pub(crate) prometheus: bool,
    /// Exit 5 on drift, on an alert of severity error, or when a slot is not ok
    #[arg(long)]
    pub(crate) exit_code: bool,
}
