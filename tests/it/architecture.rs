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

/// The part of a file that is product code: without its `#[cfg(test)] mod NAME { … }`, which stands last in a file.
fn product_code(text: &str) -> &str {
    let mut tests = text.match_indices("#[cfg(test)]\nmod ").map(|(at, _)| at);
    let inline = tests.find(|at| text[*at..].lines().nth(1).is_some_and(|line| line.ends_with('{')));
    inline.map_or(text, |at| &text[..at])
}

/// The rooms that follow a `crate::`: one, or those of a `crate::{…}`.
fn rooms_named(path: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                names.push(name(group[start..at].trim_start()));
                start = at + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
        if c == '}' && depth == 0 && start == at + 1 {
            break;
        }
    }
    names
}

#[test]
fn the_rooms_of_a_path_are_read() {
    assert_eq!(rooms_named("fleet::{Bytes, Fleet};"), ["fleet"]);
    assert_eq!(rooms_named("{config, fs::{self, tree}, ui};\nuse x::{y, z};"), ["config", "fs", "ui"]);
    assert_eq!(rooms_named("{\n    render,\n    testing,\n};"), ["render", "testing", ""]);
    assert_eq!(
        product_code("mod a;\n#[cfg(test)]\nmod b;\nuse crate::x;\n#[cfg(test)]\nmod tests {\n"),
        "mod a;\n#[cfg(test)]\nmod b;\nuse crate::x;\n"
    );
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
            for used in rooms_named(&text[at + "crate::".len()..]) {
                let own = room.split('/').next() == Some(used.as_str());
                if !used.is_empty() && !own && !may.contains(used.as_str()) {
                    let line = text[..at].lines().count();
                    wrong.push(format!("{path}:{line}: {room} may not use {used}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
