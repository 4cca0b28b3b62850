//! `fleetctl check --json`: `fleetctl.check/1`.

use serde::Serialize;

use crate::config::Source;
use crate::diagnostic::Problem;

/// The document.
#[derive(Debug, Serialize)]
pub struct CheckDocument {
    schema: &'static str,
    problems: Vec<ProblemEntry>,
}

#[derive(Debug, Serialize)]
struct ProblemEntry {
    code: &'static str,
    severity: &'static str,
    message: String,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    help: Option<String>,
}

impl CheckDocument {
    /// The problems of a file in the order given. The end is the place just behind the last character.
    pub fn new(source: &Source, problems: &[Problem]) -> Self {
        let entry = |problem: &Problem| {
            let places = problem.primary.as_ref().map(|label| source.places(&label.span));
            ProblemEntry {
                code: problem.code.id,
                severity: problem.severity().as_str(),
                message: problem.message.clone(),
                line: places.map(|(start, _)| start.line),
                column: places.map(|(start, _)| start.column),
                end_line: places.map(|(_, end)| end.line),
                end_column: places.map(|(_, end)| end.column),
                help: problem.help.clone(),
            }
        };
        Self { schema: "fleetctl.check/1", problems: problems.iter().map(entry).collect() }
    }
}
