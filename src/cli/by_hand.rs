//! `fleetctl load`, `unload`, `start`, `stop`, `restart`, `logs`

use clap::Args;

/// How long to wait until a machine is idle.
#[derive(Debug, Args)]
pub(crate) struct DrainArgs {
    /// How long to wait until the machine is idle; then it is put off
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub(crate) drain: String,
    /// Go on when it is not idle by then: requests are cut
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// The served name; on all its machines, or on those of --on
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct UnloadArgs {
    /// The served name; on all its machines, or on those of --on
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) drain: DrainArgs,
}

#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    /// The machine
    pub(crate) machine: String,
    /// The daemon: omlx, gateway, resolver, schedule, rotate, gpu-limit or job.NAME
    #[arg(default_value = "omlx")]
    pub(crate) unit: String,
}

#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// The machine
    pub(crate) machine: String,
    /// The daemon: omlx, gateway, resolver, schedule, rotate, gpu-limit or job.NAME
    #[arg(default_value = "omlx")]
    pub(crate) unit: String,
    #[command(flatten)]
    pub(crate) drain: DrainArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The machine
    pub(crate) machine: String,
    /// The daemon: omlx, gateway, resolver, schedule, rotate, gpu-limit, job.NAME, or `server` for oMLX's own log
    #[arg(default_value = "omlx")]
    pub(crate) unit: String,
    #[command(flatten)]
    pub(crate) tail: TailArgs,
}

/// What of a log is shown.
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// Go on with what comes, until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// The fleet file; `-f` means --follow here
    // Under the global option's own id: it takes its place here, where `-f` is another's.
    #[arg(id = "file", long = "file", value_name = "FILE", help_heading = "Global options")]
    pub(crate) fleet_file: Option<std::path::PathBuf>,
    /// So many of its last lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub(crate) lines: u32,
}
