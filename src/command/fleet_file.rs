//! The fleet file as every verb gets it: read, checked, its problems shown.

use std::path::PathBuf;

use super::Context;
use crate::config::{self, Loaded};
use crate::diagnostic::{Code, Problem, Severity};
use crate::error::{CommandError, Kind};
use crate::exit::Exit;
use crate::fleet::Fleet;
use crate::fs;
use crate::ui::{plural, render_problems, summarize_problems};

/// A fleet file is text that people write; the example has 11 kB, a thousand machines have a few hundred.
pub(super) const LIMIT: u64 = 1 << 20;

/// The file cannot be read.
pub(super) static UNREADABLE: Code = Code {
    id: "unreadable-file",
    severity: Severity::Error,
    title: "the fleet file cannot be read",
    explanation: "The file is not there, is a directory, may not be read, is not UTF-8, or is longer than 1 MiB (no fleet file is; it \
                  is probably another file).\n\nThe file is ./fleet.toml unless -f names another. `fleetctl init` writes a first one.",
};

/// A sound fleet file.
pub(crate) struct FleetFile {
    /// What it declares.
    pub(crate) fleet: Fleet,
    /// The file, as the operator named it.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// Warnings and notes.
    pub(crate) problems: Vec<Problem>,
}

impl Context {
    /// The fleet file for a verb that needs a sound one. Errors: its problems were shown on standard error; exit code 3.
    pub(crate) fn load_fleet(&self) -> Result<FleetFile, CommandError> {
        let loaded = self.check_fleet();
        let path = self.global.file.clone();
        let summary = summarize_problems(loaded.source.path(), &loaded.problems);
        let text = loaded.source.text().to_owned();
        if let Some(fleet) = loaded.fleet {
            return Ok(FleetFile { fleet, path, text, problems: loaded.problems });
        }
        let (width, color) = (self.ui.width(), self.ui.colors_commentary());
        self.ui.commentary(&render_problems(&loaded.source, &loaded.problems, width, color));
        let summary = summary.unwrap_or_else(|| "the fleet file is invalid".to_owned());
        Err(CommandError::new(Kind::InvalidFleet, summary))
    }

    /// What is sound of the fleet file, for a verb that answers without machines also when the file has errors, because its answer explains them. The errors are
    /// shown first, and the exit code is theirs. Errors: nothing is sound.
    pub(super) fn load_sound_part(&self) -> Result<(Fleet, Exit), CommandError> {
        let loaded = self.check_fleet();
        if let Some(fleet) = loaded.fleet {
            return Ok((fleet, Exit::Done));
        }
        let Some(fleet) = loaded.sound.filter(|fleet| !fleet.machines.is_empty()) else {
            return self.load_fleet().map(|file| (file.fleet, Exit::Done));
        };
        let (width, color) = (self.ui.width(), self.ui.colors_commentary());
        let is_error = |problem: &&Problem| problem.severity() == Severity::Error;
        let errors: Vec<Problem> = loaded.problems.iter().filter(is_error).cloned().collect();
        self.ui.commentary(&render_problems(&loaded.source, &errors, width, color));
        if let Some(summary) = summarize_problems(loaded.source.path(), &errors) {
            self.ui.warn(&format!("{summary}; the answer is for what is sound of it"));
        }
        Ok((fleet, Exit::InvalidFleet))
    }

    /// Says on standard error how many warnings the file has; `check` is the verb that shows them.
    pub(crate) fn show_warnings(&self, file: &FleetFile) {
        let count = file.problems.iter().filter(|problem| problem.severity() == Severity::Warning).count();
        if count > 0 {
            let warnings = plural(count, "warning");
            self.ui.status(&format!("{}: {warnings}; `fleetctl check` shows them", file.path.display()));
        }
    }

    /// A text as a fleet file. `named`: its name for the operator.
    pub(super) fn loaded(&self, named: &str, text: &str) -> Loaded {
        self.problems_to_copy(config::load(named, text))
    }

    /// Command lines in what is said of the file, as they are to be copied.
    fn problems_to_copy(&self, mut loaded: Loaded) -> Loaded {
        let helps = loaded.problems.iter_mut().filter_map(|problem| problem.help.as_mut());
        helps.for_each(|help| self.ui.commands().mend(help));
        loaded
    }

    /// The fleet file with everything that is to be said of it; a file that cannot be read is a problem too.
    pub(super) fn check_fleet(&self) -> Loaded {
        let path = &self.global.file;
        let named = path.display().to_string();
        match fs::read_text(path, LIMIT) {
            Ok(text) => self.loaded(&named, &text),
            Err(error) => {
                let why = match error.kind() {
                    std::io::ErrorKind::NotFound => format!("there is no file {named}"),
                    std::io::ErrorKind::IsADirectory => format!("{named} is a directory"),
                    std::io::ErrorKind::PermissionDenied => format!("{named} may not be read"),
                    std::io::ErrorKind::InvalidData => error.to_string(),
                    _ => format!("cannot read {named}: {error}"),
                };
                let mut problem = Problem::general(&UNREADABLE, why);
                if error.kind() == std::io::ErrorKind::NotFound {
                    problem = problem.help("-f names another file; `fleetctl init` writes a first one");
                }
                let source = config::Source::new(named, "");
                self.problems_to_copy(Loaded { fleet: None, sound: None, problems: vec![problem], source })
            }
        }
    }
}
