//! `fleetctl.history/1`

use serde::Serialize;

use crate::execute::Generation;

/// The document of `history --json`.
#[derive(Debug, Serialize)]
pub struct HistoryDocument {
    schema: &'static str,
    machine: String,
    generations: Vec<HistoryGeneration>,
}

#[derive(Debug, Serialize)]
struct HistoryGeneration {
    generation: u32,
    present: bool,
    restorable: bool,
    kind: Option<String>,
    at: Option<String>,
    who: Option<String>,
    revision: Option<String>,
    changes: Option<usize>,
    summary: Vec<String>,
}

impl HistoryDocument {
    /// Of a machine's generations, oldest first.
    pub fn of(machine: &str, generations: &[Generation]) -> Self {
        let generations = generations.iter().map(|generation| {
            let about = generation.about.clone();
            HistoryGeneration {
                generation: generation.number,
                present: generation.is_present,
                restorable: generation.is_kept,
                kind: about.as_ref().map(|about| about.kind.clone()),
                at: about.as_ref().and_then(|about| about.at.clone()),
                who: about.as_ref().map(|about| about.who.clone()),
                revision: about.as_ref().and_then(|about| about.revision.clone()),
                changes: about.as_ref().map(|about| about.changes),
                summary: about.map(|about| about.summary).unwrap_or_default(),
            }
        });
        Self { schema: "fleetctl.history/1", machine: machine.to_owned(), generations: generations.collect() }
    }
}
