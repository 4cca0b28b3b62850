//! What a probe asks of one machine.

use std::time::Duration;

/// When a file's text is brought back besides its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Always: it is read, not only compared.
    Always,
    /// When its SHA-256 (hex) is not this one: then a diff is shown.
    Unless(String),
    /// Never: it holds a secret, or nobody reads it.
    Never,
}

/// A path and what is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskFile {
    /// Absolute.
    pub path: String,
    /// Its text.
    pub contents: Contents,
    /// Whether only root or another user than the login user may read it: then it is also asked for under sudo.
    pub private: bool,
}

/// What is asked. Everything else (hardware, memory, launchd, oMLX) is always asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Files and links, declared ones and those of fleetctl's own state.
    pub files: Vec<AskFile>,
    /// launchd labels besides those whose plist is found.
    pub labels: Vec<String>,
    /// TCP ports of our units, oMLX's first.
    pub ports: Vec<u16>,
    /// Absolute paths of the weights that are declared for the machine.
    pub weights: Vec<String>,
    /// The directory of the weights: its volume's free space.
    pub weights_directory: String,
    /// oMLX's base path.
    pub base: String,
    /// oMLX's program.
    pub program: String,
    /// Programs of other daemons that must be there for them.
    pub programs: Vec<String>,
    /// Where oMLX is declared to answer, as seen from the machine: `http://127.0.0.1:8000`.
    pub url: String,
    /// Whether the machine's own tailnet address is wanted.
    pub tailnet_ip: bool,
    /// Whether doctor asks: power, FileVault, updates, Homebrew, tailscale's own state.
    pub checkup: bool,
    /// For all of it.
    pub within: Duration,
}
