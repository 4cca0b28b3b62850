//! Which command lines are an oMLX server, and which of those that run are not fleetctl's.

use std::collections::{BTreeMap, BTreeSet};

use super::answered::Answered;
use super::parse::{Process, launchctl_print};
use super::{ForeignEngine, LaunchdJob};

/// oMLX that is not ours: loaded jobs of other labels whose program is it, and processes that neither are ours nor descend from ours.
pub(super) fn foreign(
    answer: &Answered<'_>,
    jobs: &BTreeMap<String, LaunchdJob>,
    processes: &[Process],
) -> Vec<ForeignEngine> {
    let ours: BTreeSet<u32> = jobs.values().filter_map(|job| job.pid).collect();
    let mut found: Vec<ForeignEngine> = Vec::new();
    let mut known: BTreeSet<u32> = BTreeSet::new();
    for section in answer.each("foreign") {
        let Some(job) = launchctl_print(&section.text()) else { continue };
        let command =
            if job.arguments.is_empty() { job.program.clone().unwrap_or_default() } else { job.arguments.join(" ") };
        if !is_engine(&command) {
            continue;
        }
        let Some((target, plist)) = section.argument.split_once(' ') else { continue };
        let Some((domain, label)) = target.rsplit_once('/') else { continue };
        known.extend(job.pid);
        found.push(ForeignEngine {
            label: Some(label.to_owned()),
            domain: Some(domain.to_owned()),
            plist: Some(plist.to_owned()),
            pid: job.pid,
            command,
        });
    }
    let descends = |process: &Process, from: &BTreeSet<u32>| {
        let mut at = process;
        for _ in 0..16 {
            if from.contains(&at.pid) || from.contains(&at.ppid) {
                return true;
            }
            match processes.iter().find(|parent| parent.pid == at.ppid) {
                Some(parent) => at = parent,
                None => return false,
            }
        }
        false
    };
    for process in processes {
        let is_new = !found.iter().any(|other| other.pid == Some(process.pid));
        if is_engine(&process.command) && is_new && !descends(process, &ours) && !descends(process, &known) {
            found.push(ForeignEngine {
                label: None,
                domain: None,
                plist: None,
                pid: Some(process.pid),
                command: process.command.clone(),
            });
        }
    }
    found
}

/// Whether a command line is an oMLX server: `…/omlx serve`, also behind its interpreter or our waiting wrapper; `omlx-server`, the title of later releases
/// (facts/omlx.md 0); the app's own server.
fn is_engine(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let programs = ["omlx", "fmlx", "omlx-cli"];
    words.first().is_some_and(|first| name(first) == "omlx-server")
        || (0..words.len().min(4))
            .any(|at| programs.contains(&name(words[at]).as_str()) && words.get(at + 1) == Some(&"serve"))
}
