//! `load`, `unload`, `start`, `stop`, `restart` with `--json`: `fleetctl.VERB/1`. Text and JSON are made of the same value.

use serde::Serialize;

use crate::ui::{Palette, sanitize};

/// The document.
#[derive(Debug, Serialize)]
pub struct HandDocument {
    schema: String,
    machines: Vec<HandEntry>,
    exit: u8,
}

/// One machine.
#[derive(Debug, Serialize)]
pub struct HandEntry {
    name: String,
    result: &'static str,
    detail: Option<String>,
}

impl HandEntry {
    /// `result`: `done`, `unchanged`, `refused`, `postponed`, `unreachable` or `failed`.
    pub fn new(name: &str, result: &'static str, detail: Option<String>) -> Self {
        Self { name: name.to_owned(), result, detail }
    }
}

impl HandDocument {
    /// Machines in the order of declaration.
    pub fn new(verb: &str, machines: Vec<HandEntry>, exit: u8) -> Self {
        Self { schema: format!("fleetctl.{verb}/1"), machines, exit }
    }

    /// A line a machine.
    pub fn text(&self, palette: Palette) -> String {
        let width = self.machines.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
        let line = |entry: &HandEntry| {
            let result = match entry.result {
                "done" => palette.good("done"),
                "unchanged" => palette.dim("unchanged"),
                "postponed" => palette.warn("postponed"),
                other => palette.bad(other),
            };
            let detail = entry.detail.as_deref().map_or(String::new(), |detail| format!(": {}", sanitize(detail)));
            format!("{:width$}  {result}{detail}\n", entry.name)
        };
        self.machines.iter().map(line).collect()
    }
}
