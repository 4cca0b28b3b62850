//! The house: which room may use which (docs: the architecture table), read from the `use crate::` edges of the source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rooms and what they may use, beside `error`, `exit` and `secret`, which all may use. `command` and the crate's root may use everything.
const ALLOWED: &[(&str, &[&str])] = &[
    ("diagnostic", &[]),
    ("fleet", &[]),
    ("error", &[]),
    ("exit", &[]),
    ("secret", &[]),
    ("clock", &[]),
    ("env", &[]),
    ("fs", &[]),
    ("cli", &[]),
    ("omlx", &["fleet"]),
    ("schedule", &["fleet"]),
    ("capacity", &["fleet", "omlx", "schedule"]),
    ("config", &["fleet", "diagnostic", "omlx", "capacity", "schedule"]),
    ("slot", &["fleet", "omlx", "schedule", "capacity"]),
    ("shadow", &["fleet", "omlx", "schedule"]),
    ("shadow/store", &["fleet", "omlx", "schedule", "clock", "env", "fs"]),
    ("render", &["fleet", "omlx", "schedule", "slot"]),
    ("observe", &["fleet", "omlx"]),
    ("observe/probe", &["fleet", "omlx", "transport", "clock", "env", "fs"]),
    ("plan", &["fleet", "diagnostic", "omlx", "schedule", "capacity", "render", "observe"]),
    ("transport", &["fleet", "clock", "env", "fs"]),
    ("execute", &["fleet", "omlx", "plan", "transport", "observe", "clock", "env", "fs"]),
    (
        "ui",
        &[
            "fleet",
            "diagnostic",
            "omlx",
            "schedule",
            "capacity",
            "config",
            "slot",
            "shadow",
            "render",
            "observe",
            "plan",
            "execute",
            "transport",
            "env",
            "clock",
        ],
    ),
];

const FOR_ALL: &[&str] = &["error", "exit", "secret"];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a source directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The part of a file that is product code: without `#[cfg(test)]` modules, which stand last in a file.
fn product_code(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").map_or(text, |tests| &text[..tests])
}

/// Whether a file is a test module of its own: `#[cfg(test)] mod NAME;` in the module above it, or by its name (`NAME_tests.rs`, by `#[path]`).
fn is_test_module(file: &Path) -> bool {
    let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
    let above = file.parent().expect("a directory").join("mod.rs");
    name.ends_with("_tests")
        || std::fs::read_to_string(above).is_ok_and(|text| text.contains(&format!("#[cfg(test)]\nmod {name};")))
}

fn room_of(relative: &str) -> String {
    let without = relative.trim_end_matches(".rs").trim_end_matches("/mod");
    for (room, _) in ALLOWED.iter().filter(|(room, _)| room.contains('/')) {
        if without == *room || without.starts_with(&format!("{room}/")) {
            return (*room).to_owned();
        }
    }
    without.split('/').next().expect("a first component").to_owned()
}

#[test]
fn every_room_uses_only_what_it_may_know() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ALLOWED.iter().map(|(room, may)| (*room, may.iter().chain(FOR_ALL).copied().collect())).collect();
    let mut files = Vec::new();
    sources(&source, &mut files);
    assert!(files.len() > 20, "the source was found");
    let mut wrong = Vec::new();
    for file in files {
        let path = file.strip_prefix(&source).expect("below src").to_string_lossy().into_owned();
        let room = room_of(&path);
        if is_test_module(&file) {
            continue;
        }
        if matches!(room.as_str(), "command" | "lib" | "main" | "testing" | "fuzzing") {
            continue;
        }
        let may = allowed.get(room.as_str()).unwrap_or_else(|| panic!("{path}: the room {room} is not in the table"));
        let text = std::fs::read_to_string(&file).expect("a source file");
        for (at, _) in product_code(&text).match_indices("crate::") {
            let used: String = text[at + 7..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let own = room.split('/').next() == Some(used.as_str());
            if !used.is_empty() && !own && !may.contains(used.as_str()) {
                let line = text[..at].lines().count();
                wrong.push(format!("{path}:{line}: {room} may not use {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
