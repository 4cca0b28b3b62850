//! Names: keys of tables, and references to them.

use std::ops::Range;

use super::values::{Problems, quoted};
use crate::config::node::Spanned;
use crate::config::read::Map;
use crate::config::suggest;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::NameError;

/// A key that is no name.
pub(crate) static INVALID_NAME: Code = Code {
    id: "invalid-name",
    severity: Severity::Error,
    title: "a name that does not follow the rule of its kind",
    explanation: "Keys of [machines], [models], [profiles], [slots], [schedules], [jobs], [shadow] and `tier` labels match \
                  [a-z0-9][a-z0-9_-]{0,31}; keys of [serve] match [A-Za-z0-9][A-Za-z0-9._-]{0,95}, from \
                  oMLX 0.5.0 on also NAME:PROFILE (see exposed-profile). Names end up in shells, paths, \
                  launchd labels, host names and model ids; this rule is what all of them take. (oMLX 0.3.8 has the same rule for \
                  the names of profiles.)",
};

/// A reference to nothing.
pub(crate) static UNKNOWN_REFERENCE: Code = Code {
    id: "unknown-reference",
    severity: Severity::Error,
    title: "a name that is declared nowhere",
    explanation: "The value names a machine, a model, a profile, a served name or a slot that the file does not declare. The help \
                  names the one that is most like it.",
};

/// Two served names that differ only in case.
pub(crate) static SAME_NAME: Code = Code {
    id: "ambiguous-name",
    severity: Severity::Error,
    title: "two served names that differ only in case",
    explanation: "Served names become names of links; the usual file system of a Mac does not tell upper and lower case apart, so \
                  two of them would be one.",
};

pub(crate) static CODES: [&Code; 3] = [&INVALID_NAME, &UNKNOWN_REFERENCE, &SAME_NAME];

/// The name of a key.
pub(crate) fn name<N>(
    text: &str,
    span: &Range<usize>,
    what: &str,
    make: impl FnOnce(String) -> Result<N, NameError>,
    problems: &mut Problems,
) -> Option<N> {
    match make(text.to_owned()) {
        Ok(name) => Some(name),
        Err(error) => {
            let problem = Problem::at(&INVALID_NAME, span.clone(), format!("{} cannot name {what}", quoted(text)))
                .label(error.to_string());
            let plain: String = text
                .to_lowercase()
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
                .take(32)
                .collect::<String>()
                .trim_matches(['-', '_'])
                .to_owned();
            problems.push(if plain.chars().any(|c| c.is_ascii_alphanumeric()) {
                problem.help(format!("for example \"{plain}\""))
            } else {
                problem
            });
            None
        }
    }
}

/// A reference to a key of a table: `Some` when it is declared, sound or not.
pub(crate) fn reference<'a, T>(
    leaf: Option<&'a Spanned<String>>,
    table: &Map<T>,
    what: &str,
    problems: &mut Problems,
) -> Option<&'a str> {
    let leaf = leaf?;
    if table.contains(&leaf.value) {
        return Some(&leaf.value);
    }
    problems.push(unknown(&leaf.value, &leaf.span, table.names(), what));
    None
}

/// Says that a name is declared nowhere.
pub(crate) fn unknown<'a>(
    written: &str,
    span: &Range<usize>,
    known: impl Iterator<Item = &'a str> + Clone,
    what: &str,
) -> Problem {
    let problem = Problem::at(&UNKNOWN_REFERENCE, span.clone(), format!("there is no {what} {}", quoted(written)));
    match suggest::help(written, known, "declared are") {
        Some(help) => problem.help(help),
        None => problem.help(format!("the file declares no {what}")),
    }
}
