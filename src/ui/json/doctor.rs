//! `fleetctl doctor --json`: `fleetctl.doctor/1`.

use serde::Serialize;

/// What keeps each machine from working.
#[derive(Debug, Serialize)]
pub struct DoctorDocument {
    /// The shape's name.
    pub schema: &'static str,
    /// In the order of the file.
    pub machines: Vec<ExaminedMachine>,
}

/// One machine.
#[derive(Debug, Serialize)]
pub struct ExaminedMachine {
    /// Its name.
    pub name: String,
    /// The gravest first.
    pub findings: Vec<FindingEntry>,
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct FindingEntry {
    /// A code of the catalogue.
    pub code: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// What is wrong; begins with the machine's name.
    pub message: String,
    /// A command to copy, for the operator's own shell.
    pub mend: Option<String>,
    /// What else may be done; for people.
    #[serde(skip)]
    pub hints: Vec<String>,
}
