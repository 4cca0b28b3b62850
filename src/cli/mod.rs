//! What can be typed: clap types, nothing else. Meaning is given to it in `command`.

mod completions;
mod global;

use clap::{Parser, Subcommand};

pub(crate) use completions::CompletionsArgs;
pub(crate) use global::{ColorWhen, GlobalArgs, OnUnreachable};

/// The control plane for a fleet of Apple Silicon Macs that serve language models with oMLX
#[derive(Debug, Parser)]
#[command(name = "fleetctl", version, propagate_version = true, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One variant a verb, in the order of cli.md.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print shell completions
    Completions(CompletionsArgs),
}
