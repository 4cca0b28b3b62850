//! `fleetctl man [VERB]`

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The verb, as in `man apply`; without one, the page of fleetctl itself
    pub(crate) verb: Option<String>,
}
