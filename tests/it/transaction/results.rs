//! What the cells of the matrix ended in: a table for people, and a line a cell in the file that docs/reliability.md is made from.

use std::fs::OpenOptions;
use std::io::Write as _;

use super::fault::{Fault, STATES};
use super::holds::Way;

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) way: Way,
    pub(crate) state: &'static str,
    pub(crate) fault: Fault,
}

/// Adds a line to the file that `FAULT_RESULTS` names: date, commit, way, state, fault, what the result told. `scripts/fault-matrix` sets both.
pub(crate) fn keep(cell: Cell, told: &str) {
    let kind = if told == "WRONG" { told } else { short(told) };
    line(&["cell", cell.way.as_str(), cell.state, cell.fault.as_str(), kind]);
}

/// The cells that hold by that file: their last line is no "WRONG".
pub(crate) fn held() -> Vec<Cell> {
    let text =
        std::env::var_os("FAULT_RESULTS").and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let mut held = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        let [_, _, "cell", way, state, fault, told] = words[..] else { continue };
        let way = [Way::Restart, Way::Live].into_iter().find(|one| one.as_str() == way);
        let state = STATES.into_iter().find(|one| *one == state);
        let fault = Fault::ALL.into_iter().find(|one| one.as_str() == fault);
        let (Some(way), Some(state), Some(fault)) = (way, state, fault) else { continue };
        let cell = Cell { way, state, fault };
        held.retain(|one| *one != cell);
        if told != "WRONG" {
            held.push(cell);
        }
    }
    held
}

/// Adds a line of words to that file.
pub(crate) fn line(words: &[&str]) {
    let Some(path) = std::env::var_os("FAULT_RESULTS") else { return };
    let commit = std::env::var("FAULT_COMMIT").unwrap_or_else(|_| "?".to_owned());
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the results' file");
    writeln!(file, "{date}\t{commit}\t{}", words.join("\t")).expect("written");
}

/// The table of a run: a line a fault, a column a state.
pub(crate) fn table(outcomes: &[(Cell, String)]) -> String {
    let mut text = String::new();
    for way in [Way::Restart, Way::Live] {
        if !outcomes.iter().any(|(cell, _)| cell.way == way) {
            continue;
        }
        text.push_str(&format!(
            "| {} | {} |\n|---|{}\n",
            way.as_str(),
            STATES.join(" | "),
            "---|".repeat(STATES.len())
        ));
        for fault in Fault::ALL {
            let cells: Vec<&str> = STATES
                .into_iter()
                .map(|state| {
                    let wanted = Cell { way, state, fault };
                    outcomes.iter().find(|(cell, _)| *cell == wanted).map_or("", |(_, told)| short(told))
                })
                .collect();
            text.push_str(&format!("| {} | {} |\n", fault.as_str(), cells.join(" | ")));
        }
        text.push('\n');
    }
    text
}

fn short(told: &str) -> &'static str {
    match told {
        "committed" => "new",
        "reverted" => "old",
        "refused" => "old, refused",
        "postponed" => "old, postponed",
        "failed" => "old, untouched",
        "revert-failed" => "said, then mended",
        "WRONG" => "WRONG",
        _ => "?",
    }
}
