//! `fleetctl bench [SLOT|NAME…]`

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Slots or served names; without one, every slot. A slot stands for the first rank of its route now
    #[arg(value_name = "SLOT")]
    pub(crate) names: Vec<String>,
    /// Runs that count; one more goes before them and is discarded
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(5..=50))]
    pub(crate) runs: u8,
    /// Beside one request alone, so many at once; 1: only the one. Names that run DFlash answer one at a time and are asked so
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) concurrent: u8,
    /// Tokens of an answer
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(8..=8192))]
    pub(crate) tokens: u32,
    /// Words of the prompt; a token has about three quarters of one
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(16..=200_000))]
    pub(crate) words: u32,
    /// Texts of one request for vectors
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) vectors: u8,
    /// Measure, then exit 5 when an expectation of the fleet file is missed or the speed dropped against this machine's own history
    #[arg(long)]
    pub(crate) check: bool,
    /// Measure nothing: plot what was measured before
    #[arg(long, conflicts_with = "check")]
    pub(crate) history: bool,
    /// Also write a page with charts
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}
