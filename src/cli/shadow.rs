//! `fleetctl shadow run|import|report|promote|demote|halt|guard NAME`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct ShadowArgs {
    #[command(subcommand)]
    pub(crate) action: ShadowAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ShadowAction {
    /// Send inputs to the reference and to the slot, and keep what both say
    Run(ShadowRunArgs),
    /// Take pairs that an application or the gateway recorded
    Import(ShadowImportArgs),
    /// What the pairs say: measures, verdicts, and what the next rung asks for
    Report(ShadowReportArgs),
    /// One rung up, where the evidence is there: writes `rung` into the fleet file
    Promote(ShadowPromoteArgs),
    /// Down, one rung or to a named one: writes `rung` into the fleet file
    Demote(ShadowDemoteArgs),
    /// Freeze the rung: nobody promotes or demotes, the guard included
    Halt(ShadowHaltArgs),
    /// Demote where the pairs since the last change ask for it; by hand or as a job
    Guard(ShadowGuardArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ShadowRunArgs {
    /// The calibration: a key of [shadow]
    pub(crate) name: String,
    /// The inputs: a line of JSON each, {"id": …, "input": …} or {"id": …, "messages": […]}
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// Pairs at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) concurrency: u8,
    /// Ask the reference twice for this many of the inputs: its agreement with itself
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) repeat: usize,
    /// At most this many new pairs
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct ShadowImportArgs {
    /// The calibration: a key of [shadow]
    pub(crate) name: String,
    /// Recorded pairs, a line of JSON each: ours, or the gateway's log
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShadowMode {
    /// By the intervals: what promotion asks for
    #[default]
    Bound,
    /// By the point estimates on at least the declared pairs: the article's literal rule
    Point,
}

#[derive(Debug, Args)]
pub(crate) struct ShadowReportArgs {
    /// The calibration: a key of [shadow]
    pub(crate) name: String,
    /// Which verdict `--json` gives; the table shows both
    #[arg(long, value_enum, value_name = "MODE", default_value_t)]
    pub(crate) mode: ShadowMode,
    /// Write one self-contained page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// An earlier experiment, by its fingerprint
    #[arg(long, value_name = "ID")]
    pub(crate) fingerprint: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ShadowPromoteArgs {
    /// The calibration: a key of [shadow]
    pub(crate) name: String,
    /// Re-arm it after the guard demoted it twice; promotes nothing
    #[arg(long)]
    pub(crate) rearm: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShadowDemoteArgs {
    /// The calibration: a key of [shadow]
    pub(crate) name: String,
    /// The rung; one below without it
    #[arg(long, value_name = "RUNG")]
    pub(crate) to: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ShadowHaltArgs {
    /// The calibration: a key of [shadow]
    pub(crate) name: String,
    /// End the halt
    #[arg(long)]
    pub(crate) resume: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShadowGuardArgs {
    /// The calibration: a key of [shadow]
    pub(crate) name: String,
}
