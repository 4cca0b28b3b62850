//! What an ssh master writes while it connects, at `LogLevel DEBUG1` (OpenSSH's sshconnect.c): how far it came, and its own words for a person.

use std::path::Path;

use super::error::Attempt;
use crate::fs;

/// What an ssh master wrote down with `-E`; empty where it wrote nothing.
pub(super) fn read(log: &Path) -> String {
    fs::read_bytes(log, 1 << 20).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Whether the address took the TCP connection, whatever came of it.
pub(super) fn has_tcp(log: &str) -> bool {
    log.contains("Connection established")
}

/// ssh's words without its debugging: what an operator would have seen.
pub(super) fn said(log: &str) -> Vec<String> {
    let noise =
        ["debug1: ", "debug2: ", "OpenSSH_", "Authenticated to ", "Connection to ", "Warning: Permanently added"];
    log.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('@') && !noise.iter().any(|noise| line.starts_with(noise)))
        .map(str::to_owned)
        .collect()
}

/// Completes an attempt with what ssh says that it dialled: the operator's configuration may decide the port.
pub(super) fn completed_by(log: &str, mut attempt: Attempt) -> Attempt {
    // "debug1: Connecting to HOST [ADDRESS] port N."
    let line = log.lines().find_map(|line| line.strip_prefix("debug1: Connecting to "));
    let port = line.and_then(|line| line.trim_end().trim_end_matches('.').rsplit(' ').next());
    attempt.port = port.and_then(|port| port.parse().ok()).or(attempt.port);
    attempt
}
