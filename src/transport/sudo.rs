//! The one command that fleetctl runs as root.

/// The one command under `sudo -n`, the same everywhere: a POSIX shell that reads a script on standard input. `-H` because macOS's sudoers keeps the caller's HOME.
pub const COMMAND: &str = "/usr/bin/sudo -n -H /bin/sh -s";

/// The line that allows it to a login user, for `/etc/sudoers.d/fleetctl` (root:wheel 0440; `visudo -cf` checks it).
pub fn line(user: &str) -> String {
    format!("{user} ALL=(root) NOPASSWD: /bin/sh -s")
}
