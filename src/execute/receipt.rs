//! Receipts on the laptop: what was tried, machine by machine. Written before the first machine is touched and again after each, so that an interrupted or killed
//! run leaves one too. Such a one stays open until a later run has read on the machines how they ended. Holds no secret and no content of a file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::carry_out::of_document;
use super::report::{MachineReport, MachineResult, Report};
use super::result::ResultDocument;
use crate::fleet::MachineName;
use crate::fs;

/// How many receipts are looked through for open ones, newest first. Older ones are history.
const RECENT: usize = 100;

/// A receipt has a few kilobytes for a hundred machines.
const LIMIT: u64 = 4 << 20;

/// A receipt, as it grows.
#[derive(Debug)]
pub struct Receipt {
    path: PathBuf,
    document: Document,
    /// Held while its run works, so that no other run takes it for one that was left behind; the system lets go of it when the process ends.
    running: Option<std::fs::File>,
}

/// What is known before anything happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    schema: String,
    #[serde(flatten)]
    occasion: Occasion,
    finished: Option<String>,
    exit: Option<u8>,
    machines: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    result: String,
    /// Whether the machine went on by itself when the laptop last heard of it.
    #[serde(default)]
    pending: bool,
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
            result: report.result.as_str().to_owned(),
            pending: report.is_interrupted,
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
        let running = fs::append(&lock_of(&path))?;
        // A file system without locks: then an open receipt is taken for one that was left behind, which costs a line of text.
        drop(running.try_lock());
        let document = Document {
            schema: "fleetctl.receipt/1".to_owned(),
            occasion,
            finished: None,
            exit: None,
            machines: Vec::new(),
        };
        let receipt = Self { path, document, running: Some(running) };
        receipt.write()?;
        Ok(receipt)
    }

    /// The open receipts of a fleet that no run works on any more, oldest first. What cannot be read is left alone.
    pub fn left_open(state: &Path, fleet: &str) -> Vec<Self> {
        let directory = state.join("receipts");
        let mut names = fs::names_in(&directory).ok().flatten().unwrap_or_default();
        names.retain(|name| Path::new(name).extension().is_some_and(|end| end == "json"));
        names.sort_unstable();
        let skipped = names.len().saturating_sub(RECENT);
        names.into_iter().skip(skipped).filter_map(|name| Self::open(directory.join(name), fleet)).collect()
    }

    fn open(path: PathBuf, fleet: &str) -> Option<Self> {
        let document: Document = serde_json::from_str(&fs::read_text(&path, LIMIT).ok()?).ok()?;
        if document.finished.is_some() || document.occasion.fleet != fleet {
            return None;
        }
        let running = fs::append(&lock_of(&path)).ok()?;
        running.try_lock().ok()?;
        Some(Self { path, document, running: Some(running) })
    }

    /// When its run began, RFC 3339 in UTC; and the verb.
    pub fn occasion(&self) -> (&str, &str) {
        (&self.document.occasion.started, &self.document.occasion.verb)
    }

    /// What became of a machine that this receipt waits for, by the machine's own `result.json` and `record.json`; `None` while its runner works, or where
    /// nothing is waited for.
    pub fn outcome(
        &self,
        machine: &MachineName,
        result: Option<&Value>,
        record: Option<&Value>,
    ) -> Option<MachineReport> {
        let is_planned = self.document.occasion.machines_planned.iter().any(|name| name == machine.as_str());
        let is_known = self.document.machines.iter().any(|entry| entry.name == machine.as_str() && !entry.pending);
        if !is_planned || is_known {
            return None;
        }
        let id = format!("{}-{machine}", self.document.occasion.id);
        let result = result.and_then(|result| serde_json::from_value::<ResultDocument>(result.clone()).ok());
        if let Some(document) = result.filter(|document| document.id == id) {
            return document.state.is_final().then(|| of_document(machine, &document));
        }
        let recorded = |key: &str| record.and_then(|record| record.get(key));
        if recorded("id").and_then(Value::as_str) == Some(&id) {
            let mut report = MachineReport::new(machine, MachineResult::Applied);
            report.generation =
                recorded("generation").and_then(Value::as_u64).and_then(|number| number.try_into().ok());
            return Some(report);
        }
        let why = "it never began there, or a later transaction has taken the place of its result";
        Some(MachineReport::new(machine, MachineResult::Failed).because(why))
    }

    /// Writes down what became of a machine; when none is waited for any more, the receipt is closed. Whether it is.
    pub fn learn(&mut self, report: &MachineReport, at: jiff::Timestamp) -> std::io::Result<bool> {
        self.add(report)?;
        let is_known = |name: &String| self.document.machines.iter().any(|entry| entry.name == *name && !entry.pending);
        if !self.document.occasion.machines_planned.iter().all(is_known) {
            return Ok(false);
        }
        self.document.finished = Some(at.to_string());
        self.write()?;
        self.let_go();
        Ok(true)
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

    /// Ends it; it stays open where a machine went on by itself.
    pub fn end(&mut self, report: &Report, at: jiff::Timestamp) -> std::io::Result<()> {
        self.document.machines = report.machines.iter().map(Entry::from).collect();
        let is_open = self.document.machines.iter().any(|entry| entry.pending);
        self.document.finished = (!is_open).then(|| at.to_string());
        self.document.exit = Some(report.exit().code());
        self.write()?;
        self.let_go();
        Ok(())
    }

    fn let_go(&mut self) {
        self.running = None;
        // Another process may have been faster.
        drop(fs::remove(&lock_of(&self.path)));
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

fn lock_of(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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

    fn begun(state: &Path, id: &str) -> Receipt {
        let occasion = Occasion {
            id: id.to_owned(),
            verb: "apply".to_owned(),
            fleet: "f".to_owned(),
            started: "2026-11-23T10:00:00Z".to_owned(),
            machines_planned: vec!["m".to_owned(), "n".to_owned()],
            ..Occasion::default()
        };
        Receipt::begin(state, occasion).expect("begun")
    }

    #[test]
    fn one_that_was_left_open_is_closed_by_what_the_machines_say() {
        let directory = tempfile::tempdir().expect("a directory");
        let state = directory.path();
        let receipt = begun(state, "r1");
        assert!(Receipt::left_open(state, "f").is_empty(), "its run still works");
        drop(receipt);
        assert!(Receipt::left_open(state, "g").is_empty(), "another fleet's");
        let mut left = Receipt::left_open(state, "f");
        let receipt = left.first_mut().expect("open");
        let [m, n, o] = ["m", "n", "o"].map(|name| MachineName::new(name).expect("a name"));
        let result = |state: &str| json!({"id": "r1-m", "state": state, "generation": 4, "reason": "why"});
        assert_eq!(receipt.outcome(&m, Some(&result("running")), None), None);
        assert_eq!(receipt.outcome(&o, Some(&result("committed")), None), None, "it was not planned");
        let report = receipt.outcome(&m, Some(&result("reverted")), None).expect("ended");
        assert_eq!(
            (report.result, report.generation, report.detail.as_deref()),
            (MachineResult::Reverted, Some(4), Some("why"))
        );
        let now = jiff::Timestamp::UNIX_EPOCH;
        assert!(!receipt.learn(&report, now).expect("written"), "n is waited for");
        assert_eq!(receipt.outcome(&m, Some(&result("reverted")), None), None, "known now");
        // A later transaction was refused; the record is this one's.
        let other = json!({"id": "r2-n", "state": "refused"});
        let record = json!({"id": "r1-n", "generation": 7});
        let report = receipt.outcome(&n, Some(&other), Some(&record)).expect("ended");
        assert_eq!((report.result, report.generation), (MachineResult::Applied, Some(7)));
        let report = receipt.outcome(&n, Some(&json!({"id": 3})), None).expect("no trace");
        assert_eq!(report.result, MachineResult::Failed);
        assert!(receipt.learn(&report, now).expect("written"));
        assert!(Receipt::left_open(state, "f").is_empty());
        assert_eq!(fs::names_in(&state.join("receipts")).expect("listed").expect("there"), ["r1.json"]);
    }

    #[test]
    fn one_that_was_cut_stays_open() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut receipt = begun(directory.path(), "r1");
        let name = MachineName::new("m").expect("a name");
        let cut = MachineReport { is_interrupted: true, ..MachineReport::new(&name, MachineResult::Failed) };
        let report = Report { machines: vec![cut], is_interrupted: true };
        receipt.end(&report, jiff::Timestamp::UNIX_EPOCH).expect("ended");
        assert_eq!(Receipt::left_open(directory.path(), "f").len(), 1);
        let path = directory.path().join("receipts/r1.json");
        fs::write_atomic(&path, b"{\"schema\": ", 0o600).expect("written");
        assert!(Receipt::left_open(directory.path(), "f").is_empty(), "what cannot be read is left alone");
    }
}
