//! What every verb is given.

use crate::cli::GlobalArgs;
use crate::clock::Clock;
use crate::env::Env;
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
    /// A command line to copy, with the `-f` that this run was called with.
    pub(crate) fn with_file(&self, line: &str) -> String {
        self.ui.commands().in_text(line).into_owned()
    }
}
