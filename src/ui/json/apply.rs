//! `fleetctl.apply/1`; `rollback` and `remove` answer with the same shape under their own names.

use serde::Serialize;

use crate::execute::{MachineReport, Report};

/// The document of `apply --json`.
#[derive(Debug, Serialize)]
pub struct ApplyDocument {
    schema: String,
    machines: Vec<ApplyMachine>,
    exit: u8,
}

#[derive(Debug, Serialize)]
struct ApplyMachine {
    name: String,
    result: &'static str,
    generation: Option<u32>,
    detail: Option<String>,
    seconds: f64,
    changes: usize,
}

impl ApplyDocument {
    /// Of a verb's report.
    pub fn of(verb: &str, report: &Report) -> Self {
        let machines = report.machines.iter().map(|machine| ApplyMachine {
            name: machine.machine.to_string(),
            result: machine.result.as_str(),
            generation: machine.generation,
            detail: detail(machine),
            // Milliseconds are enough, and a document that differs in its ninth digit only is a nuisance.
            seconds: (machine.took.as_secs_f64() * 1000.0).round() / 1000.0,
            changes: machine.changes,
        });
        Self { schema: format!("fleetctl.{verb}/1"), machines: machines.collect(), exit: report.exit().code() }
    }
}

/// Why, what else, and the daemon's last lines: one text.
fn detail(machine: &MachineReport) -> Option<String> {
    let lines: Vec<&str> =
        machine.detail.iter().chain(&machine.notes).chain(&machine.log).map(String::as_str).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
