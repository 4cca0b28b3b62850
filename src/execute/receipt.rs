//! Receipts on the laptop: what was tried, machine by machine. Written before the first machine is touched and again after each, so that an interrupted or killed
//! run leaves one too. Holds no secret and no content of a file.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::report::{MachineReport, Report};
use crate::fs;

/// A receipt, as it grows.
#[derive(Debug)]
pub struct Receipt {
    path: PathBuf,
    document: Document,
}

/// What is known before anything happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Occasion {
    /// The run's own word; each machine's transaction begins with it.
    pub id: String,
    /// The verb.
    pub verb: String,
    /// `user@host`
    pub who: String,
    /// `[fleet].name`
    pub fleet: String,
    /// The fleet file, as it was named.
    pub file: String,
    /// Its git revision, where it has one.
    pub revision: Option<String>,
    /// SHA-256 over what was planned for all machines.
    pub plan: Option<String>,
    /// When it began, RFC 3339 in UTC.
    pub started: String,
    /// The machines that are to be changed.
    pub machines_planned: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    #[serde(flatten)]
    occasion: Occasion,
    finished: Option<String>,
    exit: Option<u8>,
    machines: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    result: &'static str,
    generation: Option<u32>,
    detail: Option<String>,
    notes: Vec<String>,
    seconds: f64,
    changes: usize,
}

impl From<&MachineReport> for Entry {
    fn from(report: &MachineReport) -> Self {
        Self {
            name: report.machine.to_string(),
            result: report.result.as_str(),
            generation: report.generation,
            detail: report.detail.clone(),
            notes: report.notes.clone(),
            seconds: report.took.as_secs_f64(),
            changes: report.changes,
        }
    }
}

impl Receipt {
    /// Begins one in `STATE/receipts`. Errors: the directory or the file cannot be written.
    pub fn begin(state: &Path, occasion: Occasion) -> std::io::Result<Self> {
        let directory = state.join("receipts");
        fs::create_private_directory(&directory)?;
        let path = directory.join(format!("{}.json", occasion.id));
        let document =
            Document { schema: "fleetctl.receipt/1", occasion, finished: None, exit: None, machines: Vec::new() };
        let receipt = Self { path, document };
        receipt.write()?;
        Ok(receipt)
    }

    /// Adds what became of a machine, or replaces it.
    pub fn add(&mut self, report: &MachineReport) -> std::io::Result<()> {
        let entry = Entry::from(report);
        match self.document.machines.iter_mut().find(|known| known.name == entry.name) {
            Some(known) => *known = entry,
            None => self.document.machines.push(entry),
        }
        self.write()
    }

    /// Ends it.
    pub fn end(&mut self, report: &Report, at: jiff::Timestamp) -> std::io::Result<()> {
        self.document.machines = report.machines.iter().map(Entry::from).collect();
        self.document.finished = Some(at.to_string());
        self.document.exit = Some(report.exit().code());
        self.write()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&self) -> std::io::Result<()> {
        let mut text = serde_json::to_vec_pretty(&self.document).map_err(std::io::Error::other)?;
        text.push(b'\n');
        fs::write_atomic(&self.path, &text, 0o600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::MachineResult;
    use crate::fleet::MachineName;

    #[test]
    fn it_is_there_from_the_beginning_and_grows() {
        let directory = tempfile::tempdir().expect("a directory");
        let occasion = Occasion {
            id: "r1".to_owned(),
            verb: "apply".to_owned(),
            machines_planned: vec!["m".to_owned()],
            ..Occasion::default()
        };
        let mut receipt = Receipt::begin(directory.path(), occasion).expect("begun");
        let read = |receipt: &Receipt| -> serde_json::Value {
            serde_json::from_str(&fs::read_text(receipt.path(), 1 << 20).expect("read")).expect("JSON")
        };
        assert_eq!(read(&receipt)["finished"], serde_json::Value::Null);
        let name = MachineName::new("m").expect("a name");
        receipt.add(&MachineReport::new(&name, MachineResult::Reverted).because("why")).expect("added");
        receipt.add(&MachineReport::new(&name, MachineResult::Applied)).expect("replaced");
        assert_eq!(read(&receipt)["machines"].as_array().map(Vec::len), Some(1));
        let report = Report { machines: vec![MachineReport::new(&name, MachineResult::Applied)], is_interrupted: true };
        receipt.end(&report, jiff::Timestamp::UNIX_EPOCH).expect("ended");
        assert_eq!(read(&receipt)["exit"], 130);
    }
}
