//! `fleetctl doctor [SELECTOR]`

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Only these machines: a name, a glob, or tier:LABEL; comma-separated. As --on
    #[arg(value_name = "SELECTOR", value_delimiter = ',')]
    pub(crate) selector: Vec<String>,
}
