//! A process of the operator's own on the terminal: an editor.

use std::io;
use std::process::ExitStatus;

/// Runs a program with our terminal as its own and waits for its end. Errors: it cannot be started.
#[expect(clippy::disallowed_methods, reason = "transport is the door to processes")]
pub fn run_in_foreground(program: &str, arguments: &[&str]) -> io::Result<ExitStatus> {
    std::process::Command::new(program).args(arguments).status()
}
