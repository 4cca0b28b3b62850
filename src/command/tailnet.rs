//! This computer's own tailscale, asked for the tailnet.

use std::time::Duration;

use crate::observe::{Tailnet, TailnetError, parse_tailnet};
use crate::transport::long_output_of;

/// Where the command may be (macos.md 5.1); the bundle of the app acts as the command line when it is told so.
const PROGRAMS: [&str; 4] = [
    "tailscale",
    "/usr/local/bin/tailscale",
    "/opt/homebrew/bin/tailscale",
    "/Applications/Tailscale.app/Contents/MacOS/Tailscale",
];
/// A local daemon answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no tailnet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoTailnet {
    /// None of the programs could be run, or its daemon does not answer.
    #[error("tailscale cannot be asked on this computer")]
    NotThere,
    /// It answered otherwise.
    #[error(transparent)]
    Said(#[from] TailnetError),
}

/// `tailscale status --json`. Errors: it is not there, does not run, or is not connected.
pub(crate) async fn tailnet() -> Result<Tailnet, NoTailnet> {
    for program in PROGRAMS {
        let argv = ["/usr/bin/env", "TAILSCALE_BE_CLI=1", program, "status", "--json"].map(str::to_owned);
        let Ok(said) = long_output_of(&argv, PATIENCE).await else { continue };
        return Ok(parse_tailnet(&String::from_utf8_lossy(&said))?);
    }
    Err(NoTailnet::NotThere)
}
