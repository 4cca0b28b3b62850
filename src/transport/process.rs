//! The one place that starts a process on the laptop.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::process::Command;

/// A child of ours: in a process group of its own, so that Ctrl-C reaches fleetctl alone, and killed when nobody waits for it any more.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "this is the door that the rule points to")]
    let mut command = Command::new(program);
    command.process_group(0).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
