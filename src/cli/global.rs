//! Options that every verb takes (cli.md, Rules for every verb).

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Also into files and pipes
    Always,
    /// Nowhere
    Never,
}

/// What an unreachable machine means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnUnreachable {
    /// It counts as failed
    #[default]
    Fail,
    /// It counts as absent
    Skip,
}

/// Where the fleet file is looked for without `-f`.
pub(crate) const FLEET_FILE: &str = "fleet.toml";

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a command line")]
pub(crate) struct GlobalArgs {
    /// The fleet file
    #[arg(short = 'f', long = "file", value_name = "FILE", default_value = FLEET_FILE, global = true)]
    pub(crate) file: PathBuf,
    /// Only these machines: a name, a glob, or tier:LABEL; repeatable, or comma-separated
    #[arg(long, value_name = "SELECTOR", value_delimiter = ',', global = true)]
    pub(crate) on: Vec<String>,
    /// Print one JSON document on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say less: the answer and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// When to colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true, hide_possible_values = true)]
    pub(crate) color: ColorWhen,
    /// Machines at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..), global = true)]
    pub(crate) parallel: u16,
    /// For reaching and probing one machine
    #[arg(long, value_name = "DURATION", default_value = "20s", global = true)]
    pub(crate) timeout: String,
    /// What an unreachable machine means: fail or skip
    #[arg(long, value_enum, value_name = "WHAT", default_value_t, global = true, hide_possible_values = true)]
    pub(crate) unreachable: OnUnreachable,
    /// At a first contact, add a machine's SSH host key to `known_hosts` (a changed key is never accepted)
    #[arg(long, global = true)]
    pub(crate) accept_new: bool,
}
