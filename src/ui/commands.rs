//! Command lines to copy: one of ours that a hint names works on another fleet file, unless it has the `-f` that this run was called with.

use std::borrow::Cow;

/// How our own command lines are written in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// The fleet file, quoted for a shell; `None` where it is the one that is found without `-f`.
    file: Option<String>,
    /// The verbs that read it.
    verbs: Vec<String>,
}

impl Commands {
    /// With a fleet file, quoted for a shell, for these verbs.
    pub const fn with_file(file: String, verbs: Vec<String>) -> Self {
        Self { file: Some(file), verbs }
    }

    /// The text, in which each command line of ours has the fleet file. `fleetctl` before anything but a verb is a word of the text.
    pub fn in_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        const PROGRAM: &str = "fleetctl ";
        let Some(file) = self.file.as_ref().filter(|_| text.contains(PROGRAM)) else { return Cow::Borrowed(text) };
        let mut told = String::with_capacity(text.len() + file.len());
        let mut rest = text;
        while let Some(at) = rest.find(PROGRAM) {
            let (before, from) = rest.split_at(at);
            let (program, arguments) = from.split_at(PROGRAM.len());
            told.push_str(before);
            told.push_str(program);
            let is_word =
                told.strip_suffix(PROGRAM).is_none_or(|before| before.is_empty() || before.ends_with(is_edge));
            let verb = arguments.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap_or_default();
            if is_word && self.verbs.iter().any(|known| known == verb) {
                told.push_str("-f ");
                told.push_str(file);
                told.push(' ');
            }
            rest = arguments;
        }
        told.push_str(rest);
        Cow::Owned(told)
    }

    /// The same where the text stands.
    pub fn mend(&self, text: &mut String) {
        if let Cow::Owned(told) = self.in_text(text) {
            *text = told;
        }
    }
}

/// What may stand before a command line: nothing of a path or of a longer word.
fn is_edge(c: char) -> bool {
    c.is_whitespace() || matches!(c, '`' | '"' | '\'' | '(')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_has_the_fleet_file_and_a_word_has_not() {
        let commands = Commands::with_file("'my fleet.toml'".to_owned(), vec!["plan".to_owned(), "doctor".to_owned()]);
        for (text, told) in [
            ("fleetctl plan --on mac-a", "fleetctl -f 'my fleet.toml' plan --on mac-a"),
            ("1 change: fleetctl plan", "1 change: fleetctl -f 'my fleet.toml' plan"),
            (
                "`fleetctl doctor a` says how, then `fleetctl plan`",
                "`fleetctl -f 'my fleet.toml' doctor a` says how, then `fleetctl -f 'my fleet.toml' plan`",
            ),
            ("ssh-keygen -R a && fleetctl doctor a", "ssh-keygen -R a && fleetctl -f 'my fleet.toml' doctor a"),
            ("fleetctl owns nothing here", "fleetctl owns nothing here"),
            ("fleetctl plans nothing", "fleetctl plans nothing"),
            ("fleetctl -f other.toml plan", "fleetctl -f other.toml plan"),
            ("the line in /etc/sudoers.d/fleetctl plan", "the line in /etc/sudoers.d/fleetctl plan"),
            ("fleetctl ", "fleetctl "),
        ] {
            assert_eq!(commands.in_text(text), told);
            assert_eq!(Commands::default().in_text(text), text, "without -f");
        }
    }
}
