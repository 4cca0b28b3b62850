//! What every verb is given.

use crate::cli::{FLEET_FILE, GlobalArgs};
use crate::clock::Clock;
use crate::env::Env;
use crate::transport::quote;
use crate::ui::Ui;

/// The world as a verb sees it: every effect behind a door that a test can replace.
pub(crate) struct Context {
    /// Answers and commentary.
    pub(crate) ui: Ui,
    /// The environment at start.
    pub(crate) env: Env,
    /// The time.
    pub(crate) clock: Clock,
    /// What was typed before or behind the verb.
    pub(crate) global: GlobalArgs,
}

impl Context {
    /// A command line to copy: each `fleetctl` at the start of a command gets the `-f` that this one was called with.
    pub(crate) fn with_file(&self, line: &str) -> String {
        let file = &self.global.file;
        if file == std::path::Path::new(FLEET_FILE) {
            return line.to_owned();
        }
        let ours = format!("fleetctl -f {} ", quote(&file.to_string_lossy()));
        let command = |command: &str| {
            command.strip_prefix("fleetctl ").map_or(command.to_owned(), |rest| format!("{ours}{rest}"))
        };
        line.split(" && ").map(command).collect::<Vec<_>>().join(" && ")
    }
}
