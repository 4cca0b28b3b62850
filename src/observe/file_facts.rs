//! The files that the probe looked at: what stat saw, with the hash and the text where they were asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::answered::Answered;
use super::parse::{Stat, StatKind, shasum, stat};
use super::{Ask, FileFact};
use crate::fleet;

/// Texts above this are not brought by the probe, bytes.
const LONGEST_TEXT: u64 = 1 << 20;

/// Facts by path. root's half comes last and overrides what the login user could not read.
pub(super) fn files(answer: &Answered<'_>, ask: &Ask, notes: &mut Vec<String>) -> BTreeMap<String, FileFact> {
    let mut stats: BTreeMap<String, Stat> = BTreeMap::new();
    let mut sums = BTreeMap::new();
    let mut texts: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for section in answer.all {
        match section.name {
            "stat" => stats.extend(stat(&section.text())),
            "sums" => sums.extend(shasum(&section.text())),
            "text" => drop(texts.insert(section.argument, section.body)),
            _ => {}
        }
    }
    if !answer.has("stat") {
        return BTreeMap::new();
    }
    // root was here: what the login user may not enter was looked at, and what is still not listed is not there.
    let rooted = answer.has("root-end");
    let private: BTreeSet<&str> = ask.files.iter().filter(|file| file.private).map(|file| file.path.as_str()).collect();
    let mut facts: BTreeMap<String, FileFact> =
        ask.files.iter().map(|file| (file.path.clone(), FileFact::Missing)).collect();
    for (path, found) in stats {
        let owner = || (found.user.clone(), found.group.clone());
        let fact = match &found.kind {
            StatKind::Denied if rooted && private.contains(path.as_str()) => FileFact::Missing,
            StatKind::Denied => FileFact::Unreadable,
            StatKind::Other => FileFact::Other,
            StatKind::Link(target) => FileFact::Link { target: target.clone() },
            StatKind::Directory => {
                let (user, group) = owner();
                FileFact::Directory { user, group, mode: found.mode }
            }
            StatKind::File => {
                let (user, group) = owner();
                let sha256 = sums.get(&path).cloned();
                let bytes = texts.get(path.as_str()).and_then(|body| text_of(body, found.size, sha256.as_deref()));
                if texts.contains_key(path.as_str()) && bytes.is_none() && found.size <= LONGEST_TEXT {
                    notes.push(format!("{path} changed while it was read, or is no text"));
                }
                // An empty file gives awk nothing to print.
                let bytes = bytes.or_else(|| (found.size == 0 && sha256.is_some()).then(Vec::new));
                FileFact::File { user, group, mode: found.mode, sha256, bytes }
            }
        };
        facts.insert(path, fact);
    }
    facts
}

/// awk ends every text with a newline; the file may not have one. Only bytes with the hash that shasum saw are the file's.
fn text_of(body: &[u8], size: u64, sha256: Option<&str>) -> Option<Vec<u8>> {
    let size = usize::try_from(size).ok()?;
    let bytes = body.get(..size)?;
    (Some(fleet::sha256(bytes).as_str()) == sha256).then(|| bytes.to_vec())
}

/// The JSON of a file that was brought; what is none is said in `malformed`.
pub(super) fn json_at(files: &BTreeMap<String, FileFact>, path: &str, malformed: &mut Vec<String>) -> Option<Value> {
    let Some(FileFact::File { bytes: Some(bytes), .. }) = files.get(path) else { return None };
    let value = serde_json::from_slice(bytes).ok();
    if value.is_none() {
        malformed.push(format!("{path} is not JSON"));
    }
    value
}
