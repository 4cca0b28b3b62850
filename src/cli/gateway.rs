//! `fleetctl gateway render`

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct GatewayArgs {
    #[command(subcommand)]
    pub(crate) command: GatewayCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
    /// Print the router's configuration, with a warning for each semantic of the slots that it cannot express
    Render(GatewayRenderArgs),
}

/// A router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GatewayEngineName {
    /// LiteLLM's proxy
    Litellm,
}

#[derive(Debug, Args)]
pub(crate) struct GatewayRenderArgs {
    /// The router; without it [gateway].engine
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) engine: Option<GatewayEngineName>,
    /// By the windows of this time: HH:MM today in the fleet's zone, or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}
