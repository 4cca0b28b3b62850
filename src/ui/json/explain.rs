//! `fleetctl explain --json`: `fleetctl.explain/1`.

use serde::Serialize;

use crate::diagnostic::Code;

/// `explain --list --json`: every code that a `code` field can hold.
#[derive(Debug, Serialize)]
pub struct ExplainListDocument {
    schema: &'static str,
    codes: Vec<CodeEntry>,
}

#[derive(Debug, Serialize)]
struct CodeEntry {
    code: &'static str,
    severity: &'static str,
    title: &'static str,
}

impl ExplainListDocument {
    /// In the order given.
    pub fn new(codes: &[&'static Code]) -> Self {
        let entry =
            |code: &&'static Code| CodeEntry { code: code.id, severity: code.severity.as_str(), title: code.title };
        Self { schema: "fleetctl.explain/1", codes: codes.iter().map(entry).collect() }
    }
}

/// `explain CODE --json`: one entry whole.
#[derive(Debug, Serialize)]
pub struct ExplainDocument {
    schema: &'static str,
    code: &'static str,
    severity: &'static str,
    title: &'static str,
    explanation: &'static str,
}

impl ExplainDocument {
    /// One code.
    pub fn new(code: &'static Code) -> Self {
        Self {
            schema: "fleetctl.explain/1",
            code: code.id,
            severity: code.severity.as_str(),
            title: code.title,
            explanation: code.explanation,
        }
    }
}
