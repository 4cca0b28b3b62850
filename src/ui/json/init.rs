//! `fleetctl init --json`: `fleetctl.init/1`.

use serde::Serialize;

/// The document.
#[derive(Debug, Serialize)]
pub struct InitDocument {
    schema: &'static str,
    /// The file that was written.
    file: String,
    /// The machines in it.
    machines: Vec<String>,
    /// What `check` still finds wrong in it.
    errors: usize,
}

impl InitDocument {
    /// What was written.
    pub fn new(file: String, machines: Vec<String>, errors: usize) -> Self {
        Self { schema: "fleetctl.init/1", file, machines, errors }
    }
}
