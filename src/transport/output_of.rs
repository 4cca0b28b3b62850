//! What a program of the operator's prints: a password manager that is asked for a secret.

use std::io;
use std::process::Stdio;
use std::time::Duration;

/// Longest output that is taken: a secret is shorter.
const LIMIT: usize = 64 << 10;
/// Longest answer of a tool: `tailscale status --json` has about 1.5 kB a peer.
const LONG: usize = 16 << 20;

/// Runs an argv with our terminal for its questions and takes its standard output. Errors: it cannot be started, ends unsuccessfully, says more than
/// 64 KiB, or takes longer than `timeout`; then it is killed. No error holds a byte of what it said.
pub async fn output_of(argv: &[String], timeout: Duration) -> io::Result<Vec<u8>> {
    output(argv, timeout, LIMIT).await
}

/// As [`output_of`], for a tool that says much: up to 16 MiB.
pub async fn long_output_of(argv: &[String], timeout: Duration) -> io::Result<Vec<u8>> {
    output(argv, timeout, LONG).await
}

async fn output(argv: &[String], timeout: Duration, limit: usize) -> io::Result<Vec<u8>> {
    let (program, arguments) =
        argv.split_first().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "an empty command"))?;
    #[expect(clippy::disallowed_methods, reason = "transport is the door to processes")]
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdout(Stdio::piped()).kill_on_drop(true);
    let output = tokio::time::timeout(timeout, command.output())
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, format!("no end within {} s", timeout.as_secs())))??;
    if !output.status.success() {
        return Err(io::Error::other(format!("it ended with {}", output.status)));
    }
    if output.stdout.len() > limit {
        return Err(io::Error::other(format!("it said more than {} KiB", limit >> 10)));
    }
    Ok(output.stdout)
}
