//! Environment files (STATE/env/UNIT): assignments that a POSIX shell reads, one a line.

use super::{Encoding, Placeholder, Text};

/// The assignments of one unit.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment(Text);

impl Environment {
    /// With a variable. `name` is one that a shell may assign (the fleet file's are checked).
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.push(name);
        self.0.push("=");
        self.0.push_word(value);
        self.0.push("\n");
    }

    /// With a variable that holds what render cannot know.
    pub(super) fn set_hole(&mut self, name: &str, placeholder: Placeholder) {
        self.0.push(name);
        self.0.push("=");
        self.0.push_hole(placeholder, Encoding::ShellWord);
        self.0.push("\n");
    }

    /// The file; `None` when nothing is in it.
    pub(super) fn into_text(self) -> Option<Text> {
        (self.0 != Text::default()).then_some(self.0)
    }
}
